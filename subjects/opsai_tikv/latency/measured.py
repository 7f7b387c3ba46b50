"""Measuring the stages: one or two range queries each over baseline and window, few at a time, a hung engine spared."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
import numpy as np

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsReply, MetricsSource, Node, Series, Unread, Window
from opsai_subjects.movement import Floats
from opsai_subjects.progress import work
from opsai_subjects.windows import EARLIEST
from opsai_tikv.gathering.metrics_round import MetricsRound
from opsai_tikv.gathering.tracking import Finder
from opsai_tikv.latency.growth import Course, Growth, growth
from opsai_tikv.latency.stages import Stage

POINTS = 60
AT_ONCE = 4
"""Queries in flight: kind to a Prometheus that others use too."""
CLIENTS = "clients"
"""The entity of what a client waits for by itself."""
SHORTEST_BASELINE = timedelta(minutes=1)
LEAST_BASELINE = 4
"""Points of a past; with fewer the first third of the window stands for it."""


@dataclass(frozen=True)
class Plan:
    """What is asked: a baseline, the window after it, points at an even step, rates over a range."""

    span: Window
    step_seconds: float
    range_seconds: float
    split: datetime
    """Where the baseline ends and the window begins."""

    @property
    def count(self) -> int:
        """How many points there are."""
        return int(self.span.seconds // self.step_seconds) + 1

    def moment(self, index: int) -> datetime:
        """Return the time of a point."""
        return self.span.start + timedelta(seconds=self.step_seconds * index)


def plan(window: Window, baseline_minutes: float | None, rate_seconds: float) -> Plan:
    """Return the plan for a window and the time before it that it is compared with: as long as itself, unless given."""
    before = timedelta(minutes=baseline_minutes) if baseline_minutes is not None else window.end - window.start
    start = max(window.start - max(before, SHORTEST_BASELINE), EARLIEST)
    seconds = (window.end - start).total_seconds()
    step = max(rate_seconds / 4, seconds / POINTS)
    # the last point is the window's end: the newest is what matters
    first = window.end - timedelta(seconds=step * int(seconds // step))
    return Plan(Window(start=first, end=window.end), step, max(rate_seconds, step), window.start)


@dataclass
class Measured:
    """Every stage of every entity, compared with its past."""

    plan: Plan
    growths: Mapping[tuple[str, str], Growth] = field(default_factory=dict[tuple[str, str], Growth])
    """By stage id and entity."""
    unread: Sequence[Unread] = ()
    from_within: bool = False
    """The baseline is the first third of the samples: there are none from before the window."""
    sampled: bool = False
    """Whether any stage had any sample."""

    def __post_init__(self) -> None:
        self._of_stage: dict[str, dict[str, Growth]] = {}
        for (stage, entity), one in self.growths.items():
            self._of_stage.setdefault(stage, {})[entity] = one
        self._p99s = {
            stage: sorted(p99 for one in each.values() if (p99 := one.usual.get("p99")) is not None)
            for stage, each in self._of_stage.items()
        }

    def of(self, stage: str, entity: str) -> Growth | None:
        """Return the growth of a stage on an entity, None when it has no series."""
        return self.growths.get((stage, entity))

    def stage(self, stage: str) -> Mapping[str, Growth]:
        """Return the growths of a stage by entity."""
        return self._of_stage.get(stage, {})

    def entities(self, stage: str) -> tuple[str, ...]:
        """Return the entities that have the stage."""
        return tuple(self.stage(stage))

    def peers_p99(self, stage: str, entity: str) -> float | None:
        """Return the median of the other entities' p99 over the window; None when there is none."""
        ordered, one = self._p99s.get(stage, []), self.of(stage, entity)
        own = one.usual.get("p99") if one is not None else None
        others = list(ordered)
        if own is not None:
            others.pop(bisect_left(ordered, own))
        middle = len(others) // 2
        if not others:
            return None
        return others[middle] if len(others) % 2 else (others[middle - 1] + others[middle]) / 2


