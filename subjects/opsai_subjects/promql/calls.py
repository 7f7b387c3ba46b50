"""The functions that need more than a value or a window: labels, order, the step's time, what is absent."""

import re
from collections.abc import Callable
from typing import Protocol

import numpy as np

from opsai_subjects.promql.dates import DATES
from opsai_subjects.promql.expression import Call, Expression, Range, Refused, Select, Text
from opsai_subjects.promql.flat import Floats, Ints, any_of
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.histograms import histogram_quantile
from opsai_subjects.promql.labels import LabelSet, get, label_set, nameless
from opsai_subjects.promql.relabelling import label_join, label_replace
from opsai_subjects.promql.windows import Windows


class Evaluator(Protocol):
    """What evaluates the arguments of a call."""

    warnings: set[str]

    def vector(self, node: Expression, steps: Ints) -> Grid:
        """Return an instant vector."""
        ...

    def scalar(self, node: Expression, steps: Ints) -> Floats:
        """Return a scalar's value at each step."""
        ...

    def windows(self, node: Expression, steps: Ints) -> Windows | None:
        """Return a range vector; None when no sample is in reach at all."""
        ...

    def newest(self, node: Select, steps: Ints) -> tuple[Grid, Floats]:
        """Return a selector's samples and the times they were taken at."""
        ...


def larger(one: Floats, other: Floats) -> Floats:
    """Return the larger of each pair as Go's math.Max does: NaN wins, but for +Inf."""
    return np.where((one == np.inf) | (other == np.inf), np.inf, np.maximum(one, other))


def smaller(one: Floats, other: Floats) -> Floats:
    """Return the smaller of each pair as Go's math.Min does: NaN wins, but for -Inf."""
    return np.where((one == -np.inf) | (other == -np.inf), -np.inf, np.minimum(one, other))


def _absent(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    present = any_of(evaluator.vector(node.args[0], steps).present, axis=0)
    return Grid.single(np.ones(steps.size), ~present, _expected_labels(node.args[0]))


def _absent_over_time(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    held = evaluator.windows(node.args[0], steps)
    present = np.zeros(steps.size, np.bool_) if held is None else any_of(held.counts > 0, axis=0)
    return Grid.single(np.ones(steps.size), ~present, _expected_labels(node.args[0]))


def _expected_labels(node: Expression) -> LabelSet:
    """Return the labels that a selector's matchers would have given, had it found anything."""
    select = node.select if isinstance(node, Range) else node
    labels: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in select.matchers if isinstance(select, Select) else ():
        if matcher.op == "=" and matcher.name not in seen:
            labels[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            labels.pop(matcher.name, None)
    return nameless(label_set(labels))


def _clamp(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    low, high = (evaluator.scalar(arg, steps) for arg in node.args[1:])
    grid = evaluator.vector(node.args[0], steps)
    possible = grid.where(np.broadcast_to(~(high < low), grid.values.shape))
    return possible.mapped(lambda values: larger(low, smaller(high, values)))


def _histogram_quantile(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    q = evaluator.scalar(node.args[0], steps)
    return histogram_quantile(q, evaluator.vector(node.args[1], steps), evaluator.warnings)


def _label_join(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    target, separator, *sources = _texts(node)
    return label_join(evaluator.vector(node.args[0], steps), target, separator, sources)


def _label_replace(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    target, template, source, pattern = _texts(node)
    return label_replace(evaluator.vector(node.args[0], steps), target, template, source, pattern)


def _texts(node: Call) -> list[str]:
    texts = [arg.value for arg in node.args[1:] if isinstance(arg, Text)]
    if len(texts) < len(node.args) - 1:
        raise Refused(f"parse error: {node.name}() takes strings after its first argument")
    return texts


def _sort(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    """Order a single step's elements by value, NaN last; more steps have no order."""
    grid = evaluator.vector(node.args[0], steps)
    if steps.size > 1:
        evaluator.warnings.add(
            "PromQL warning: sort is ineffective for range queries since results are always ordered by labels"
        )
        return grid
    values = grid.values[:, 0]
    keys = -values if node.name == "sort_desc" else values
    return grid.rows(np.lexsort((keys, np.isnan(values))))


def _sort_by_label(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    """Order a single step's elements by the labels named, digits in them as numbers; then by all labels."""
    grid, names = evaluator.vector(node.args[0], steps), _texts(node)

    def key(row: int) -> tuple[object, ...]:
        labels = grid.labels[row]
        return (*(_natural(get(labels, name)) for name in names), labels)

    ordered = sorted(range(len(grid.labels)), key=key, reverse=node.name == "sort_by_label_desc")
    return grid.rows(np.array(ordered, np.int64))


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts: list[str] = re.findall(r"\d+|\D+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _timestamp(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    """Return when each sample was taken; of anything but a selector, the step's own time."""
    inner = node.args[0]
    if isinstance(inner, Select):
        grid, seconds = evaluator.newest(inner, steps)
        return Grid([nameless(one) for one in grid.labels], seconds, grid.present).merged()
    grid = evaluator.vector(inner, steps)
    return grid.mapped(lambda values: np.broadcast_to(steps / 1000.0, values.shape))


def _vector(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    return Grid.single(evaluator.scalar(node.args[0], steps))


def _date(evaluator: Evaluator, node: Call, steps: Ints) -> Grid:
    if not node.args:
        return Grid.single(DATES[node.name](steps / 1000.0))
    return evaluator.vector(node.args[0], steps).mapped(DATES[node.name])


def _time(_evaluator: Evaluator, _node: Call, steps: Ints) -> Floats:
    return steps / 1000.0


def _pi(_evaluator: Evaluator, _node: Call, steps: Ints) -> Floats:
    return np.full(steps.size, np.pi)


def _scalar(evaluator: Evaluator, node: Call, steps: Ints) -> Floats:
    """Return the value of a vector's only element; NaN where it has none or several."""
    grid = evaluator.vector(node.args[0], steps)
    only = np.where(grid.present, grid.values, 0.0).sum(axis=0)
    return np.where(grid.present.sum(axis=0) == 1, only, np.nan)


SCALARS: dict[str, Callable[[Evaluator, Call, Ints], Floats]] = {"pi": _pi, "scalar": _scalar, "time": _time}
"""Functions whose value is a scalar."""

VECTORS: dict[str, Callable[[Evaluator, Call, Ints], Grid]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "histogram_quantile": _histogram_quantile,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "sort": _sort,
    "sort_by_label": _sort_by_label,
    "sort_by_label_desc": _sort_by_label,
    "sort_desc": _sort,
    "timestamp": _timestamp,
    "vector": _vector,
    **dict.fromkeys(DATES, _date),
}
"""Functions whose value is an instant vector."""
