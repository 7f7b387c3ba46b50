"""Quantiles of plain values."""

import numpy as np

from opsai_subjects.promql.flat import Bools, Floats, Ints


def remarks_on_quantile(q: Floats) -> set[str]:
    """Return what Prometheus 3 remarks on quantiles outside 0 and 1."""
    strange = q[~((q >= 0) & (q <= 1))]
    return {f"PromQL warning: quantile value should be between 0 and 1, got {one:g}" for one in strange.tolist()}


def row_quantiles(q: Floats, values: Floats, held: Bools) -> Floats:
    """Return each row's q-quantile of the values it holds, weighted between neighbours; NaN sorts lowest."""
    counts = held.sum(axis=1)
    nans = (held & np.isnan(values)).sum(axis=1)
    ordered = np.sort(np.where(held, values, np.nan), axis=1)
    rank = np.clip(q, 0.0, 1.0) * (counts - 1)
    lower = np.maximum(np.floor(rank), 0)
    upper = np.minimum(counts - 1, lower + 1)
    weight = rank - np.floor(rank)
    result = _at(ordered, lower, nans) * (1 - weight) + _at(ordered, upper, nans) * weight
    return np.select([np.isnan(q) | (counts == 0), q < 0, q > 1], [np.nan, -np.inf, np.inf], result)


def _at(ordered: Floats, position: Floats, nans: Ints) -> Floats:
    index = np.nan_to_num(position).astype(np.int64) - nans
    picked = ordered[np.arange(ordered.shape[0]), np.clip(index, 0, ordered.shape[1] - 1)]
    return np.where(index < 0, np.nan, picked)
