"""`histogram_quantile` over classic buckets (prometheus promql/quantile.go, 3.x). Native histograms are out of scope."""

import numpy as np

from opsai_subjects.promql.flat import Bools, Floats, Ints, any_of
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import NAME, LabelSet, drop, get
from opsai_subjects.promql.quantiles import remarks_on_quantile

_SMALL_DELTA = 1e-12
"""Neighbouring counts closer than this part of their sum are one count: rounding, not a decrease."""


def histogram_quantile(q: Floats, buckets: Grid, warn: set[str]) -> Grid:
    """Return the q-quantile of each histogram, told apart by all labels but `le` and the name."""
    warn.update(remarks_on_quantile(q))
    histograms = _histograms(buckets, warn)
    by_bounds: dict[tuple[float, ...], list[tuple[LabelSet, list[int]]]] = {}
    for labels, bounds in histograms.items():
        bounds.sort()
        by_bounds.setdefault(tuple(bound for bound, _ in bounds), []).append((labels, [row for _, row in bounds]))
    made: dict[LabelSet, tuple[Floats, Bools]] = {}
    for edges, alike in by_bounds.items():
        rows = np.array([rows for _, rows in alike])
        values = _stacked(q, np.array(edges), buckets.values[rows], buckets.present[rows], warn)
        present = any_of(buckets.present[rows], axis=1)
        for (labels, _), value, here in zip(alike, values, present, strict=True):
            made[labels] = (value, here)
    if not made:
        return Grid.empty(buckets.steps)
    ordered = [made[labels] for labels in histograms]
    return Grid(tuple(histograms), np.stack([v for v, _ in ordered]), np.stack([p for _, p in ordered])).filled()


def _histograms(buckets: Grid, warn: set[str]) -> dict[LabelSet, list[tuple[float, int]]]:
    found: dict[LabelSet, list[tuple[float, int]]] = {}
    for row, labels in enumerate(buckets.labels):
        text = get(labels, "le")
        bound = _bound(text)
        if bound is None:
            warn.add(f'PromQL warning: bucket label "le" is missing or has a malformed value of "{text}"')
            continue
        found.setdefault(drop(labels, ("le", NAME)), []).append((bound, row))
    return found


def _bound(text: str) -> float | None:
    try:
        return float(text) if "_" not in text and text == text.strip() else None
    except ValueError:
        return None


def _stacked(q: Floats, edges: Floats, counts: Floats, present: Bools, warn: set[str]) -> Floats:
    """Work out histograms with the same bounds together: counts are [histogram, bucket, step]."""
    values = np.empty((counts.shape[0], counts.shape[2]))
    whole = np.asarray(present.all(axis=(0, 1)), np.bool_)
    regular = len(set(edges.tolist())) == len(edges) and not np.isnan(edges).any()
    together = np.flatnonzero(whole) if regular else np.empty(0, np.int64)
    if together.size:
        values[:, together] = _quantiles(q[together], edges, counts[:, :, together], warn)
    for step in sorted(set(range(counts.shape[2])) - set(together.tolist())):
        for one in range(counts.shape[0]):
            held = present[one, :, step]
            merged_edges, merged = _coalesced(edges[held], counts[one, held, step])
            values[one, step] = _quantiles(q[[step]], merged_edges, merged[None, :, None], warn)[0, 0]
    return values


def _coalesced(edges: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Add up buckets with the same bound (`1` and `1.0` are two series)."""
    if not edges.size:
        return edges, counts
    starts = np.flatnonzero(np.append(True, edges[1:] != edges[:-1]))
    return edges[starts], np.add.reduceat(counts, starts)


def _quantiles(q: Floats, edges: Floats, raw: Floats, warn: set[str]) -> Floats:
    shape = (raw.shape[0], raw.shape[2])
    outside = np.select([np.isnan(q), q < 0, q > 1], [np.nan, -np.inf, np.inf], 0.0)
    if len(edges) < 2 or edges[-1] != np.inf:
        return np.where((q >= 0) & (q <= 1), np.nan, outside) + np.zeros(shape)
    counts = _monotonic(raw, warn)
    rank = q * counts[:, -1]
    bucket = np.minimum((~(counts[:, :-1] >= rank[:, None])).sum(axis=1), len(edges) - 1)
    here = _pick(counts, bucket)
    before = np.where(bucket > 0, _pick(counts, np.maximum(bucket - 1, 0)), 0.0)
    low = np.where(bucket > 0, edges[np.maximum(bucket - 1, 0)], 0.0)
    values = low + (edges[bucket] - low) * ((rank - before) / (here - before))
    values = np.where((bucket == 0) & (edges[0] <= 0), edges[0], values)
    values = np.where(bucket == len(edges) - 1, edges[-2], values)
    values = np.where(counts[:, -1] == 0, np.nan, values)
    return np.where((q >= 0) & (q <= 1), values, outside)


def _pick(counts: Floats, bucket: Ints) -> Floats:
    return np.take_along_axis(counts, bucket[:, None], axis=1)[:, 0]


def _monotonic(raw: Floats, warn: set[str]) -> Floats:
    """Return counts that never fall from bucket to bucket, small differences taken as none."""
    if (np.diff(raw, axis=1) >= 0).all():
        return raw
    counts = raw.copy()
    forced = False
    for bucket in range(1, counts.shape[1]):
        before, now = counts[:, bucket - 1], counts[:, bucket]
        small = np.abs(now - before) < _SMALL_DELTA * (np.abs(now) + np.abs(before))
        fell = now < before
        forced = forced or bool((fell & ~small).any())
        counts[:, bucket] = np.where(small | fell, before, now)
    if forced:
        warn.add(
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity "
            "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
        )
    return counts
