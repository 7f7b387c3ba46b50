"""Following the signals: range queries over the look-back, put into tracks by entity."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import anyio

from opsai_etcd.attempts import Attempts
from opsai_etcd.facts import MemberFacts, Track, Tracks
from opsai_etcd.gathering.survey import Targets
from opsai_etcd.gathering.tracked import ACTIVE, TRACKED
from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsReply, MetricsSource, Series, Window
from opsai_subjects.progress import work

LOOK_BACK_SECONDS = 600.0
STEP_SECONDS = 15.0
AT_ONCE = 8
"""Queries in flight: kind to a Prometheus that others use too."""


@dataclass(frozen=True)
class Followed:
    """The tracks, and the ways between members."""

    tracks: Tracks
    active: dict[str, dict[str, Track]] = field(default_factory=dict[str, dict[str, Track]])


class _Round:
    """One round of queries: how each is asked, and what could not be read."""

    def __init__(self, metrics: MetricsSource, window: Window, tries: Attempts) -> None:
        self._metrics = metrics
        self._window = window
        self._tries = tries
        self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._progress = work(1 + len(TRACKED), "metrics of this moment")

    async def asked(self, query: str) -> MetricsReply | None:
        """Return the answer, None where there is none."""
        async with self._limiter:
            try:
                reply = await self._metrics.range(query, self._window, STEP_SECONDS)
            except SourceError as error:
                self._tries.miss("metrics", query, error.came_back, error.advice)
                return None
            except QueryInvalid as error:
                self._tries.miss("metrics", query, error.reason)
                return None
            finally:
                self._progress.did()
        if reply.partial:
            self._tries.miss("metrics", query, f"a partial answer: {'; '.join(reply.warnings)}")
        return reply


async def follow(
    metrics: MetricsSource,
    targets: Targets,
    members: Sequence[MemberFacts],
    window: Window,
    range_text: str,
    tries: Attempts,
) -> Followed:
    """Query every signal once and return the tracks. Never raises for a source that cannot be read."""
    by_name: dict[str, dict[str, Track]] = {}
    partial: set[str] = set()
    ways: dict[str, dict[str, Track]] = {}
    count = round(window.seconds / STEP_SECONDS) + 1
    queries = _Round(metrics, window, tries)

    async def one(name: str, query: str) -> None:
        reply = await queries.asked(query.replace("$range", range_text))
        if reply is None:
            return
        if reply.partial:
            partial.add(name)
        pairs = ((targets.entity(series.labels), series) for series in reply.series)
        by_name[name] = {entity: track(_grid(series, window, count)) for entity, series in pairs if entity is not None}

    async def between() -> None:
        reply = await queries.asked(ACTIVE)
        ids = {member.id: member.entity for member in members if member.id}
        for series in reply.series if reply else ():
            local, remote = ids.get(series.labels.get("Local", "")), ids.get(series.labels.get("Remote", ""))
            if local and remote:
                ways.setdefault(local, {})[remote] = track(_grid(series, window, count))

    async with anyio.create_task_group() as tasks:
        for name, tracked in TRACKED.items():
            tasks.start_soon(one, name, tracked.promql)
        tasks.start_soon(between)
    _fill_zeroes({name: tracks for name, tracks in by_name.items() if name not in partial}, count)
    tracks = Tracks(start=window.start, step_seconds=STEP_SECONDS, by_name=by_name, partial=tuple(sorted(partial)))
    return Followed(tracks, ways)


def track(points: Sequence[float | None]) -> Track:
    """Return the track of evenly spaced points."""
    present = [point for point in points if point is not None]
    early = present[: max(1, len(present) // 3)]
    return Track(points=tuple(points), now=points[-1] if points else None, before=median(early) if early else None)


def _grid(series: Series, window: Window, count: int) -> list[float | None]:
    points: list[float | None] = [None] * count
    start = window.start.timestamp()
    for at, value in series.points:
        index = round((at - start) / STEP_SECONDS)
        if 0 <= index < count and math.isfinite(value):
            points[index] = value
    return points


def _fill_zeroes(by_name: Mapping[str, dict[str, Track]], count: int) -> None:
    """Give a member whose counter has not appeared the zero that its absence means, where it was scraped."""
    for name, tracked in TRACKED.items():
        tracks = by_name.get(name)
        if not tracked.absent_is_zero or tracks is None:
            continue
        for entity, up in by_name.get("up", {}).items():
            old = tracks[entity].points if entity in tracks else (None,) * count
            tracks[entity] = track(
                [0.0 if point is None and up.points[index] == 1 else point for index, point in enumerate(old)]
            )
