"""Metrics without a Prometheus: opsai scrapes a few nodes' `/metrics` itself, and keeps the last minutes in memory.

It is no replacement for one: little is kept, only what is looked at, and nothing survives the process.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from opsai_subjects.errors import OpsaiError, SourceMalformed, SourceTooLarge, SourceUnreachable
from opsai_subjects.model import Clock, MetricsReply, ScrapeTarget, Window, utc
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.labels import NAME
from opsai_subjects.promql.samples import Matcher, Selection, milliseconds
from opsai_subjects.promql.scoping import metric_names, named
from opsai_subjects.sources.exposition import Exposition, NotExposition
from opsai_subjects.sources.ring import DURATION, UP, Ring
from opsai_subjects.sources.web import Web

log = logging.getLogger(__name__)

PATHS = ("/metrics",)
"""The path it may GET, below the base of each target."""
KEPT_SECONDS = 900.0
MOST_TARGETS = 12
"""All are scraped at once, so that one that hangs holds up nobody."""
MOST_SERIES = 100_000
"""About 180 MB at one scrape in 15 s (60,000 took 108 MB on CPython 3.11)."""
DISCOVER_SECONDS = 60.0
_LATEST = 0.8
"""Of the interval: by then a scrape has ended, one way or the other."""
_INSTEAD = "set `prometheus` to a Prometheus that scrapes this cluster; opsai's own scraping is for a few nodes"

T = TypeVar("T")
Discover = Callable[[], Awaitable[tuple[ScrapeTarget, ...]]]


@dataclass(frozen=True)
class Scraped:
    """What scraping has come to."""

    targets: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    """Instances whose last scrape failed, with why."""
    series: int = 0
    body_bytes: int = 0
    """Read in the last round."""
    round_seconds: float = 0.0
    refused: str = ""
    """Why nothing is scraped, where that is so."""


class _Node:
    """One target, with its reader and its ring."""

    def __init__(self, target: ScrapeTarget, wanted: Callable[[str], bool], scrapes: int) -> None:
        self.target = target
        own = {"instance": target.instance, "job": target.job}
        self.own = {head: {NAME: head.decode(), **own} for head in (UP, DURATION)}
        self.exposition = Exposition(wanted, own)
        self.ring = Ring(scrapes)
        self.failed = ""
        self.body_bytes = 0


class Scraper:
    """Scrapes at an interval, and answers PromQL over what it kept."""

    def __init__(
        self, web: Web, clock: Clock, wanted: frozenset[str], *, interval_seconds: float, read_seconds: float
    ) -> None:
        self.about = f"opsai's own scraping (every {interval_seconds:g} s)"
        self.interval_seconds = interval_seconds
        self._read_seconds = min(read_seconds, _LATEST * interval_seconds)
        self._web = web
        self._clock = clock
        self._wanted = named(wanted)
        self._nodes: dict[ScrapeTarget, _Node] = {}
        self._engine = Engine(self)
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._begun = anyio.Event()
        self._since: datetime | None = None
        self._going = False
        self._unknown = "no target has been found yet"
        self.state = Scraped()

    async def run(self, discover: Discover) -> None:
        """Find targets and scrape them until cancelled; what fails is kept for whoever asks."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._each, DISCOVER_SECONDS, partial(self.find, discover))
            tasks.start_soon(self._each, self.interval_seconds, self.round)

    async def find(self, discover: Discover) -> None:
        """Ask for the targets; while nobody can say, the last known stay."""
        try:
            targets = await discover()
        except OpsaiError as error:
            self._unknown = str(error)
            if not self._nodes:
                self._begun.set()
            return
        if len(targets) > MOST_TARGETS:
            self._refuse(f"{len(targets)} targets, and at most {MOST_TARGETS} are scraped")
            return
        self.state = replace(self.state, refused="")
        scrapes = math.ceil(KEPT_SECONDS / self.interval_seconds) + 1
        first = not self._nodes
        self._nodes = {one: self._nodes.get(one) or _Node(one, self._wanted, scrapes) for one in targets}
        if first:
            await self.round()

    async def round(self) -> None:
        """Scrape every target once, all at the same time; left out while another round still goes on."""
        nodes = tuple(self._nodes.values())
        if not nodes or self.state.refused or self._going:
            return
        self._going = True
        try:
            await self._round(nodes)
        finally:
            self._going = False

    async def _round(self, nodes: Sequence[_Node]) -> None:
        began = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for node in nodes:
                tasks.start_soon(self._scrape, node)
        self._since = self._since or self._clock.now()
        self.state = Scraped(
            targets=len(nodes),
            failed=tuple((node.target.instance, node.failed) for node in nodes if node.failed),
            series=sum(len(node.ring) for node in nodes),
            body_bytes=sum(node.body_bytes for node in nodes),
            round_seconds=anyio.current_time() - began,
        )
        if self.state.series > MOST_SERIES:
            self._refuse(f"{self.state.series:,} series, and at most {MOST_SERIES:,} are kept")
        self._begun.set()

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Evaluate at one moment. Raises QueryInvalid or SourceError."""
        await self._ready(promql)
        moment = (at or self._clock.now()).timestamp()
        return await self._evaluated(promql, moment, partial(self._engine.instant, promql, moment))

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Evaluate at each step of the window. Raises QueryInvalid or SourceError."""
        await self._ready(promql)
        start, end = window.start.timestamp(), window.end.timestamp()
        return await self._evaluated(promql, start, partial(self._engine.range, promql, start, end, step_seconds))

    async def version(self) -> str:
        """Return nothing: it is this program."""
        return ""

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Selection:
        """Return the series that meet all matchers with their samples at start <= t <= end (Unix seconds)."""
        on_name = [one for one in matchers if one.name == NAME]
        rest = [one for one in matchers if one.name != NAME]
        return Selection.of(
            stored
            for node in tuple(self._nodes.values())
            for name in node.ring.names
            if all(one.matches(name) for one in on_name)
            for stored in node.ring.of(name, milliseconds(start), milliseconds(end))
            if all(one.matches(stored.labels.get(one.name, "")) for one in rest)
        )

    async def _each(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        due = anyio.current_time()
        while True:
            try:
                await do()
            except Exception:  # the top of a background task: one bad round must not end the rest of the process
                log.exception("scrape_failed")
            due = max(due + seconds, anyio.current_time())
            await anyio.sleep_until(due)

    async def _scrape(self, node: _Node) -> None:
        at_ms, began = milliseconds(self._clock.now().timestamp()), anyio.current_time()
        values: dict[bytes, float] = {}
        labels: dict[bytes, dict[str, str]] = {}
        node.failed, node.body_bytes = "", 0
        try:
            reply = await self._web.get(
                f"{node.target.base}{PATHS[0]}",
                of=node.target.instance,
                read_seconds=self._read_seconds,
                headers={"accept": "text/plain; version=0.0.4"},
            )
            node.body_bytes = len(reply.body)
            values, labels = await self._in_thread(partial(_read, node, reply.body))
        except NotExposition as error:
            node.failed = str(SourceMalformed(PATHS[0], node.target.instance, f"no metrics in text format: {error}"))
        except OpsaiError as error:  # an address that is none too: the other nodes are scraped all the same
            node.failed = str(error)
        values |= {UP: 0.0 if node.failed else 1.0, DURATION: anyio.current_time() - began}
        await self._in_thread(partial(node.ring.add, at_ms, values, {**node.own, **labels}))
        if len(node.ring) > 2 * len(values):
            await self._in_thread(node.ring.swept)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)

    async def _ready(self, promql: str) -> None:
        with anyio.move_on_after(self.interval_seconds):
            await self._begun.wait()
        self._begun.set()  # whoever asks next does not wait again: one look asks some hundred questions
        if self.state.refused:
            raise SourceTooLarge(promql, self.about, self.state.refused, _INSTEAD)
        if not self._nodes:
            raise SourceUnreachable(
                promql, self.about, self._unknown, "set `prometheus`, or see why the endpoints do not answer"
            )

    async def _evaluated(self, promql: str, start: float, evaluate: Callable[[], MetricsReply]) -> MetricsReply:
        reply = await self._in_thread(evaluate)
        notes: list[str] = []
        if self._since is not None and start < self._since.timestamp():
            notes.append(
                f"Scraped from here since {self._since:%H:%M:%S}Z, and kept for {KEPT_SECONDS / 60:g} minutes."
            )
        elif start < (oldest := self._clock.now().timestamp() - KEPT_SECONDS):
            notes.append(f"Kept for {KEPT_SECONDS / 60:g} minutes: nothing is known before {utc(oldest):%H:%M:%S}Z.")
        own = {UP.decode(), DURATION.decode()}
        missing = [name for name in sorted((metric_names(promql) or frozenset()) - own) if not self._wanted(name)]
        if missing:
            notes.append(f"Not kept: {', '.join(missing)}. Without a Prometheus only what opsai itself looks at is.")
        return replace(reply, warnings=(*reply.warnings, *notes))

    def _refuse(self, why: str) -> None:
        self.state = Scraped(targets=len(self._nodes), refused=why)
        self._nodes = {}
        self._begun.set()


def _read(node: _Node, body: bytes) -> tuple[dict[bytes, float], dict[bytes, dict[str, str]]]:
    values = node.exposition.read(body)
    return values, {head: node.exposition.labels(head) for head in node.ring.unknown(values)}
