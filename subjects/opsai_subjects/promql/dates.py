"""Calendar functions: what a Unix time in seconds is in UTC."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.promql.flat import Floats, Ints

_DAY = 86400
_FARTHEST_SECONDS = 2.0**56
"""Beyond this numpy's calendar overflows; Go's answers there mean nothing either."""


def _of(part: Callable[[Ints], Ints]) -> Callable[[Floats], Floats]:
    def apply(seconds: Floats) -> Floats:
        known = np.abs(seconds) < _FARTHEST_SECONDS
        whole = np.trunc(np.where(known, seconds, 0.0)).astype(np.int64)
        return np.where(known, part(whole).astype(np.float64), np.nan)

    return apply


def _days(seconds: Ints) -> NDArray[np.datetime64]:
    return (seconds // _DAY).astype("datetime64[D]")


def _number(dates: NDArray[np.datetime64]) -> Ints:
    """Return the days since 1970 at which the dates begin."""
    days: Ints = dates.astype("datetime64[D]").astype(np.int64)
    return days


def _minute(seconds: Ints) -> Ints:
    return seconds % 3600 // 60


def _hour(seconds: Ints) -> Ints:
    return seconds % _DAY // 3600


def _day_of_week(seconds: Ints) -> Ints:
    return (seconds // _DAY + 4) % 7  # 1970-01-01 was a Thursday


def _day_of_month(seconds: Ints) -> Ints:
    return seconds // _DAY - _number(_days(seconds).astype("datetime64[M]")) + 1


def _day_of_year(seconds: Ints) -> Ints:
    return seconds // _DAY - _number(_days(seconds).astype("datetime64[Y]")) + 1


def _days_in_month(seconds: Ints) -> Ints:
    month = _days(seconds).astype("datetime64[M]")
    return _number(month + 1) - _number(month)


def _month(seconds: Ints) -> Ints:
    return _days(seconds).astype("datetime64[M]").astype(np.int64) % 12 + 1


def _year(seconds: Ints) -> Ints:
    return _days(seconds).astype("datetime64[Y]").astype(np.int64) + 1970


DATES: dict[str, Callable[[Floats], Floats]] = {
    "day_of_month": _of(_day_of_month),
    "day_of_week": _of(_day_of_week),
    "day_of_year": _of(_day_of_year),
    "days_in_month": _of(_days_in_month),
    "hour": _of(_hour),
    "minute": _of(_minute),
    "month": _of(_month),
    "year": _of(_year),
}
"""By name; each takes an array of Unix seconds. Without an argument they tell the step's own time."""
