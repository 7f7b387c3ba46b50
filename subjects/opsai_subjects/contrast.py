"""How unusual each series is in one stretch of time against another and against the peers of its node. Pure.

A series is taken by three of its levels, the fifth, the half and the four fifths of its sorted values, and its shift is the one
of these that moved most: so a burst that fills a fifth of the stretch counts, and a single spike does not. The shift is measured
in scatters: the greatest of the scatter of the series before (median absolute deviation, spread between the outer levels), the
signal's grain, and a tenth of its level (not of a flag's). The score is the logarithm of that to the base 2, of 1 + shift: mostly (7 parts of 10)
of the part of the shift that the series' peers did not share, for the rest of the whole. Ties keep the order of the catalogue.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from opsai_subjects.movement import GAUSS, Floats
from opsai_subjects.subject import Signal

Labels = tuple[tuple[str, str], ...]

LEVELS = (0.2, 0.5, 0.8)
MIDDLE = 1
LEAST_POINTS = 3
"""A level is known from so many points at least."""
SPREAD_SIGMAS = 2 * 0.8416
"""How many standard deviations lie between the outer levels of a normal scatter."""
LEVEL_RATIO = 0.1
FLAG = "0/1"
"""The unit of what is or is not: its level is no measure of its scatter."""
MOST_SCATTERS = 1_000.0
"""A shift counts as no more than that: from nothing to something has no end."""
OWN_PART = 0.7
LONE_PART = 0.8
"""For a series without peers: nobody can say that others moved as well."""
WHOLE_PART = 0.7
"""For a series of no single node: it tells that something changed, not where."""
ENDED_SCORE = 10.0
"""For a node all of whose series ended or began."""
UNUSUAL = 3.0
"""Below that a row is nothing unusual: less than seven scatters. Quiet recorded clusters stay below it."""
MOST_RATIO = 1_000.0

Kind = Literal["level", "new", "ended", "began"]


@dataclass(frozen=True, slots=True)
class Track:
    """One series in both stretches: its finite values."""

    signal: Signal
    entity: str | None
    """The node it is about."""
    labels: Labels
    """What tells it from other series of the same signal and node."""
    before: Floats
    after: Floats
    at_end: bool
    """Whether it still has values in the last third of the later stretch."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """How one series, or all series of one node, moved."""

    metric: str
    unit: str
    kind: Kind
    entity: str | None
    labels: Labels
    before: float | None
    after: float | None
    """The level that moved most, in both stretches; the medians where all moved alike."""
    peers: float | None
    """The median of the same level at the node's peers."""
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class _Shift:
    track: Track
    before: tuple[float, ...]
    after: tuple[float, ...]
    scatter: float
    new: bool

    @property
    def level(self) -> int:
        """Which level moved most; the middle one unless another moved clearly more."""
        moved = [abs(now - then) for then, now in zip(self.before, self.after, strict=True)]
        most = max(range(len(moved)), key=moved.__getitem__)
        return most if moved[most] > 1.5 * moved[MIDDLE] else MIDDLE

    def moved(self, level: int) -> float:
        return self.after[level] - self.before[level]


def contrasts(tracks: Sequence[Track], roles: Mapping[str, str], points: int) -> list[Contrast]:
    """Return a row for each series, and for each node whose series ended or began, the most unusual first.

    `roles` says which nodes are each other's peers; `points` is how many values a whole stretch has.
    """
    shifts = [shift for track in tracks if (shift := _shift(track, points)) is not None]
    groups: dict[tuple[str, Labels], list[_Shift]] = {}
    for shift in shifts:
        groups.setdefault((shift.track.signal.name, shift.track.labels), []).append(shift)
    mates = {role: sum(1 for one in roles.values() if one == role) for role in roles.values()}
    rows = [row for group in groups.values() for row in _group(group, roles, mates)]
    return sorted([*_whole_nodes(tracks), *rows], key=lambda row: -row.score)


def best_of_each(rows: Sequence[Contrast]) -> list[Contrast]:
    """Return the first row of each metric and node: five rows of one metric tell no more than one."""
    first: dict[tuple[str, str | None], Contrast] = {}
    for row in rows:
        first.setdefault((row.metric, row.entity), row)
    return list(first.values())


def ratio(before: float | None, after: float | None) -> str:
    """Return how many times as much it is, with a cap: `x12`, `over x1000`, empty where there is no ratio."""
    if not before or after is None or before * after <= 0:
        return ""
    times = after / before
    if times > MOST_RATIO or times < 1 / MOST_RATIO:
        return f"over x{MOST_RATIO:g}" if times > 1 else f"under x{1 / MOST_RATIO:g}"
    return f"x{times:.3g}"


def _shift(track: Track, points: int) -> _Shift | None:
    before, after, zero = track.before, track.after, track.signal.absent == "zero"
    if zero:
        after = np.concatenate([after, np.zeros(max(0, points - len(after)))])
        before = np.concatenate([before, np.zeros(LEAST_POINTS)]) if len(before) < LEAST_POINTS else before
    elif len(after) < LEAST_POINTS or not track.at_end:
        return None
    new = len(track.before) < LEAST_POINTS
    if new and not zero:
        before = np.zeros(LEAST_POINTS)
    then, now = _levels(before), _levels(after)
    scatter = max(
        GAUSS * _quantile(np.sort(np.abs(before - then[MIDDLE])), 0.5),
        (then[-1] - then[0]) / SPREAD_SIGMAS,
        track.signal.grain,
        0.0 if track.signal.unit == FLAG else LEVEL_RATIO * abs(then[MIDDLE]),
        np.finfo(np.float64).tiny,
    )
    return _Shift(track, then, now, float(scatter), new)


