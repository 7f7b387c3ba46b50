"""Signs of leadership: whether a member led lately, whether the majority is gone, whether the leader changes again and again."""

from datetime import datetime, timedelta
from itertools import pairwise

from opsai_etcd.facts import LogCount
from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.reach import had_by_peers, lost_by_peers, port_silent, process_gone
from opsai_etcd.signs.rule import TIMELINE, TOPOLOGY, SignRule
from opsai_etcd.signs.voices import voices

AT_A_DEATH, AT_A_SILENCE = timedelta(seconds=2), timedelta(seconds=8)
"""How long before it is lost as a peer a leader may be lost as such: a process that dies ends its connections at once, one
that hangs is missed as a leader after an election timeout, and as a peer after 5 s (rafthttp's read timeout)."""
LATELY_SECONDS = 120.0
CHANGES_APART_SECONDS = 5.0


def was_leader(look: Look, entity: str) -> Seen:
    """It leads, or led until it was lost."""
    member = look.member(entity)
    if look.facts.leader == entity:
        return shown("it is the leader", "leader")
    if member.port == "answered" and member.leader_id:
        return ABSENT  # it follows another one
    lost = _lost_as_leader(look, entity)
    since = voices(look, entity).since
    before = AT_A_DEATH if member.port == "refused" else AT_A_SILENCE
    if lost is not None and since is not None and lost.last_at >= since - before:
        return shown("the others lost it as their leader", "led", since=lost.last_at)
    by_metric = look.points("is_leader", entity)
    if by_metric:
        return shown("it led when it was last scraped", "led") if by_metric[-1] == 1 else ABSENT
    if lost is not None and since is None:
        return shown("the others lost it as their leader", "led", since=lost.last_at)
    return _by_memory_or_logs(look, entity, since)


def _by_memory_or_logs(look: Look, entity: str, since: datetime | None) -> Seen:
    end = since or look.facts.at
    known = [one for one in look.facts.led if one.at <= end and (end - one.at).total_seconds() <= LATELY_SECONDS]
    if known:
        led = known[-1].leader_id == look.member(entity).id
        return shown("it led in an earlier look", "led") if led else ABSENT
    heard = [other for other in look.others(entity) if (log := look.facts.logs.get(other)) and log.last_at]
    if heard:
        return ABSENT  # a member that loses its leader says so
    return unknown("neither metrics nor the other members' logs say who led before")


def _lost_as_leader(look: Look, entity: str) -> LogCount | None:
    """Return the youngest word of another member that it lost this one as its leader."""
    ident = look.member(entity).id
    found = [
        count
        for other in look.others(entity)
        for pattern in ("leader_lost", "leader_changed")
        if (count := look.logged_of(pattern, other, ident)) is not None
    ]
    return max(found, key=lambda count: count.last_at, default=None)


def is_gone(look: Look, entity: str) -> bool:
    """Say whether a member is lost to the cluster: its process is gone, or every peer that tells has lost it."""
    return any(one(look, entity).state == "shown" for one in (process_gone, lost_by_peers))


def may_be_gone(look: Look, entity: str) -> bool:
    """Say whether a member is lost, or gives us no answer and no peer says that it has it."""
    silent = port_silent(look, entity).state == "shown"
    return is_gone(look, entity) or (silent and had_by_peers(look, entity).state != "shown")


def majority_gone(look: Look, entity: str) -> Seen:
    """So many voters are gone that the rest is no majority, this one among them, and nobody leads."""
    facts = look.facts
    if facts.leader is not None:
        return ABSENT
    if not facts.members_listed:
        return unknown(
            "no member has ever told who the members are: the endpoints of the settings may be a part of them"
        )
    if not facts.leader_told and not any(is_seen(look, one) for one in look.entities):
        return unknown("no member answers or is scraped: we may be the ones cut off")
    gone = [one.entity for one in facts.voters if may_be_gone(look, one.entity)]
    left = len(facts.voters) - len(gone)
    if entity not in gone or left >= facts.quorum:
        return ABSENT
    says = f"{len(gone)} of {len(facts.voters)} voters are gone ({', '.join(gone)}), and nobody leads"
    return shown(says, len(gone), limit=len(facts.voters) - facts.quorum)


def is_seen(look: Look, entity: str) -> bool:
    """Say whether anybody has seen the member at all: it refused us, it answers, or it was scraped."""
    return look.member(entity).port in ("refused", "answered") or look.now("up", entity) is not None


def leader_changes(look: Look) -> tuple[int | None, str]:
    """Return how often the leader changed within the look-back, as the member that saw most tells; None when nobody does."""
    counted = [count for entity in look.entities if (count := _counted(look, entity)) is not None]
    logged = [_logged_changes(look, entity) for entity in look.entities if entity in look.facts.logs]
    if not counted and not logged:
        return None, ""
    by = "etcd_server_leader_changes_seen_total" if counted and max(counted) >= max(logged, default=0) else "logs"
    return max([*counted, *logged]), by


def _counted(look: Look, entity: str) -> int | None:
    points = look.points("leader_changes", entity)
    if len(points) < 2:
        return None
    return round(sum(max(0.0, after - before) for before, after in pairwise(points)))


def _logged_changes(look: Look, entity: str) -> int:
    lost, elected = look.logged("leader_lost", entity), look.logged("leader_elected", entity)
    changed = look.logged("leader_changed", entity)
    return max(lost.count if lost and elected else 0, 0) + (changed.count if changed else 0)


def leader_flaps(look: Look, entity: str) -> Seen:
    """The leader changed again and again within the look-back."""
    count, by = leader_changes(look)
    limit = look.limit("etcd_leader_steady")
    if count is None:
        return unknown("neither metrics nor logs say how often the leader changed")
    return shown(f"{count} changes within the look-back ({by})", count, limit=limit) if count > limit else ABSENT


def without_leader(look: Look, entity: str) -> Seen:
    """No member that answers sees a leader."""
    facts = look.facts
    told = [one.entity for one in facts.members if one.leader_id is not None]
    if not told:
        return unknown("no member says who leads")
    if any(look.member(one).leader_id for one in told):
        return ABSENT
    if len(told) < len(facts.members) and not all(one in told or may_be_gone(look, one) for one in look.entities):
        return unknown(f"{', '.join(told)} see no leader, and the others could not be asked")
    return shown(f"{', '.join(told)} see no leader", "none")


LEADERSHIP: tuple[SignRule, ...] = (
    SignRule("was_leader", "it leads, or led until it was lost", was_leader, metrics=("is_leader",), reads=(TIMELINE,)),
    SignRule("majority_gone", "the majority is gone", majority_gone, metrics=("up", "has_leader"), reads=(TOPOLOGY,)),
)
CLUSTER_SIGNS: tuple[SignRule, ...] = (
    SignRule(
        "leader_flaps",
        "the leader changes again and again",
        leader_flaps,
        metrics=("leader_changes",),
        reads=(TIMELINE,),
    ),
    SignRule("without_leader", "no member sees a leader", without_leader, metrics=("has_leader",), reads=(TOPOLOGY,)),
)
