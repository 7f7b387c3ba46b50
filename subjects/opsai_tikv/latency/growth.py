"""How one stage of one entity stands against its own past: the same robust notion as movement's, for a known baseline. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.movement import GAUSS, MIN_SIDE, NOISE_FACTOR, Floats

State = Literal["grew", "over", "steady", "stopped", "idle", "silent", "unknown"]
"""`over`: grew and is back. `stopped`: had completions, has none and is still scraped. `silent`: no samples any more."""
RISE_RATIO = 1.0
"""A level counts as grown when it rose by so many times its past, clear of its noise: doubled."""
P99_RISE_RATIO = 1.5
P99_FLOORS = 20.0
"""A percentile of buckets that double in width jumps by a factor of two for nothing: more is asked of it."""
LEAST_RATE = 0.5
"""Completions a second below which a stage was idle before, and none now means nothing."""
LAST = 2
"""A state is the present one when the last points show it."""


@dataclass(frozen=True)
class Course:
    """The points of one stage of one entity on an even grid; NaN where there is none, or no completion."""

    parts: Mapping[str, Floats]
    """`p50`, `p99`, `mean` (seconds), `count` (a second), or `figure`."""
    sampled: NDArray[np.bool_]
    """Where the source had a sample at all, a NaN of an empty histogram included."""


@dataclass(frozen=True)
class Growth:
    """Before and now of one stage of one entity; None where there is nothing to tell."""

    state: State
    before: Mapping[str, float | None]
    now: Mapping[str, float | None]
    """Of the changed level where there is one, else of the whole window."""
    usual: Mapping[str, float | None]
    """Of the whole window."""
    since: int | None = None
    """The first point of the changed level."""
    until: int | None = None
    """The last one, when it is over."""

    risen: frozenset[str] = frozenset()
    """The parts that rose by themselves: of a stage whose slowest requests alone got slower, `p99` without `mean`."""

    def rise(self, part: str = "mean") -> float:
        """Return by how much a part rose, 0 when it did not or is not known."""
        before, now = self.before.get(part), self.now.get(part)
        if part not in self.risen or before is None or now is None:
            return 0.0
        return max(0.0, now - before)


def growth(course: Course, baseline: slice, floor: float) -> Growth:
    """Compare what comes after the baseline with the baseline."""
    first = baseline.stop
    before = {name: _median(points[baseline]) for name, points in course.parts.items()}
    usual = {name: _median(points[first:]) for name, points in course.parts.items()}
    if not course.sampled.any():
        return Growth("unknown", before, usual, usual)
    silent = not course.sampled[-MIN_SIDE:].any()
    runs = _runs(course, baseline, floor)
    stopped = _stopped(course, first)
    if not runs and stopped is not None:
        return Growth("stopped", before, dict.fromkeys(before) | {"count": 0.0}, usual, stopped)
    if not runs:
        state: State = "silent" if silent else "steady" if _known(course, first) else "idle"
        return Growth(state, before, usual, usual, _last_sample(course) if silent else None)
    start, end = max(runs.values(), key=lambda run: run[1] - run[0])
    now = {name: _median(points[start : end + 1]) for name, points in course.parts.items()}
    over = end < len(course.sampled) - 1 - LAST and not silent and _known(course, end + 1)
    if stopped is not None and stopped > start:
        return Growth("stopped", before, now, usual, start, risen=frozenset(runs))
    return Growth("over" if over else "grew", before, now, usual, start, end if over else None, frozenset(runs))


def _median(points: Floats) -> float | None:
    finite = points[np.isfinite(points)]
    return float(np.median(finite)) if len(finite) else None


def _known(course: Course, first: int) -> bool:
    return any(np.isfinite(points[first:]).any() for name, points in course.parts.items() if name != "count")


def _last_sample(course: Course) -> int:
    return int(np.flatnonzero(course.sampled)[-1])


def _runs(course: Course, baseline: slice, floor: float) -> dict[str, tuple[int, int]]:
    """Return the first and last point of the heaviest stretch above the past, of each part that has one."""
    asked = (
        ("mean", RISE_RATIO, floor),
        ("figure", RISE_RATIO, floor),
        ("p99", P99_RISE_RATIO, P99_FLOORS * floor),
    )
    return {
        name: run
        for name, ratio, least in asked
        if name in course.parts and (run := _stretch(course.parts[name], baseline, ratio, least)) is not None
    }


def _stretch(points: Floats, baseline: slice, ratio: float, floor: float) -> tuple[int, int] | None:
    past = points[baseline]
    past = past[np.isfinite(past)]
    if len(past) < MIN_SIDE:
        return None
    level = float(np.median(past))
    noise = NOISE_FACTOR * GAUSS * float(np.median(np.abs(past - level)))
    limit = level + max(noise, ratio * level, floor)
    known = [index for index in range(baseline.stop, len(points)) if np.isfinite(points[index])]
    high = [index for index in known if points[index] > limit]
    return _heaviest(points - level, high, known)


def _heaviest(excess: Floats, high: Sequence[int], known: Sequence[int]) -> tuple[int, int] | None:
    """Join high points with at most one known low point between; return the stretch with the most excess."""
    place = {index: n for n, index in enumerate(known)}
    best: tuple[float, int, int] | None = None
    start = 0
    for n in range(1, len(high) + 1):
        if n < len(high) and place[high[n]] - place[high[n - 1]] <= LAST:
            continue
        weight = float(np.sum(excess[list(high[start:n])]))
        if n - start >= LAST and (best is None or weight > best[0]):
            best = (weight, high[start], high[n - 1])
        start = n
    return best[1:] if best else None


def _stopped(course: Course, first: int) -> int | None:
    """Return where completions ended for good while samples went on; None when they did not."""
    counts = course.parts.get("count")
    if counts is None or not course.sampled[-1] or np.nan_to_num(counts[-1]) > 0:
        return None
    past = _median(counts[:first])
    if past is None or past < LEAST_RATE:
        return None
    ran = np.flatnonzero(np.nan_to_num(counts) > 0)
    ended = int(ran[-1]) + 1 if len(ran) else first
    return ended if first <= ended <= len(counts) - LAST else None