def _levels(values: Floats) -> tuple[float, ...]:
    ordered = np.sort(values)
    return tuple(_quantile(ordered, level) for level in LEVELS)


def _quantile(ordered: Floats, part: float) -> float:
    """Return the quantile as numpy's does, a tenth of its time for the few values of a series."""
    place = part * (len(ordered) - 1)
    low = int(place)
    first, second = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
    return first + (second - first) * (place - low)


def _group(group: Sequence[_Shift], roles: Mapping[str, str], mates: Mapping[str, int]) -> Iterator[Contrast]:
    """Yield the rows of one signal's series that differ by their node alone."""
    by_role: dict[str | None, list[_Shift]] = {}
    for shift in group:
        by_role.setdefault(roles.get(shift.track.entity or ""), []).append(shift)
    for role, peers in by_role.items():
        absent_is_zero = peers[0].track.signal.absent == "zero"
        missing = max(0, mates[role] - len(peers)) if role and absent_is_zero else 0
        silent = np.zeros((missing, len(LEVELS)))
        moved = np.concatenate(
            [np.array([[one.moved(level) for level in range(len(LEVELS))] for one in peers]), silent]
        )
        after = np.concatenate([np.array([one.after for one in peers]), silent])
        for place, shift in enumerate(peers):
            level = shift.level
            others = np.delete(moved[:, level], place) if role else np.empty(0)
            levels = np.delete(after[:, level], place) if role else np.empty(0)
            yield _contrast(shift, level, others, levels, has_role=role is not None)


def _contrast(shift: _Shift, level: int, moves: Floats, levels: Floats, *, has_role: bool) -> Contrast:
    track = shift.track
    whole = min(MOST_SCATTERS, abs(shift.moved(level)) / shift.scatter)
    own = _own(shift, moves, level, whole)
    if own is not None:
        score = OWN_PART * math.log2(1 + own) + (1 - OWN_PART) * math.log2(1 + whole)
    else:
        score = (LONE_PART if has_role else WHOLE_PART) * math.log2(1 + whole)
    unknown_past = shift.new and track.signal.absent != "zero"
    return Contrast(
        metric=track.signal.name,
        unit=track.signal.unit,
        kind="new" if shift.new else "level",
        entity=track.entity,
        labels=track.labels,
        before=None if unknown_past else shift.before[level],
        after=shift.after[level],
        peers=_quantile(np.sort(levels), 0.5) if len(levels) else None,
        score=score * (0.5 if unknown_past else 1.0),
        why=_why(shift, level, own, whole, len(moves)),
    )


def _own(shift: _Shift, moves: Floats, level: int, whole: float) -> float | None:
    """Return the part of the shift that the peers did not share, in scatters; None without peers.

    It is the distance to the lower median of the peers: of two peers the nearer one, so that a sick node does not make the
    well one beside it look odd.
    """
    if not len(moves):
        return None
    away = np.abs(shift.moved(level) - moves) / shift.scatter
    middle = (len(away) - 1) // 2
    return min(whole, float(np.partition(away, middle)[middle]))


def _why(shift: _Shift, level: int, own: float | None, whole: float, peers: int) -> str:
    part = {0: "its lowest fifth; ", 2: "its highest fifth; "}.get(level, "")
    new = "first seen; " if shift.new else ""
    if own is None:
        return f"{new}{part}{whole:.0f} scatters"
    if own >= whole / 2:
        return f"{new}{part}{whole:.0f} scatters, not its {'peer' if peers == 1 else f'{peers} peers'}"
    return f"{new}{part}{whole:.0f} scatters, its peers too"


def _whole_nodes(tracks: Sequence[Track]) -> list[Contrast]:
    """Return a row for each node of whose series a part ended or began, weighed by how large a part."""
    nodes: dict[str, list[Track]] = {}
    for track in tracks:
        if track.entity is not None and track.signal.absent != "zero":
            nodes.setdefault(track.entity, []).append(track)
    rows: list[Contrast] = []
    for entity, own in nodes.items():
        had = [track for track in own if len(track.before) >= LEAST_POINTS]
        has = [track for track in own if track.at_end and len(track.after)]
        ended = [track for track in had if not track.at_end]
        began = [track for track in has if len(track.before) < LEAST_POINTS]
        if ended:
            rows.append(_whole_node(entity, "ended", ended, had))
        if began:
            rows.append(_whole_node(entity, "began", began, has))
    return rows


def _whole_node(entity: str, kind: Literal["ended", "began"], part: Sequence[Track], of: Sequence[Track]) -> Contrast:
    first = ", ".join(dict.fromkeys(track.signal.name for track in part[:3]))
    return Contrast(
        metric=f"series that {kind}",
        unit="count",
        kind=kind,
        entity=entity,
        labels=(),
        before=float(len(of)) if kind == "ended" else float(len(of) - len(part)),
        after=float(len(of) - len(part)) if kind == "ended" else float(len(of)),
        peers=None,
        score=ENDED_SCORE * len(part) / len(of),
        why=f"{len(part)} of {len(of)}, the first: {first}",
    )
