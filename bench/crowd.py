"""Many clients of the real program at once: whether every call is answered, by the right cluster, and how long it takes."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio

from bench.asked import MIX, Tally, milliseconds, percentile, put
from bench.program import ERAS, client, figures, program
from bench.table import Row
from opsai_subjects.recording.folder import open_recording

LISTED = 5
"""Of what went wrong."""


def crowd(recording: Path, clients: int, seconds: float, at: str = "end") -> Iterator[Row]:
    """Let so many clients, half of each protocol era, ask one thing after another for so long."""
    cluster = open_recording(recording).incident.cluster
    with tempfile.TemporaryDirectory(prefix="opsai-crowd-") as folder:
        store = Path(folder) / "opsai.sqlite"
        with program(recording, at, store) as url:
            tally, counted, took_seconds = anyio.run(_asked, url, cluster, clients, seconds)
        yield from told(tally, counted, took_seconds, clients)


async def _asked(url: str, cluster: str, clients: int, seconds: float) -> tuple[Tally, dict[str, float], float]:
    tally = Tally(cluster)
    async with client(url, ERAS[0]) as first:  # the recording is played while it waits
        await put(first)
        before = await figures(url)
        began = time.perf_counter()
        async with anyio.create_task_group() as group:
            for number in range(clients):
                group.start_soon(_one, url, tally, number, began + seconds)
        took_seconds = time.perf_counter() - began
    after = await figures(url)
    return tally, {name: value - before.get(name, 0.0) for name, value in after.items()}, took_seconds


async def _one(url: str, tally: Tally, number: int, until: float) -> None:
    """Ask from another place of the mix than the others do, until the time is over; what fails is lost."""
    try:
        async with client(url, ERAS[number % len(ERAS)]) as one:
            place = number
            while place == number or time.perf_counter() < until:
                await tally.ask(one, MIX[place % len(MIX)])
                place += 1
    except Exception as error:  # noqa: BLE001 (whatever it is: the call was lost, and is counted)
        tally.wrong[f"lost: {type(error).__name__}: {str(error)[:200]}"] += 1


def told(tally: Tally, counted: Mapping[str, float], took_seconds: float, clients: int) -> Iterator[Row]:
    """Say what came of it: `counted` is what the program's own figures grew by."""
    answered = sum(value for name, value in counted.items() if name.startswith("opsai_mcp_tool_calls_total"))
    statuses: Counter[str] = Counter()
    for name, value in counted.items():
        if name.startswith("opsai_mcp_http_requests_total") and value:
            statuses[name.partition('status="')[2][:3]] += int(value)
    spread = ", ".join(f"p{ratio * 100:.0f} {milliseconds(percentile(tally.every, ratio))}" for ratio in (0.95, 0.99))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    yield Row(
        f"{clients} clients at once: calls answered",
        f"{tally.answered:,}",
        f"{answered:,.0f} by the program's own count",
    )
    yield Row("of them lost, refused or not as they should be", f"{tally.wrong.total():,}", _worst(tally))
    yield Row(
        "HTTP statuses",
        " ".join(sorted(statuses)),
        ", ".join(f"{count:,} of {name}" for name, count in sorted(statuses.items())),
    )
    yield Row(
        "calls each second",
        f"{tally.answered / took_seconds:,.1f}",
        f"over {took_seconds:.1f} s, half of them of each protocol era",
    )
    yield Row("a call", milliseconds(percentile(tally.every, 0.5)), f"median; {spread}")
    yield Row(
        "processor time of the program for a call",
        milliseconds(counted["process_cpu_seconds_total"] / tally.answered),
        f"load of the machine {load}",
    )
    yield from tally.rows()


def _worst(tally: Tally) -> str:
    return "; ".join(f"{count} times {says}" for says, count in tally.wrong.most_common(LISTED))
