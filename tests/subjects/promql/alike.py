"""Whether the evaluator and a real Prometheus say the same."""

import math
from collections.abc import Mapping
from typing import Any

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import MetricsReply
from opsai_subjects.promql.engine import Engine
from tests.subjects.promql.real import RealPrometheus

RELATIVE = 1e-9
Labels = tuple[tuple[str, str], ...]
Points = dict[float, float]
Answer = tuple[str, dict[Labels, Points]] | str
"""The kind of the result and its series, a string's text, or the word `refused`."""

REFUSED = "refused"


def difference_at(engine: Engine, prometheus: RealPrometheus, query: str, at: float) -> str:
    """Ask both at one moment and return how they differ; empty when they do not."""
    theirs = _theirs(prometheus.ask("query", {"query": query, "time": repr(at)}))
    return _difference(_ours(lambda: engine.instant(query, at)), theirs)


def difference_over(
    engine: Engine, prometheus: RealPrometheus, query: str, start: float, end: float, step: float
) -> str:
    """Ask both over a range and return how they differ; empty when they do not."""
    params = {"query": query, "start": repr(start), "end": repr(end), "step": repr(step)}
    return _difference(
        _ours(lambda: engine.range(query, start, end, step)), _theirs(prometheus.ask("query_range", params))
    )


def _ours(ask: Any) -> Answer:
    try:
        reply: MetricsReply = ask()
    except QueryInvalid:
        return REFUSED
    if reply.kind == "string":
        return f"string {reply.text}"
    return reply.kind, {tuple(sorted(one.labels.items())): dict(one.points) for one in reply.series}


def _theirs(answer: Mapping[str, Any]) -> Answer:
    if answer["status"] != "success":
        return REFUSED
    kind, result = answer["data"]["resultType"], answer["data"]["result"]
    if kind == "string":
        return f"string {result[1]}"
    if kind == "scalar":
        return kind, {(): {result[0]: float(result[1])}}
    return kind, {
        tuple(sorted(one["metric"].items())): {t: float(v) for t, v in one.get("values") or [one["value"]]}
        for one in result
    }


def _difference(ours: Answer, theirs: Answer) -> str:
    if isinstance(ours, str) or isinstance(theirs, str):
        return "" if ours == theirs else f"ours {ours!r}, theirs {theirs!r}"[:2000]
    if ours[0] != theirs[0]:
        return f"ours is a {ours[0]}, theirs a {theirs[0]}"
    if ours[1].keys() != theirs[1].keys():
        more, less = ours[1].keys() - theirs[1].keys(), theirs[1].keys() - ours[1].keys()
        return f"only ours: {sorted(more)[:5]}, only theirs: {sorted(less)[:5]}"
    for labels, points in ours[1].items():
        if wrong := _points(points, theirs[1][labels]):
            return f"{dict(labels)}: {wrong}"
    return ""


def _points(ours: Points, theirs: Points) -> str:
    if ours.keys() != theirs.keys():
        return f"points at other times: {sorted(ours.keys() ^ theirs.keys())[:5]}"
    for t, value in ours.items():
        if not _same(value, theirs[t]):
            return f"at {t} ours {value!r}, theirs {theirs[t]!r}"
    return ""


def _same(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=RELATIVE)
