"""`opsai-mcp`: serves one cluster, or one recording, over stdio. stdout belongs to the protocol."""

import logging
import signal
import sys
from typing import Annotated

import anyio
import typer

from opsai_server.ending import Ending, stdin_that_ends
from opsai_server.standing import Live, Opened, Replay, open_desk
from opsai_server.tools.desk import Waiting
from opsai_subjects.config import Settings, cluster_of_flags, load
from opsai_subjects.errors import OpsaiError, SettingsInvalid
from opsai_subjects.flags import At, Cluster, Config, Endpoints, Logs, Prometheus, ReplayDir, Store, Subject
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="An MCP server (stdio) that makes one cluster legible. Only observes.",
)


@app.command()
def serve(
    endpoints: Endpoints = None,
    subject: Subject = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: Cluster = None,
    config: Config = None,
    store: Store = None,
    replay: ReplayDir = None,
    at: At = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, log more.")] = False,
) -> None:
    """Serve a live cluster (--endpoint, --prometheus, --logs, or a settings file) or a recording (--replay) over stdio."""
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)
    try:
        settings = load(config, store=store)
        what: Live | Replay
        if replay is not None:
            what = Replay(replay, at, store)
        elif at is not None:
            raise SettingsInvalid("--at is a moment of a recording. Give --replay DIR with it.")
        else:
            what = Live(
                *cluster_of_flags(
                    settings,
                    cluster,
                    endpoints=endpoints or (),
                    prometheus=prometheus,
                    logs=logs or (),
                    subject=subject,
                )
            )
        if sys.stdin.isatty():
            sys.stderr.write("opsai-mcp speaks MCP over stdin and stdout: an MCP client starts it. Ctrl-C ends it.\n")
        anyio.run(_serve, what, settings)
    except OpsaiError as error:
        if debug:
            raise
        sys.stderr.write(f"opsai-mcp: {clean(str(error))}\n")
        raise typer.Exit(1) from None


async def _serve(what: Live | Replay, settings: Settings) -> None:
    """Serve until stdin ends or a signal comes. Opening fails before anything is served; playing a recording does not delay it."""
    from opsai_server.app import assemble  # noqa: PLC0415 (the SDK takes a second, which --help and a bad flag need not wait for)

    failed: list[OpsaiError] = []
    async with open_desk(what, settings) as opened, stdin_that_ends() as ending, anyio.create_task_group() as group:
        waiting = Waiting()
        group.start_soon(_end_on_signal, ending)
        group.start_soon(_make_ready, opened, waiting, ending, failed)
        await assemble(opened.desk.kind, waiting).run_stdio_async()
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]


async def _make_ready(opened: Opened, waiting: Waiting, ending: Ending, failed: list[OpsaiError]) -> None:
    try:
        await opened.ready()
    except OpsaiError as error:  # without it no call could ever be answered
        failed.append(error)
        ending.end()
        return
    waiting.set(opened.desk)
    log.info("ready cluster=%s now=%s", opened.desk.name, opened.desk.now().isoformat())


async def _end_on_signal(ending: Ending) -> None:
    """End at the first signal; a second one finds Python's own handler again."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            break
    ending.end()


def main() -> None:
    """Run the program."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("mcp", "httpx", "httpcore", "uvicorn", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app()


if __name__ == "__main__":
    main()
