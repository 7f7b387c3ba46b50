"""Following the signals: range queries over the look-back, put into tracks by entity."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import anyio

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsReply, MetricsSource, Node, Series, Unread, Window
from opsai_subjects.progress import work
from opsai_tikv.facts import CLUSTER, Track, Tracks
from opsai_tikv.gathering.tracked import CLUSTER_SIGNALS, MEMBER_SIGNALS, STORE_SIGNALS, Tracked

LOOK_BACK_SECONDS = 600.0
STEP_SECONDS = 15.0
AT_ONCE = 8
"""Queries in flight: kind to a Prometheus that others use too."""


@dataclass(frozen=True)
class Followed:
    """The tracks and what could not be read for them."""

    tracks: Tracks
    unreachable: dict[str, dict[str, float]]
    unread: tuple[Unread, ...]


_BY_ROLE = {"tikv": STORE_SIGNALS, "pd": MEMBER_SIGNALS, CLUSTER: CLUSTER_SIGNALS}


async def follow(metrics: MetricsSource, nodes: Sequence[Node], window: Window, range_text: str) -> Followed:
    """Query every signal once and return the tracks. Never raises for a source that cannot be read."""
    finder = Finder(nodes)
    by_name: dict[str, dict[str, Track]] = {}
    failed: list[str] = []
    partial: set[str] = set()
    count = round(window.seconds / STEP_SECONDS) + 1
    round_ = _Round(metrics, window, 1 + sum(map(len, _BY_ROLE.values())))

    async def one(name: str, tracked: Tracked, role: str) -> None:
        reply = await round_.ask(tracked.promql.replace("$range", range_text))
        if reply is None:
            failed.append(name)
            return
        if reply.partial:
            partial.add(name)
        by_name.setdefault(name, {})
        for part, entity, found in _tracks(reply, tracked, finder, role, window, count):
            by_name.setdefault(f"{name}:{part}" if part else name, {})[entity] = found

    unreachable: dict[str, dict[str, float]] = {}

    async def matrix() -> None:
        query = f'sum by (instance, store_id) (rate(tikv_server_report_failure_msg_total{{type="unreachable"}}[{range_text}]))'
        reply = await round_.ask(query)
        for series in reply.series if reply else ():
            reporter = finder.by_instance(series.labels.get("instance", ""), "tikv")
            if reporter and series.last > 0 and _fresh(series, window):
                unreachable.setdefault(reporter, {})[f"store:{series.labels.get('store_id', '')}"] = series.last

    async with anyio.create_task_group() as group:
        for role, signals in _BY_ROLE.items():
            for name, tracked in signals.items():
                group.start_soon(one, name, tracked, role)
        group.start_soon(matrix)
    _fill_zeroes({name: tracks for name, tracks in by_name.items() if name not in partial}, nodes, count)
    told = {"unread": tuple(sorted(set(failed))), "partial": tuple(sorted(partial))}
    tracks = Tracks(start=window.start, step_seconds=STEP_SECONDS, by_name=by_name, **told)
    return Followed(tracks, unreachable, _few(round_.unread))


_POD = re.compile(r"[a-z][a-z0-9-]*\.")
"""A host by name: tidb-operator's `instance` is the pod's name, the first part of what PD advertises."""


class Finder:
    """Which entity a series speaks of."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._entities = {node.entity for node in nodes}
        hosts: dict[tuple[str, str], set[str]] = {}
        for node in nodes:
            role = "pd" if node.role == "pd" else "tikv"
            for name in (node.status_address, node.address, node.name, node.entity):
                self._known[(role, name)] = node.entity
            host = node.address.rsplit(":", 1)[0]
            for name in {host, host.partition(".")[0] if _POD.match(host) else host}:
                hosts.setdefault((role, name), set()).add(node.entity)
        for key, entities in hosts.items():
            if len(entities) == 1:
                self._known.setdefault(key, *entities)

    def by_instance(self, instance: str, role: str) -> str | None:
        """Return the entity of a Prometheus instance: by address, by name, or by a host that has one node only."""
        return self._known.get((role, instance)) or self._known.get((role, instance.rsplit(":", 1)[0]))

    def by_store(self, store_id: str) -> str | None:
        """Return the entity of a store's number."""
        entity = f"store:{store_id}"
        return entity if entity in self._entities else None


