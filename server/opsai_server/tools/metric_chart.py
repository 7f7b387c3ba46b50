"""The chart of a query: which of its series are drawn, what they are called, which tickets began while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from anyio import to_thread

from opsai_server.chart import LINES, MARKS, Chart, Line, Mark
from opsai_server.tools.desk import Desk
from opsai_server.tools.entities import Entities, name_of
from opsai_server.tools.shaping import moment
from opsai_subjects.model import Window, clean
from opsai_subjects.movement import Floats
from opsai_subjects.subject import Facts

LEAST_POINTS = 2
TICKETS = 200
Drawable = tuple[Mapping[str, str], Floats, Floats]
"""A series: its labels, Unix seconds, values."""


@dataclass(frozen=True, slots=True)
class Charted:
    """What the chart is of."""

    title: str
    says: str
    """What it means, where that is known."""
    unit: str
    window: Window
    step_seconds: float
    matched: int
    """How many series there are in all."""


async def charted(
    desk: Desk, facts: Facts, asked: Charted, series: Sequence[Drawable]
) -> tuple[str, tuple[bytes, ...]]:
    """Return what is to be said of the chart, and the chart; none where there is no line to draw."""
    with_values = [one for one in series if np.isfinite(one[2]).any()]
    drawn = [one for one in with_values if np.isfinite(one[2]).sum() >= LEAST_POINTS][:LINES]
    if not drawn:
        return _none(bool(series), bool(with_values)), ()
    marks = await _marks(desk, asked.window)
    left_out = f"{asked.matched - len(drawn)} more series are not drawn" if asked.matched > len(drawn) else ""
    chart = Chart(
        title=clean(asked.title),
        subtitle=clean("  ·  ".join(part for part in (asked.says, desk.name) if part)),
        unit=clean(asked.unit),
        window=asked.window,
        step_seconds=asked.step_seconds,
        lines=_lines(desk, facts, drawn),
        marks=marks,
        note=left_out,
    )
    of = f"{len(drawn)} of {asked.matched} series drawn" + (", those that moved most" if left_out else "")
    onsets = "".join(f"; {mark.label} at {moment(mark.at)}" for mark in marks)
    return f"{of}{onsets}. The image stands beside this reply.", (await to_thread.run_sync(_png, chart),)


def _png(chart: Chart) -> bytes:
    from opsai_server.chart_drawing import drawn  # noqa: PLC0415 (it loads the library, half a second that no start waits for)

    return drawn(chart)


def _none(has_series: bool, has_values: bool) -> str:
    if not has_series:
        return "No image: there is nothing to draw (see empty_because)."
    if not has_values:
        return "No image: no series has a finite value in this window."
    return "No image: no series has two points in this window. Try: a longer window, or a smaller step_seconds."


def _lines(desk: Desk, facts: Facts, series: Sequence[Drawable]) -> list[Line]:
    entities = Entities(desk, facts)
    named: list[tuple[str, dict[str, str]]] = []
    for labels, _, _ in series:
        entity = entities.of(labels)
        named.append((name_of(facts, entity) if entity else "", dict(entities.apart(labels))))
    same = {pair for pair in named[0][1].items() if all(pair in labels.items() for _, labels in named)}
    lines: list[Line] = []
    for (name, labels), (_, times, values) in zip(named, series, strict=True):
        telling = [f"{label}={value}" for label, value in labels.items() if (label, value) not in same]
        lines.append(Line(clean("  ".join([name, *telling] if name else telling)) or "value", times, values))
    return lines


async def _marks(desk: Desk, window: Window) -> list[Mark]:
    """Return when the incidents that began in the window began, the first ones."""
    tickets = await desk.store.tickets(desk.name, parents_only=True, limit=TICKETS)
    began = sorted(
        (ticket for ticket in tickets if window.start <= ticket.violated_at <= window.end),
        key=lambda ticket: ticket.violated_at,
    )
    return [Mark(ticket.violated_at, f"{ticket.id} began") for ticket in began[:MARKS]]
