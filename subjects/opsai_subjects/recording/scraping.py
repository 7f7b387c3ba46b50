"""Samples for a recording: scraped from the nodes, or what a Prometheus has kept of them."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import anyio
import orjson

from opsai_subjects.errors import NotRecorded, OpsaiError, QueryInvalid, SourceError
from opsai_subjects.model import Clock, MetricsSource, ScrapeTarget, utc
from opsai_subjects.promql.labels import NAME
from opsai_subjects.promql.samples import milliseconds
from opsai_subjects.recording.stitching import UP
from opsai_subjects.recording.tally import Tally
from opsai_subjects.recording.unfinished import Part, Unfinished
from opsai_subjects.sources.scrape import PATHS
from opsai_subjects.sources.web import Web

AT_ONCE = 12
OVERLAP_SECONDS = 15.0
"""A Prometheus keeps a scrape under the moment it began, some seconds after that moment."""
MOST_SECONDS = 300.0
"""Asked for at once: one store has some 10,000 series, and an answer is held in memory."""
_TEXT = {"accept": "text/plain; version=0.0.4"}


class OwnScrapes:
    """Scrapes every target at once, each time anew: labels job and instance are those the subject's Prometheus gives."""

    def __init__(self, web: Web, every_seconds: float) -> None:
        self._web = web
        self._read_seconds = max(1.0, 0.8 * every_seconds)
        self._at_once = anyio.CapacityLimiter(AT_ONCE)

    async def round(self, targets: Sequence[ScrapeTarget], clock: Clock, into: Unfinished, tally: Tally) -> None:
        """Scrape once. Raises RecordingNotWritten."""
        done: list[tuple[Part, bytes]] = []
        async with anyio.create_task_group() as tasks:
            for target in targets:
                tasks.start_soon(self._scrape, target, clock, tally, done)
        for part, content in sorted(done, key=lambda one: one[0].at_ms):
            into.part(part, content)

    async def all_answer(self, targets: Sequence[ScrapeTarget]) -> bool:
        """Say whether each target lets itself be scraped from here."""
        for target in targets:
            try:
                await self._get(target)
            except OpsaiError:
                return False
        return True

    async def _scrape(self, target: ScrapeTarget, clock: Clock, tally: Tally, done: list[tuple[Part, bytes]]) -> None:
        async with self._at_once:
            at_ms, began = milliseconds(clock.now().timestamp()), anyio.current_time()
            content, up = b"", True
            try:
                content = await self._get(target)
            except OpsaiError:
                up = False
            tally.answered(len(content))
        seconds = round(anyio.current_time() - began, 6)
        part = _part("scrape", target, at_ms, seconds=seconds, up=up)
        done.append((part, content))

    async def _get(self, target: ScrapeTarget) -> bytes:
        url = f"{target.base.rstrip('/')}{PATHS[0]}"
        reply = await self._web.get(url, of=target.instance, read_seconds=self._read_seconds, headers=_TEXT)
        return reply.body


class PrometheusSamples:
    """Asks a Prometheus for the raw samples of each target since it was asked last, by a range selector."""

    def __init__(self, metrics: MetricsSource, since: datetime, until: datetime | None = None) -> None:
        """Make one that asks from `since` on; up to `until` only, where somebody else scrapes from then on."""
        self._metrics = metrics
        self._since = since.timestamp()
        self._until = until.timestamp() if until is not None else math.inf
        self._asked: dict[ScrapeTarget, float] = {}
        self._newest: dict[ScrapeTarget, float] = {}

    async def read(self, targets: Sequence[ScrapeTarget], clock: Clock, into: Unfinished, tally: Tally) -> None:
        """Ask for what is new of each target; what could not be had is asked for next time. Raises RecordingNotWritten."""
        now = min(clock.now().timestamp(), self._until)
        for target in targets:
            try:
                while (asked := self._asked.get(target, self._since)) < now:
                    until = min(now, asked + MOST_SECONDS)
                    await self._ask(target, asked, until, into, tally)
                    self._asked[target] = until
            except NotRecorded:
                continue
            except (SourceError, QueryInvalid) as error:
                tally.answered(0)
                tally.note(f"Samples of {target.instance} could not be read: {error}")
        if targets and not self._newest and math.isinf(self._until):
            names = ", ".join(target.instance for target in targets)
            tally.note(f"{self._metrics.about} has no series with job and instance of any node ({names}).")

    async def _ask(self, target: ScrapeTarget, since: float, until: float, into: Unfinished, tally: Tally) -> None:
        newest = self._newest.get(target, -math.inf)
        span = math.ceil(until - since + OVERLAP_SECONDS)
        selector = f"{{job={_quoted(target.job)},instance={_quoted(target.instance)}}}[{span}s]"
        reply = await self._metrics.instant(selector, utc(until))
        chunk: list[tuple[dict[str, str], list[tuple[float, float | str]]]] = []
        for series in reply.series:
            points = [(at, _value(value)) for at, value in series.points if at > newest]
            if points and NAME in series.labels:
                chunk.append((series.labels, points))
        content = orjson.dumps(chunk)
        tally.answered(len(content))
        if not chunk:
            return
        # all series of one scrape come at once, so the newest of `up` says up to where everything is there
        of_scrapes = [points[-1][0] for labels, points in chunk if labels[NAME] == UP]
        self._newest[target] = max(of_scrapes or [points[-1][0] for _, points in chunk])
        into.part(_part("series", target, milliseconds(self._newest[target])), content)


def _part(kind: Literal["scrape", "series"], target: ScrapeTarget, at_ms: int, **more: Any) -> Part:
    return Part(kind=kind, job=target.job, instance=target.instance, at_ms=at_ms, offset=0, bytes=0, **more)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _value(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