class _Round:
    """One round of queries: a few at once, and what could not be read."""

    def __init__(self, metrics: MetricsSource, window: Window, queries: int) -> None:
        self.unread: list[Unread] = []
        self._metrics = metrics
        self._window = window
        self._limiter = anyio.CapacityLimiter(AT_ONCE)
        self._progress = work(queries, "metrics of this moment")

    async def ask(self, query: str) -> MetricsReply | None:
        """Return the answer, None where there is none."""
        async with self._limiter:
            reply = await self._answer(query)
        self._progress.did()
        return reply

    async def _answer(self, query: str) -> MetricsReply | None:
        try:
            reply = await self._metrics.range(query, self._window, STEP_SECONDS)
            if reply.partial:
                why = f"a partial answer: {'; '.join(reply.warnings)}"
                self.unread.append(Unread(source="prometheus", asked=query, why=why))
            return reply
        except SourceError as error:
            self.unread.append(Unread(source="prometheus", asked=query, why=error.came_back, advice=error.advice))
        except QueryInvalid as error:
            self.unread.append(Unread(source="prometheus", asked=query, why=error.reason))
        return None


def _tracks(
    reply: MetricsReply, tracked: Tracked, finder: Finder, role: str, window: Window, count: int
) -> Iterator[tuple[str, str, Track]]:
    """Yield each series as its part (empty where the signal has none), its entity and its track."""
    for series in reply.series:
        if tracked.key == "cluster":
            entity: str | None = CLUSTER
        elif tracked.key == "store":
            entity = finder.by_store(series.labels.get("store", ""))
        else:
            entity = finder.by_instance(series.labels.get("instance", ""), role)
        if entity is not None:
            yield series.labels.get(tracked.part, ""), entity, track(_grid(series, window, count))


def track(points: Sequence[float | None]) -> Track:
    """Return the track of evenly spaced points."""
    present = [point for point in points if point is not None]
    early = present[: max(1, len(present) // 3)]
    return Track(
        points=tuple(points),
        now=points[-1] if points else None,
        before=median(early) if early else None,
        peak=max(present) if present else None,
    )


def _grid(series: Series, window: Window, count: int) -> list[float | None]:
    points: list[float | None] = [None] * count
    start = window.start.timestamp()
    for at, value in series.points:
        index = round((at - start) / STEP_SECONDS)
        if 0 <= index < count and math.isfinite(value):
            points[index] = value
    return points


def _fresh(series: Series, window: Window) -> bool:
    return bool(series.points) and series.points[-1][0] >= (window.end - timedelta(seconds=STEP_SECONDS)).timestamp()


def _fill_zeroes(by_name: dict[str, dict[str, Track]], nodes: Sequence[Node], count: int) -> None:
    """Give a node whose counter has not appeared the zero that its absence means: while every scrape of it succeeded.

    A rate is known only where its whole range was scraped; a gauge where the last scrape was.
    """
    for role, signals in _BY_ROLE.items():
        for name, tracked in signals.items():
            if tracked.absent_is_zero and name in by_name:
                whole = by_name.get("scraped" if "$range" in tracked.promql else "up", {})
                scraped = {
                    node.entity: whole[node.entity] for node in nodes if node.entity in whole and _role(node) == role
                }
                for entity, track_of_it in (_of_cluster(nodes, whole, count) if role == CLUSTER else scraped).items():
                    _fill_one(by_name[name], entity, track_of_it, count)


def _role(node: Node) -> str:
    return "pd" if node.role == "pd" else "tikv"


def _of_cluster(nodes: Sequence[Node], scraped: Mapping[str, Track], count: int) -> dict[str, Track]:
    """Return whether any PD member was scraped, under the entity of the cluster."""
    members = [scraped[node.entity] for node in nodes if node.role == "pd" and node.entity in scraped]
    return {
        CLUSTER: track([max((one.points[index] or 0.0 for one in members), default=None) for index in range(count)])
    }


def _fill_one(tracks: dict[str, Track], entity: str, scraped: Track, count: int) -> None:
    old = tracks.get(entity)
    points = list(old.points) if old else [None] * count
    filled = [0.0 if point is None and scraped.points[index] == 1 else point for index, point in enumerate(points)]
    tracks[entity] = track(filled)


def _few(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    """Fold the same failure of many queries into one entry."""
    folded: dict[str, list[Unread]] = {}
    for entry in unread:
        folded.setdefault(entry.why, []).append(entry)
    return tuple(
        entries[0]
        if len(entries) == 1
        else entries[0].model_copy(update={"asked": f"{len(entries)} queries, the first: {entries[0].asked}"})
        for entries in folded.values()
    )


def latest(tracks: Mapping[str, Track]) -> dict[str, float]:
    """Return the newest value by entity, of those that have one."""
    return {entity: entry.now for entity, entry in tracks.items() if entry.now is not None}
