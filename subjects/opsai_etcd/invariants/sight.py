"""What must hold of our own sight of the cluster."""

from statistics import median

from opsai_etcd.api.values import SILENT
from opsai_etcd.invariants.rule import InvariantRule, rule
from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.reach import lost_by_peers, process_gone
from opsai_etcd.signs.voices import voices

MISSES = 2


def out_of_sight(look: Look, entity: str) -> Seen:
    """We get no answer from it, and nobody says that it is gone."""
    member = look.member(entity)
    if not member.started:
        return ABSENT
    if member.port == "unknown":
        return shown("it has no client URL that can be asked from here", "unknown")
    if member.port == "answered" or process_gone(look, entity).state == "shown":
        return ABSENT
    if lost_by_peers(look, entity).state == "shown":
        return ABSENT  # that is the member's own trouble
    had = voices(look, entity).had_by
    says = f"{', '.join(had)} have it" if had else "nobody else tells of it"
    kind = member.port if member.port in SILENT else f"{member.port}: {member.why}"
    return shown(f"it gives us no answer ({kind}), and {says}", member.port)


def nobody_answers(look: Look, entity: str) -> Seen:
    """No member says who the members are."""
    if look.facts.members_known:
        return ABSENT
    ports = ", ".join(f"{one.entity} {one.port}" for one in look.facts.members) or "no endpoint is set"
    return shown(f"no member lists the members ({ports})", "none")


def metrics_unread(look: Look, entity: str) -> Seen:
    """No metric of any member can be read."""
    tracks = look.facts.tracks.by_name
    why = next((entry.why for entry in look.facts.unread if entry.source == "metrics"), "")
    if not tracks:
        return unknown(why) if "none are read" in why else shown(f"metrics cannot be read: {why[:200]}", "unread")
    ups = tracks.get("up", {})
    if not ups or all(track.now is None for track in ups.values()):
        return shown("the engine has no fresh sample of any member", "stale")
    return ABSENT


def target_unseen(look: Look, entity: str) -> Seen:
    """Its metrics are not scraped though it answers."""
    if not look.facts.tracks.by_name.get("up"):
        return unknown("no metric of any member is read")
    member, track = look.member(entity), look.track("up", entity)
    if track is None:
        return shown("it has no target and others have one", "no target") if member.started else ABSENT
    if member.port == "answered" and all(point in (0, None) for point in track.points[-MISSES:]):
        return shown("its scrape fails and it answers otherwise", "down")
    return ABSENT


def log_quiet(look: Look, entity: str) -> Seen:
    """Its log cannot be the one that it writes: it has no line since the process started."""
    log, member = look.facts.logs.get(entity), look.member(entity)
    if log is None:
        return unknown("its log is not readable from here: set `logs`")
    if member.port != "answered" or member.started_at is None:
        return unknown("it does not answer, or when it started is not known")
    if log.last_at is not None and log.last_at >= member.started_at:
        return ABSENT
    age, limit = look.ago(member.started_at) or 0.0, look.limit("etcd_log_written")
    if age < limit and log.last_at is None:
        return ABSENT
    last = f"{log.last_at:%Y-%m-%d %H:%M:%S}Z" if log.last_at else "more than a day ago"
    return shown(f"it started at {member.started_at:%H:%M:%S}Z, and its last line is of {last}", last, limit=limit)


def our_clock_apart(look: Look, entity: str) -> Seen:
    """Our own clock differs from the members'."""
    ahead = [one.clock_ahead_seconds for one in look.facts.members if one.clock_ahead_seconds is not None]
    if not ahead:
        return unknown("no member's answer tells the time")
    off, limit = median(ahead), look.limit("etcd_our_clock_true")
    if abs(off) <= limit:
        return ABSENT
    return shown(
        f"our clock is {abs(off):.1f} s {'behind' if off > 0 else 'ahead of'} the members'", round(-off, 1), limit=limit
    )


SIGHT_RULES: tuple[InvariantRule, ...] = (
    rule(
        "member",
        "etcd_member_in_sight",
        "The member answers us where its peers reach it.",
        "We are the ones cut off: what rests on its own word is unknown.",
        out_of_sight,
        "its client port, and what the others say of it",
        grade="sight",
        severity="info",
        for_seconds=60.0,
        unknown_means="It was not asked.",
        explained_by=("etcd_member_up",),
    ),
    rule(
        "cluster",
        "etcd_members_listed",
        "Some member says who the members are.",
        "The majority cannot be counted, and members that were added are not seen.",
        nobody_answers,
        "member list",
        grade="sight",
        for_seconds=30.0,
        unknown_means="No endpoint is set.",
        explained_by=("etcd_member_up", "etcd_quorum"),
    ),
    rule(
        "cluster",
        "etcd_metrics_read",
        "Metrics of members can be read.",
        "Without them what takes time to show is unknown: disk, network, processor, what peers say.",
        metrics_unread,
        "the queries of this look",
        grade="sight",
        for_seconds=45.0,
        unknown_means="No metrics are set to be read.",
        explained_by=("etcd_member_up", "etcd_quorum"),
    ),
    rule(
        "member",
        "etcd_target_scraped",
        "The member's metrics are scraped.",
        "Without its samples most invariants of it are unknown.",
        target_unseen,
        "up",
        grade="sight",
        severity="info",
        for_seconds=60.0,
        unknown_means="No metric of any member is read.",
        explained_by=("etcd_member_up",),
    ),
    rule(
        "member",
        "etcd_log_written",
        "The member writes the log that we read.",
        "A death, an orderly stop and who lost whom when are told by logs alone: it may be another file now.",
        log_quiet,
        "its newest log line against its start; a member at rest may write nothing for hours",
        grade="sight",
        severity="info",
        for_seconds=0.0,
        unit="s",
        unknown_means="Its log is not readable: set `logs`.",
    ),
    rule(
        "cluster",
        "etcd_our_clock_true",
        "Our own clock goes with the members'.",
        "Every window asked and every time on a ticket is off by as much.",
        our_clock_apart,
        "the Date of the members' answers against our clock, which tells whole seconds",
        grade="sight",
        for_seconds=120.0,
        unit="s",
        unknown_means="No member's answer told the time: a recording tells none.",
    ),
)
