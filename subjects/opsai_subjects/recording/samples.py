"""The recorded samples of a cluster; a metric's series are parsed when the metric is first asked for."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.model import Clock
from opsai_subjects.promql.samples import STALE_NAN_BITS, Matcher, MemorySamples, Selection, Stored
from opsai_subjects.recording.gzipped import corrupt, inflate, lines, parse

_NAME = re.compile(rb'\A\s*\{\s*"metric"\s*:\s*\{[^{}]{0,2000}?"__name__"\s*:\s*"([a-zA-Z_:][a-zA-Z0-9_:]*)"')
_STALE = "stale"
_NUMBERS = {"NaN": float("nan"), "+Inf": float("inf"), "-Inf": float("-inf"), _STALE: float("nan")}


class RecordedSamples:
    """All samples of a recording, whatever its clock says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._raw: dict[str, list[tuple[int, bytes]]] = {}
        for number, line in lines(inflate(file)):
            found = _NAME.match(line)
            if found is None or not line.endswith(b"}"):
                raise corrupt(file, "not a series: a JSON object with metric (and its __name__), t and v", number)
            self._raw.setdefault(found.group(1).decode(), []).append((number, line))
        self._memory = MemorySamples.lazily(self._raw, self.series)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all metrics, sorted."""
        return self._memory.names()

    def series(self, name: str) -> list[Stored]:
        """Parse the series of one metric. Raises RecordingCorrupt naming the line that cannot be read."""
        check_cancelled()
        return [self._stored(number, line) for number, line in self._raw.get(name, [])]

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Selection:
        """Return the matching series with their samples of start <= t <= end."""
        return self._memory.select(matchers, start, end)

    def verify(self) -> None:
        """Parse every metric. Raises RecordingCorrupt for the first series that cannot be read."""
        for name in self._raw:
            self.series(name)

    def _stored(self, number: int, line: bytes) -> Stored:
        fields = parse(self._file, number, line)
        metric, times, values = fields.get("metric"), fields.get("t"), fields.get("v")
        if not isinstance(metric, dict) or not isinstance(times, list) or not isinstance(values, list):
            raise corrupt(self._file, "not a series: metric, t and v", number)
        if len(times) != len(values) or not times:
            raise corrupt(self._file, f"{len(times)} times and {len(values)} values", number)
        labels = {label: value for label, value in metric.items() if isinstance(value, str)}
        return Stored(labels, self._times(number, times), self._values(number, values))

    def _times(self, number: int, times: list[JsonValue]) -> NDArray[np.float64]:
        try:
            steps = np.array(times, dtype=np.int64)
        except (TypeError, ValueError, OverflowError):
            steps = np.empty((0, 0), np.int64)
        if steps.ndim != 1:
            raise corrupt(self._file, "a time that is no whole number of milliseconds", number)
        if (steps[1:] <= 0).any():
            raise corrupt(self._file, "times that do not ascend", number)
        return np.cumsum(steps).astype(np.float64) / 1000.0

    def _values(self, number: int, values: list[JsonValue]) -> NDArray[np.float64]:
        try:
            numbers = [_NUMBERS[value] if isinstance(value, str) else value for value in values]
            found = np.array(numbers, dtype=np.float64)
        except (KeyError, TypeError, ValueError, OverflowError):
            numbers, found = [None], np.empty((0, 0), np.float64)
        if found.ndim != 1 or None in numbers:
            raise corrupt(self._file, "a value that is neither a number nor NaN, +Inf, -Inf or stale", number)
        found.view(np.uint64)[[index for index, value in enumerate(values) if value == _STALE]] = STALE_NAN_BITS
        return found


class SamplesUntilNow:
    """The samples of a recording as of its clock: later ones do not exist yet."""

    def __init__(self, samples: RecordedSamples, clock: Clock) -> None:
        self._samples = samples
        self._clock = clock

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Selection:
        """Return the matching series with their samples of start <= t <= min(end, now)."""
        return self._samples.select(matchers, start, min(end, self._clock.now().timestamp()))
