"""Arithmetic and comparison between scalars and vectors, and how two vectors are joined."""

from collections.abc import Callable, Sequence

import numpy as np

from opsai_subjects.promql.expression import Binary, Matching, Refused
from opsai_subjects.promql.flat import Bools, Floats, Ints, any_of, integers
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import NAME, LabelSet, drop, get, keep, nameless, put, shown

Operand = Grid | Floats

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def operate(node: Binary, lhs: Operand, rhs: Operand) -> Operand:
    """Return the operation's value: a vector when either side is one."""
    if isinstance(lhs, Grid):
        if isinstance(rhs, Grid):
            return _SETS[node.op](node.matching, lhs, rhs) if node.op in _SETS else _joined(node, lhs, rhs)
        return _with_scalar(node, lhs, lhs.values, np.broadcast_to(rhs, lhs.values.shape))
    if isinstance(rhs, Grid):
        return _with_scalar(node, rhs, np.broadcast_to(lhs, rhs.values.shape), rhs.values)
    return _values(node, lhs, rhs)[0]


def signature(matching: Matching, labels: LabelSet) -> LabelSet:
    """Return the labels that elements of two vectors must share to be joined."""
    return keep(labels, matching.names) if matching.on else drop(labels, matching.names | {NAME})


def _values(node: Binary, lhs: Floats, rhs: Floats) -> tuple[Floats, Bools | None]:
    """Return the operation's values and, for a comparison that filters, where they are kept."""
    if node.op in ARITHMETIC:
        return ARITHMETIC[node.op](lhs, rhs), None
    holds = COMPARISON[node.op](lhs, rhs)
    return (holds.astype(np.float64), None) if node.to_bool or lhs.ndim == 1 else (lhs, holds)


def _renamed(node: Binary, labels: LabelSet) -> LabelSet:
    return nameless(labels) if node.op in ARITHMETIC or node.to_bool else labels


def _with_scalar(node: Binary, vector: Grid, lhs: Floats, rhs: Floats) -> Grid:
    values, kept = _values(node, lhs, rhs)
    if kept is not None:
        return Grid(vector.labels, vector.values, vector.present).where(kept)
    return Grid([_renamed(node, one) for one in vector.labels], values, vector.present).merged()


def _joined(node: Binary, lhs: Grid, rhs: Grid) -> Grid:
    matching = node.matching
    many, one = (rhs, lhs) if matching.many == "right" else (lhs, rhs)
    if not len(many.labels) or not len(one.labels):
        return Grid.empty(lhs.steps)
    partners: dict[LabelSet, list[int]] = {}
    for row, labels in enumerate(one.labels):
        partners.setdefault(signature(matching, labels), []).append(row)
    # At a step without any element on the other side nothing is joined, so nothing can clash.
    _refuse_shared(matching, one.labels, one.present & any_of(many.present, axis=0), partners)
    pairs = [
        (row, partner, group)
        for row, labels in enumerate(many.labels)
        if (group := signature(matching, labels)) in partners
        for partner in partners[group]
    ]
    if not pairs:
        return Grid.empty(lhs.steps)
    many_rows = np.array([row for row, _, _ in pairs], np.int64)
    one_rows = np.array([row for _, row, _ in pairs], np.int64)
    left, right = (one_rows, many_rows) if matching.many == "right" else (many_rows, one_rows)
    values, kept = _values(node, lhs.values[left], rhs.values[right])
    present = many.present[many_rows] & one.present[one_rows]
    if kept is not None:
        present = present & kept
    results = [_result_labels(node, many.labels[row], one.labels[partner]) for row, partner, _ in pairs]
    _refuse_repeated(matching, [group for _, _, group in pairs], results, present)
    return Grid(results, values, present).filled().merged()


def _result_labels(node: Binary, many: LabelSet, one: LabelSet) -> LabelSet:
    matching = node.matching
    labels = _renamed(node, many)
    if matching.many == "none":
        return keep(labels, matching.names) if matching.on else drop(labels, matching.names)
    return put(labels, [(name, get(one, name)) for name in matching.include]) if matching.include else labels


def _refuse_shared(
    matching: Matching, one: Sequence[LabelSet], present: Bools, partners: dict[LabelSet, list[int]]
) -> None:
    """Refuse two elements of the "one" side in one group at one step."""
    for group, rows in partners.items():
        if len(rows) > 1 and (clash := _clash(present, rows)):
            side = "left" if matching.many == "right" else "right"
            first, second = sorted(shown(one[row]) for row in clash)
            raise Refused(
                f"found duplicate series for the match group {shown(group)} on the {side} hand-side of the operation: "
                f"[{first}, {second}];many-to-many matching not allowed: matching labels must be unique on one side"
            )


def _refuse_repeated(matching: Matching, groups: list[LabelSet], labels: list[LabelSet], present: Bools) -> None:
    """Refuse two results of one group at one step: any two of one-to-one, two of the same labels otherwise."""
    if matching.many == "none":
        words = "many-to-one matching must be explicit (group_left/group_right)"
        keys: list[object] = list(groups)
    else:
        words = "grouping labels must ensure unique matches"
        keys = list(zip(groups, labels, strict=True))
    rows_of: dict[object, list[int]] = {}
    for row, key in enumerate(keys):
        rows_of.setdefault(key, []).append(row)
    if any(len(rows) > 1 and _clash(present, rows) for rows in rows_of.values()):
        raise Refused(f"multiple matches for labels: {words}")


def _clash(present: Bools, rows: list[int]) -> tuple[int, int] | None:
    """Return the first two rows that have a value at the earliest step where two have."""
    shared = np.flatnonzero(present[rows].sum(axis=0) > 1)
    if not shared.size:
        return None
    first, second = (rows[i] for i in integers(np.flatnonzero(present[rows, shared[0]])[:2]))
    return first, second


def _both(matching: Matching, lhs: Grid, rhs: Grid) -> Grid:
    return lhs.where(_met(matching, lhs, rhs))


def _unless(matching: Matching, lhs: Grid, rhs: Grid) -> Grid:
    return lhs.where(~_met(matching, lhs, rhs))


def _either(matching: Matching, lhs: Grid, rhs: Grid) -> Grid:
    added = rhs.where(~_met(matching, rhs, lhs))
    if not len(added.labels):
        return lhs
    values = np.concatenate((lhs.values, added.values))
    return Grid([*lhs.labels, *added.labels], values, np.concatenate((lhs.present, added.present))).merged()


def _met(matching: Matching, grid: Grid, other: Grid) -> Bools:
    """Say where an element has one of the same group on the other side, by row and step."""
    number: dict[LabelSet, int] = {}
    theirs = [number.setdefault(signature(matching, one), len(number)) for one in other.labels]
    there = np.zeros((len(number) + 1, grid.steps), np.bool_)
    np.logical_or.at(there, np.array(theirs, np.int64), other.present)
    ours: Ints = np.array([number.get(signature(matching, one), len(number)) for one in grid.labels], np.int64)
    met: Bools = there[ours]
    return met


_SETS: dict[str, Callable[[Matching, Grid, Grid], Grid]] = {"and": _both, "or": _either, "unless": _unless}
