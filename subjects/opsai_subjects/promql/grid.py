"""An instant vector at many moments at once: one row per series, one column per step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from opsai_subjects.promql.expression import Refused
from opsai_subjects.promql.flat import Bools, Floats, Ints, any_of, integers
from opsai_subjects.promql.labels import LabelSet, nameless

SAME_LABELSET = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of values by step; `present` tells a value (NaN too) from nothing."""

    labels: Sequence[LabelSet]
    values: Floats
    present: Bools

    @classmethod
    def empty(cls, steps: int) -> "Grid":
        """Return a vector without elements."""
        return cls((), np.empty((0, steps)), np.empty((0, steps), np.bool_))

    @classmethod
    def single(cls, values: Floats, present: Bools | None = None, labels: LabelSet = ()) -> "Grid":
        """Return a vector of one element."""
        shown = np.ones(values.shape, np.bool_) if present is None else present
        return cls((labels,), values[None, :], shown[None, :]).filled()

    @property
    def steps(self) -> int:
        """How many moments it covers."""
        return int(self.values.shape[1])

    def rows(self, chosen: Ints) -> "Grid":
        """Return the chosen rows, in that order."""
        return Grid([self.labels[i] for i in integers(chosen)], self.values[chosen], self.present[chosen])

    def filled(self) -> "Grid":
        """Return it without rows that have no value at any step."""
        some = any_of(self.present, axis=1)
        return self if some.all() else self.rows(np.flatnonzero(some))

    def mapped(self, function: Callable[[Floats], Floats]) -> "Grid":
        """Return it with each value changed and the metric's name dropped."""
        return Grid([nameless(one) for one in self.labels], function(self.values), self.present).merged()

    def where(self, kept: Bools) -> "Grid":
        """Return it with only the values for which `kept` holds."""
        return Grid(self.labels, self.values, self.present & kept).filled()

    def merged(self) -> "Grid":
        """Return it with rows of the same labels made one. Raises Refused where two have a value at one step."""
        if len(set(self.labels)) == len(self.labels):
            return self
        first: dict[LabelSet, int] = {}
        target = np.array([first.setdefault(one, len(first)) for one in self.labels], np.int64)
        values = np.zeros((len(first), self.steps))
        present = np.zeros((len(first), self.steps), np.bool_)
        for row, into in enumerate(integers(target)):
            here = self.present[row]
            if (present[into] & here).any():
                raise Refused(SAME_LABELSET)
            values[into, here] = self.values[row, here]
            present[into] |= here
        return Grid(tuple(first), values, present)

    def distinct(self) -> "Grid":
        """Return it. Raises Refused when two rows that have a value at any step have the same labels."""
        if len(set(self.labels)) == len(self.labels):
            return self
        some = self.filled()
        if len(set(some.labels)) != len(some.labels):
            raise Refused(SAME_LABELSET)
        return some
