"""The samples of one scraped target over the last minutes: a ring of scrapes, a row for each series."""

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.promql.samples import STALE_NAN, STALE_NAN_BITS, Stored

_NOTHING_BITS = 0x7FF8000000000E11
"""Where a series had no sample: a NaN of bits that no target sends."""
_NOTHING: np.float64 = np.array([_NOTHING_BITS], np.uint64).view(np.float64)[0]
_FIRST_ROWS = 256

UP, DURATION = b"up", b"scrape_duration_seconds"
"""The series that a scrape makes itself, as Prometheus does: they go on when it fails."""


class Ring:
    """The last scrapes of one target. A series that is missing from a scrape ends there, with a staleness marker."""

    def __init__(self, scrapes: int) -> None:
        self._t_ms = np.zeros(scrapes, np.int64)
        self._v = np.full((_FIRST_ROWS, scrapes), _NOTHING)
        self._rows: dict[bytes, int] = {}
        self._labels: dict[bytes, dict[str, str]] = {}
        self._names: dict[str, list[bytes]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all metrics held."""
        return tuple(self._names)

    def unknown(self, values: dict[bytes, float]) -> list[bytes]:
        """Return the series that are not held yet."""
        return [head for head in values if head not in self._rows]

    def add(self, at_ms: int, values: dict[bytes, float], labels: dict[bytes, dict[str, str]]) -> None:
        """Take in one scrape; `labels` are those of series not held yet.

        A time that is not later than the last one means that the clock was set back: what was held is let go then.
        """
        if self._count and at_ms <= self._t_ms[(self._count - 1) % self._t_ms.size]:
            self._count = 0
            self._v[:] = _NOTHING
        for head, own in labels.items():
            if head not in self._rows:
                self._make(head, own)
        before = self._column(self._count - 1) if self._count else None
        column = self._count % self._t_ms.size
        ended = np.zeros(len(self._rows), np.bool_)
        if before is not None:
            bits = before.view(np.uint64)
            ended = (bits != _NOTHING_BITS) & (bits != STALE_NAN_BITS)
        self._t_ms[column] = at_ms
        self._v[:, column] = _NOTHING
        self._v[np.flatnonzero(ended), column] = STALE_NAN
        self._v[[self._rows[head] for head in values], column] = list(values.values())
        self._count += 1

    def of(self, name: str, start_ms: int, end_ms: int) -> list[Stored]:
        """Return the series of a name with their samples of that stretch of time; those without any are left out."""
        columns = self._columns()
        t_ms = self._t_ms[columns]
        inside = (t_ms >= start_ms) & (t_ms <= end_ms)
        columns, seconds = columns[inside], t_ms[inside] / 1000.0
        found: list[Stored] = []
        for head in self._names.get(name, ()):
            values = self._v[self._rows[head], columns]
            here = values.view(np.uint64) != _NOTHING_BITS
            if here.any():
                found.append(Stored(self._labels[head], seconds[here], values[here]))
        return found

    def swept(self) -> None:
        """Let go of the series that have no value in any scrape that is still held."""
        held = self._v[: len(self._rows)].view(np.uint64)
        live = ((held != _NOTHING_BITS) & (held != STALE_NAN_BITS)).any(axis=1)
        if live.all():
            return
        kept = [(head, row) for head, row in self._rows.items() if live[row]]
        self._v = np.concatenate((self._v[[row for _, row in kept]], np.full((_FIRST_ROWS, self._t_ms.size), _NOTHING)))
        self._rows = {head: row for row, (head, _) in enumerate(kept)}
        self._labels = {head: self._labels[head] for head in self._rows}
        self._names = {}
        for head, labels in self._labels.items():
            self._names.setdefault(labels["__name__"], []).append(head)

    def _make(self, head: bytes, labels: dict[str, str]) -> None:
        row = self._rows[head] = len(self._rows)
        self._labels[head] = labels
        self._names.setdefault(labels["__name__"], []).append(head)
        if row == len(self._v):
            self._v = np.concatenate((self._v, np.full_like(self._v, _NOTHING)))

    def _column(self, number: int) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self._v[: len(self._rows), number % self._t_ms.size]
        return np.ascontiguousarray(column)

    def _columns(self) -> NDArray[np.int64]:
        """Return the columns in use, oldest scrape first."""
        first = max(0, self._count - self._t_ms.size)
        return np.arange(first, self._count, dtype=np.int64) % self._t_ms.size
