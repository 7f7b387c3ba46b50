"""Recording a live cluster into a folder that replays, grades and tells like every other."""

import math
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from opsai_lab.layout import columns
from opsai_server.watcher import MonotonicPace
from opsai_subjects.config import ClusterSettings, WatchSettings, WebLimits
from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.opening import open_cluster
from opsai_subjects.recording.finishing import Finished, finish
from opsai_subjects.recording.recorder import Recorder, Wish, begin
from opsai_subjects.sources.paths import below
from opsai_subjects.sources.scrape import PATHS
from opsai_subjects.sources.web import open_web

Tell = Callable[[str], None]
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h|)")


def seconds_of(text: str) -> float:
    """Return the seconds meant by `90s`, `5m`, `2h` or a plain number of seconds. Raises ArgumentInvalid."""
    found = _TIME.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        raise ArgumentInvalid("--for", text, "it is no length of time", "90s, 5m or 2h")
    return seconds


def wish_for(folder: Path, cluster: ClusterSettings, watch: WatchSettings, **chosen: float) -> Wish:
    """Return a wish that remembers by which limits and times the cluster is judged."""
    judged = {
        "limits": dict(cluster.limits),
        "for_seconds": dict(cluster.for_seconds),
        "watch": {"interval_seconds": watch.interval_seconds, "hold_seconds": watch.hold_seconds},
    }
    return Wish(
        folder,
        every_seconds=chosen.get("every_seconds", 5.0),
        for_seconds=chosen.get("for_seconds", math.inf),
        most_bytes=int(chosen.get("most_bytes", 1024**3)),
        before_seconds=chosen.get("before_seconds", 900.0),
        judged=judged,
    )


@asynccontextmanager
async def recorder_of(name: str, cluster: ClusterSettings, limits: WebLimits, wish: Wish) -> AsyncGenerator[Recorder]:
    """Open a recorder of that cluster with sources of its own, and begin. Raises OpsaiError."""
    bases = (*cluster.endpoints, *cluster.addresses.values())
    # Not its own scraping too: the recorder reads the same pages itself, whole.
    alone = cluster.model_copy(update={"scrape": False})
    async with (
        open_cluster(name, alone, limits) as opened,
        open_web(cluster.cluster_access, limits, allow=below(PATHS, bases)) as scrape,
    ):
        yield await begin(opened.subject, wish, scrape if cluster.scrape else None)


class _TellingPace:
    """The usual beat; says what recording costs once that has been seen, then every minute."""

    def __init__(self, recorder: Recorder, every_seconds: float, tell: Tell) -> None:
        self._beat = MonotonicPace(every_seconds)
        self._recorder = recorder
        self._tell = tell
        self._due_seconds = 3 * every_seconds

    async def next(self) -> None:
        """Return when the next round is due."""
        if self._recorder.cost.seconds >= self._due_seconds:
            self._due_seconds += 60.0
            self._tell(cost_text(self._recorder))
        await self._beat.next()


async def record(name: str, cluster: ClusterSettings, limits: WebLimits, wish: Wish, tell: Tell) -> None:
    """Record until the time is over, the room is used up or it is cancelled; what was seen becomes a recording in any case.

    Raises OpsaiError: when nothing could be begun, and when the recording could not be finished.
    """
    async with recorder_of(name, cluster, limits, wish) as recorder:
        tell(_begun(recorder, wish))
        try:
            await recorder.run(_TellingPace(recorder, wish.every_seconds, tell))
            tell(f"Stopped: {recorder.ended}.")
        finally:
            with anyio.CancelScope(shield=True):
                tell(cost_text(recorder))
                tell(await anyio.to_thread.run_sync(finish_text, wish.folder))


def cost_text(recorder: Recorder) -> str:
    """Return what recording has cost the cluster and the disk so far."""
    cost = recorder.cost
    seconds = max(cost.seconds, 1.0)
    return (
        f"{cost.seconds:.0f} s: {cost.rounds} rounds; the cluster was asked {cost.asked:,} times ({cost.asked / seconds:.1f} a "
        f"second) for {cost.read_bytes / 1e6:,.1f} MB ({cost.read_bytes / seconds / 1e3:,.0f} kB a second); "
        f"{cost.written_bytes / 1e6:,.1f} MB written."
    )


def _begun(recorder: Recorder, wish: Wish) -> str:
    head = recorder.head
    rows = [(node.name, node.role, node.address) for node in head.nodes]
    until = f"for {wish.for_seconds:g} s" if math.isfinite(wish.for_seconds) else "until Ctrl-C"
    return (
        f"Recording {head.subject} cluster {head.cluster!r} into {wish.folder}, every {wish.every_seconds:g} s, {until}, at most "
        f"{wish.most_bytes / 1e6:,.0f} MB; metrics {head.metrics or 'from nowhere: none are kept'}.\n{columns(rows, indent='  ')}"
    )


def finish_text(folder: Path) -> str:
    """Make a recording of what a recorder left behind, and return what it came to. Raises OpsaiError."""
    return finished_text(finish(folder))


def finished_text(finished: Finished) -> str:
    """Return what a recording came to and what can be done with it."""
    seconds = (finished.end - finished.start).total_seconds()
    lines = [
        (
            f"{finished.folder}: {seconds:.0f} s, {finished.polls:,} answers, {finished.series:,} series, {finished.log_lines:,} log "
            f"lines; {finished.bytes / 1e6:,.1f} MB."
        ),
        *(f"Not kept: {note}" for note in finished.notes),
        f"Next: opsai replay {finished.folder}, or opsai-mcp --replay {finished.folder}",
    ]
    return "\n".join(lines)
