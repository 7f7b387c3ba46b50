"""What the tests of the MCP server stand on: the toy cluster with samples and logs, and a client in memory."""

import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from mcp import Client
from mcp.types import CallToolResult, Implementation, TextContent

from opsai_server.app import Deps, build
from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import tick
from opsai_subjects.config import Settings
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogLine, LogPage, LogQuery, MetricsReply, Unread, Window
from opsai_subjects.opening import Cluster
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.samples import MemorySamples, Stored
from opsai_subjects.sources.scoped import narrowed
from tests.server.toy import NOON, ToyWorld, toy_cluster

ERAS = ("auto", "legacy")
"""The 2026 protocol without a handshake, and those with one."""


@dataclass
class ToyMetrics:
    """The real evaluator over samples in memory."""

    samples: list[Stored]
    world: ToyWorld
    about: str = "the toy's samples"
    warnings: tuple[str, ...] = ()
    partial: bool = False

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        return self._warned(self._engine().instant(promql, (at or self.world.now()).timestamp()))

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        start, end = window.start.timestamp(), window.end.timestamp()
        return self._warned(self._engine().range(promql, start, end, step_seconds))

    async def version(self) -> str:
        return ""

    def _engine(self) -> Engine:
        return Engine(MemorySamples(self.samples))

    def _warned(self, reply: MetricsReply) -> MetricsReply:
        return MetricsReply(reply.kind, reply.series, self.warnings, reply.text, self.partial)


def steady(name: str, value: float, *, until: float = 600.0, **labels: str) -> Stored:
    """Return a series of one value, every 5 s over the ten minutes before noon, or their first `until` seconds."""
    return series(name, [value] * int(until / 5), **labels)


def series(name: str, values: Iterable[float], **labels: str) -> Stored:
    """Return a series of these values, every 5 s from ten minutes before noon."""
    v = np.array(list(values), dtype=np.float64)
    first = (NOON - timedelta(minutes=10)).timestamp()
    return Stored({"__name__": name, **labels}, first + 5.0 * np.arange(len(v)), v)


@dataclass
class ToyLogs:
    """Lines in memory."""

    lines: list[LogLine] = field(default_factory=list[LogLine])
    unread: tuple[Unread, ...] = ()

    async def nodes(self) -> tuple[str, ...]:
        return ("a", "b", "c")

    async def search(self, query: LogQuery) -> LogPage:
        try:
            pattern = re.compile(query.regex)
        except re.error as error:
            raise QueryInvalid(query.regex, f"not a regular expression: {error}") from error
        found = [
            line
            for line in sorted(self.lines, key=lambda one: one.at, reverse=query.newest_first)
            if query.window.start <= line.at <= query.window.end
            and (not query.nodes or line.node in query.nodes)
            and (not query.levels or line.level in query.levels)
            and (not query.contains or any(part in line.text for part in query.contains))
            and pattern.search(line.text)
        ]
        return LogPage(tuple(found[: query.limit]), len(found), self.unread, query.nodes or await self.nodes())


def line(node: str, seconds_ago: float, message: str, level: str = "INFO") -> LogLine:
    """Return a line of a node, so long before noon."""
    at = NOON - timedelta(seconds=seconds_ago)
    return LogLine(node, at, level, message, {}, f"[{at:%H:%M:%S}] [{level}] {message}")


@dataclass
class Served:
    """A server in memory and what it stands on."""

    client: Client
    world: ToyWorld
    cluster: Cluster
    store: Store
    settings: Settings
    metrics: ToyMetrics
    logs: ToyLogs

    async def ask(self, tool: str, **arguments: object) -> dict[str, Any]:
        """Call a tool that is to answer."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def fail(self, tool: str, **arguments: object) -> str:
        """Call a tool that is to refuse; return what the model reads."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def watch(self, *seconds: float) -> None:
        """Let the watcher look once after each of these many seconds."""
        for later in seconds:
            self.world.later(later)
            await tick(self.cluster, self.store, self.settings.watch, watcher="toy:1")


def text_of(result: CallToolResult) -> str:
    """Return the text of a result."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


@asynccontextmanager
async def served(
    folder: Path,
    *,
    mode: str = "auto",
    metrics: bool = True,
    logs: bool = True,
    by: str = "tester",
    busy_seconds: float = 5.0,
    **set_here: Any,
) -> AsyncGenerator[Served]:
    """Serve the toy, with these settings of its cluster, to a client in memory."""
    world = ToyWorld()
    samples, lines = ToyMetrics([], world), ToyLogs()
    engine = narrowed(samples, set_here.get("matchers", {})) if metrics else None
    cluster = toy_cluster(world, metrics=engine, logs=lines if logs else None, **set_here)
    settings = Settings(store=folder / "opsai.sqlite")
    async with open_store(settings.store, busy_seconds=busy_seconds) as store:
        server = build(Deps(cluster, store, settings))
        who = Implementation(name=by, version="1")
        async with Client(server, mode=mode, client_info=who) as client:
            yield Served(client, world, cluster, store, settings, samples, lines)
