"""Aggregations over labels: sum, avg, topk and their kin, for all steps at once."""

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np

from opsai_subjects.promql.expression import Aggregate, Refused
from opsai_subjects.promql.flat import Floats, Ints
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import NAME, LabelSet, drop, keep, put
from opsai_subjects.promql.quantiles import row_quantiles

_INT64 = 2.0**63
_POOR = 0.01
"""A sum that is a smaller part than this of its terms' sizes has lost digits."""


class _Groups:
    """Rows of a grid in order of their groups; groups in order of their first row."""

    def __init__(self, node: Aggregate, grid: Grid) -> None:
        choose, names = (drop, node.names | {NAME}) if node.without else (keep, node.names)
        number: dict[LabelSet, int] = {}
        of_row = np.array([number.setdefault(choose(one, names), len(number)) for one in grid.labels], np.int64)
        order = np.argsort(of_row, kind="stable")
        self.labels = tuple(number)
        self.starts = np.searchsorted(of_row[order], np.arange(len(number)))
        self.sizes = np.diff(np.append(self.starts, len(order)))
        self.order = order
        self.values = grid.values[order]
        self.present = grid.present[order]
        self.counts: Ints = np.add.reduceat(self.present, self.starts, axis=0, dtype=np.int64)

    def sums(self, values: Floats) -> Floats:
        """Return each group's sum of values that are given in group order; absent ones count as 0."""
        given = np.where(self.present, values, 0.0)
        added: Floats = np.add.reduceat(given, self.starts, axis=0)
        # Where terms nearly cancel, what is left would be rounding: those few are added up exactly.
        poor = np.abs(added) < _POOR * np.add.reduceat(np.abs(given), self.starts, axis=0)
        for group, step in np.argwhere(poor).tolist():
            start = int(self.starts[group])
            added[group, step] = math.fsum(given[start : start + int(self.sizes[group]), step].tolist())
        return added

    def spread(self, per_group: Floats) -> Floats:
        """Repeat a figure of each group for each of its rows."""
        return np.repeat(per_group, self.sizes, axis=0)

    def first(self) -> Floats:
        """Return each group's first value by step."""
        rows = np.arange(len(self.order))[:, None]
        earliest = np.minimum.reduceat(np.where(self.present, rows, len(self.order) - 1), self.starts, axis=0)
        return np.take_along_axis(self.values, earliest, axis=0)


def aggregate(node: Aggregate, grid: Grid, param: Floats | str | None) -> Grid:
    """Return the aggregation of a vector; `param` is k, q, or the label of count_values."""
    if isinstance(param, str):
        return _count_values(node, grid, param)
    k = _whole(param) if node.op in _CHOOSING and param is not None else None
    if not len(grid.labels):
        return grid
    if k is not None:
        return _chosen(_Groups(node, grid), grid, k, largest=node.op == "topk")
    groups = _Groups(node, grid)
    if node.op == "quantile" and param is not None:
        values = _quantile(groups, param)
    else:
        values = _REDUCING[node.op](groups)
    return Grid(groups.labels, values, groups.counts > 0).filled()


def _sum(groups: _Groups) -> Floats:
    return groups.sums(groups.values)


def _avg(groups: _Groups) -> Floats:
    counts = np.maximum(groups.counts, 1)
    mean = groups.sums(groups.values) / counts
    if np.isinf(mean).any():
        # The sum may have overflowed where the mean does not.
        mean = np.where(np.isinf(mean), groups.sums(groups.values / groups.spread(counts)), mean)
    return mean


def _min(groups: _Groups) -> Floats:
    return np.fmin.reduceat(np.where(groups.present, groups.values, np.nan), groups.starts, axis=0)


def _max(groups: _Groups) -> Floats:
    return np.fmax.reduceat(np.where(groups.present, groups.values, np.nan), groups.starts, axis=0)


def _count(groups: _Groups) -> Floats:
    return groups.counts.astype(np.float64)


def _group(groups: _Groups) -> Floats:
    return np.ones(groups.counts.shape)


def _stdvar(groups: _Groups) -> Floats:
    # Distances from the first value, so that equal values have no variance at all.
    counts = np.maximum(groups.counts, 1)
    distance = groups.values - groups.spread(groups.first())
    mean = groups.sums(distance) / counts
    return groups.sums((distance - groups.spread(mean)) ** 2) / counts


def _stddev(groups: _Groups) -> Floats:
    return np.sqrt(_stdvar(groups))


def _quantile(groups: _Groups, q: Floats) -> Floats:
    values = np.empty(groups.counts.shape)
    for group, (start, size) in enumerate(zip(groups.starts.tolist(), groups.sizes.tolist(), strict=True)):
        rows = slice(start, start + size)
        values[group] = row_quantiles(q, groups.values[rows].T, groups.present[rows].T)
    return values


def _chosen(groups: _Groups, grid: Grid, k: Ints, *, largest: bool) -> Grid:
    """Keep the k largest or smallest of each group, by step; of equal ones the first. NaN is taken last."""
    kept = np.zeros(grid.present.shape, np.bool_)
    ranked: list[int] = []
    for start, size in zip(groups.starts.tolist(), groups.sizes.tolist(), strict=True):
        rows = slice(start, start + size)
        keys = -groups.values[rows] if largest else groups.values[rows]
        absent = ~groups.present[rows]
        order = np.lexsort((keys, np.isnan(keys), absent), axis=0)
        rank = np.argsort(order, axis=0, kind="stable")
        kept[groups.order[rows]] = (rank < k) & ~absent
        ranked.extend(groups.order[rows][order[:, 0]].tolist())
    result = Grid(grid.labels, grid.values, kept)
    return (result.rows(np.array(ranked, np.int64)) if grid.steps == 1 else result).filled()


def _whole(k: Floats) -> Ints:
    if (k < 1).all():
        return np.zeros(k.size, np.int64)
    if np.isnan(k).any():
        raise Refused("Parameter value is NaN")
    if k.min() <= -_INT64:
        raise Refused(f"Scalar value {_written(float(k.min()))} underflows int64")
    if k.max() >= _INT64:
        raise Refused(f"Scalar value {_written(float(k.max()))} overflows int64")
    return np.trunc(k).astype(np.int64)


def _count_values(node: Aggregate, grid: Grid, label: str) -> Grid:
    if not label:
        raise Refused(f'invalid label name "{label}"')
    choose, names = (drop, node.names | {NAME}) if node.without else (keep, node.names)
    counts: dict[LabelSet, Floats] = {}
    for row, labels in enumerate(grid.labels):
        base = choose(labels, names)
        for step in np.flatnonzero(grid.present[row]).tolist():
            into = put(base, [(label, _written(float(grid.values[row, step])))])
            counts.setdefault(into, np.zeros(grid.steps))[step] += 1
    if not counts:
        return Grid.empty(grid.steps)
    values = np.stack(list(counts.values()))
    return Grid(tuple(counts), values, values > 0)


def _written(value: float) -> str:
    """Write a number as Go's 'f' format does: shortest, never with an exponent."""
    if not np.isfinite(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


_CHOOSING = frozenset({"topk", "bottomk"})
_REDUCING: dict[str, Callable[[_Groups], Floats]] = {
    "sum": _sum,
    "avg": _avg,
    "min": _min,
    "max": _max,
    "count": _count,
    "group": _group,
    "stddev": _stddev,
    "stdvar": _stdvar,
}
AGGREGATIONS = frozenset(_REDUCING) | _CHOOSING | {"quantile", "count_values"}
