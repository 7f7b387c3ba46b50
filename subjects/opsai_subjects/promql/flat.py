"""Rows of samples laid end to end in flat arrays, so that one binary search serves all rows and steps."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def any_of(flags: Bools, axis: int) -> Bools:
    """Say where any flag along the axis is set."""
    return np.asarray(flags.any(axis=axis), np.bool_)


def integers(array: Ints) -> list[int]:
    """Return a one-dimensional array as Python's own integers."""
    return [int(one) for one in array]


class Flat:
    """Samples of many rows: row i is `t_ms[starts[i]:starts[i + 1]]`, ascending."""

    def __init__(self, t_ms: Ints, v: Floats, starts: Ints) -> None:
        self.t_ms = t_ms
        self.v = v
        self.starts = starts
        self.rows = len(starts) - 1
        self._first_ms = int(t_ms.min()) if t_ms.size else 0
        self._span = (int(t_ms.max()) - self._first_ms if t_ms.size else 0) + 3
        row_of = np.repeat(np.arange(self.rows, dtype=np.int64), np.diff(starts))
        self._keys = row_of * self._span + (t_ms - self._first_ms + 1)

    @classmethod
    def of(cls, rows: Sequence[tuple[Ints, Floats]]) -> "Flat":
        """Lay rows of (milliseconds, values) end to end."""
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([t.size for t, _ in rows], out=starts[1:])
        if not rows:
            return cls(np.empty(0, np.int64), np.empty(0), starts)
        return cls(np.concatenate([t for t, _ in rows]), np.concatenate([v for _, v in rows]), starts)

    def kept(self, wanted: Bools) -> "Flat":
        """Return the same rows with only the wanted samples."""
        before = np.zeros(wanted.size + 1, np.int64)
        np.cumsum(wanted, out=before[1:])
        return Flat(self.t_ms[wanted], self.v[wanted], before[self.starts])

    def after(self, t_ms: Ints) -> Ints:
        """Return, for each row and moment, the flat index of the first sample later than the moment."""
        return self._search(t_ms, "right")

    def at_or_after(self, t_ms: Ints) -> Ints:
        """Return, for each row and moment, the flat index of the first sample not earlier than the moment."""
        return self._search(t_ms, "left")

    @cached_property
    def falls(self) -> Bools:
        """Whether each sample is lower than the one before it in its row."""
        return self._against_previous(self.v[1:] < self.v[:-1])

    @cached_property
    def dropped(self) -> Floats:
        """What each sample that is lower than the one before it lost: the value before it; else 0."""
        lost = np.zeros(self.v.size)
        fell = np.flatnonzero(self.falls)
        lost[fell] = self.v[fell - 1]
        return lost

    @cached_property
    def differs(self) -> Bools:
        """Whether each sample differs from the one before it in its row; NaN does not differ from NaN."""
        now, before = self.v[1:], self.v[:-1]
        return self._against_previous((now != before) & ~(np.isnan(now) & np.isnan(before)))

    def _against_previous(self, compared: Bools) -> Bools:
        flags = np.zeros(self.v.size, np.bool_)
        flags[1:] = compared
        flags[self.starts[:-1][self.starts[:-1] < self.v.size]] = False
        return flags

    def _search(self, t_ms: Ints, side: Literal["left", "right"]) -> Ints:
        moments = np.clip(t_ms - self._first_ms + 1, 0, self._span - 1)
        rows = np.arange(self.rows, dtype=np.int64)[:, None] * self._span
        return self._keys.searchsorted(rows + moments[None, :], side).astype(np.int64, copy=False)