async def measure(metrics: MetricsSource, stages: Sequence[Stage], nodes: Sequence[Node], asked: Plan) -> Measured:
    """Measure the stages. Never raises for a source that cannot be read: what it left open is in `unread`."""
    engine = MetricsRound(metrics)
    unread: list[Unread] = []
    limiter = anyio.CapacityLimiter(AT_ONCE)
    finder = _Finder(nodes)
    points: dict[tuple[str, str], _Points] = {}
    progress = work(sum(len(stage.queries) for stage in stages), "stages of the write and read path")

    async def one(stage: Stage, query: str) -> None:
        async with limiter:
            reply = await _ask(engine, query, asked, unread)
        progress.did()
        for series in reply.series if reply else ():
            entity = finder.of(stage, series.labels)
            if entity is not None:
                points.setdefault((stage.id, entity), _Points(asked)).add(series)

    async with anyio.create_task_group() as group:
        for stage in stages:
            for query in stage.queries:
                group.start_soon(one, stage, query.replace("$range", f"{round(asked.range_seconds)}s"))
    courses = {key: kept.course() for key, kept in points.items()}
    baseline, from_within = _baseline(courses.values(), asked)
    floors = {stage.id: stage.floor for stage in stages}
    growths = {key: growth(course, baseline, floors[key[0]]) for key, course in courses.items()}
    sampled = any(course.sampled.any() for course in courses.values())
    return Measured(asked, growths, unread, from_within, sampled)


async def _ask(metrics: MetricsSource, query: str, asked: Plan, unread: list[Unread]) -> MetricsReply | None:
    try:
        return await metrics.range(query, asked.span, asked.step_seconds)
    except SourceError as error:
        unread.append(Unread(source="prometheus", asked=query, why=error.came_back, advice=error.advice))
    except QueryInvalid as error:
        unread.append(Unread(source="prometheus", asked=query, why=error.reason))
    return None


def _baseline(courses: Iterable[Course], asked: Plan) -> tuple[slice, bool]:
    """Return the points that are the past, and whether they had to be taken from within the window."""
    sampled = np.zeros(asked.count, dtype=bool)
    for course in courses:
        sampled |= course.sampled
    split = int(np.ceil((asked.split - asked.span.start).total_seconds() / asked.step_seconds))
    if int(sampled[:split].sum()) >= LEAST_BASELINE or not sampled.any():
        return slice(0, split), False
    have = np.flatnonzero(sampled)
    return slice(0, int(have[max(0, len(have) // 3 - 1)]) + 1), True


class _Finder:
    """Whose a series is: TiKV names itself by instance, a client names the store by id or by address.

    Where nobody could say which stores there are, an instance goes by its own name.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = Finder(nodes)
        self._blind = all(node.role == "pd" for node in nodes)

    def of(self, stage: Stage, labels: Mapping[str, str]) -> str | None:
        if stage.key == "type":
            return f"{CLIENTS}:{labels['type']}" if labels.get("type") else CLIENTS
        name = labels.get(stage.key, "")
        if stage.key == "store":
            return self._nodes.by_store(name) or self._nodes.by_instance(name, "tikv")
        return self._nodes.by_instance(name, "tikv") or (name if self._blind and name else None)


class _Points:
    """The points of one stage of one entity as they come in."""

    def __init__(self, asked: Plan) -> None:
        self._asked = asked
        self._parts: dict[str, Floats] = {}
        self._sampled = np.zeros(asked.count, dtype=bool)

    def add(self, series: Series) -> None:
        """Take one series: a part of the stage."""
        grid = np.full(self._asked.count, np.nan)
        points = np.array(series.points, dtype=np.float64).reshape(-1, 2)
        start = self._asked.span.start.timestamp()
        index = np.rint((points[:, 0] - start) / self._asked.step_seconds).astype(int)
        inside = (index >= 0) & (index < len(grid))
        grid[index[inside]] = points[inside, 1]
        self._sampled[index[inside]] = True
        self._parts[series.labels.get("is", "figure")] = grid

    def course(self) -> Course:
        """Return what came in, with the mean of each point."""
        parts = dict(self._parts)
        total, count = parts.pop("sum", None), parts.get("count")
        if total is not None and count is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                parts["mean"] = np.where(count > 0, total / count, np.nan)
        for name in ("p50", "p99"):
            if name in parts:
                parts[name] = np.where(np.isfinite(parts[name]), parts[name], np.nan)
        return Course(parts, self._sampled)
