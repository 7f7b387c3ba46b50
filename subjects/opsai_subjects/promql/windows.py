"""Range vectors: for each row and step, the stretch of flat samples that its window holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.promql.flat import Bools, Flat, Floats, Ints
from opsai_subjects.promql.labels import LabelSet

_T = TypeVar("_T", np.float64, np.int64)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of `flat` from index `lo` to before `hi`, by row and step; at least one holds a sample."""

    labels: Sequence[LabelSet]
    flat: Flat
    lo: Ints
    hi: Ints
    end_ms: Ints
    """Where each step's window ends."""
    range_ms: int
    step_ms: Ints
    """The moments the query is evaluated at: before offset and `@`."""
    left_open: bool
    """Whether `lo` leaves out a sample at the window's very beginning, as Prometheus 3 does."""

    @property
    def counts(self) -> Ints:
        """How many samples each window holds."""
        return self.hi - self.lo

    def first(self, array: NDArray[_T]) -> NDArray[_T]:
        """Return an array's value at each window's first sample; anything for an empty window."""
        return array[np.minimum(self.lo, array.size - 1)]

    def last(self, array: NDArray[_T], back: int = 0) -> NDArray[_T]:
        """Return an array's value at each window's last sample, or at one before it; anything where there is none."""
        return array[np.maximum(self.hi - 1 - back, 0)]

    def columns(self) -> Iterator[tuple[Bools, Ints]]:
        """Go through all windows side by side: which have a k-th sample, and its index (anything where not)."""
        counts = self.counts
        top = self.flat.v.size - 1
        for k in range(int(counts.max(initial=0))):
            yield k < counts, np.minimum(self.lo + k, top)

    def sums(self, array: Floats, skip_first: bool = False) -> Floats:
        """Return the sum of an array over each window, added up in order."""
        lo = np.minimum(self.lo + 1, self.hi) if skip_first else self.lo
        bounds = np.stack((lo, self.hi), axis=-1).reshape(-1)
        padded = np.append(array, 0.0)
        added = np.add.reduceat(padded, bounds)[::2].reshape(lo.shape)
        return np.where(lo < self.hi, added, 0.0)

    def flagged(self, flags: Bools) -> Ints:
        """Count the flags over each window, its first sample left out."""
        before = np.zeros(flags.size + 1, np.int64)
        np.cumsum(flags, out=before[1:])
        lo = np.minimum(self.lo + 1, self.hi)
        counted: Ints = before[self.hi] - before[lo]
        return counted
