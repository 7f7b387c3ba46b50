"""Whether memory stays flat over many calls of the real program; what the store grows by is told apart."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio

from bench.asked import MIX, Tally, put
from bench.program import ERAS, client, figures, program
from bench.table import Row
from opsai_subjects.recording.folder import open_recording

CLIENTS = 4
STEPS = 20
LEAST_STEPS = 3
WARM_UP = 0.1
"""This part of the calls is not judged: caches fill, and the allocator takes what it keeps."""
MIB = 1024 * 1024
RSS = "process_resident_memory_bytes"


def steady(recording: Path, calls: int, at: str = "end") -> Iterator[Row]:
    """Ask so many times, a few clients at once, and say how memory and the store grew."""
    cluster = open_recording(recording).incident.cluster
    with tempfile.TemporaryDirectory(prefix="opsai-steady-") as folder:
        store = Path(folder) / "opsai.sqlite"
        with program(recording, at, store) as url:
            tally, seen = anyio.run(_asked, url, cluster, calls, store)
    warm = [one for one in seen if one[0] >= calls * WARM_UP]
    slope, _ = statistics.linear_regression([n for n, _, _ in warm], [rss for _, rss, _ in warm])
    (n0, first, kept0), (n1, last, kept1) = warm[0], warm[-1]
    yield Row(
        f"memory after {n1:,} calls",
        f"{last / MIB:,.1f} MiB",
        f"{first / MIB:,.1f} MiB after {n0:,}; {tally.wrong.total()} calls not as they should be",
    )
    yield Row(
        "memory grows by",
        f"{slope / 1024:,.2f} KiB",
        f"for a call, by least squares over {len(warm)} points; most {max(rss for _, rss, _ in warm) / MIB:,.1f} MiB",
    )
    yield Row(
        "the store grows by",
        f"{(kept1 - kept0) / 1024 / (n1 - n0):,.2f} KiB",
        f"for a call; {kept1 / MIB:,.1f} MiB in the end",
    )


async def _asked(url: str, cluster: str, calls: int, store: Path) -> tuple[Tally, list[tuple[int, float, int]]]:
    """Return calls, resident bytes and the store's bytes at each step."""
    tally = Tally(cluster)
    seen: list[tuple[int, float, int]] = []
    async with client(url, ERAS[0]) as first:
        await put(first)
    steps = max(LEAST_STEPS, min(STEPS, calls // STEPS // CLIENTS))
    each = max(1, calls // steps // CLIENTS)
    for step in range(steps):
        async with anyio.create_task_group() as group:  # sessions end and begin anew at each step
            for number in range(CLIENTS):
                group.start_soon(_some, url, tally, number, step * each, each)
        seen.append((tally.answered, (await figures(url))[RSS], _bytes(store)))
    return tally, seen


async def _some(url: str, tally: Tally, number: int, start: int, count: int) -> None:
    async with client(url, ERAS[number % len(ERAS)]) as one:
        for place in range(start, start + count):
            await tally.ask(one, MIX[(place + number) % len(MIX)])


def _bytes(store: Path) -> int:
    return sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*"))
