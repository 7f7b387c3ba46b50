"""Signs of a member's process: restarts, what its log says of its disk and data, alarms."""

from datetime import datetime
from itertools import pairwise

from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.reach import process_gone
from opsai_etcd.signs.rule import LOGS, TIMELINE, TOPOLOGY, SignRule
from opsai_subjects.model import utc

FRESH_SECONDS = 150.0
"""A message of a failing disk this young is part of what goes on now."""
LOOP_STARTS = 3
LOOP_APART_SECONDS = 20.0
"""Between two starts of a loop: what restarts a process mostly waits some seconds. Starts further apart are deaths of their own."""
LOOP_FRESH_SECONDS = 60.0


def restarts(look: Look, entity: str) -> list[datetime] | None:
    """Return when its process came back within the look-back after it had died; None when nobody can tell.

    Its log knows whether it was asked to stop; without it each new start time counts.
    """
    log, points = look.facts.logs.get(entity), look.points("start_time", entity)
    if log is not None:
        return list(log.restarts)
    if not points:
        return None
    begin = look.facts.tracks.start.timestamp()
    return [utc(after) for before, after in pairwise(points) if after > before + 2 and after > begin]


def restarted_repeatedly(look: Look, entity: str) -> Seen:
    """Its process starts again and again, a short time apart."""
    found, end = restarts(look, entity), look.facts.ends.get(entity)
    if end is not None and end.restarts >= LOOP_STARTS and (look.ago(end.ended_at) or FRESH_SECONDS) < FRESH_SECONDS:
        return shown(
            f"its container was started again {end.restarts} times ({end.how})", end.restarts, limit=LOOP_STARTS
        )
    if found is None:
        return unknown("neither its start time nor its log is known")
    run = 1
    for after, before in pairwise(reversed(found)):
        if (after - before).total_seconds() > LOOP_APART_SECONDS:
            break
        run += 1
    if run < LOOP_STARTS or len(found) < LOOP_STARTS:
        return ABSENT
    age = look.ago(found[-1]) or 0.0
    says = f"{run} starts within {(found[-1] - found[-run]).total_seconds():.0f} s, the last {age:.0f} s ago"
    return shown(says, run, limit=LOOP_STARTS, since=found[-run], active=age < LOOP_FRESH_SECONDS)


def asked_to_stop(look: Look, entity: str) -> Seen:
    """Its log ends with an orderly stop."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable: an orderly stop cannot be told from a death")
    signal, started = log.patterns.get("signal"), log.patterns.get("started")
    if signal is None or (started is not None and started.last_at > signal.last_at):
        return ABSENT
    return shown(f"asked to stop at {signal.last_at:%H:%M:%S}", since=signal.last_at)


def said(*patterns: str, what: str) -> SignRule:
    """Return the sign that one of these messages stands in its log."""

    def look(at: Look, entity: str) -> Seen:
        log = at.facts.logs.get(entity)
        if log is None:
            return unknown("its log is not readable from here")
        found = [count for pattern in patterns if (count := log.patterns.get(pattern)) is not None]
        if not found:
            return ABSENT
        youngest = max(found, key=lambda count: count.last_at)
        age = at.ago(youngest.last_at)
        fresh = age is not None and age < FRESH_SECONDS
        gone = process_gone(at, entity).state == "shown"  # it cannot say it again
        return shown(youngest.sample, sum(one.count for one in found), since=youngest.first_at, active=fresh or gone)

    return SignRule(f"says_{patterns[0]}", what, look, reads=(LOGS,))


def alarm_nospace(look: Look, entity: str) -> Seen:
    """The alarm NOSPACE is raised for it."""
    return _alarm(look, entity, "NOSPACE")


def alarm_corrupt(look: Look, entity: str) -> Seen:
    """The alarm CORRUPT is raised for it."""
    return _alarm(look, entity, "CORRUPT")


def _alarm(look: Look, entity: str, kind: str) -> Seen:
    alarm = next((one for one in look.facts.alarms if one.kind == kind and one.is_of(entity)), None)
    if alarm is not None:
        raised = next((count for other in look.entities if (count := look.logged("alarm_raised", other))), None)
        return shown(alarm.says, kind, since=raised.last_at if raised else None)
    return ABSENT if look.facts.alarms_known else unknown("no member told its alarms")


PROCESS: tuple[SignRule, ...] = (
    SignRule(
        "restarted_repeatedly",
        "its process dies again and again",
        restarted_repeatedly,
        metrics=("start_time",),
        reads=(TIMELINE,),
    ),
    SignRule("asked_to_stop", "it was asked to stop", asked_to_stop, reads=(LOGS,)),
    SignRule("alarm_nospace", "its space is exceeded", alarm_nospace, metrics=("quota_ratio",), reads=(TOPOLOGY,)),
    SignRule("alarm_corrupt", "its data differ from its peers'", alarm_corrupt, reads=(TOPOLOGY,)),
    said("no_space_left", what="its log says that its disk is full"),
    said("disk_error", what="its log tells of I/O errors"),
    said("corrupt", what="its log says that its data are damaged or differ from its peers'"),
    said("slow_fsync", what="its log tells of an fsync of over a second"),
    said("slow_heartbeat", what="its log says that heartbeats went out late"),
    said("slow_apply", what="its log tells of slow requests"),
    said("clock_apart", what="its log says that its clock and a peer's differ"),
)
