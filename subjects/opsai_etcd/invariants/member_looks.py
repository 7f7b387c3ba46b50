"""Looks at one member."""

from collections.abc import Callable

from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.process import asked_to_stop, restarts
from opsai_etcd.signs.reach import had_by_peers, lost_by_peers, lost_by_some, port_silent, process_gone, sees_no_leader
from opsai_etcd.signs.resources import quota_ratio
from opsai_etcd.signs.voices import voices

ORDERLY_SECONDS = 60.0
"""What a restart in order may take."""
LEAST_IN_USE_BYTES = 100 * 2**20
"""Free pages of a small file are no matter (the mixin's alert has the same bound)."""
OFTEN = 2.5
"""Times the limit, so long several deaths are told after the last of them: the ticket then ends by itself."""
SCRAPES = 2
LEARNER_BEHIND = 1000


def member_down(look: Look, entity: str) -> Seen:
    """It refuses, or keeps silent and its peers have lost it; a restart in order has its minute."""
    member = look.member(entity)
    if not member.started:
        return ABSENT  # that it never started is said elsewhere
    gone = process_gone(look, entity)
    if gone.state == "shown":
        stopped = asked_to_stop(look, entity)
        age = look.ago(stopped.since) if stopped.state == "shown" else None
        return ABSENT if age is not None and age < ORDERLY_SECONDS else gone
    if gone.state == "unknown":
        said = lost_by_peers(look, entity)
        return (
            shown(f"it refuses connections and is {said.says}", member.port, since=said.since)
            if said.state == "shown"
            else gone
        )
    silent = port_silent(look, entity)
    if silent.state != "shown":
        if member.port not in ("answered", "refused"):
            return unknown(f"its client port could not be asked ({member.why or member.port})")
        return silent
    said = lost_by_peers(look, entity)
    if said.state == "shown":
        return shown(f"{silent.says}, and {said.says}", member.port, since=said.since)
    had = voices(look, entity).had_by
    reached = f"{', '.join(had)} have it" if had else "nobody else tells of it"
    return unknown(f"it gives us no answer ({silent.says}), and {reached}: we may be the ones cut off")


def member_died(look: Look, entity: str) -> Seen:
    """Its process died and came back within the look-back; having died once, it is told until it has run for the limit."""
    found = restarts(look, entity)
    if found is None:
        return unknown("neither its start time nor its log is known")
    if not found or process_gone(look, entity).state == "shown":
        return ABSENT  # while it is gone, that is what is to be said
    age = look.ago(found[-1]) or 0.0
    if age > look.limit("etcd_member_stays_up") * (1 if len(found) == 1 else OFTEN):
        return ABSENT
    times = "once" if len(found) == 1 else f"{len(found)} times"
    return shown(f"it died {times} within 10 min and runs again", round(age, 1), since=found[-1])


def peers_lost(look: Look, entity: str) -> Seen:
    """Other members have lost it though it answers us."""
    if look.member(entity).port != "answered":
        return unknown("it does not answer us: whether it is up is said elsewhere")
    found = (lost_by_peers(look, entity), lost_by_some(look, entity))
    return next((seen for seen in found if seen.state == "shown"), found[0])


def client_port_cut(look: Look, entity: str) -> Seen:
    """Its peers have it, and neither we nor Prometheus reach its client port."""
    member = look.member(entity)
    if member.port == "answered":
        return ABSENT
    had = had_by_peers(look, entity)
    if had.state != "shown":
        return unknown(f"it does not answer us, and {had.says}" if had.state == "unknown" else "its peers have lost it")
    scraped = look.points("up", entity)
    if look.facts.scraped_by_us or not scraped:
        return unknown(f"it does not answer us, and {had.says}: nobody else tells of its client port")
    if any(scraped[-SCRAPES:]):
        return unknown(f"it does not answer us ({member.port}) and it is scraped: we may be the ones cut off")
    return shown(f"neither we nor Prometheus reach it ({member.port}), and {had.says}", member.port)


def follows_nobody(look: Look, entity: str) -> Seen:
    """It answers and sees no leader, while others do."""
    return sees_no_leader(look, entity)


