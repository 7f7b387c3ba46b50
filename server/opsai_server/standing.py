"""Opening what the tools work at: live clusters with the store they share, or a recording at a moment of its own."""

import logging
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import anyio.lowlevel

from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.watcher import play
from opsai_subjects.config import ClusterSettings, Settings
from opsai_subjects.opening import ReplayCluster, open_cluster, open_replay, parse_moment
from opsai_subjects.progress import unheard, work

log = logging.getLogger(__name__)

AFTER_TICKET = timedelta(seconds=60)
"""So long after the first ticket a recording stands: symptoms have spread, and nobody has acted yet."""


@dataclass(frozen=True, slots=True)
class Live:
    """Clusters as they are now."""

    clusters: Mapping[str, ClusterSettings]


@dataclass(frozen=True, slots=True)
class Replay:
    """A recording."""

    folder: Path
    at: str | None = None
    """The moment it stands at; None: found by playing the watcher over it."""
    store: Path | None = None
    """None: a temporary store, filled by playing the watcher over the recording."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Desks that are opened one after another, by what makes them ready."""

    desks: Desks
    ready: Callable[[], Awaitable[None]]
    """Make them ready: plays the watcher over a recording where that is wanted, which takes seconds."""


@asynccontextmanager
async def open_desks(what: Live | Replay, settings: Settings) -> AsyncGenerator[Opened]:
    """Open clusters and store, which is quick. Raises OpsaiError."""
    async with AsyncExitStack() as stack:
        if isinstance(what, Live):
            store = await stack.enter_async_context(open_store(settings.store))
            live = [
                await stack.enter_async_context(open_cluster(name, cluster, settings.web))
                for name, cluster in what.clusters.items()
            ]
            yield Opened(Desks.of(*(Desk(cluster, store, settings) for cluster in live)), anyio.lowlevel.checkpoint)
            return
        replay = await stack.enter_async_context(open_replay(what.folder))
        store = await stack.enter_async_context(_store_of(what))
        at = parse_moment(what.at, replay.recording) if what.at is not None else None
        desk = Desk(replay, store, settings)
        desks = Desks({desk.name: desk.kind})

        async def ready() -> None:
            with desks.opening.heard():
                await _stand(replay, store, settings, at, given=what.store is not None)
            desks.set(desk)

        yield Opened(desks, ready)


@asynccontextmanager
async def _store_of(what: Replay) -> AsyncGenerator[Store]:
    if what.store is not None:
        async with open_store(what.store) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="opsai-") as folder:
        async with open_store(Path(folder) / "opsai.sqlite") as store:
            yield store


async def _stand(replay: ReplayCluster, store: Store, settings: Settings, at: datetime | None, *, given: bool) -> None:
    """Set the recording's clock, after playing the watcher over it where that is wanted.

    A store that was given and has been watched already is used as it is: without a moment, that of its last look.
    """
    beat = await store.heartbeat(replay.name) if given and at is None else None
    if beat is not None:
        at = min(beat.at, replay.recording.incident.end)
    if not given or at is None:
        at = await play_up_to(replay, store, settings, at)
    replay.clock.set(at)


async def play_up_to(replay: ReplayCluster, store: Store, settings: Settings, at: datetime | None) -> datetime:
    """Play the watcher over the recording up to the moment; without one, until a minute after the first ticket or to the end.

    Return where it is to stand.
    """
    began = time.monotonic()
    incident = replay.recording.incident
    until = incident.end if at is None else at
    moment = incident.judged_from
    watch = incident.watched(settings.watch)
    raised: list[datetime] = []

    async def note(ticked: Ticked) -> None:
        if any(step.transition.step == "created" for step in ticked.steps):
            raised.append(ticked.tick.at)

    looks = work(1 + (until - moment) // timedelta(seconds=watch.interval_seconds), "playing the recording")
    while moment <= until:
        with unheard():
            await play(replay, store, watch, start=moment, until=moment, on_tick=note)
        looks.did()
        if raised and at is None:
            until = min(incident.end, raised[0] + AFTER_TICKET)
        moment += timedelta(seconds=watch.interval_seconds)
    log.info("played until=%s took_seconds=%.2f", until.isoformat(), time.monotonic() - began)
    return until
