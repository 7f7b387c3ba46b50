"""`make bench`: measure everything once on one recording and print one table."""

import argparse
import platform
import tempfile
from pathlib import Path

import anyio

from bench.logs import searching
from bench.promql import evaluator
from bench.replies import replies
from bench.scraping import scraping
from bench.serving import cold_start, sizes
from bench.table import Row, table
from bench.ticking import ticking
from bench.watching import watching
from opsai_lab import recordings


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
    parser.add_argument("--log-megabytes", type=int, default=200, metavar="N", help="size of the log that is searched")
    given = parser.parse_args()
    if given.replies:
        print(table(list(replies(given.replies))))
        return
    recording = recordings.find(given.recording)
    if given.large:
        print(table(list(ticking(recording, given.large))))
        return
    with tempfile.TemporaryDirectory(prefix="opsai-bench-") as scratch:
        folder = Path(scratch)
        store = folder / "watched.sqlite"
        rows: list[Row] = [cold_start(recording, folder)]
        watched, ticket = anyio.run(watching, recording, store)
        rows += [*watched, *evaluator(recording, folder), *scraping(recording), *sizes(recording, store, ticket)]
        rows += searching(recording, folder, given.log_megabytes)
    print(f"On {recording.name}, Python {platform.python_version()}, {platform.machine()}:")
    print(table(rows))


if __name__ == "__main__":
    main()
