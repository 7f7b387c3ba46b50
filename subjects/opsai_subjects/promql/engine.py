"""PromQL queries over samples, answered as Prometheus would.

What differs on purpose: native histograms are out of scope, so their functions, and `info`, `limitk`, `limit_ratio` and
the experimental ones, are refused by name, as are the modifiers `fill`, `anchored` and `smoothed`. Names are dropped at
once, as they are by default in Prometheus 3 (delayed name removal is off). Warnings name no place in the query: the
parser tells none. Where two series tie in `topk`, the first is taken; Prometheus promises none.
"""

from collections.abc import Generator
from contextlib import contextmanager

import numpy as np

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import MetricsReply, Series
from opsai_subjects.promql.evaluation import Evaluation
from opsai_subjects.promql.expression import TOO_DEEP, Expression, Refused, Text, kind_of
from opsai_subjects.promql.flat import Ints
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.options import Options
from opsai_subjects.promql.parsing import parse
from opsai_subjects.promql.samples import Samples, milliseconds

__all__ = ["Engine", "Options"]

_KIND_NAMES = {"matrix": "range vector", "string": "string", "scalar": "scalar", "vector": "instant vector"}


class Engine:
    """Evaluates queries over one store of samples; keeps nothing between queries but parsed expressions."""

    def __init__(self, samples: Samples, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._samples = samples
        self._options = options

    def instant(self, query: str, at: float) -> MetricsReply:
        """Evaluate at one moment (Unix seconds). Raises QueryInvalid with the parser's or the engine's own words.

        A vector comes in the order the expression gives it: sorted for `sort` and `topk`, by labels for a selector.
        """
        at_ms = milliseconds(at)
        with _refusing(query):
            evaluation = Evaluation(self._samples, self._options, at_ms, at_ms)
            return _instant_reply(evaluation, parse(query), at_ms)

    def range(self, query: str, start: float, end: float, step: float) -> MetricsReply:
        """Evaluate at start, start + step, ... up to end (Unix seconds); series come sorted by their labels.

        Raises QueryInvalid with the parser's or the engine's own words.
        """
        with _refusing(query):
            steps = self._steps(milliseconds(start), milliseconds(end), milliseconds(step))
            evaluation = Evaluation(self._samples, self._options, milliseconds(start), milliseconds(end))
            return _range_reply(evaluation, parse(query), steps)

    def _steps(self, start_ms: int, end_ms: int, step_ms: int) -> Ints:
        if end_ms < start_ms:
            raise Refused("end timestamp must not be before start time")
        if step_ms <= 0:
            raise Refused("zero or negative query resolution step widths are not accepted. Try a positive integer")
        if (end_ms - start_ms) // step_ms > self._options.max_points:
            raise Refused(
                f"exceeded maximum resolution of {self._options.max_points:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


@contextmanager
def _refusing(query: str) -> Generator[None]:
    """Turn what the engine refuses into the error that names the query."""
    try:
        with np.errstate(all="ignore"):
            yield
    except Refused as refused:
        raise QueryInvalid(query, str(refused)) from refused
    except RecursionError as error:
        raise QueryInvalid(query, TOO_DEEP) from error


def _range_reply(evaluation: Evaluation, node: Expression, steps: Ints) -> MetricsReply:
    kind = kind_of(node)
    if kind not in ("scalar", "vector"):
        raise Refused(
            f'invalid expression type "{_KIND_NAMES[kind]}" for range query, must be Scalar or instant Vector'
        )
    grid = Grid.single(evaluation.scalar(node, steps)) if kind == "scalar" else evaluation.vector(node, steps)
    series = sorted(_series(grid, steps), key=lambda one: sorted(one.labels.items()))
    return MetricsReply("matrix", tuple(series), tuple(sorted(evaluation.warnings)))


def _instant_reply(evaluation: Evaluation, node: Expression, at_ms: int) -> MetricsReply:
    steps = np.array([at_ms], np.int64)
    if isinstance(node, Text):
        return MetricsReply("string", (), text=node.value)
    kind = kind_of(node)
    if kind == "scalar":
        value = float(evaluation.scalar(node, steps)[0])
        series: tuple[Series, ...] = (Series({}, ((at_ms / 1000.0, value),)),)
    elif kind == "matrix":
        series = _windowed(evaluation, node, steps)
    else:
        series = tuple(_series(evaluation.vector(node, steps), steps))
    return MetricsReply(kind, series, tuple(sorted(evaluation.warnings)))


def _series(grid: Grid, steps: Ints) -> list[Series]:
    seconds = (steps / 1000.0).tolist()
    made: list[Series] = []
    check_cancelled()
    for labels, values, present in zip(grid.labels, grid.values.tolist(), grid.present.tolist(), strict=True):
        points = tuple((t, v) for t, v, here in zip(seconds, values, present, strict=True) if here)
        if points:
            made.append(Series(dict(labels), points))
    return made


def _windowed(evaluation: Evaluation, node: Expression, steps: Ints) -> tuple[Series, ...]:
    held = evaluation.windows(node, steps)
    if held is None:
        return ()
    made: list[Series] = []
    for row in sorted(range(len(held.labels)), key=lambda row: held.labels[row]):
        inside = slice(int(held.lo[row, 0]), int(held.hi[row, 0]))
        seconds = (held.flat.t_ms[inside] / 1000.0).tolist()
        made.append(Series(dict(held.labels[row]), tuple(zip(seconds, held.flat.v[inside].tolist(), strict=True))))
    return tuple(made)
