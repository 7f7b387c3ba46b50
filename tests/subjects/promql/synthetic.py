"""Series with everything that makes evaluation hard: gaps, resets, staleness, NaN, infinities, uneven times."""

from collections.abc import Iterator, Sequence

import numpy as np

from opsai_subjects.promql.samples import STALE_NAN, Stored

BEGIN = 1_795_400_000.0
"""The first sample's time; a round one, so that windows and steps meet samples exactly."""
SECONDS = 600
END = BEGIN + SECONDS

_INSTANCES = [("a", "10.0.0.1:80", "x"), ("a", "10.0.0.2:80", "y"), ("b", "10.0.0.1:81", "x"), ("b", "10.0.0.3:81", "")]
_BOUNDS = ["0.005", "0.01", "0.1", "1", "2.5", "10", "+Inf"]


def series() -> list[Stored]:
    """Return all of them, the same each time."""
    random = np.random.default_rng(20261124)
    return [*_plain(random), *_histograms(random), *_odd()]


def _plain(random: np.random.Generator) -> Iterator[Stored]:
    for number, (job, instance, zone) in enumerate(_INSTANCES):
        where = {"job": job, "instance": instance, "zone": zone}
        t = _times(random, 10.0, jitter=number % 2 * 0.7)
        yield _one("requests_total", where, t, _counter(random, t.size, resets=number))
        yield _one("level", where, t, random.normal(3 - 2 * number, 4, t.size).round(3))
        yield _one("level_of_trouble", where, t, _troubled(random, t.size))
        yield _one("node_info", {**where, "version": f"v{number % 3}", "zone": f"z{number}"}, t, np.ones(t.size))
        gappy = np.flatnonzero((t < BEGIN + 120 + 60 * number) | (t > BEGIN + 350))
        values = _counter(random, t.size, resets=1)[gappy]
        values[np.searchsorted(t[gappy], BEGIN + 110 + 60 * number)] = STALE_NAN
        yield _one("gappy_total", where, t[gappy], values)
        for code in ("200", "404", "500")[: number + 1]:
            yield _one("by_code_total", {**where, "code": code}, t, _counter(random, t.size, resets=0))


def _histograms(random: np.random.Generator) -> Iterator[Stored]:
    for number, (job, instance, _) in enumerate(_INSTANCES):
        t = _times(random, 15.0)
        observed = np.sort(random.integers(0, 20, (len(_BOUNDS), t.size)), axis=0).cumsum(axis=1).astype(np.float64)
        if number == 1:
            observed[3] *= 0.5  # the counts fall from bucket to bucket
        if number == 3:
            observed[:, 20:] = observed[:, 20:21]  # nothing is observed any more
        for row, bound in enumerate(_BOUNDS):
            if not (number == 2 and bound == "+Inf"):
                where = {"job": job, "instance": instance, "le": bound}
                yield _one("took_seconds_bucket", where, t[: t.size - 4 * row * (number == 0)], observed[row])
    yield _one("took_seconds_bucket", {"job": "b", "instance": "odd", "le": "much"}, _times(random, 15.0), np.ones(60))
    for bound, value in (("-2", 1.0), ("0", 2.0), ("1", 5.0), ("1.0", 1.0), ("+Inf", 9.0)):
        t = _times(random, 15.0)
        yield _one("signed_bucket", {"le": bound}, t, value * np.arange(1, t.size + 1))


def _odd() -> Iterator[Stored]:
    t = np.arange(BEGIN, END + 1, 10.0)
    steps = np.arange(t.size, dtype=np.float64)
    yield _one("constant", {}, t, np.full(t.size, 0.1))
    yield _one("huge", {"side": "up"}, t, 1e15 + steps)
    yield _one("huge", {"side": "down"}, t, 1e15 - 3 * steps)
    yield _one("tiny", {}, t, 1e-300 * steps)
    yield _one("seldom", {}, t[[3, 40]], np.array([1.0, 5.0]))
    yield _one("late", {"k": "v"}, t[31:], steps[31:])
    yield _one("ended", {"k": "v"}, t[:32], np.append(steps[:31], STALE_NAN))
    yield _one("twin_a", {"k": "same"}, t, steps)
    yield _one("twin_b", {"k": "same"}, t, -steps)
    yield _one("twin_a", {"k": "other"}, t, steps % 7)
    yield _one("when", {}, t, np.linspace(-3e9, 6e9, t.size).round(1))
    yield _one("odd_labels", {"text": 'say "a\\b"', "name": "Größe", "path": "/a/b.c?d=1"}, t, steps)
    yield _one("odd_labels", {"text": "two\nlines", "name": "plain", "path": "/a/bxc"}, t, steps + 1)
    yield _one("infinite", {"sign": "+"}, t, np.where(steps < 30, steps, np.inf))
    yield _one("infinite", {"sign": "-"}, t, np.where(steps < 30, -steps, -np.inf))
    yield _one("flapping", {}, t, np.where(steps % 4 == 3, STALE_NAN, steps % 2))


def _times(random: np.random.Generator, step: float, jitter: float = 0.0) -> np.ndarray:
    t = np.arange(BEGIN, END, step)
    return np.round(t + random.uniform(0, jitter, t.size) if jitter else t, 3)


def _counter(random: np.random.Generator, size: int, resets: int) -> np.ndarray:
    grown = random.integers(0, 50, size).cumsum().astype(np.float64)
    for at in sorted(random.integers(5, size - 5, resets).tolist()):
        grown[at:] -= grown[at]
    return grown


def _troubled(random: np.random.Generator, size: int) -> np.ndarray:
    values = random.normal(0, 10, size)
    values[random.integers(0, size, 6)] = np.nan
    values[random.integers(0, size, 2)] = np.inf
    values[random.integers(0, size, 2)] = -np.inf
    return values


def _one(name: str, labels: dict[str, str], t: "np.ndarray | Sequence[float]", v: np.ndarray) -> Stored:
    held = {key: value for key, value in labels.items() if value}
    times = np.asarray(t)
    return Stored({"__name__": name, **held}, times, np.asarray(v, np.float64)[: times.size])
