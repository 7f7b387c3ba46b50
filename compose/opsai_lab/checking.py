"""What can be seen from here, source by source, and what to set where it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio

from opsai_lab.layout import columns, filled
from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import OPEN, Heartbeat
from opsai_subjects.config import ClusterSettings, Settings
from opsai_subjects.errors import StoreError
from opsai_subjects.opening import Cluster, open_cluster, open_replay
from opsai_subjects.subject import Sight

LATE_INTERVALS = 3
"""A watcher that has been silent for more than so many of its intervals is not alive."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, and whether anything that is needed is blind."""

    cluster: str
    sights: tuple[Sight, ...]

    @property
    def blind(self) -> bool:
        """Whether a source that is looked through cannot be seen."""
        return any(sight.state == "blind" for sight in self.sights)


async def look_at(what: Path | tuple[str, ClusterSettings], settings: Settings) -> Checked:
    """Open a recording as of its end, or a cluster by its settings, and try every source once. Raises OpsaiError."""
    if isinstance(what, Path):
        async with open_replay(what, "end") as replay:
            return await check(replay, settings.store)
    async with open_cluster(*what, settings.web) as live:
        return await check(live, settings.store)


async def check(cluster: Cluster, store: Path) -> Checked:
    """Try every source of a cluster, the store and the watcher, once."""
    sights = await cluster.subject.check()
    return Checked(cluster.name, (*sights, *await _ours(cluster, store)))


async def _ours(cluster: Cluster, path: Path) -> tuple[Sight, ...]:
    if not await anyio.Path(path).exists():
        says = "there is none yet: no ticket was ever raised here"
        return (Sight(source="store", state="partial", identity=str(path), says=says, advice="opsai-watch makes it"),)
    try:
        async with open_store(path) as store:
            beat = await store.heartbeat(cluster.name)
            waiting = await store.tickets(cluster.name, status=OPEN, parents_only=True)
    except StoreError as error:
        return (Sight(source="store", state="blind", identity=str(path), says=str(error)),)
    says = f"{len(waiting)} open tickets of this cluster"
    return (
        Sight(source="store", state="ok", identity=str(path), says=says),
        watcher_sight(beat, cluster.clock.now()),
    )


def watcher_sight(beat: Heartbeat | None, now: datetime) -> Sight:
    """Say whether a watcher has been alive lately: without one no ticket is raised, and nothing else is blind."""
    advice = "run opsai-watch with the same flags, or opsai-watch --once from cron"
    if beat is None:
        says = "none has ever looked at this cluster into this store"
        return Sight(source="watcher", state="partial", says=says, advice=advice)
    silent_seconds = (now - beat.at).total_seconds()
    says = f"its last look was {silent_seconds:.0f} s ago and took {beat.tick_seconds:.2f} s"
    if beat.stopped:
        says = f"it was stopped {silent_seconds:.0f} s ago"
    elif silent_seconds <= LATE_INTERVALS * beat.interval_seconds:
        return Sight(source="watcher", state="ok", identity=beat.watcher, says=says)
    return Sight(source="watcher", state="partial", identity=beat.watcher, says=says, advice=advice)


def checked_text(checked: Checked) -> str:
    """Return one line for each source, and under it what to set where something is missing."""
    words = {"ok": "ok", "partial": "partly", "blind": "BLIND"}
    rows = [(words[sight.state], sight.source, sight.identity, sight.says) for sight in checked.sights]
    lines = [f"Cluster {checked.cluster}"]
    for row, sight in zip(columns([row[:3] for row in rows], indent="  ").splitlines(), checked.sights, strict=True):
        lines.append(f"{row}")
        lines += [filled(text, first=f"          {mark}") for mark, text in _notes(sight) if text]
    lines.append(_conclusion(checked.sights))
    return "\n".join(lines)


def _notes(sight: Sight) -> tuple[tuple[str, str], ...]:
    return ("", sight.says), ("try: ", sight.advice)


def _conclusion(sights: Sequence[Sight]) -> str:
    blind = [sight.source for sight in sights if sight.state == "blind"]
    partly = [sight.source for sight in sights if sight.state == "partial"]
    if blind:
        return f"Blind: {', '.join(blind)}. What depends on it is unknown, never healthy."
    if partly:
        return f"Everything needed can be seen; partly: {', '.join(partly)}."
    return "Everything can be seen."
