"""What `opsai-watch` tells Prometheus: the verdicts of the last look, the open tickets, and whether it still looks.

Held verdicts are counted, the others have a series each: a healthy cluster of a thousand stores costs three series an
invariant. What is over the caps is counted in `opsai_series_left_out`, the violated being kept first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from opsai_server.tickets.ticket import Ticket
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.model import clean

MAX_VERDICTS = 2_000
MAX_TICKETS = 500
LATE_INTERVALS = 3.0
"""A watcher that has not looked for so many intervals is late."""
LABEL_CHARS = 200

State = Literal["held", "violated", "unknown"]
STATES: tuple[State, ...] = ("violated", "unknown", "held")


@dataclass(frozen=True, slots=True)
class Looks:
    """What a watcher has done so far."""

    cluster: str
    subject: str
    interval_seconds: float
    stored: int = 0
    """Looks whose outcome is in the store."""
    failed: int = 0
    last_at: float | None = None
    """When the last one was stored, Unix time; of an earlier watcher where this one has stored none yet."""
    age_seconds: float | None = None
    """How long ago this watcher's last one was stored; None: it has stored none yet."""
    took_seconds: float | None = None
    unread: int = 0
    """Sources that could not be read at the last one."""
    verdicts: tuple[Verdict, ...] | None = None
    """All of the last one; None before the first."""

    @property
    def late(self) -> bool:
        """Whether the next look should have been over long ago, or none has ever been."""
        return self.age_seconds is None or self.age_seconds > LATE_INTERVALS * self.interval_seconds


def families(looks: Looks, invariants: Iterable[Invariant], tickets: Sequence[Ticket] | None) -> Iterator[Metric]:
    """Return the metric families. `tickets` are the open ones, None when the store could not be read."""
    yield from _looking(looks)
    left_out: dict[str, int] = {}
    if looks.verdicts is not None:
        severities: dict[str, str] = {one.id: one.severity for one in invariants}
        yield _counted(looks, looks.verdicts, severities)
        family, left_out["opsai_invariant"] = _single(looks, looks.verdicts, severities)
        yield family
    readable = GaugeMetricFamily("opsai_store_readable", "1 when the store of tickets can be read.")
    readable.add_metric([], 0.0 if tickets is None else 1.0)
    yield readable
    if tickets is not None:
        yield _tickets(tickets[:MAX_TICKETS])
        left_out["opsai_ticket_open"] = len(tickets[MAX_TICKETS:])
    left = GaugeMetricFamily(
        "opsai_series_left_out", "Series of a family that are over its cap.", labels=["cluster", "of"]
    )
    for of, count in left_out.items():
        left.add_metric([_label(looks.cluster), of], count)
    yield left


def _looking(looks: Looks) -> Iterator[Metric]:
    build = GaugeMetricFamily("opsai_build_info", "The version that runs.", labels=["program", "version"])
    build.add_metric(["opsai-watch", version("opsai")], 1.0)
    yield build
    where = (_label(looks.cluster), looks.subject)
    figures = (
        (
            "opsai_watch_last_tick_timestamp_seconds",
            "When the last look was stored, Unix time; 0: never.",
            looks.last_at or 0.0,
        ),
        ("opsai_watch_tick_seconds", "How long the last look took.", looks.took_seconds),
        ("opsai_watch_interval_seconds", "How often it looks.", looks.interval_seconds),
        (
            "opsai_watch_unread_sources",
            "Sources that could not be read at the last look.",
            None if looks.verdicts is None else float(looks.unread),
        ),
    )
    for name, says, figure in figures:
        if figure is not None:
            family = GaugeMetricFamily(name, says, labels=["cluster", "subject"])
            family.add_metric(where, figure)
            yield family
    ticks = CounterMetricFamily(
        "opsai_watch_ticks", "Looks since the program started.", labels=["cluster", "subject", "outcome"]
    )
    ticks.add_metric([*where, "stored"], looks.stored)
    ticks.add_metric([*where, "failed"], looks.failed)
    yield ticks


def _counted(looks: Looks, verdicts: Iterable[Verdict], severities: Mapping[str, str]) -> Metric:
    """Return how many entities each invariant is violated, unknown and held on.

    What was held at a look that is long over is not known to be held now: it counts as unknown.
    """
    family = GaugeMetricFamily(
        "opsai_invariant_entities",
        "Entities by the verdict of an invariant at the last look; of a late watcher, those held count as unknown.",
        labels=["cluster", "subject", "invariant", "severity", "verdict"],
    )
    counted = Counter((one.invariant, one.state) for one in verdicts)
    for invariant, severity in severities.items():
        counts = {state: counted[invariant, state] for state in STATES}
        if looks.late:
            counts["unknown"] += counts["held"]
            counts["held"] = 0
        for state, count in counts.items():
            family.add_metric([_label(looks.cluster), looks.subject, invariant, severity, state], count)
    return family


def _single(looks: Looks, verdicts: Iterable[Verdict], severities: Mapping[str, str]) -> tuple[Metric, int]:
    family = GaugeMetricFamily(
        "opsai_invariant",
        "1 for each invariant that is violated on an entity, or unknown, at the last look.",
        labels=["cluster", "subject", "invariant", "entity", "severity", "verdict"],
    )
    # A third party's adapter may judge one pair twice, or an invariant that it does not list: no reason to tell nothing.
    found = {
        (one.state, one.invariant, _label(one.entity)): severities.get(one.invariant, "warning")
        for state in ("violated", "unknown")
        for one in verdicts
        if one.state == state
    }
    for (state, invariant, entity), severity in list(found.items())[:MAX_VERDICTS]:
        family.add_metric([_label(looks.cluster), looks.subject, invariant, entity, severity, state], 1.0)
    return family, max(0, len(found) - MAX_VERDICTS)


def _tickets(tickets: Iterable[Ticket]) -> Metric:
    family = GaugeMetricFamily(
        "opsai_ticket_open",
        "1 for each open ticket; one that joined another names it as parent.",
        labels=["cluster", "ticket", "invariant", "entity", "severity", "status", "parent"],
    )
    for one in tickets:
        labels = [_label(one.cluster), one.id, one.invariant, _label(one.entity), one.severity, one.status]
        family.add_metric([*labels, one.parent or ""], 1.0)
    return family


def _label(text: str) -> str:
    return clean(text, LABEL_CHARS)
