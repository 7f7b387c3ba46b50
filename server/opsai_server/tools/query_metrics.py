"""The tool `query_metrics`: how metrics moved over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from opsai_server.tools.desk import Desk
from opsai_server.tools.emptiness import explained
from opsai_server.tools.entities import Entities
from opsai_server.tools.metric_chart import Charted, charted
from opsai_server.tools.sampling import ranged, step
from opsai_server.tools.strangers import narrowing, ours
from opsai_subjects.errors import ArgumentInvalid, SettingsInvalid, UnknownName
from opsai_subjects.model import MetricsReply, Series, Window, utc
from opsai_subjects.movement import Floats, change_of_level, slope_per_minute
from opsai_subjects.reply import Answer, Rows, without_empty
from opsai_subjects.sparkline import WIDTH, sparkline
from opsai_subjects.subject import Facts, Signal
from opsai_subjects.windows import End, Minutes, Start, window

_PARTIAL = "Some of the data could not be read (see warnings): a series that is not here may exist."
POINT_SERIES = 5
KEPT_POINTS = 20_000
"""Points are stored with the evidence up to so many in all, and figures alone beyond that."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of the engine."""

    promql: str
    signal: Signal | None
    span: Window
    step_seconds: float


async def query_metrics(
    desk: Desk,
    query: Annotated[
        str,
        Field(description="PromQL: 'rate(process_cpu_seconds_total[$range])'; $range fits the scrapes."),
    ] = "",
    name: Annotated[str, Field(description="Or a named metric: '{metric}' (knowledge lists them).")] = "",
    minutes: Minutes = None,
    start: Start = None,
    end: End = None,
    step_seconds: Annotated[float | None, Field(description="Between points (some 40).", ge=1)] = None,
    points: Annotated[bool, Field(description="Show points of the 5 that moved most.")] = False,
    chart: Annotated[bool, Field(description="Draw them too, as a PNG image.")] = False,
    limit: Annotated[int, Field(description="Series shown.", ge=1, le=100)] = 20,
) -> Answer:
    """Say how metrics moved in a window, the series that moved most first.

    Use it to date a change and compare nodes; what moved at all: compare_windows. Returns per series min, max, avg, first, last,
    shape (· is a gap), trend_per_minute (Theil-Sen), change_at and change_by (its level shifted well above noise), ended_at (no
    samples after it); steady has one value. Empty is explained. Claim path: /series/0/max. Costs a range query.
    """
    metrics = desk.subject.sources.metrics
    if metrics is None:
        raise SettingsInvalid(
            f"Cluster {desk.name!r} has no metrics engine. Set `prometheus` in opsai.toml or give --prometheus URL."
        )
    facts = await desk.names()
    question = _question(desk, query, name, window(desk.now(), minutes, start, end), step_seconds)
    answered = await metrics.range(question.promql, question.span, question.step_seconds)
    reply, left_out = ours(desk, facts, answered, question.promql)
    entities = Entities(desk, facts) if reply.series else None
    rows = _most_moved([_row(entities, series, question) for series in reply.series])
    why = narrowing(question.promql, desk.cluster.settings.matchers, found=bool(answered.series))
    why += [] if answered.series else await explained(metrics, question.promql, question.span)
    if why and query in {signal.name for signal in desk.kind.signals}:
        why.insert(0, f"{query} is a named metric: give it as name, not as query.")
    notes = {"partial": _PARTIAL if reply.partial else "", "left_out": left_out, "empty_because": why}
    answer = _answer(desk, question, reply, rows, notes, points=points, limit=limit)
    return await _drawn(desk, question, rows[:limit], facts, answer) if chart else answer


def _answer(
    desk: Desk,
    question: _Question,
    reply: MetricsReply,
    rows: list["_Row"],
    notes: Mapping[str, object],
    *,
    points: bool,
    limit: int,
) -> Answer:
    signal = question.signal
    about = {
        "query": question.promql,
        **({"unit": signal.unit, "says": signal.says, "normal": signal.normal} if signal else {}),
        "window": question.span,
        "step_seconds": question.step_seconds,
    }
    keep = sum(len(row.times) for row in rows) <= KEPT_POINTS
    value = {
        **about,
        "series": [{**row.shown, **({"points": row.points()} if keep else {})} for row in rows],
        "matched": len(rows),
        "warnings": reply.warnings,
        **notes,
    }
    same = _same(rows)
    began = _began_together(rows)
    listed = [_brief(row, same, began, points=points and n < POINT_SERIES) for n, row in enumerate(rows[:limit])]
    narrow = "those that moved most first; narrow with label matchers or sum by (…), or raise limit"
    shown = without_empty(
        {
            **about,
            "warnings": reply.warnings,
            "matched": len(rows),
            "same_labels": same,
            "all_began_at": began,
            **notes,
        }
    )
    return Answer(at=desk.now(), value=value, shown={**shown, "series": Rows(listed, len(rows), narrow)})


async def _drawn(desk: Desk, question: _Question, rows: Sequence["_Row"], facts: Facts, answer: Answer) -> Answer:
    """Return the answer with a chart, or with why there is none."""
    signal = question.signal
    asked = Charted(
        title=signal.name if signal else question.promql,
        says=signal.says if signal else "",
        unit=signal.unit if signal else "",
        window=question.span,
        step_seconds=question.step_seconds,
        matched=int(str(answer.value["matched"])),
    )
    said, images = await charted(desk, facts, asked, [(row.labels, row.times, row.values) for row in rows])
    return replace(answer, shown={"chart": said, **answer.shown}, images=images)


