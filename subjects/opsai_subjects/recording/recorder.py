"""Looking at a live cluster again and again, and appending what it answers: the same questions in the same order, round by round."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from opsai_subjects.errors import OpsaiError, RecordingNotWritten, SourceError
from opsai_subjects.model import Node, ScrapeTarget
from opsai_subjects.recording.log_tail import LogTail
from opsai_subjects.recording.node_polls import NodePolls
from opsai_subjects.recording.scraping import OwnScrapes, PrometheusSamples
from opsai_subjects.recording.tally import Tally
from opsai_subjects.recording.unfinished import Head, HeadNode, Unfinished
from opsai_subjects.sources.web import Web
from opsai_subjects.subject import Subject

LOOK_AGAIN_SECONDS = 60.0
"""For nodes that came since."""
LAST_WORDS_SECONDS = 10.0
SAMPLES_SECONDS = 30.0
"""Between two questions to a Prometheus: it keeps what it has."""


class Pace(Protocol):
    """When the next round is due."""

    async def next(self) -> None:
        """Return when it is."""
        ...


@dataclass(frozen=True)
class Wish:
    """What a recording is to hold, and how much it may take."""

    folder: Path
    every_seconds: float = 5.0
    """Between two rounds of polls, and between two scrapes."""
    for_seconds: float = math.inf
    most_bytes: int = 1024**3
    """Of what is written while it goes on; what comes of it at the end is smaller."""
    before_seconds: float = 900.0
    """So much from before the start is kept too, of logs and of what a Prometheus has."""
    judged: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """How it is judged meanwhile, for a replay that is to see the same: `limits`, `for_seconds`, `watch`."""


@dataclass(frozen=True)
class Cost:
    """What recording has cost so far."""

    rounds: int
    asked: int
    read_bytes: int
    written_bytes: int
    seconds: float


@dataclass
class _Job:
    """Something done again and again, never twice at a time."""

    every_seconds: float
    do: Callable[[], Awaitable[None]]
    last: bool = False
    """Once more at the end."""
    began: datetime | None = None
    busy: bool = False


@dataclass(frozen=True)
class _Census:
    nodes: tuple[Node, ...]
    targets: tuple[ScrapeTarget, ...]


async def begin(subject: Subject, wish: Wish, scrape: Web | None) -> "Recorder":
    """Find the nodes and begin a recording in the folder; nothing is written before they are known.

    `scrape` may GET the nodes' `/metrics`; None: samples come from the subject's own source. Raises SourceError when there
    is nothing to record, RecordingNotWritten for a folder that cannot be used.
    """
    topology = await subject.topology()
    if not topology.nodes:
        why = "; ".join(one.why for one in topology.unread) or "its endpoints name none"
        raise SourceError("its nodes", subject.cluster, f"there are none to record ({why})", "see opsai check")
    census = _Census(topology.nodes, await subject.scrape_targets())
    metrics = subject.sources.metrics
    own = OwnScrapes(scrape, wish.every_seconds) if scrape is not None else None
    if own is not None and metrics is not None and not await own.all_answer(census.targets):
        own = None
    told_seconds = None if own is not None else await subject.scrape_seconds()
    head = Head(
        name=wish.folder.resolve().name,
        subject=subject.kind.name,
        cluster=subject.cluster,
        start=subject.sources.clock.now(),
        nodes=(),
        scrape_interval_seconds=told_seconds or wish.every_seconds,
        poll_interval_seconds=wish.every_seconds,
        versions=_versions(topology.nodes),
        metrics="scraped by the recorder" if own else f"read from {metrics.about}" if metrics else "",
        limits=wish.judged.get("limits", {}),
        for_seconds=wish.judged.get("for_seconds", {}),
        watch=wish.judged.get("watch", {}),
    )
    return Recorder(subject, wish, head, census, own)


class Recorder:
    """Records one cluster into one folder."""

    def __init__(self, subject: Subject, wish: Wish, head: Head, census: _Census, own: OwnScrapes | None) -> None:
        self._subject = subject
        self._wish = wish
        self._clock = subject.sources.clock
        self._head = head
        self._into = Unfinished(wish.folder, head)
        self._tally = Tally()
        self._targets = census.targets
        self._failed: RecordingNotWritten | None = None
        self._rounds = 0
        self.ended = ""
        """Why it came to its end by itself."""
        every, what = wish.every_seconds, (self._clock, self._into, self._tally)
        self._jobs = [_Job(LOOK_AGAIN_SECONDS, self._look_again, began=head.start)]
        earlier = head.start - timedelta(seconds=wish.before_seconds)
        if subject.sources.logs is not None:
            tail = LogTail(subject.sources.logs, self._log_name, earlier)
            self._jobs.append(_Job(every, partial(tail.read, *what), last=True))
        if subject.sources.metrics is not None:
            samples = PrometheusSamples(subject.sources.metrics, earlier, head.start if own is not None else None)
            self._jobs.append(_Job(SAMPLES_SECONDS, lambda: samples.read(self._targets, *what), last=own is None))
        if own is not None:
            self._jobs.append(_Job(every, lambda: own.round(self._targets, *what)))
        self._add(census)

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        seconds = (self._clock.now() - self._head.start).total_seconds()
        return Cost(self._rounds, self._tally.asked, self._tally.read_bytes, self._into.bytes_written, seconds)

    @property
    def head(self) -> Head:
        """What it records."""
        return self._head

    async def run(self, pace: Pace) -> None:
        """Record until cancelled, or until the time or the room wished for is used up. Raises RecordingNotWritten.

        However it ends, what the last seconds brought is read once more.
        """
        try:
            async with anyio.create_task_group() as tasks:
                while not self._over():
                    await pace.next()
                    await self._round(tasks)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._last_words()
        if self._failed is not None:
            raise self._failed

    async def _last_words(self) -> None:
        if self._failed is None:
            with anyio.move_on_after(LAST_WORDS_SECONDS):
                for job in self._jobs:
                    if job.last:
                        await self._tried(job)
        try:
            if self._tally.notes:
                self._put_head({"notes": self._tally.notes})
            self._into.close()
        except RecordingNotWritten as error:
            self._failed = self._failed or error

    def _over(self) -> bool:
        if self._failed is not None:
            self.ended = str(self._failed)
        elif self.cost.seconds >= self._wish.for_seconds:
            self.ended = f"the {self._wish.for_seconds:g} s asked for are over"
        elif self._into.bytes_written >= self._wish.most_bytes:
            self.ended = f"{self._into.bytes_written / 1e6:,.0f} MB were written, the most it may take"
        return bool(self.ended)

    async def _round(self, tasks: TaskGroup) -> None:
        """Start what is due, and wait for it until the next round at most: a node that hangs holds up nobody else."""
        now = self._clock.now()
        self._rounds += 1
        started: list[anyio.Event] = []
        for job in self._jobs:
            waited = (now - job.began).total_seconds() if job.began is not None else math.inf
            if not job.busy and waited >= job.every_seconds - self._wish.every_seconds / 2:
                job.busy, job.began = True, now
                started.append(done := anyio.Event())
                tasks.start_soon(self._do, job, done)
        with anyio.move_on_after(self._wish.every_seconds):
            for done in started:
                await done.wait()
        try:
            self._into.flush()
        except RecordingNotWritten as error:
            self._failed = self._failed or error

    async def _do(self, job: _Job, done: anyio.Event) -> None:
        try:
            await self._tried(job)
        finally:
            job.busy = False
            done.set()

    async def _tried(self, job: _Job) -> None:
        try:
            await job.do()
        except RecordingNotWritten as error:
            self._failed = self._failed or error

    async def _look_again(self) -> None:
        """Add nodes that came since; one that went stays, and its silence is recorded."""
        topology = await self._subject.topology()
        try:
            targets = await self._subject.scrape_targets()
        except OpsaiError:
            return
        self._targets = tuple(dict.fromkeys((*self._targets, *targets)))
        self._add(_Census(topology.nodes, targets))

    def _add(self, census: _Census) -> None:
        bases = {target.instance: target.base for target in census.targets}
        kind, every = self._subject.kind, self._wish.every_seconds
        known = {node.name for node in self._head.nodes}
        fresh = [node for node in census.nodes if _file_name(node.name) not in known]
        for node in fresh:
            base = bases.get(node.status_address) or bases.get(node.address)
            asked = kind.polled.get(node.role, ())
            if base is None or not asked:
                self._tally.note(
                    f"{node.name} ({node.role}) is not polled: it has no paths that are kept, or no address."
                )
                continue
            polls = NodePolls(_file_name(node.name), base, kind, asked, every)
            do = partial(polls.round, self._subject.sources.web, self._clock, self._into, self._tally)
            self._jobs.append(_Job(every, do))
        if fresh:
            self._put_head({"nodes": (*self._head.nodes, *map(_head_node, fresh))})

    def _put_head(self, changed: dict[str, object]) -> None:
        self._head = self._head.model_copy(update=changed)
        self._into.put_head(self._head)

    def _log_name(self, known_as: str) -> str | None:
        """Return the node that a source of logs knows by that name."""
        for node in self._head.nodes:
            host = node.address.rpartition(":")[0]
            if known_as in (node.name, node.address, node.status_address, host):
                return node.name
        return None


def _head_node(node: Node) -> HeadNode:
    status = node.status_address or node.address
    return HeadNode(name=_file_name(node.name), role=node.role, address=node.address, status_address=status)


def _file_name(name: str) -> str:
    return name.replace("/", "_")


def _versions(nodes: tuple[Node, ...]) -> dict[str, str]:
    """Return the versions that the nodes of each role say they have."""
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        if version := node.details.get("version"):
            found.setdefault(node.role, {}).setdefault(str(version))
    return {role: ", ".join(versions) for role, versions in found.items()}
