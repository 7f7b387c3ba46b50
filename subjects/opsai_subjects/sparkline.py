"""A series drawn in one line of characters: its shape at a glance, gaps shown. Pure."""

import numpy as np
from numpy.typing import NDArray

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
WIDTH = 24


def sparkline(
    times: NDArray[np.float64], values: NDArray[np.float64], start: float, end: float, width: int = WIDTH
) -> str:
    """Return the values between start and end (Unix seconds) as so many bars from its least to its greatest value.

    A bar is the value farthest from the series' median within its part of time, so a short peak stays. `·` is a part without a
    finite value. A series that does not move is drawn low when it is zero and in the middle when it is not.
    """
    finite = np.isfinite(values)
    times, values = times[finite], values[finite]
    if not len(values) or end <= start:
        return GAP * width
    values = values / 2  # so that no difference of two of them overflows
    low, high, middle = float(values.min()), float(values.max()), float(np.sort(values)[len(values) // 2])
    slots = np.clip(((times - start) / (end - start) * width).astype(int), 0, width - 1)
    drawn: list[str] = []
    for slot in range(width):
        inside = values[slots == slot]
        if not len(inside):
            drawn.append(GAP)
            continue
        farthest = float(inside[np.argmax(np.abs(inside - middle))])
        drawn.append(_bar(farthest, low, high))
    return "".join(drawn)


def _bar(value: float, low: float, high: float) -> str:
    if high <= low:
        return BARS[0] if value == 0 else BARS[len(BARS) // 2]
    return BARS[round((value - low) / (high - low) * (len(BARS) - 1))]
