"""One evaluation of an expression, at all its steps at once."""

import numpy as np

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.promql.aggregations import aggregate
from opsai_subjects.promql.calls import SCALARS, VECTORS
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
from opsai_subjects.promql.flat import Flat, Floats, Ints
from opsai_subjects.promql.functions import BY_SCALARS, EACH, KEEPS_NAME, OVER_RANGE
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import NAME, get, nameless
from opsai_subjects.promql.operators import operate
from opsai_subjects.promql.options import Options
from opsai_subjects.promql.quantiles import remarks_on_quantile
from opsai_subjects.promql.samples import Samples, Selection
from opsai_subjects.promql.selectors import chosen, cut, newest, windows
from opsai_subjects.promql.windows import Windows

_NOT_A_COUNTER = "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket"
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
        check_cancelled()
        match node:
            case Select():
                return self.newest(node, steps)[0]
            case Call():
                return self._call(node, steps)
            case Aggregate():
                param = self._param(node, steps)
                return aggregate(node, self.vector(node.inner, steps), param)
            case Negated():
                grid = self.vector(node.inner, steps)
                return Grid([nameless(one) for one in grid.labels], -grid.values, grid.present).merged()
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
            case Call() if node.name in SCALARS:
                return SCALARS[node.name](self, node, steps)
            case _:
                pass
        raise Refused(f"expected type scalar, got {kind_of(node)}")

    def newest(self, node: Select, steps: Ints) -> tuple[Grid, Floats]:
        """Return a selector's samples and the times they were taken at (Unix seconds)."""
        selection, ends = self._reached(node, steps)
        self._count(len(selection) * steps.size)
        return newest(selection, ends, self._options)

    def windows(self, node: Expression, steps: Ints) -> Windows | None:
        """Return a range vector; None when no sample is in reach at all."""
        check_cancelled()
        match node:
            case Range():
                selection, ends = self._reached(node.select, steps, node.range_ms)
                self._count(len(selection) * steps.size)
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
        if node.param is None:
            return None
        param = self.scalar(node.param, steps)
        if node.op == "quantile":
            self.warnings.update(remarks_on_quantile(param))
        return param

    def _moments(self, at: At, offset_ms: int, steps: Ints) -> Ints:
        if at is None:
            return steps - offset_ms
        fixed = {"start": self._start_ms, "end": self._end_ms}[at] if isinstance(at, str) else at
        return np.full(steps.size, fixed - offset_ms, np.int64)

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
        return VECTORS[node.name](self, node, steps)

    def _remark(self, node: Call, values: list[Windows | Floats | None]) -> None:
        """Say what looks wrong in a call, as Prometheus 3 does."""
        for value in values:
            if isinstance(value, Windows) and node.name in ("rate", "increase"):
                for name in {get(labels, NAME) for labels in value.labels}:
                    if name and not name.endswith(("_total", "_sum", "_count", "_bucket")):
                        self.warnings.add(f'{_NOT_A_COUNTER}: "{name}"')
            elif isinstance(value, np.ndarray) and node.name == "quantile_over_time":
                self.warnings.update(remarks_on_quantile(value))

    def _over_range(self, node: Call, steps: Ints) -> Grid:
        values = [
            self.windows(arg, steps) if kind_of(arg) == "matrix" else self.scalar(arg, steps) for arg in node.args
        ]
        held = next((value for value in values if isinstance(value, Windows)), None)
        self._remark(node, values)
        if held is None:
            return Grid.empty(steps.size)
        result, present = OVER_RANGE[node.name](*values)
        labels = held.labels if node.name in KEEPS_NAME else [nameless(one) for one in held.labels]
        return Grid(labels, result, present).distinct()
