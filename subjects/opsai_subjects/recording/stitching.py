"""Scrapes put together into series, as a Prometheus would have stored them: with the marker where a series ends. Pure."""

import itertools
import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

STALE = "stale"
UP = "up"
_HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass
class _Line:
    labels: dict[str, str]
    at: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))


class Stitched:
    """The series of one target, put together sample by sample in order of time."""

    def __init__(self) -> None:
        self._scrapes: list[int] = []
        self._series: dict[tuple[tuple[str, str], ...], _Line] = {}

    def scrape(self, at_ms: int) -> None:
        """Note that the target was scraped then, whether it answered or not."""
        if not self._scrapes or at_ms > self._scrapes[-1]:
            self._scrapes.append(at_ms)

    def sample(self, key: tuple[tuple[str, str], ...], labels: Mapping[str, str], at_ms: int, value: float) -> None:
        """Add a sample; one that is not later than the series' last is passed over."""
        line = self._series.get(key)
        if line is None:
            line = self._series[key] = _Line(dict(labels))
        if not line.at or at_ms > line.at[-1]:
            line.at.append(at_ms)
            line.values.append(value)

    def lines(self) -> Iterator[bytes]:
        """Yield each series as a line of `metrics.jsonl.gz`, sorted by labels; histograms without an observation are left out."""
        histograms = {name[: -len("_bucket")] for name in self._names() if name.endswith("_bucket")}
        for _, line in sorted(self._series.items()):
            if not (_of_histogram(line.labels["__name__"], histograms) and not any(line.values)):
                yield self._written(line)

    def _names(self) -> set[str]:
        return {line.labels["__name__"] for line in self._series.values()}

    def _written(self, line: _Line) -> bytes:
        points: list[tuple[int, float | str]] = list(zip(line.at, map(_number, line.values), strict=True))
        points += [(at, STALE) for at in self._ends(line)]
        points.sort(key=lambda point: point[0])
        times = [at for at, _ in points]
        steps = [times[0], *(later - earlier for earlier, later in itertools.pairwise(times))]
        return orjson.dumps({"metric": line.labels, "t": steps, "v": [value for _, value in points]}) + b"\n"

    def _ends(self, line: _Line) -> Iterator[int]:
        """Yield the scrapes at which the series was missed for the first time."""
        for place, at in enumerate(line.at):
            upcoming = bisect_right(self._scrapes, at)
            if upcoming == len(self._scrapes):
                return
            following = line.at[place + 1] if place + 1 < len(line.at) else None
            if following is None or following > self._scrapes[upcoming]:
                yield self._scrapes[upcoming]


def _of_histogram(name: str, histograms: set[str]) -> bool:
    return any(name.endswith(end) and name[: -len(end)] in histograms for end in _HISTOGRAM)


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
