"""The `*_over_time` functions: one figure of each window. Each returns values and which of them exist."""

import numpy as np

from opsai_subjects.promql.flat import Bools, Floats, any_of
from opsai_subjects.promql.quantiles import row_quantiles
from opsai_subjects.promql.rates import Result, add
from opsai_subjects.promql.windows import Windows


def total(windows: Windows) -> Result:
    """Return the sum, compensated."""
    return _sum(windows, 1.0), windows.counts > 0


def average(windows: Windows) -> Result:
    """Return the mean, also where the sum itself would overflow."""
    counts = np.maximum(windows.counts, 1)
    mean = _sum(windows, 1.0) / counts
    if np.isinf(mean).any():
        mean = np.where(np.isinf(mean), _sum(windows, counts.astype(np.float64)), mean)
    return mean, windows.counts > 0


def lowest(windows: Windows) -> Result:
    """Return the lowest value; NaN counts only where there is nothing else."""
    return _extreme(windows, np.fmin), windows.counts > 0


def highest(windows: Windows) -> Result:
    """Return the highest value; NaN counts only where there is nothing else."""
    return _extreme(windows, np.fmax), windows.counts > 0


def count(windows: Windows) -> Result:
    """Return how many samples there are."""
    return windows.counts.astype(np.float64), windows.counts > 0


def last(windows: Windows) -> Result:
    """Return the newest value."""
    return windows.last(windows.flat.v), windows.counts > 0


def first(windows: Windows) -> Result:
    """Return the oldest value."""
    return windows.first(windows.flat.v), windows.counts > 0


def present(windows: Windows) -> Result:
    """Return 1 where there is any sample."""
    return np.ones(windows.lo.shape), windows.counts > 0


def variance(windows: Windows) -> Result:
    """Return the population variance."""
    flat = windows.flat
    origin = windows.first(flat.v)
    counts = np.maximum(windows.counts, 1)
    shift = np.zeros(windows.lo.shape)
    for live, index in windows.columns():
        shift += np.where(live, flat.v[index] - origin, 0.0)
    shift /= counts
    squares = np.zeros(windows.lo.shape)
    for live, index in windows.columns():
        squares += np.where(live, ((flat.v[index] - origin) - shift) ** 2, 0.0)
    return squares / counts, windows.counts > 0


def deviation(windows: Windows) -> Result:
    """Return the population standard deviation."""
    values, exist = variance(windows)
    return np.sqrt(values), exist


def quantile(q: Floats, windows: Windows) -> Result:
    """Return the q-quantile of the values, between neighbours by weight."""
    values = [row_quantiles(q, *_held(windows, row)) for row in range(len(windows.labels))]
    return np.stack(values), windows.counts > 0


def mad(windows: Windows) -> Result:
    """Return the median distance from the median; NaN where any value is."""
    half = np.full(windows.lo.shape[1], 0.5)
    values: list[Floats] = []
    for row in range(len(windows.labels)):
        samples, held = _held(windows, row)
        distances = np.abs(samples - row_quantiles(half, samples, held)[:, None])
        undefined = any_of(held & np.isnan(samples), axis=1)
        values.append(np.where(undefined, np.nan, row_quantiles(half, distances, held)))
    return np.stack(values), windows.counts > 0


def _sum(windows: Windows, divisor: Floats | float) -> Floats:
    sums = (np.zeros(windows.lo.shape), np.zeros(windows.lo.shape))
    for live, index in windows.columns():
        sums = add(sums, np.where(live, windows.flat.v[index] / divisor, 0.0))
    return sums[0] + sums[1]


def _extreme(windows: Windows, pick: np.ufunc) -> Floats:
    best = windows.first(windows.flat.v)
    for live, index in windows.columns():
        best = np.where(live, pick(best, windows.flat.v[index]), best)
    return best


def _held(windows: Windows, row: int) -> tuple[Floats, Bools]:
    """Return one row's windows, one a line, with which places hold a sample."""
    counts = windows.counts[row][:, None]
    place = np.arange(int(counts.max(initial=0)))[None, :]
    return windows.flat.v[np.minimum(windows.lo[row][:, None] + place, windows.flat.v.size - 1)], place < counts
