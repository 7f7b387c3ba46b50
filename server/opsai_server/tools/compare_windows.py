"""The tool `compare_windows`: which metrics are unusual in a window, against an earlier one and against the node's peers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import numpy as np
from anyio import to_thread
from pydantic import Field

from opsai_server.tools.catalogue_round import CatalogueRound
from opsai_server.tools.desk import Desk
from opsai_server.tools.entities import Entities
from opsai_server.tools.sampling import ranged, step
from opsai_server.tools.strangers import parted, told
from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.contrast import (
    LEAST_POINTS,
    UNUSUAL,
    Contrast,
    Labels,
    Track,
    best_of_each,
    contrasts,
    ratio,
)
from opsai_subjects.errors import ArgumentInvalid, SettingsInvalid, UnknownName
from opsai_subjects.model import Series, Window
from opsai_subjects.movement import Floats
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_subjects.subject import Facts, Signal
from opsai_subjects.windows import End, Minutes, Start, moment_of, window

ROWS = 12
LEAST_ROWS = 5
KEPT_ROWS = 5_000
"""Rows are stored, highest first, up to so many: 300 stores make 80,000, most of which tell nothing."""
BEFORE = "before"
AGO_SECONDS = {"hour_ago": 3_600.0, "yesterday": 86_400.0, "last_week": 604_800.0}
MIDDLE_THIRD = 3


async def compare_windows(
    desk: Desk,
    minutes: Minutes = None,
    start: Start = None,
    end: End = None,
    baseline: Annotated[
        str, Field(description="before (just before), hour_ago, yesterday, last_week, or its start.")
    ] = BEFORE,
    topic: Annotated[str, Field(description="Only its metrics: '{topic}'.")] = "",
) -> Answer:
    """Rank what is unusual: every named metric and node in a window against a baseline and peers.

    Use it to see where to look, the window from the onset; one metric: query_metrics. Returns rows by score: log2 of the shift in
    usual scatters, mostly what peers did not share; under 3 is usual. Claim path: /rows/0/score. Costs a range query per metric.
    """
    metrics = desk.subject.sources.metrics
    if metrics is None:
        raise SettingsInvalid(
            f"Cluster {desk.name!r} has no metrics engine. Set `prometheus` in opsai.toml or give --prometheus URL."
        )
    signals = _signals(desk.kind.signals, topic)
    span = window(desk.now(), minutes, start, end)
    base = baseline_of(span, baseline)
    facts = await desk.names()
    step_seconds = step(desk, span.seconds)
    asked = [Window(start=base.start, end=span.end)] if base.end == span.start else [base, span]
    round_ = CatalogueRound(metrics)
    await round_.read({one.name: ranged(desk, one.promql) for one in signals}, asked, step_seconds)
    found, strangers = _ours(desk, facts, signals, round_)
    entities = Entities(desk, facts)
    roles = {node.entity: node.role for node in facts.nodes}
    tracks, rows = await to_thread.run_sync(
        _compared, signals, found, entities, base, span, roles, round(span.seconds / step_seconds)
    )
    about: dict[str, object] = {
        "window": span,
        "baseline": base,
        "step_seconds": step_seconds,
        "metrics": len(signals),
        "without_series": sum(1 for one in signals if not found[one.name]),
        "series": len(tracks),
        "unusual_from": UNUSUAL,
        **without_empty({"left_out": told(desk, strangers), "partial": _partial(round_.partial)}),
    }
    unread = unread_rows(round_.unread)
    value = {
        **about,
        "rows": [_whole(row) for row in rows[:KEPT_ROWS]],
        "rows_left_out": max(0, len(rows) - KEPT_ROWS),
        "unread": round_.unread,
    }
    return Answer(at=desk.now(), value=value, shown={**_shown(about, rows, tracks, partial=bool(unread)), **unread})


def _ours(
    desk: Desk, facts: Facts, signals: Sequence[Signal], round_: CatalogueRound
) -> tuple[dict[str, list[Series]], list[str]]:
    """Return the series of this cluster by signal, and for each of the others what it names."""
    found: dict[str, list[Series]] = {}
    strangers: list[str] = []
    for one in signals:
        found[one.name], names = parted(desk, facts, round_.found.get(one.name, ()), one.promql)
        strangers += names
    return found, strangers


def _partial(names: Collection[str]) -> str:
    if not names:
        return ""
    return f"Of {len(names)} metrics a part could not be read: a series that is not here may exist, so `first seen` and zeros may be wrong."


def _compared(
    signals: Sequence[Signal],
    found: Mapping[str, Sequence[Series]],
    entities: Entities,
    base: Window,
    span: Window,
    roles: Mapping[str, str],
    points: int,
) -> tuple[list[Track], list[Contrast]]:
    """Return the series in both windows and their rows: seconds of arithmetic where there are hundreds of nodes."""
    tracks: list[Track] = []
    for one in signals:
        check_cancelled()
        tracks += _tracks(one, found.get(one.name, ()), entities, base, span)
    check_cancelled()
    return tracks, contrasts(tracks, roles, points)


def _shown(
    about: dict[str, object], rows: Sequence[Contrast], tracks: Sequence[Track], *, partial: bool
) -> dict[str, object]:
    unusual = [row for row in rows if row.score >= UNUSUAL]
    best = best_of_each(rows)
    high = sum(1 for row in best if row.score >= UNUSUAL)
    listed = best[: max(LEAST_ROWS, min(ROWS, high))]
    positions = {id(row): place for place, row in enumerate(rows)}
    return {
        **about,
        **({"says": says} if (says := _says(unusual, rows, tracks, partial=partial)) else {}),
        "unusual": len(unusual),
        "rows": Rows(
            [_brief(row, positions[id(row)]) for row in listed],
            max(high, len(listed)),
            "unusual pairs of metric and node; every series by evidence(id, path='/rows'), or narrow with topic",
        ),
    }


def _says(unusual: Sequence[Contrast], rows: Sequence[Contrast], tracks: Sequence[Track], *, partial: bool) -> str:
    if not any(len(track.after) for track in tracks):
        return "No metric has samples in the window: nothing is known of it. Try: another window."
    if not any(len(track.before) >= LEAST_POINTS for track in tracks):
        return "No metric has samples in the baseline: what is new cannot be told from what is usual. Try: another baseline."
    if not unusual and rows:
        part = " of those that could be read" if partial else ""
        return f"Nothing unusual{part}: no score reaches {UNUSUAL:g}. The highest are shown."
    return ""


def _signals(signals: Sequence[Signal], topic: str) -> list[Signal]:
    found = [signal for signal in signals if topic in ("", signal.topic)]
    if not found:
        raise UnknownName("topic of metrics", topic, tuple(dict.fromkeys(one.topic for one in signals if one.topic)))
    return found


def baseline_of(span: Window, given: str) -> Window:
    """Return the window that another is compared with. Raises ArgumentInvalid where the two would overlap."""
    length = timedelta(seconds=span.seconds)
    if given == BEFORE:
        return Window(start=span.start - length, end=span.start)
    if given in AGO_SECONDS:
        ago = timedelta(seconds=AGO_SECONDS[given])
        if span.start < span.end - ago:
            advice = "before, or an earlier one"
            raise ArgumentInvalid("baseline", given, "the window is longer than that, so both would overlap", advice)
        return Window(start=span.start - ago, end=span.end - ago)
    start = moment_of("baseline", given)
    if start + length > span.start:
        latest = (span.start - length).isoformat()
        raise ArgumentInvalid("baseline", given, "it would overlap the window", f"a start up to {latest}")
    return Window(start=start, end=start + length)


def _tracks(signal: Signal, found: Iterable[Series], entities: Entities, base: Window, span: Window) -> Iterable[Track]:
    """Yield the series of a signal; halves that two queries gave belong together."""
    halves: dict[tuple[str | None, Labels], list[tuple[float, float]]] = {}
    for series in found:
        halves.setdefault((entities.of(series.labels), entities.apart(series.labels)), []).extend(series.points)
    late = span.end.timestamp() - span.seconds / MIDDLE_THIRD
    for (entity, labels), points in halves.items():
        every = np.array(points, dtype=np.float64).reshape(-1, 2)
        times, values = every[np.isfinite(every[:, 1])].T
        inside = times >= span.start.timestamp()
        before: Floats = values[~inside & (times <= base.end.timestamp())]
        ended = bool(len(times)) and times[-1] < late
        yield Track(signal, entity, labels, before, values[inside], at_end=bool(inside.any()) and not ended)


def _whole(row: Contrast) -> dict[str, object]:
    return {**asdict(row), "labels": dict(row.labels), "ratio": ratio(row.before, row.after)}


def _brief(row: Contrast, place: int) -> dict[str, object]:
    levels = {"before": row.before, "after": row.after, "peers": row.peers}
    return {
        **without_empty({"path": f"/rows/{place}", **_whole(row), **dict.fromkeys(levels), "kind": None}),
        **{name: level for name, level in levels.items() if level is not None},
        "score": round(row.score, 1),
    }
