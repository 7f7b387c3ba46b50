"""Functions of how a series changes over a window: rate, delta, irate, deriv and their kin.

The rules for counters, gaps and extrapolation are those of prometheus promql/functions.go, v3. Each returns values and which of them exist.
"""

import numpy as np

from opsai_subjects.promql.flat import Bools, Floats, Ints
from opsai_subjects.promql.windows import Windows

Result = tuple[Floats, Bools]


def rate(windows: Windows) -> Result:
    """Return the increase per second."""
    values, present = increase(windows)
    return values / (windows.range_ms / 1000.0), present


def increase(windows: Windows) -> Result:
    """Return how much a counter grew, resets mended, extrapolated to the window's ends."""
    return _extrapolated(windows, counter=True)


def delta(windows: Windows) -> Result:
    """Return how much a gauge changed, extrapolated to the window's ends."""
    return _extrapolated(windows, counter=False)


def irate(windows: Windows) -> Result:
    """Return the rate between a counter's last two samples."""
    before, now, seconds, present = _last_two(windows)
    return np.where(now < before, now, now - before) / seconds, present


def idelta(windows: Windows) -> Result:
    """Return the difference of the last two samples."""
    before, now, _, present = _last_two(windows)
    return now - before, present


def changes(windows: Windows) -> Result:
    """Count how often the value changed."""
    return windows.flagged(windows.flat.differs).astype(np.float64), windows.counts > 0


def resets(windows: Windows) -> Result:
    """Count how often the value fell."""
    return windows.flagged(windows.flat.falls).astype(np.float64), windows.counts > 0


def deriv(windows: Windows) -> Result:
    """Return the slope per second of the straight line that fits best."""
    slope, _ = _line(windows, windows.first(windows.flat.t_ms))
    return slope, windows.counts >= 2


def predict_linear(windows: Windows, seconds: Floats) -> Result:
    """Return the value that the straight line that fits best has so many seconds after the step."""
    slope, intercept = _line(windows, np.broadcast_to(windows.step_ms, windows.lo.shape))
    return slope * seconds + intercept, windows.counts >= 2


def _extrapolated(windows: Windows, *, counter: bool) -> Result:
    flat = windows.flat
    first, last = windows.first(flat.v), windows.last(flat.v)
    first_ms, last_ms = windows.first(flat.t_ms), windows.last(flat.t_ms)
    grown = last - first
    if counter and flat.falls.any():
        grown = grown + windows.sums(flat.dropped, skip_first=True)
    to_start = (first_ms - (windows.end_ms - windows.range_ms)) / 1000.0
    to_end = (windows.end_ms - last_ms) / 1000.0
    sampled = (last_ms - first_ms) / 1000.0
    between = sampled / (windows.counts - 1)
    near = between * 1.1
    to_zero = sampled * (first / grown) if counter else to_start
    reaches_zero = (grown > 0) & (first >= 0) & (to_zero < to_start)
    if not windows.left_open:
        # Until 2.52 a counter's zero point counted before the gap was judged too long.
        to_start = np.where(reaches_zero, to_zero, to_start)
    to_start = np.where(to_start >= near, between / 2, to_start)
    to_start = np.where(reaches_zero & (to_zero < to_start), to_zero, to_start)
    to_end = np.where(to_end >= near, between / 2, to_end)
    factor = np.where(sampled != 0, (sampled + to_start + to_end) / sampled, 1.0)
    return grown * factor, windows.counts >= 2


def _last_two(windows: Windows) -> tuple[Floats, Floats, Floats, Bools]:
    flat = windows.flat
    seconds = (windows.last(flat.t_ms) - windows.last(flat.t_ms, back=1)) / 1000.0
    return windows.last(flat.v, back=1), windows.last(flat.v), seconds, (windows.counts >= 2) & (seconds != 0)


def _line(windows: Windows, origin_ms: Ints) -> tuple[Floats, Floats]:
    """Return slope and intercept at the origin of the least-squares line, summed with compensation."""
    flat, shape = windows.flat, windows.lo.shape
    sums = [(np.zeros(shape), np.zeros(shape)) for _ in range(4)]
    first = windows.first(flat.v)
    constant = np.ones(shape, np.bool_)
    for live, index in windows.columns():
        x = (flat.t_ms[index] - origin_ms) / 1000.0
        y = flat.v[index]
        constant &= ~live | (y == first)
        sums = [add(total, np.where(live, term, 0.0)) for total, term in zip(sums, (x, y, x * y, x * x), strict=True)]
    n = np.maximum(windows.counts, 1)
    sum_x, sum_y, sum_xy, sum_xx = (total + lost for total, lost in sums)
    slope = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n)
    intercept = sum_y / n - slope * sum_x / n
    flat_line = np.where(np.isinf(first), np.nan, 0.0)
    return np.where(constant, flat_line, slope), np.where(constant, first + flat_line, intercept)


def add(total: tuple[Floats, Floats], term: Floats) -> tuple[Floats, Floats]:
    """Add a term to (sum, lost low bits), as Kahan and Neumaier do; the true sum is their sum."""
    old, lost = total
    new = old + term
    error = np.where(np.abs(old) >= np.abs(term), (old - new) + term, (term - new) + old)
    return new, np.where(np.isinf(new), 0.0, lost + error)
