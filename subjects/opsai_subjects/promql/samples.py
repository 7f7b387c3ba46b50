"""Where the evaluator finds samples, and how series are chosen by matchers."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.promql.flat import Flat
from opsai_subjects.promql.labels import NAME, LabelSet, get, label_set
from opsai_subjects.promql.patterns import matching

STALE_NAN_BITS = 0x7FF0000000000002
"""The bits of Prometheus's staleness marker: a NaN that ends a series (prometheus model/value/value.go)."""

STALE_NAN: np.float64 = np.array([STALE_NAN_BITS], np.uint64).view(np.float64)[0]
"""The staleness marker as a value to store; compare bits, never values."""

_CACHED_SAMPLES = 4_000_000
"""Selections are remembered up to so many samples in all: about 24 bytes each."""


def stale(v: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which values are staleness markers."""
    marked: NDArray[np.bool_] = v.view(np.uint64) == STALE_NAN_BITS
    return marked


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a missing label has the empty value. `__name__` is an ordinary label."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def matches(self, value: str) -> bool:
        """Say whether a label's value meets the condition. Raises ValueError for a bad regular expression."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        return matching(self.value)(value) == (self.op == "=~")


@dataclass(frozen=True, slots=True)
class Stored:
    """One series as it is held: its samples in order of time; STALE_NAN marks where it ended."""

    labels: Mapping[str, str]
    t: NDArray[np.float64]
    """Unix seconds, ascending."""
    v: NDArray[np.float64]


class Samples(Protocol):
    """Anything that holds samples."""

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Stored]:
        """Return the series that meet all matchers with their samples at start <= t <= end (Unix seconds).

        A series without samples there may be left out or come empty. A Selection is fastest for the evaluator.
        """
        ...


class Selection(Sequence[Stored]):
    """Series side by side, in order of their labels, limited to a stretch of time; as a sequence it makes Stored."""

    def __init__(self, held: "_Held", since_ms: int, until_ms: int) -> None:
        self._held = held
        self.since_ms = since_ms
        self.until_ms = until_ms

    @classmethod
    def of(cls, series: Iterable[Stored]) -> "Selection":
        """Lay series side by side."""
        return cls(_Held.of([(label_set(one.labels), one) for one in series]), -_FAR_MS, _FAR_MS)

    @property
    def labels(self) -> tuple[LabelSet, ...]:
        """The label sets, sorted."""
        return self._held.labels

    @property
    def samples(self) -> Flat:
        """All samples, staleness markers included; the stretch of time is for the reader to respect."""
        return self._held.flat

    @property
    def fresh(self) -> Flat:
        """All samples but staleness markers."""
        return self._held.fresh

    def __len__(self) -> int:
        return len(self._held.labels)

    @overload
    def __getitem__(self, index: int) -> Stored: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Stored]: ...
    def __getitem__(self, index: int | slice) -> Stored | Sequence[Stored]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        flat, row = self._held.flat, range(len(self))[index]
        begin, end = flat.starts[row], flat.starts[row + 1]
        t_ms, v = flat.t_ms[begin:end], flat.v[begin:end]
        inside = slice(int(t_ms.searchsorted(self.since_ms)), int(t_ms.searchsorted(self.until_ms, "right")))
        return Stored(dict(self.labels[row]), t_ms[inside] / 1000.0, v[inside])


class MemorySamples:
    """Samples in memory, indexed by the metric's name; selections are remembered, so a repeated query is quick."""

    def __init__(self, series: Iterable[Stored]) -> None:
        named: dict[str, list[Stored]] = {}
        for one in series:
            named.setdefault(one.labels.get(NAME, ""), []).append(one)
        self._index = _Index(tuple(named), named.__getitem__)

    @classmethod
    def lazily(cls, names: Iterable[str], load: Callable[[str], Iterable[Stored]]) -> "MemorySamples":
        """Return samples whose series of a name are loaded, once, when a query first needs that name."""
        made = cls(())
        made._index = _Index(tuple(names), load)
        return made

    def names(self) -> tuple[str, ...]:
        """Return the names of all metrics held, sorted."""
        return tuple(sorted(self._index.names))

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Selection:
        """Return the series that meet all matchers, sorted by their labels, within start <= t <= end."""
        return Selection(self._index.chosen(tuple(matchers)), milliseconds(start), milliseconds(end))


class _Held:
    """What a selection's views share."""

    def __init__(self, labels: tuple[LabelSet, ...], flat: Flat) -> None:
        self.labels = labels
        self.flat = flat
        self.weight = flat.v.size + len(labels) + 100
        """What it costs to remember, in samples."""

    @classmethod
    def of(cls, rows: "list[tuple[LabelSet, Stored]]") -> "_Held":
        ordered = sorted(rows, key=lambda row: row[0])
        flat = Flat.of(
            [(np.rint(one.t * 1000.0).astype(np.int64), np.asarray(one.v, np.float64)) for _, one in ordered]
        )
        return cls(tuple(labels for labels, _ in ordered), flat)

    @cached_property
    def fresh(self) -> Flat:
        marked = stale(self.flat.v)
        return self.flat.kept(~marked) if marked.any() else self.flat


class _Index:
    """The series of each name, and the selections made lately."""

    def __init__(self, names: tuple[str, ...], load: Callable[[str], Iterable[Stored]]) -> None:
        self.names = names
        self._known = frozenset(names)
        self._load = load
        self._loaded: dict[str, list[tuple[LabelSet, Stored]]] = {}
        self._chosen: OrderedDict[tuple[Matcher, ...], _Held] = OrderedDict()
        self._cached = 0

    def chosen(self, matchers: tuple[Matcher, ...]) -> _Held:
        held = self._chosen.get(matchers)
        if held is not None:
            self._chosen.move_to_end(matchers)
            return held
        held = self._chosen[matchers] = _Held.of(self._choose(matchers))
        self._cached += held.weight
        while self._cached > _CACHED_SAMPLES and len(self._chosen) > 1:
            self._cached -= self._chosen.popitem(last=False)[1].weight
        return held

    def _choose(self, matchers: tuple[Matcher, ...]) -> list[tuple[LabelSet, Stored]]:
        on_name = [matcher for matcher in matchers if matcher.name == NAME]
        rest = [matcher for matcher in matchers if matcher.name != NAME]
        exact = next((matcher.value for matcher in on_name if matcher.op == "="), None)
        candidates = self.names if exact is None else tuple(self._known & {exact})
        names = [name for name in candidates if all(matcher.matches(name) for matcher in on_name)]
        return [
            row
            for name in names
            for row in self._series(name)
            if all(matcher.matches(get(row[0], matcher.name)) for matcher in rest)
        ]

    def _series(self, name: str) -> list[tuple[LabelSet, Stored]]:
        if name not in self._loaded:
            self._loaded[name] = [(label_set(one.labels), one) for one in self._load(name)]
        return self._loaded[name]


_FAR_MS = 2**62


def milliseconds(seconds: float) -> int:
    """Return a time as Prometheus counts it."""
    return round(max(min(seconds * 1000.0, float(_FAR_MS)), float(-_FAR_MS)))
