"""How long each tool takes in a session of the real program over stdio."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench.asked import MIX, Tally, milliseconds, percentile, put
from bench.table import Row
from opsai_subjects.recording.folder import open_recording


def latencies(recording: Path, runs: int, at: str = "end") -> Iterator[Row]:
    """Ask each question so many times, one after another, as of a moment of the recording."""
    cluster = open_recording(recording).incident.cluster
    with tempfile.TemporaryDirectory(prefix="opsai-latencies-") as folder:
        tally, first = anyio.run(
            _asked, ("--replay", str(recording), "--at", at), cluster, runs, Path(folder) / "opsai.sqlite"
        )
    wrong = f"; {tally.wrong.total()} not as they should be: {min(tally.wrong)}" if tally.wrong else ""
    for tool, times in sorted(tally.took_seconds.items()):
        how = f"median; p95 {milliseconds(percentile(times, 0.95))}, {len(times)} calls; the first {milliseconds(first[tool])}"
        yield Row(f"{tool}, on {recording.name}", milliseconds(percentile(times, 0.5)), how)
    yield Row(
        f"all tools, on {recording.name}",
        milliseconds(percentile(tally.every, 0.5)),
        f"median; p95 {milliseconds(percentile(tally.every, 0.95))}{wrong}",
    )


async def _asked(where: Sequence[str], cluster: str, runs: int, store: Path) -> tuple[Tally, dict[str, float]]:
    """Return the times of all rounds but the first, and those of the first: samples are parsed and facts gathered then."""
    flags = [*where, "--store", str(store)]
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:  # noqa: ASYNC230 (nobody waits for the null device)
        command = StdioServerParameters(command=sys.executable, args=["-m", "opsai_server.mcp_cli", *flags])
        async with Client(stdio_client(command, errlog=nothing)) as client:
            await put(client)
            cold, warm = Tally(cluster), Tally(cluster)
            for run in range(runs + 1):
                for question in MIX:
                    await (warm if run else cold).ask(client, question)
    return warm, {tool: max(times) for tool, times in cold.took_seconds.items()}
