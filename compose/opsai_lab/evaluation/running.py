"""Running one incident: the watcher plays it, an investigator is asked as of its end, and both are graded."""

import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.cost import FIRST_READS, Cost, Replied, cost, next_read
from opsai_lab.evaluation.grading import Graded, Investigated, Watched, grade
from opsai_lab.evaluation.node_names import aliases_of
from opsai_lab.investigating import Order, ask, investigate
from opsai_lab.truth import Truth, read_truth
from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import OPEN, Ticket
from opsai_server.watcher import play
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import OpsaiError, RecordingCorrupt
from opsai_subjects.opening import ReplayCluster, open_replay

ALL = 100_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Moments:
    start: datetime
    judged: datetime
    """The investigation happens as of this."""
    end: datetime


async def evaluate_or_list(recording: Path, backend: str, watch: WatchSettings) -> tuple[Graded, Truth | None]:
    """Run one recording and grade it; one that cannot be run to its end is a line with the error."""
    try:
        return await evaluate(recording, backend, watch)
    except Exception as error:  # whatever breaks in one incident, the others are still graded
        log.debug("incident_failed name=%s", recording.name, exc_info=True)
        said = str(error) if isinstance(error, OpsaiError) else f"{type(error).__name__}: {error}"
        return Graded(name=recording.name, healthy=None, backend=backend, error=said), None


async def evaluate(recording: Path, backend: str, watch: WatchSettings) -> tuple[Graded, Truth | None]:
    """Run one recording and grade it. Raises OpsaiError when it cannot be run to its end."""
    truth = _truth(recording)
    with tempfile.TemporaryDirectory(prefix="opsai-evaluate-") as folder:
        store, copy = Path(folder) / "watched.sqlite", Path(folder) / "judged.sqlite"
        async with open_replay(recording) as cluster:
            moments = _moments(cluster, truth)
            watch = cluster.recording.incident.watched(watch)
            aliases = await aliases_of(cluster)
            then_open = await _watch(cluster, store, copy, moments, watch)
        read = await _read(Order(None, recording, moments.judged, copy), truth, aliases)
        investigated = await _investigate(recording, copy, moments.judged, then_open, backend)
        async with open_store(store) as watched:
            tickets = await watched.tickets(limit=ALL)
    return grade(recording.name, truth, aliases, Watched(tickets), investigated, read), truth


def _truth(recording: Path) -> Truth | None:
    try:
        return read_truth(recording)
    except RecordingCorrupt as error:
        log.warning("not_graded name=%s why=%s", recording.name, error)
        return None


def _moments(cluster: ReplayCluster, truth: Truth | None) -> _Moments:
    incident = cluster.recording.incident
    judged = truth.incident_end if truth else incident.end
    return _Moments(start=incident.judged_from, judged=min(judged, incident.end), end=incident.end)


async def _watch(
    cluster: ReplayCluster, store: Path, copy: Path, moments: _Moments, watch: WatchSettings
) -> Sequence[Ticket]:
    """Play to the end; `copy` becomes the store as it was at the judged moment, whose open parents are returned."""
    interval = timedelta(seconds=watch.interval_seconds)
    looks = int((moments.judged - moments.start) / interval) + 1
    async with open_store(store) as watched:
        await play(cluster, watched, watch, start=moments.start, until=moments.judged)
        parents = await watched.tickets(status=OPEN, parents_only=True, limit=ALL)
    shutil.copyfile(store, copy)
    async with open_store(store) as watched:
        await play(cluster, watched, watch, start=moments.start + looks * interval, until=moments.end)
    return [ticket for ticket in parents if ticket.grade != "sight"]


async def _read(order: Order, truth: Truth | None, aliases: Aliases) -> Cost | None:
    """Read what anybody would read first, without an investigator, and see when the right cause stands there."""
    if truth is None:
        return None
    replies = await ask(order, FIRST_READS)
    named = next_read(replies[-1].reply)
    if named is not None:
        replies = (*replies, *await ask(order, (named,)))
    return cost(truth, [Replied(one.reply, one.chars) for one in replies], aliases)


async def _investigate(
    recording: Path, store: Path, at: datetime, tickets: Sequence[Ticket], backend: str
) -> Investigated:
    asked: Sequence[str | None] = [ticket.id for ticket in tickets] or [None]
    began = time.monotonic()
    took = [await investigate(Order(ticket, recording, at, store, backend)) for ticket in asked]
    seconds = time.monotonic() - began
    async with open_store(store) as judged:
        diagnoses = [await judged.diagnosis(one.diagnosis.id) for one in took]
    return Investigated(
        diagnoses=diagnoses,
        tool_calls=sum(one.tool_calls for one in took),
        reply_chars=sum(one.reply_chars for one in took),
        seconds=seconds,
        backend=took[0].backend,
    )
