"""`make bench`: measure everything once on one recording and print one table."""

import argparse
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio

from bench.crowd import crowd
from bench.latencies import latencies
from bench.logs import searching
from bench.promql import evaluator
from bench.replies import replies
from bench.scraping import scraping
from bench.serving import cold_start, sizes
from bench.steady import steady
from bench.table import Row, table
from bench.ticking import ticking
from bench.watching import watching
from opsai_lab import recordings

LATENCY_RUNS = 5


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure speeds and sizes on a recording.")
    parser.add_argument("recording", nargs="?", default=recordings.DEMO, help="a shipped recording's name, or a folder")
    parser.add_argument(
        "--replies", nargs="+", type=Path, metavar="DIR", help="instead: reply sizes over all recordings of folders"
    )
    parser.add_argument(
        "--large", type=Path, metavar="DIR", help="instead: a look by size of cluster, this recording the large one"
    )
    parser.add_argument(
        "--latency",
        nargs="+",
        metavar="DIR",
        help="instead: how long each tool takes on these recordings, in a session",
    )
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="with --latency: so often each question")
    parser.add_argument(
        "--clients", type=int, metavar="N", help="instead: so many clients of `opsai-mcp --http` at once"
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="with --clients: for so long")
    parser.add_argument(
        "--calls", type=int, metavar="N", help="instead: memory over so many calls of `opsai-mcp --http`"
    )
    parser.add_argument("--log-megabytes", type=int, default=200, metavar="N", help="size of the log that is searched")
    given = parser.parse_args()
    instead = list(_instead(given))
    print(table(instead or _everything(recordings.find(given.recording), given.log_megabytes)))


def _instead(given: argparse.Namespace) -> Iterator[Row]:
    """Measure what flags ask for; nothing without one."""
    recording = recordings.find(given.recording)
    if given.replies:
        yield from replies(given.replies)
    if given.large:
        yield from ticking(recording, given.large)
    for name in given.latency or ():
        yield from latencies(recordings.find(name), given.runs)
    if given.clients:
        yield from crowd(recording, given.clients, given.seconds)
    if given.calls:
        yield from steady(recording, given.calls)


def _everything(recording: Path, log_megabytes: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="opsai-bench-") as scratch:
        folder = Path(scratch)
        store = folder / "watched.sqlite"
        rows: list[Row] = [cold_start(recording, folder)]
        watched, ticket = anyio.run(watching, recording, store)
        rows += [*watched, *evaluator(recording, folder), *scraping(recording), *sizes(recording, store, ticket)]
        rows += searching(recording, folder, log_megabytes)
    rows += latencies(recording, LATENCY_RUNS)
    print(f"On {recording.name}, Python {platform.python_version()}, {platform.machine()}:")
    return rows


if __name__ == "__main__":
    main()
