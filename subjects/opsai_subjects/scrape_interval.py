"""How often an engine's targets are scraped, and the range over which rates are taken for it."""

import math
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

from opsai_subjects.model import Series

SCRAPES_IN_RANGE = 4
"""Fewer, and one lost scrape empties a rate (Prometheus, `rate`: the range should be at least four times the interval)."""
LEAST_RANGE_SECONDS = 30.0
UNKNOWN_RANGE_SECONDS = 60.0
"""Four scrapes of 15 s, the interval that is most often set."""
_FEW_SAMPLES = 3


def measured(targets: Iterable[Series]) -> float | None:
    """Return the longest interval between samples among series, each taken by its median; None when too few samples tell.

    Give raw samples of `up`: it has one at each scrape, whether the target answered or not.
    """
    found: list[float] = []
    for one in targets:
        times = [at for at, _ in one.points]
        if len(times) >= _FEW_SAMPLES:
            found.append(median(after - before for before, after in pairwise(times)))
    return _rounded(max(found)) if found else None


def rate_range(interval_seconds: float | None) -> float:
    """Return the range in seconds that holds four scrapes of this interval."""
    if interval_seconds is None:
        return UNKNOWN_RANGE_SECONDS
    return float(max(LEAST_RANGE_SECONDS, math.ceil(SCRAPES_IN_RANGE * interval_seconds)))


def _rounded(seconds: float) -> float:
    """Return whole seconds: what a scrape is late by is no part of its interval."""
    return float(round(seconds)) if seconds >= 1 else round(seconds, 2)
