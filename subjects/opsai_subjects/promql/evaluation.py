"""One evaluation of an expression, at all its steps at once."""

from collections.abc import Callable

import numpy as np

from opsai_subjects.promql.aggregations import aggregate
from opsai_subjects.promql.expression import (
    Aggregate,
    At,
    Binary,
    Call,
    Expression,
    Negated,
    Number,
    Range,
    Refused,
    Select,
    Subquery,
    Text,
    kind_of,
)
from opsai_subjects.promql.flat import Flat, Floats, Ints, any_of
from opsai_subjects.promql.functions import BY_SCALARS, EACH, KEEPS_NAME, OVER_RANGE
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.histograms import histogram_quantile
from opsai_subjects.promql.labels import NAME, LabelSet, label_set, nameless
from opsai_subjects.promql.operators import operate
from opsai_subjects.promql.options import Options
from opsai_subjects.promql.samples import Samples, Selection
from opsai_subjects.promql.selectors import chosen, cut, newest, windows
from opsai_subjects.promql.windows import Windows

TOO_MANY_SAMPLES = "query processing would load too many samples into memory in query execution"


class Evaluation:
    """Evaluates expressions of one query; steps are Unix milliseconds."""

    def __init__(self, samples: Samples, options: Options, start_ms: int, end_ms: int) -> None:
        self._samples = samples
        self._options = options
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._loaded = 0
        self.warnings: set[str] = set()

    def vector(self, node: Expression, steps: Ints) -> Grid:
        """Return an instant vector."""
        match node:
            case Select():
                grid, _ = newest(*self._reached(node, steps), self._options)
                self._count(grid.present.size)
                return grid
            case Call():
                return self._call(node, steps)
            case Aggregate():
                return aggregate(node, self.vector(node.inner, steps), self._param(node, steps))
            case Negated():
                grid = self.vector(node.inner, steps)
                return Grid([nameless(one) for one in grid.labels], -grid.values, grid.present).distinct()
            case Binary():
                result = operate(node, self._operand(node.lhs, steps), self._operand(node.rhs, steps))
                if isinstance(result, Grid):
                    return result
            case _:
                pass
        raise Refused(f"expected type instant vector, got {kind_of(node)}")

    def scalar(self, node: Expression, steps: Ints) -> Floats:
        """Return a scalar's value at each step."""
        match node:
            case Number():
                return np.full(steps.size, node.value)
            case Negated():
                return -self.scalar(node.inner, steps)
            case Binary():
                result = operate(node, self.scalar(node.lhs, steps), self.scalar(node.rhs, steps))
                if not isinstance(result, Grid):
                    return result
            case Call() if node.name in _SCALARS:
                return _SCALARS[node.name](self, node, steps)
            case _:
                pass
        raise Refused(f"expected type scalar, got {kind_of(node)}")

    def windows(self, node: Expression, steps: Ints) -> Windows | None:
        """Return a range vector; None when no sample is in reach at all."""
        match node:
            case Range():
                selection, ends = self._reached(node.select, steps, node.range_ms)
                made = windows(selection, ends, node.range_ms, steps, self._options)
            case Subquery():
                ends = self._moments(node.at, node.offset_ms, steps)
                inner = self._inner_steps(node, ends)
                grid = self._operand_grid(node.inner, inner)
                starts = np.zeros(len(grid.labels) + 1, np.int64)
                np.cumsum(grid.present.sum(axis=1), out=starts[1:])
                t_ms = np.broadcast_to(inner, grid.present.shape)[grid.present]
                flat = Flat(t_ms, grid.values[grid.present], starts)
                made = cut(grid.labels, flat, ends, node.range_ms, steps, self._options)
            case _:
                raise Refused(f"expected type range vector, got {kind_of(node)}")
        if made is not None:
            self._count(int(made.counts.sum()))
        return made

    def _operand(self, node: Expression, steps: Ints) -> Grid | Floats:
        return self.scalar(node, steps) if kind_of(node) == "scalar" else self.vector(node, steps)

    def _operand_grid(self, node: Expression, steps: Ints) -> Grid:
        value = self._operand(node, steps) if steps.size else Grid.empty(0)
        return value if isinstance(value, Grid) else Grid.single(value)

    def _param(self, node: Aggregate, steps: Ints) -> Floats | str | None:
        if isinstance(node.param, Text):
            return node.param.value
        return None if node.param is None else self.scalar(node.param, steps)

    def _moments(self, at: At, offset_ms: int, steps: Ints) -> Ints:
        if at is None:
            return steps - offset_ms
        fixed = {"start": self._start_ms, "end": self._end_ms}.get(at, at) if isinstance(at, str) else at
        return np.full(steps.size, fixed, np.int64) - offset_ms

    def _reached(self, node: Select, steps: Ints, range_ms: int | None = None) -> tuple[Selection, Ints]:
        ends = self._moments(node.at, node.offset_ms, steps)
        back = self._options.lookback_ms if range_ms is None else range_ms
        return chosen(self._samples, node, int(ends.min()) - back, int(ends.max())), ends

    def _inner_steps(self, node: Subquery, ends: Ints) -> Ints:
        """Return the moments of a subquery: multiples of its step, so that they do not move with the query."""
        step = node.step_ms or self._options.subquery_step_ms
        oldest = int(ends.min()) - node.range_ms
        first = step * (oldest // step)
        if first < oldest or (self._options.left_open and first == oldest):
            first += step
        last = int(ends.max())
        self._count(max(0, (last - first) // step + 1))
        return np.arange(first, last + 1, step, dtype=np.int64)

    def _count(self, samples: int) -> None:
        self._loaded += samples
        if self._loaded > self._options.max_samples:
            raise Refused(TOO_MANY_SAMPLES)

    def _call(self, node: Call, steps: Ints) -> Grid:
        if node.name in EACH:
            return self.vector(node.args[0], steps).mapped(EACH[node.name])
        if node.name in OVER_RANGE:
            return self._over_range(node, steps)
        if node.name in BY_SCALARS:
            scalars = [self.scalar(arg, steps) for arg in node.args[1:]]
            return self.vector(node.args[0], steps).mapped(lambda values: BY_SCALARS[node.name](values, *scalars))
        return _CALLS[node.name](self, node, steps)

    def _over_range(self, node: Call, steps: Ints) -> Grid:
        values = [
            self.windows(arg, steps) if kind_of(arg) == "matrix" else self.scalar(arg, steps) for arg in node.args
        ]
        held = next((value for value in values if isinstance(value, Windows)), None)
        if held is None:
            return Grid.empty(steps.size)
        result, present = OVER_RANGE[node.name](*values)
        labels = held.labels if node.name in KEEPS_NAME else [nameless(one) for one in held.labels]
        return Grid(labels, result, present).distinct()


def _absent(evaluation: Evaluation, node: Call, steps: Ints) -> Grid:
    present = any_of(evaluation.vector(node.args[0], steps).present, axis=0)
    return Grid.single(np.ones(steps.size), ~present, _expected_labels(node.args[0]))


def _absent_over_time(evaluation: Evaluation, node: Call, steps: Ints) -> Grid:
    held = evaluation.windows(node.args[0], steps)
    present = np.zeros(steps.size, np.bool_) if held is None else any_of(held.counts > 0, axis=0)
    return Grid.single(np.ones(steps.size), ~present, _expected_labels(node.args[0]))


def _expected_labels(node: Expression) -> LabelSet:
    """Return the labels that a selector's matchers would have given, had it found anything."""
    select = node.select if isinstance(node, Range) else node
    labels: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in select.matchers if isinstance(select, Select) else ():
        equal = matcher.op == "=" and matcher.name not in seen
        labels[matcher.name] = matcher.value if equal and matcher.name != NAME else ""
        seen.update((matcher.name,) if equal else ())
    return label_set(labels)


def _clamp(evaluation: Evaluation, node: Call, steps: Ints) -> Grid:
    low, high = (evaluation.scalar(arg, steps) for arg in node.args[1:])
    grid = evaluation.vector(node.args[0], steps).mapped(lambda values: np.maximum(low, np.minimum(high, values)))
    return grid.where(np.broadcast_to(~(high < low), grid.values.shape))


def _histogram_quantile(evaluation: Evaluation, node: Call, steps: Ints) -> Grid:
    q = evaluation.scalar(node.args[0], steps)
    return histogram_quantile(q, evaluation.vector(node.args[1], steps), evaluation.warnings)


def _vector(evaluation: Evaluation, node: Call, steps: Ints) -> Grid:
    return Grid.single(evaluation.scalar(node.args[0], steps))


def _time(_: Evaluation, node: Call, steps: Ints) -> Floats:
    return steps / 1000.0


def _pi(_: Evaluation, node: Call, steps: Ints) -> Floats:
    return np.full(steps.size, np.pi)


def _scalar(evaluation: Evaluation, node: Call, steps: Ints) -> Floats:
    grid = evaluation.vector(node.args[0], steps)
    only = np.where(grid.present, grid.values, 0.0).sum(axis=0)
    return np.where(grid.present.sum(axis=0) == 1, only, np.nan)


_SCALARS: dict[str, Callable[[Evaluation, Call, Ints], Floats]] = {"pi": _pi, "scalar": _scalar, "time": _time}
_CALLS: dict[str, Callable[[Evaluation, Call, Ints], Grid]] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "histogram_quantile": _histogram_quantile,
    "vector": _vector,
}
