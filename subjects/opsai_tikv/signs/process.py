"""Signs of a store's process: restarts, how it stopped, memory."""

from dataclasses import replace

from opsai_subjects.model import LastState
from opsai_tikv.seen import ABSENT, Look, Seen, ago, unknown
from opsai_tikv.signs.reach import process_gone
from opsai_tikv.signs.rule import SignRule

FRESH_SECONDS = 150.0
"""A restart this young is part of what goes on now."""
MEMORY_RATIO = 0.85
_KILLED = (137, 143)
"""Ended by SIGKILL or SIGTERM: somebody else's doing, or the kernel's."""


def _starts(look: Look, entity: str) -> list[float]:
    """Return the distinct start times seen, oldest first; a jitter of a second is none."""
    track = look.track("start_time", entity)
    found: list[float] = []
    for point in track.points if track else ():
        if point is not None and (not found or point > found[-1] + 2.0):
            found.append(point)
    started = look.started_at(entity)
    if not found and started:  # PD's own figure is some seconds apart from the process's
        found.append(started.timestamp())
    return found


def restarts(look: Look, entity: str) -> int | None:
    """Return how often it started within the look-back; None when nobody can tell."""
    starts = _starts(look, entity)
    if not starts:
        return None
    begin = look.facts.tracks.start.timestamp()
    return sum(1 for start in starts[1:] if start > begin)


def restarted(look: Look, entity: str) -> Seen:
    """Its process started within the look-back, after it had run before."""
    count = restarts(look, entity)
    if count is None:
        return unknown("its start time is not known")
    if not count:
        return ABSENT
    age = look.facts.at.timestamp() - _starts(look, entity)[-1]
    return Seen("shown", f"{count} starts, the last {age:.0f} s ago", age < FRESH_SECONDS, count, 0)


def restarted_repeatedly(look: Look, entity: str) -> Seen:
    """Its process died at least twice within the look-back."""
    count = restarts(look, entity)
    log = look.facts.logs.get(entity)
    welcomes = log.patterns["welcome"].count if log and "welcome" in log.patterns else 0
    if count is None and log is None:
        return unknown("its start time is not known")
    gone = process_gone(look, entity).state == "shown"
    deaths = max(count or 0, welcomes - 1) + gone
    if deaths < 2:
        return ABSENT
    starts = _starts(look, entity)
    age = look.facts.at.timestamp() - starts[-1] if starts else 0.0
    return Seen("shown", f"it died {deaths} times within the look-back", gone or age < FRESH_SECONDS, deaths, 2)


def stopped_in_order(look: Look, entity: str) -> Seen:
    """Its log shows the signal and the shutdown before its last stop."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable: an orderly stop cannot be told from a crash")
    signal = log.patterns.get("signal_stop")
    if signal is None:
        return ABSENT
    welcome = log.patterns.get("welcome")
    first = 1 if welcome and welcome.first_at < signal.first_at else 0
    if welcome and welcome.count > signal.count + first:
        return ABSENT
    return Seen(
        "shown",
        f"signal logged {signal.count} times, last at {signal.last_at:%H:%M:%S}",
        value=signal.count,
        since=signal.last_at,
    )


def crashed(look: Look, entity: str) -> Seen:
    """It restarted and nobody had asked it to stop."""
    again = restarted(look, entity)
    if again.state != "shown":
        return again
    order = stopped_in_order(look, entity)
    if order.state == "unknown":
        often = restarted_repeatedly(look, entity)
        return often if often.state == "shown" else unknown(order.says)
    return again if order.state == "absent" else ABSENT


def crashed_and_back(look: Look, entity: str) -> Seen:
    """It died unasked and serves again: that is over."""
    seen = crashed(look, entity)
    back = came_back(look, entity)
    return replace(seen, active=False) if seen.state == "shown" and back.state == "shown" else seen


def came_back(look: Look, entity: str) -> Seen:
    """It restarted and serves again."""
    again = restarted(look, entity)
    if again.state != "shown":
        return again
    return Seen("shown", "it is up again", value=again.value) if look.now("up", entity) == 1 else ABSENT


def crash_logged(look: Look, entity: str) -> Seen:
    """Its log holds a FATAL line or a panic."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable")
    for name in ("panic", "fatal"):
        if name in log.patterns:
            found = log.patterns[name]
            age = ago(look.facts, found.last_at) or 0.0
            return Seen("shown", found.sample, age < FRESH_SECONDS, found.count, since=found.first_at)
    return ABSENT


def killed_for_memory(look: Look, entity: str) -> Seen:
    """Whoever runs its container says that it was killed for its memory."""
    end = _end(look, entity)
    if not isinstance(end, LastState):
        return end
    return _ended(look, end) if end.killed_for_memory else ABSENT


def died_of_itself(look: Look, entity: str) -> Seen:
    """It ended with an exit code of its own making: neither in order nor by a kill from outside."""
    end = _end(look, entity)
    if not isinstance(end, LastState):
        return end
    if end.killed_for_memory or end.exit_code in (0, *_KILLED):
        return ABSENT
    return unknown("its exit code is not kept") if end.exit_code is None else _ended(look, end)


def _end(look: Look, entity: str) -> LastState | Seen:
    """Return how it ended within the look-back, or what is seen instead."""
    end = look.facts.ends.get(entity)
    if end is None:
        return unknown("nobody who runs its process is asked how it ended")
    if end.ended_at is None or end.ended_at < look.facts.tracks.start:
        return ABSENT
    return end


def _ended(look: Look, end: LastState) -> Seen:
    age = ago(look.facts, end.ended_at) or 0.0
    says = f"{end.source} says {end.how}, {age:.0f} s ago, {end.restarts} restarts"
    active = not end.running or age < FRESH_SECONDS
    return Seen("shown", says, active, end.reason or end.exit_code, since=end.ended_at)


def memory_high(look: Look, entity: str) -> Seen:
    """Its memory came close to what it may have; a kill for it proves that, however seldom memory is sampled."""
    killed = killed_for_memory(look, entity)
    if killed.state == "shown":
        return killed
    quota = look.track("memory_quota_bytes", entity)
    rss = look.track("rss_bytes", entity)
    if quota is None or not quota.peak or rss is None or rss.peak is None:
        return unknown("its memory or its quota is not known")
    ratio = rss.peak / quota.peak
    if ratio > MEMORY_RATIO:
        return Seen("shown", f"{ratio:.0%} of its quota", value=round(ratio, 3), limit=MEMORY_RATIO)
    return ABSENT


def memory_grew(look: Look, entity: str) -> Seen:
    """Its memory grew by half within the look-back, and its peers' did not."""
    return look.over("rss_bytes", entity, floor=256e6, factor=1.5, own=1.5)


PROCESS = (
    SignRule("restarted", "its process restarted", restarted, metrics=("uptime",)),
    SignRule("restarted_repeatedly", "its process restarts again and again", restarted_repeatedly, metrics=("uptime",)),
    SignRule("stopped_in_order", "it was stopped in order", stopped_in_order),
    SignRule("came_back", "it is back after a restart", came_back, reassures=True),
    SignRule("crashed_and_back", "its process died and is back", crashed_and_back, metrics=("uptime",)),
    SignRule("crash_logged", "its log holds a crash", crash_logged),
    SignRule("killed_for_memory", "it was killed for its memory", killed_for_memory),
    SignRule("died_of_itself", "its process ended by an error of its own", died_of_itself),
    SignRule("memory_high", "its memory is near its quota", memory_high, metrics=("rss_bytes",)),
    SignRule("memory_grew", "its memory grew by half", memory_grew, metrics=("rss_bytes",)),
)
