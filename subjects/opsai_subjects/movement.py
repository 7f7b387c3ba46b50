"""How a series moved: its trend and the step at which its level changed. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_SIDE = 3
"""A level is known from so many points at least."""
NOISE_FACTOR = 4.0
"""A change of level counts when it is so many times the scatter around the two levels."""
LEVEL_RATIO = 0.05
"""… and at least this part of the higher level: a shift of a thousandth is real and tells nothing."""
GAUSS = 1.4826
"""Median absolute deviation to standard deviation, for a normal scatter."""
PAIRS_POINTS = 400
"""Above so many points the slope is taken from evenly chosen ones: pairs grow with the square."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level: the time of the first point of the new one, and both levels."""

    at: float
    before: float
    after: float


def slope_per_minute(times: Floats, values: Floats) -> float | None:
    """Return the Theil-Sen slope (the median of the slopes of all pairs: a few spikes do not tilt it), None below three points."""
    if len(values) < 3:
        return None
    if len(values) > PAIRS_POINTS:
        chosen = np.linspace(0, len(values) - 1, PAIRS_POINTS).astype(int)
        times, values = times[chosen], values[chosen]
    first, second = np.triu_indices(len(values), k=1)
    slopes = (values[second] - values[first]) / (times[second] - times[first])
    return float(np.median(slopes)) * 60.0


def change_of_level(times: Floats, values: Floats) -> Change | None:
    """Return the split that parts the points best into two levels, None when they differ by no more than noise does."""
    n = len(values)
    if n < 2 * MIN_SIDE:
        return None
    sums = np.cumsum(values)
    left = np.arange(MIN_SIDE, n - MIN_SIDE + 1)
    before = sums[left - 1] / left
    after = (sums[-1] - sums[left - 1]) / (n - left)
    gain = np.abs(after - before) * np.sqrt(left * (n - left) / n)
    best = int(np.argmax(gain))
    split = int(left[best])
    low, high = float(np.median(values[:split])), float(np.median(values[split:]))
    shift = abs(high - low)
    rest = np.concatenate((values[:split] - low, values[split:] - high))
    scatter = GAUSS * float(np.median(np.abs(rest)))
    if shift <= NOISE_FACTOR * scatter or shift <= LEVEL_RATIO * max(abs(low), abs(high)):
        return None
    return Change(at=float(times[split]), before=low, after=high)
