"""What metrics and logs both tell, told once. Pure."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from opsai_subjects.model import Event

SAME_START = timedelta(seconds=20)
SAME_LEADERSHIP = timedelta(seconds=45)
"""A member logs that it leads once it is ready, its metric says so at the next scrape."""
_STARTS = ("start", "restart", "orderly_restart")


def told_once(found: Sequence[Event], readable: Collection[str]) -> list[Event]:
    """Return the events without those that another tells better. `readable`: entities whose log was searched."""
    by_metrics = [event for event in found if not _by_log(event)]
    by_log = [event for event in found if _by_log(event)]
    kept = [
        *_starts(by_metrics, by_log, readable),
        *_leaderships(by_metrics, by_log),
    ]
    kept += [event for event in found if event.kind not in (*_STARTS, "pd_leader_change", "etcd_leader_change")]
    return kept


def _starts(by_metrics: Sequence[Event], by_log: Sequence[Event], readable: Collection[str]) -> list[Event]:
    logged = [event for event in by_log if event.kind in _STARTS]
    counted = [event for event in by_metrics if event.kind in _STARTS]
    kept: list[Event] = []
    for event in counted:
        same = [other for other in logged if _near(event, other, SAME_START)]
        kept.append(_start(event, same, known=event.entity in readable))
    kept += [event for event in logged if not any(_near(event, other, SAME_START) for other in counted)]
    return kept


def _start(event: Event, logged: Sequence[Event], *, known: bool) -> Event:
    orderly = next((other for other in logged if other.kind == "orderly_restart"), None)
    if orderly is not None:
        return orderly
    if event.kind != "restart":
        return logged[0] if logged else event
    if not known:
        says = f"{event.says}; whether in order is unknown, its log was not read"
        return event.model_copy(update={"says": says})
    says = f"{event.says}, and nothing in its log says that it was asked to stop: it had died"
    return event.model_copy(update={"kind": "crash_restart", "says": says})


def _leaderships(by_metrics: Sequence[Event], by_log: Sequence[Event]) -> list[Event]:
    """PD's leadership: the metric knows from whom, the log knows when; etcd's only where PD's did not follow it."""
    passed = [event for event in by_metrics if event.kind == "pd_leader_change"]
    ready = [event for event in by_log if event.kind == "pd_leader_change"]
    kept: list[Event] = []
    for event in passed:
        logged = next((other for other in ready if _near(event, other, SAME_LEADERSHIP)), None)
        kept.append(event if logged is None else event.model_copy(update={"at": logged.at}))
    kept += [event for event in ready if not any(_near(event, other, SAME_LEADERSHIP) for other in passed)]
    etcd = [event for event in by_metrics if event.kind == "etcd_leader_change"]
    kept += [event for event in etcd if not any(_near(event, other, SAME_LEADERSHIP) for other in kept)]
    return kept


def _near(one: Event, other: Event, apart: timedelta) -> bool:
    return one.entity == other.entity and abs(one.at - other.at) <= apart


def _by_log(event: Event) -> bool:
    return event.source.startswith("logs:")
