"""Events seen in metrics: starts, targets lost, PD leadership, leaders moved, store states. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from opsai_subjects.model import Event, Series, Window, utc

Entity = Callable[[Mapping[str, str]], str | None]
"""Which entity a series' labels name; None when it is no node of this cluster."""

JUMP_SECONDS = 60.0
JUMP_LEADERS = 5
JUMP_SHARE = 0.3
"""Leaders are said to have moved when, within a minute, their number changes by 30 % and by 5."""
_STATES = {
    "store_disconnected_count": ("store_disconnected", "Disconnected: no heartbeat for 20 s"),
    "store_down_count": ("store_down", "Down: no heartbeat for max-store-down-time"),
    "store_unhealth_count": ("store_unhealthy", "unhealthy: no heartbeat for 10 min"),
    "store_slow_count": ("store_slow", "slow"),
    "store_offline_count": ("store_offline", "Offline: it is leaving"),
    "store_tombstone_count": ("store_tombstone", "Tombstone: it has left"),
    "store_low_space_count": ("store_low_space", "low on space"),
}


@dataclass(frozen=True)
class Named:
    """A series with the entity it is of, and what people call that."""

    entity: str
    name: str
    series: Series


def starts(named: Sequence[Named], window: Window, source: str) -> list[Event]:
    """Return where a process is a new one: its start time changed, or lies in the window."""
    found: list[Event] = []
    begin = window.start.timestamp()
    for one in named:
        known: float | None = None
        for at, value in one.series.points:
            if not isfinite(value):
                continue
            if (known is None and begin <= value <= at) or (known is not None and abs(value - known) > 1):
                kind = "start" if known is None else "restart"
                says = f"{one.name} has {'' if known is None else 're'}started: its process is a new one"
                found.append(Event(at=utc(value), entity=one.entity, kind=kind, says=says, source=source))
            known = value
    return found


def targets(named: Sequence[Named], source: str) -> list[Event]:
    """Return where a scrape began to fail and to succeed again."""
    found: list[Event] = []
    for one in named:
        known: float | None = None
        lost_at: float | None = None
        for at, value in one.series.points:
            if known == 1 and value == 0:
                lost_at = at
                says = f"Prometheus cannot scrape {one.name} any more"
                found.append(Event(at=utc(at), entity=one.entity, kind="target_down", says=says, source=source))
            elif known == 0 and value == 1:
                after = f" after {at - lost_at:.0f} s" if lost_at is not None else ""
                says = f"Prometheus can scrape {one.name} again{after}"
                found.append(Event(at=utc(at), entity=one.entity, kind="target_up", says=says, source=source))
            known = value
    return found


def leaderships(named: Sequence[Named], what: str, kind: str, source: str) -> list[Event]:
    """Return where the leadership of PD (or of its etcd) passed from one member to another."""
    holders: dict[float, list[Named]] = {}
    for one in named:
        for at, value in one.series.points:
            if value == 1:
                holders.setdefault(at, []).append(one)
    found: list[Event] = []
    known: Named | None = None
    for at in sorted(holders):
        here = holders[at]
        if known is not None and any(one.entity == known.entity for one in here):
            continue
        if known is not None:
            says = f"{what} passed from {known.name} to {here[0].name}"
            found.append(Event(at=utc(at), entity=here[0].entity, kind=kind, says=says, source=source))
        known = here[0]
    return found


def leaders_moved(named: Sequence[Named], source: str) -> list[Event]:
    """Return where a store lost or gained many region leaders within a minute."""
    found: list[Event] = []
    for one in named:
        points = [(at, value) for at, value in one.series.points if isfinite(value)]
        index = 0
        while index < len(points) - 1:
            end = _jump(points, index)
            if end is None:
                index += 1
                continue
            found.append(_moved(one, points[index : end + 1], source))
            index = end
    return found


def _jump(points: Sequence[tuple[float, float]], index: int) -> int | None:
    """Return where the jump that begins here ends: as long as it goes on in the same direction."""
    began, before = points[index]
    best: int | None = None
    for later in range(index + 1, len(points)):
        at, value = points[later]
        sign = 1 if points[index + 1][1] > before else -1
        if (value - points[later - 1][1]) * sign <= 0 or at - began > 2 * JUMP_SECONDS:
            break
        best = later
    if best is None:
        return None
    delta = abs(points[best][1] - before)
    quick = points[best][0] - began <= 2 * JUMP_SECONDS
    return best if quick and delta >= JUMP_LEADERS and delta >= JUMP_SHARE * max(before, points[best][1]) else None


def _moved(one: Named, jump: Sequence[tuple[float, float]], source: str) -> Event:
    (began, before), (seen, _), (ended, after) = jump[0], jump[1], jump[-1]
    lost = after < before
    says = f"{one.name} {'lost' if lost else 'gained'} leaders: {before:.0f} → {after:.0f} within {ended - began:.0f} s"
    kind = "leaders_lost" if lost else "leaders_gained"
    count = max(1, round(abs(after - before)))
    return Event(at=utc(seen), entity=one.entity, kind=kind, says=says, source=source, count=count)


def store_states(series: Sequence[Series], entity: Entity, name: Callable[[str], str], source: str) -> list[Event]:
    """Return where PD began to count a store (before v8.5.5: some store) as in one of its states, and ceased to."""
    found: list[Event] = []
    for one in series:
        state = _STATES.get(one.labels.get("type", ""))
        if state is None:
            continue
        labelled = bool(one.labels.get("store"))
        who = entity(one.labels) if labelled else "cluster"
        if who is None:
            continue
        known: float | None = None
        for at, value in one.points:
            if known is not None and value != known and isfinite(value):
                begins = value > known
                kind = state[0] if begins else f"{state[0]}_over"
                says = _state_says(name(who) if labelled else "", state[1], value, begins=begins)
                found.append(Event(at=utc(at), entity=who, kind=kind, says=says, source=source))
            known = value if isfinite(value) else known
    return found


def _state_says(name: str, state: str, count: float, *, begins: bool) -> str:
    word = state.partition(":")[0]
    if not name:
        return f"for PD {count:.0f} stores are {word}"
    return f"for PD {name} is {state}" if begins else f"for PD {name} is no longer {word}"
