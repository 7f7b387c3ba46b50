"""The functions, by what they work on: each value, each window, or the whole vector."""

from collections.abc import Callable

import numpy as np

from opsai_subjects.promql import over_time, rates
from opsai_subjects.promql.calls import SCALARS, VECTORS, larger, smaller
from opsai_subjects.promql.flat import Floats
from opsai_subjects.promql.rates import Result


def _sign(values: Floats) -> Floats:
    return np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))


def _round(values: Floats, nearest: Floats | float = 1.0) -> Floats:
    # Multiplied by the inverse, as Prometheus does: it rounds better for fractions such as 0.1.
    inverse = 1.0 / np.asarray(nearest, np.float64)
    return np.floor(values * inverse + 0.5) / inverse


EACH: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": np.degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": np.radians,
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}
"""Functions of each value by itself."""

BY_SCALARS: dict[str, Callable[..., Floats]] = {
    "clamp_max": smaller,
    "clamp_min": larger,
    "round": _round,
}
"""Functions of each value and of scalars."""

OVER_RANGE: dict[str, Callable[..., Result]] = {
    "avg_over_time": over_time.average,
    "changes": rates.changes,
    "count_over_time": over_time.count,
    "delta": rates.delta,
    "deriv": rates.deriv,
    "first_over_time": over_time.first,
    "idelta": rates.idelta,
    "increase": rates.increase,
    "irate": rates.irate,
    "last_over_time": over_time.last,
    "mad_over_time": over_time.mad,
    "max_over_time": over_time.highest,
    "min_over_time": over_time.lowest,
    "predict_linear": rates.predict_linear,
    "present_over_time": over_time.present,
    "quantile_over_time": over_time.quantile,
    "rate": rates.rate,
    "resets": rates.resets,
    "stddev_over_time": over_time.deviation,
    "stdvar_over_time": over_time.variance,
    "sum_over_time": over_time.total,
}
"""Functions of a range vector and of scalars, in the order of their arguments."""

KEEPS_NAME = frozenset({"first_over_time", "last_over_time"})
"""Functions of a range vector whose result is a sample of the series itself."""

SUPPORTED = frozenset(EACH) | frozenset(BY_SCALARS) | frozenset(OVER_RANGE) | frozenset(SCALARS) | frozenset(VECTORS)
