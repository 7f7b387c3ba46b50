"""Series for tests, written as text: `up{job="a"} 1 2 _ stale NaN 5x3` has a sample every step from time zero."""

import re
from collections.abc import Iterator

import numpy as np

from opsai_subjects.model import MetricsReply
from opsai_subjects.promql.engine import Engine, Options
from opsai_subjects.promql.samples import STALE_NAN, MemorySamples, Stored

_WORDS = {"stale": STALE_NAN, "NaN": np.float64("nan"), "Inf": np.float64("inf"), "-Inf": np.float64("-inf")}


def stored(line: str, step: float = 10.0, start: float = 0.0) -> Stored:
    """Read one series; `_` is a missing sample, `1+2x3` is 1 3 5 7."""
    found = re.fullmatch(r"\s*(\w*)(?:\{(.*?)\})?((?:\s+\S+)*)\s*", line)
    assert found, line
    labels = {"__name__": found[1]} if found[1] else {}
    labels |= dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
    values = [value for word in found[3].split() for value in _values(word)]
    held = [(start + i * step, value) for i, value in enumerate(values) if value is not None]
    return Stored(labels, np.array([t for t, _ in held]), np.array([v for _, v in held], np.float64))


def _values(word: str) -> Iterator[np.float64 | None]:
    ramp = re.fullmatch(r"(-?[\d.]+)(?:([+-])([\d.]+))?x(\d+)", word)
    if word == "_":
        yield None
    elif ramp:
        grow = float(ramp[3] or 0) * (-1 if ramp[2] == "-" else 1)
        for i in range(int(ramp[4]) + 1):
            yield np.float64(float(ramp[1]) + grow * i)
    else:
        yield _WORDS[word] if word in _WORDS else np.float64(word)


def engine(text: str, step: float = 10.0, **options: float | bool) -> Engine:
    """Return an engine over the series, one a line."""
    lines = [line for line in text.splitlines() if line.strip()]
    return Engine(MemorySamples([stored(line, step) for line in lines]), Options(**options))  # type: ignore[arg-type]


def shown(reply: MetricsReply) -> dict[str, list[float]]:
    """Return the values of each series under its labels written out."""
    return {
        ",".join(f"{name}={value}" for name, value in sorted(one.labels.items())): [v for _, v in one.points]
        for one in reply.series
    }