def _question(desk: Desk, query: str, name: str, span: Window, step_seconds: float | None) -> _Question:
    if bool(query) == bool(name):
        given = query if query and name else ""
        raise ArgumentInvalid(
            "query", given, "exactly one of query and name is needed", "query='up', or a named metric"
        )
    signals = {signal.name: signal for signal in desk.kind.signals}
    if name and name not in signals:
        raise UnknownName("named metric", name, tuple(signals), advice="PromQL goes into query.")
    signal = signals.get(name)
    promql = ranged(desk, signal.promql if signal else query)
    return _Question(promql, signal, span, step(desk, span.seconds, step_seconds))


@dataclass(frozen=True, slots=True)
class _Row:
    """One series with its figures."""

    shown: dict[str, object]
    labels: Mapping[str, str]
    times: Floats
    values: Floats
    moved: float
    changed: bool
    jolted: bool
    """Changed, other than by beginning in the window."""
    swing: float
    """How much it moved, its beginning left aside."""
    step_seconds: float

    @property
    def still(self) -> bool:
        """Whether it has one value from beginning to end."""
        return not self.changed and self.moved == 0.0 and bool(np.isfinite(self.values).all())

    def points(self) -> dict[str, object]:
        """Return the points: time of the first, step, values (null where there is none)."""
        if not len(self.times):
            return {}
        at = {round(time, 3): value for time, value in zip(self.times.tolist(), self.values.tolist(), strict=True)}
        count = round((self.times[-1] - self.times[0]) / self.step_seconds) + 1
        grid = [round(float(self.times[0]) + n * self.step_seconds, 3) for n in range(count)]
        return {"start": utc(grid[0]), "step_seconds": self.step_seconds, "values": [at.get(time) for time in grid]}


def _most_moved(rows: Sequence[_Row]) -> list[_Row]:
    """Return them with those that moved most first; that all began at one moment tells none of them from another."""
    if _began_together(rows) is None:
        return sorted(rows, key=lambda row: (row.changed, row.moved), reverse=True)
    return sorted(rows, key=lambda row: (row.jolted, row.swing), reverse=True)


def _row(entities: Entities | None, series: Series, question: _Question) -> _Row:
    every = np.array(series.points, dtype=np.float64).reshape(-1, 2)
    finite = every[np.isfinite(every[:, 1])]
    times, values = finite[:, 0], finite[:, 1]
    labels = dict(series.labels)
    shown: dict[str, object] = {"labels": labels, "entity": entities.of(labels) if entities else None}
    if not len(values):
        shown |= {"min": None, "max": None, "avg": None, "first": None, "last": series.last, "note": "no finite value"}
        return _Row(shown, labels, every[:, 0], every[:, 1], 0.0, False, False, 0.0, question.step_seconds)
    change = change_of_level(times, values)
    span = question.span
    steps = min(WIDTH, round(span.seconds / question.step_seconds) + 1)
    low, high = float(values.min()), float(values.max())
    ended = float(times[-1]) < span.end.timestamp() - 2 * question.step_seconds
    began = float(times[0]) > span.start.timestamp() + 2 * question.step_seconds
    shown |= {
        "min": low,
        "max": high,
        "avg": float(values.mean()),
        "first": float(values[0]),
        "last": float(values[-1]),
        "shape": sparkline(times, values, span.start.timestamp(), span.end.timestamp(), steps),
        "trend_per_minute": slope_per_minute(times, values),
        **({"change_at": utc(change.at), "change_by": change.after - change.before} if change else {}),
        **({"began_at": utc(float(times[0]))} if began else {}),
        **({"ended_at": utc(float(times[-1]))} if ended else {}),
    }
    moved = abs(change.after - change.before) if change else abs(float(values[-1])) if ended or began else high - low
    swing = abs(change.after - change.before) if change else abs(float(values[-1])) if ended else high - low
    jolted = bool(change or ended)
    return _Row(shown, labels, every[:, 0], every[:, 1], moved, jolted or began, jolted, swing, question.step_seconds)


def _same(rows: Sequence[_Row]) -> dict[str, str]:
    if len(rows) < 2:
        return {}
    first = rows[0].labels
    return {name: value for name, value in first.items() if all(row.labels.get(name) == value for row in rows)}


def _began_together(rows: Sequence[_Row]) -> object:
    """Return when all of several series began, where that was at the same time: the cluster's or the engine's own start."""
    moments = [row.shown.get("began_at") for row in rows]
    return moments[0] if len(rows) > 1 and all(moment == moments[0] for moment in moments) else None


def _brief(row: _Row, same: Mapping[str, str], began: object, *, points: bool) -> dict[str, object]:
    labels = {name: value for name, value in row.labels.items() if name not in same}
    shown = {"labels": labels, "entity": row.shown["entity"], "steady": row.shown["last"]} if row.still else row.shown
    figures = {**shown, "labels": labels, **({"points": row.points()} if points else {})}
    told = {"began_at"} if began is not None else set[str]()
    return {name: value for name, value in figures.items() if value is not None and value != {} and name not in told}
