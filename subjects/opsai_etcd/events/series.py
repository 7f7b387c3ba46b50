"""Events seen in metrics: starts, targets lost, leadership. Pure."""

from collections.abc import Mapping, Sequence
from math import isfinite

from opsai_subjects.model import Event, Series, Window, utc

Named = Sequence[tuple[str, Series]]
"""Members with their series."""


def starts(named: Named, window: Window) -> list[Event]:
    """Return where a process is a new one: its start time changed, or lies in the window."""
    found: list[Event] = []
    begin = window.start.timestamp()
    for entity, series in named:
        known: float | None = None
        for at, value in series.points:
            if not isfinite(value):
                continue
            if (known is None and begin <= value <= at) or (known is not None and abs(value - known) > 1):
                kind = "start" if known is None else "restart"
                again = "" if known is None else " again: its process is a new one"
                found.append(
                    Event(
                        at=utc(value),
                        entity=entity,
                        kind=kind,
                        says=f"{entity} started{again}",
                        source="process_start_time_seconds",
                    )
                )
            known = value
    return found


def targets(named: Named) -> list[Event]:
    """Return where a scrape began to fail and to succeed again."""
    found: list[Event] = []
    for entity, series in named:
        known: float | None = None
        for at, value in series.points:
            if (known, value) == (1, 0):
                found.append(
                    Event(
                        at=utc(at),
                        entity=entity,
                        kind="target_down",
                        says=f"{entity} cannot be scraped any more",
                        source="up",
                    )
                )
            elif (known, value) == (0, 1):
                found.append(
                    Event(
                        at=utc(at), entity=entity, kind="target_up", says=f"{entity} can be scraped again", source="up"
                    )
                )
            known = value
    return found


def leaderships(named: Named) -> list[Event]:
    """Return where the leadership passed from one member to another."""
    holders: dict[float, list[str]] = {}
    for entity, series in named:
        for at, value in series.points:
            if value == 1:
                holders.setdefault(at, []).append(entity)
    found: list[Event] = []
    known = ""
    for at in sorted(holders):
        here = holders[at]
        if known in here:
            continue
        if known:
            says = f"the leadership passed from {known} to {here[0]}"
            found.append(
                Event(at=utc(at), entity=here[0], kind="leader_change", says=says, source="etcd_server_is_leader")
            )
        known = here[0]
    return found


def leaders_lost(named: Named) -> list[Event]:
    """Return where a member lost sight of its leader and found one again."""
    found: list[Event] = []
    words: Mapping[tuple[float, float], tuple[str, str]] = {
        (1, 0): ("leader_unseen", "sees no leader any more"),
        (0, 1): ("leader_seen", "sees a leader again"),
    }
    for entity, series in named:
        known: float | None = None
        for at, value in series.points:
            told = words.get((known, value)) if known is not None else None
            if told is not None:
                found.append(
                    Event(
                        at=utc(at),
                        entity=entity,
                        kind=told[0],
                        says=f"{entity} {told[1]}",
                        source="etcd_server_has_leader",
                    )
                )
            known = value
    return found
