"""Looks at PD's members and at PD as a whole."""

from opsai_tikv.facts import CLUSTER, PROMETHEUS
from opsai_tikv.invariants.store_looks import ORDERLY_SECONDS
from opsai_tikv.seen import ABSENT, Look, Seen, ago, figure, unknown
from opsai_tikv.signs.members import (
    leader_changes,
    majority_of_members_gone,
    member_answers,
    member_refused,
    member_silent,
)

TOLD_SECONDS = 1.5
"""Two clocks told in whole seconds may seem so far apart without being so."""
APART_POINTS = 4
"""Points in a row: a change of leader takes etcd and PD some seconds to agree on."""


def any_member_majority_gone(look: Look, entity: str) -> Seen:
    """Most members do not answer."""
    found = [majority_of_members_gone(look, member) for member in look.members]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    if shown:
        return shown
    alive = [one for one in look.members if member_answers(look, one).state == "shown" or look.now("up", one) == 1]
    if 2 * len(alive) > len(look.members):
        return ABSENT
    return unknown(f"of {len(look.members)} members {len(alive)} are known to answer")


def member_down(look: Look, entity: str) -> Seen:
    """It refuses or keeps silent; a restart in order has its minute."""
    found = [member_refused(look, entity), member_silent(look, entity)]
    seen = next((one for one in found if one.state == "shown"), None)
    if seen is None:
        return next((one for one in found if one.state == "unknown"), ABSENT)
    log = look.facts.logs.get(entity)
    stopped = log.patterns.get("pd_stop") if log else None
    age = ago(look.facts, stopped.last_at) if stopped else None
    if age is not None and age < ORDERLY_SECONDS:
        return Seen("absent", "it is restarting in order")
    return seen


def leader_unsteady(look: Look, entity: str) -> Seen:
    """The PD leader changed more than once within the look-back, or gave its lease up and took it again."""
    if not look.facts.tracks.known("leading"):
        return unknown("Prometheus does not say who led before")
    count = leader_changes(look) + 2 * _leases_dropped(look)
    limit = look.limit("pd_leader_stable")
    return (
        Seen("shown", f"{count} changes of the PD leader within the look-back", value=count, limit=limit)
        if count > limit
        else ABSENT
    )


def _leases_dropped(look: Look) -> int:
    """Return how often nobody led for a moment and then the same member again, with every member seen."""
    tracks = [look.track("leading", member) for member in look.members]
    known = [track.points for track in tracks if track is not None]
    if not known or len(known) < len(look.members):
        return 0
    dropped, last, gap = 0, "", False
    for points in zip(*known, strict=True):
        if any(point is None for point in points):
            last, gap = "", False  # not everybody was seen: somebody else may have led
            continue
        leading = [member for member, point in zip(look.members, points, strict=True) if point == 1]
        if not leading:
            gap = bool(last)
            continue
        dropped += gap and leading == [last]
        last, gap = leading[0], False
    return dropped


def leaders_apart(look: Look, entity: str) -> Seen:
    """PD's leader is for a while not the member that leads its etcd."""
    leader = look.facts.leader
    track = look.track("etcd_leading", leader) if leader else None
    if leader is None or track is None:
        return unknown("PD's leader, or who leads its etcd, is not known")
    last = track.points[-APART_POINTS:]
    if len(last) < APART_POINTS or any(point is None for point in last):
        return unknown("who leads PD's etcd has too few samples")
    if all(point == 0 for point in last):
        return Seen("shown", f"{leader} leads PD and another member leads its etcd", value=leader)
    return ABSENT


def too_few_members(look: Look, entity: str) -> Seen:
    """It has fewer members than bear the loss of one."""
    count = len(look.facts.members)
    if not count or not look.facts.leader_known:
        return unknown("PD's members are not known")
    limit = look.limit("pd_members_enough")
    return Seen("shown", f"{count} members", value=count, limit=limit) if count < limit else ABSENT


def timestamps_off(look: Look, entity: str) -> Seen:
    """The timestamps that PD gives out are ahead of the clock, or stand still behind it."""
    limit, clocks = look.limit("pd_clock_true"), look.facts.clocks or {}
    # where both tell the time, Prometheus's own error is taken out
    known = look.facts.leader in clocks and PROMETHEUS in clocks
    error = clocks[PROMETHEUS] - clocks[look.facts.leader or ""] if known else 0.0
    error = error if abs(error) > TOLD_SECONDS else 0.0
    seen = look.when("tso_ahead_seconds", CLUSTER, lambda _, value: abs(value + error) > limit, 3)
    if seen.state != "shown" or not isinstance(seen.value, float):
        return seen
    where = "ahead of" if seen.value + error > 0 else "behind"
    whose = "its own clock" if known else "Prometheus's clock"
    says = f"PD's timestamps are {figure(abs(seen.value + error))} s {where} {whose}"
    return Seen("shown", says, seen.active, round(seen.value + error, 3), limit, seen.since)
