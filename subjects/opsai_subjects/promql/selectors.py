"""What selectors find: the newest sample at each step, or the samples of each step's window."""

from collections.abc import Sequence

import numpy as np

from opsai_subjects.promql.expression import Select
from opsai_subjects.promql.flat import Flat, Floats, Ints, any_of, integers
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import LabelSet
from opsai_subjects.promql.options import Options
from opsai_subjects.promql.samples import Samples, Selection, stale
from opsai_subjects.promql.windows import Windows

_ALWAYS_MS = 2**62


def chosen(samples: Samples, node: Select, first_ms: int, last_ms: int) -> Selection:
    """Return the series a selector matches, within a stretch of time."""
    found = samples.select(node.matchers, first_ms / 1000.0, last_ms / 1000.0)
    return found if isinstance(found, Selection) else Selection.of(found)


def newest(selection: Selection, ends_ms: Ints, options: Options) -> tuple[Grid, Floats]:
    """Return each series' newest sample at each moment, and when that sample was taken (Unix seconds).

    A series has none where its newest sample is a staleness marker or older than the lookback.
    """
    flat = selection.samples
    if not flat.v.size:
        return Grid.empty(ends_ms.size), np.empty((0, ends_ms.size))
    until = np.minimum(ends_ms, selection.until_ms)
    index = flat.after(until) - 1
    oldest = np.maximum(ends_ms - options.lookback_ms + (1 if options.left_open else 0), selection.since_ms)
    own = index >= flat.starts[:-1, None]
    index = np.maximum(index, 0)
    t_ms, values = flat.t_ms[index], flat.v[index]
    present = own & (t_ms >= oldest) & ~stale(values)
    some = np.flatnonzero(any_of(present, axis=1))
    grid = Grid(selection.labels, values, present)
    return grid.filled(), t_ms[some] / 1000.0


def windows(selection: Selection, ends_ms: Ints, range_ms: int, steps_ms: Ints, options: Options) -> Windows | None:
    """Return the windows of a range selector; None when there is nothing to look at."""
    limits = (selection.since_ms, selection.until_ms)
    return cut(selection.labels, selection.fresh, ends_ms, range_ms, steps_ms, options, limits)


def cut(
    labels: Sequence[LabelSet],
    flat: Flat,
    ends_ms: Ints,
    range_ms: int,
    steps_ms: Ints,
    options: Options,
    limits: tuple[int, int] = (-_ALWAYS_MS, _ALWAYS_MS),
) -> Windows | None:
    """Cut windows that end at the given moments out of rows of samples; rows without any are left out."""
    if not flat.v.size:
        return None
    since, until = limits
    oldest = np.maximum(ends_ms - range_ms + (1 if options.left_open else 0), since)
    hi = flat.after(np.minimum(ends_ms, until))
    lo = np.minimum(flat.at_or_after(oldest), hi)
    some = any_of(lo < hi, axis=1)
    if not some.any():
        return None
    if not some.all():
        kept = np.flatnonzero(some)
        labels, lo, hi = [labels[i] for i in integers(kept)], lo[kept], hi[kept]
    return Windows(labels, flat, lo, hi, ends_ms, range_ms, steps_ms, options.left_open)