def unhealthy(look: Look, entity: str) -> Seen:
    """It calls itself unhealthy."""
    member = look.member(entity)
    if member.healthy is None:
        return unknown("it did not answer /health")
    if member.healthy:
        return ABSENT
    told = "; ".join(text for text in (member.health_says, *member.errors) if text)
    alarms = ", ".join(f"{one.kind} on {one.entity}" for one in look.facts.alarms)
    return shown(f"/health is false{': ' if told or alarms else ''}{told or alarms}", "false")


def alarmed(kind: str) -> Callable[[Look, str], Seen]:
    """Return the look for one alarm on a member."""

    def look(at: Look, entity: str) -> Seen:
        raised = next((one for one in at.facts.alarms if one.kind == kind and one.is_of(entity)), None)
        if raised is not None:
            return shown(raised.says, kind)
        return ABSENT if at.facts.alarms_known else unknown("no member told its alarms")

    return look


def over_quota(look: Look, entity: str) -> Seen:
    """Its backend is near its quota."""
    ratio, limit = quota_ratio(look, entity), look.limit("etcd_db_within_quota")
    if ratio is None:
        return unknown(
            "its quota is not known: the metric etcd_server_quota_backend_bytes has it, and Status from 3.6 on"
        )
    if ratio <= limit:
        return ABSENT
    size = look.member(entity).db_bytes
    figures = f" ({size / 2**20:,.0f} MiB)" if size is not None else ""
    return shown(f"its backend takes {ratio:.0%} of its quota{figures}", round(ratio, 3), limit=limit)


def fragmented(look: Look, entity: str) -> Seen:
    """Most of its backend's file is free pages."""
    member, limit = look.member(entity), look.limit("etcd_db_compact")
    if member.db_bytes is None or member.db_in_use_bytes is None:
        return unknown("its size or what of it is in use is not known")
    if member.db_in_use_bytes < LEAST_IN_USE_BYTES or not member.db_bytes:
        return ABSENT
    ratio = 1 - member.db_in_use_bytes / member.db_bytes
    return (
        shown(f"{ratio:.0%} of its backend's file are free pages", round(ratio, 3), limit=limit)
        if ratio > limit
        else ABSENT
    )


def apply_behind(look: Look, entity: str) -> Seen:
    """It applies what is committed late."""
    member, limit = look.member(entity), look.limit("etcd_applies_in_step")
    lag: float | None = look.now("apply_lag", entity)
    if member.raft_index is not None and member.applied_index is not None:
        lag = member.raft_index - member.applied_index
    if lag is None:
        return unknown("its raft index or its applied index is not known")
    return shown(f"{lag:,.0f} entries are not applied yet", lag, limit=limit) if lag > limit else ABSENT


def follower_behind(look: Look, entity: str) -> Seen:
    """Its raft log is far behind the leader's."""
    member = look.member(entity)
    if member.is_learner:
        return ABSENT  # a learner catches up by design
    behind, limit = _behind(look, entity), look.limit("etcd_follower_in_step")
    if behind is None:
        return unknown("its raft index or the leader's is not known")
    return shown(f"{behind:,} entries behind the leader", behind, limit=limit) if behind > limit else ABSENT


def learner_behind(look: Look, entity: str) -> Seen:
    """It is a learner and far behind the leader."""
    member = look.member(entity)
    leader = look.facts.member(look.facts.leader) if look.facts.leader else None
    if not look.facts.members_known:
        return unknown("no member says who the learners are")
    if not member.is_learner:
        return ABSENT
    if member.raft_index is None or leader is None or not leader.raft_index:
        return unknown("its raft index or the leader's is not known")
    ratio, limit = member.raft_index / leader.raft_index, look.limit("etcd_learner_in_step")
    if ratio >= limit and (_behind(look, entity) or 0) < LEARNER_BEHIND:
        return ABSENT
    says = f"it has {ratio:.0%} of the leader's log, {_behind(look, entity):,} entries behind"
    return shown(says, round(ratio, 3), limit=limit)


def _behind(look: Look, entity: str) -> int | None:
    leader = look.facts.member(look.facts.leader) if look.facts.leader else None
    mine = look.member(entity).raft_index
    if leader is None or leader.raft_index is None or mine is None:
        return None
    return max(0, leader.raft_index - mine)
