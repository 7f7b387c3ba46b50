"""Metrics and logs held in memory: what a test puts in is what an adapter sees, through the real evaluator and search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from opsai_subjects.errors import SourceError, SourceTimedOut
from opsai_subjects.model import LogPage, LogQuery, MetricsReply, Unread, Window
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.samples import MemorySamples, Stored
from opsai_subjects.sources.logs import Harvest, Joiner, Sieve
from opsai_tikv.logs.lines import parse_log

AT = datetime(2026, 5, 4, 3, 0, 0, tzinfo=UTC)


class StillClock:
    """A clock that stands."""

    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def stored(
    name: str, values: Sequence[float], every_seconds: float = 15.0, end: datetime = AT, **labels: str
) -> Stored:
    """Return a series whose last sample is at the end."""
    last = end.timestamp()
    times = np.array([last - every_seconds * (len(values) - 1 - index) for index in range(len(values))])
    return Stored({"__name__": name, **labels}, times, np.array(values, dtype=np.float64))


class MemoryMetrics:
    """A metrics engine over samples in memory."""

    about = "memory"

    def __init__(self, series: Iterable[Stored] = (), clock: StillClock | None = None) -> None:
        self._engine = Engine(MemorySamples(list(series)))
        self._clock = clock or StillClock()
        self.asked: list[str] = []

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        self.asked.append(promql)
        return self._engine.instant(promql, (at or self._clock.now()).timestamp())

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        self.asked.append(promql)
        return self._engine.range(promql, window.start.timestamp(), window.end.timestamp(), step_seconds)

    async def version(self) -> str:
        return ""


class DeafMetrics(MemoryMetrics):
    """A metrics engine that answers nothing in time."""

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        raise late(promql)

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        raise late(promql)


def late(promql: str) -> SourceError:
    return SourceTimedOut(promql, "prometheus", "no whole answer within 10 s", "see whether it is overloaded")


@dataclass
class MemoryLogs:
    """Logs in memory, each a list of lines."""

    lines: Mapping[str, Sequence[str]]
    unread: Mapping[str, str] = field(default_factory=dict)
    """Node to why its log cannot be read."""
    queries: list[LogQuery] = field(default_factory=list)

    async def nodes(self) -> tuple[str, ...]:
        return tuple(self.lines)

    async def search(self, query: LogQuery) -> LogPage:
        self.queries.append(query)
        sieve, harvest = Sieve(query), Harvest(query.limit, query.newest_first)
        chosen = query.nodes or tuple(self.lines)
        for node in chosen:
            joiner = Joiner(parse_log)
            entries = [joiner.feed(line) for line in self.lines[node]] if node not in self.unread else []
            for entry in [*entries, joiner.flush()]:
                if entry is not None and sieve.admits(entry):
                    harvest.add(node, entry)
        unread = tuple(
            Unread(source=f"logs:{node}", asked="its log", why=self.unread[node])
            for node in chosen
            if node in self.unread
        )
        return LogPage(
            harvest.lines(), harvest.matched, unread, tuple(node for node in chosen if node not in self.unread)
        )


def said(seconds: float, message: str, level: str = "INFO", **fields: str) -> str:
    """Return a log line so many seconds from AT."""
    at = AT + timedelta(seconds=seconds)
    told = "".join(
        f' [{name.replace("_", "-") if name not in RAW else name}="{value}"]' for name, value in fields.items()
    )
    return f'[{at:%Y/%m/%d %H:%M:%S}.{at.microsecond // 1000:03d} +00:00] [{level}] [any.rs:1] ["{message}"]{told}'


RAW = ("addr", "region_id", "store_id", "new", "old", "from", "to")
