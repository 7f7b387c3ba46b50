"""What a watcher costs: opening a recording, and one look at the cluster in it."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from bench.table import Row
from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.watcher import play
from opsai_subjects.config import WatchSettings
from opsai_subjects.opening import ReplayCluster, open_replay
from opsai_subjects.recording.folder import open_recording

RUNS = 5


async def watching(recording: Path, store: Path) -> tuple[list[Row], str | None]:
    """Measure opening and every tick from the end of the warm-up to the end; return the first ticket's id too."""
    opened = [_open(recording) for _ in range(RUNS)]
    began = time.perf_counter()
    async with open_replay(recording) as cluster, open_store(store) as watched:
        ready_seconds = time.perf_counter() - began
        ticked = await _play(cluster, watched)
        tickets = await watched.tickets(parents_only=True)
    rows = [
        Row("opening a recording", f"{statistics.median(opened) * 1000:.0f} ms", f"median of {RUNS}, {recording.name}"),
        Row("opening it as a cluster, served on loopback", f"{ready_seconds * 1000:.0f} ms", "one run"),
        *_ticks(ticked),
    ]
    return rows, tickets[-1].id if tickets else None


async def _play(cluster: ReplayCluster, watched: Store) -> list[tuple[Ticked, float]]:
    ticked: list[tuple[Ticked, float]] = []
    last = time.perf_counter()

    async def note(one: Ticked) -> None:
        nonlocal last
        ticked.append((one, time.perf_counter() - last))
        last = time.perf_counter()

    incident = cluster.recording.incident
    await play(cluster, watched, WatchSettings(), start=incident.judged_from, until=incident.end, on_tick=note)
    return ticked


def _ticks(ticked: Sequence[tuple[Ticked, float]]) -> list[Row]:
    whole = [seconds for _, seconds in ticked[1:]]
    looks = [one.tick.took_seconds for one, _ in ticked[1:]]
    spread = f"median of {len(whole)}, {max(whole) * 1000:.0f} ms at most"
    return [
        Row("a watcher's tick: read, judge, store", f"{statistics.median(whole) * 1000:.0f} ms", spread),
        Row(
            "of it reading and judging",
            f"{statistics.median(looks) * 1000:.0f} ms",
            f"{max(looks) * 1000:.0f} ms at most",
        ),
        Row("the first tick, samples still to be parsed", f"{ticked[0][1] * 1000:.0f} ms", "one run"),
    ]


def _open(recording: Path) -> float:
    began = time.perf_counter()
    open_recording(recording)
    return time.perf_counter() - began
