"""`python -m opsai_lab.load.cli`: the supervisor as a program of its own, for the container `load` and for a cluster that is not `opsai deploy`'s."""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from opsai_lab.load.driver import read_driver
from opsai_lab.load.supervisor import Load, supervise
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import clean

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def run(
    driver: Annotated[Path, typer.Option("--driver", metavar="FILE", help="load.toml of the subject.")],
    endpoints: Annotated[str, typer.Option("--endpoints", help="host:port, with commas between.")],
    wanted: Annotated[Path, typer.Option("--wanted", metavar="FILE", help="The file to follow: pattern and rate.")],
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="Where it notes that the records are written.")],
    binary: Annotated[str, typer.Option("--binary", help="go-ycsb, by name or path.")] = "go-ycsb",
) -> None:
    """Run go-ycsb by the wanted pattern until SIGTERM or Ctrl-C."""
    load = Load(driver=read_driver(driver), endpoints=endpoints, wanted=wanted, state=state, binary=binary)
    anyio.run(until_signalled, load)


async def until_signalled(load: Load) -> None:
    """Supervise until SIGTERM or SIGINT; go-ycsb is stopped first."""
    failures: list[OpsaiError] = []
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with anyio.create_task_group() as group:

            async def supervised() -> None:
                try:
                    await supervise(load, lambda text: print(f"load: {text}", file=sys.stderr, flush=True))
                except OpsaiError as error:
                    failures.append(error)
                    group.cancel_scope.cancel()

            group.start_soon(supervised)
            async for _ in signals:
                group.cancel_scope.cancel()
                break
    for failure in failures:
        raise failure


def main() -> None:
    """Run it: an OpsaiError is one line on stderr and status 1."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    try:
        app(prog_name="opsai_lab.load.cli")
    except OpsaiError as error:
        print(f"load: {clean(str(error))}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
