"""`opsai-mcp`: serves clusters, or one recording, over stdio or HTTP. Over stdio, stdout belongs to the protocol."""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from opsai_server.ending import Ending, stdin_that_ends
from opsai_server.entrance import Policy
from opsai_server.http_token import bearer_token
from opsai_server.listening import Address, parse_address
from opsai_server.standing import Live, Opened, Replay, open_desks
from opsai_server.wire import prints_on_stderr
from opsai_subjects.config import Settings, clusters_of_flags, load
from opsai_subjects.errors import OpsaiError, SettingsInvalid
from opsai_subjects.flags import At, Cluster, Config, Endpoints, Logs, Prometheus, ReplayDir, Store, Subject
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

CHATTY = ("mcp", "httpx", "httpcore", "uvicorn", "aiosqlite")
"""Libraries of which only warnings are logged, whatever --debug says: some write down what is sent."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="An MCP server that makes clusters legible. Only observes.",
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
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Serve over streamable HTTP there, instead of over stdio."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="What callers must show, for --http; or set OPSAI_HTTP_TOKEN."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name by which it is called, for --http; repeatable."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, log more.")] = False,
) -> None:
    """Serve a live cluster (--endpoint, --prometheus, --logs), those of a settings file, or a recording (--replay).

    Over stdio, or with --http to any number of clients: at loopback without a token, elsewhere with one.
    """
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)
    try:
        settings = load(config, store=store)
        what: Live | Replay
        if replay is not None and (endpoints or prometheus):
            raise SettingsInvalid(
                f"Both a recording ({replay}) and a cluster ({', '.join(endpoints or ()) or prometheus}) are given. "
                "Give one of them: --replay (OPSAI_REPLAY), or --endpoint and --prometheus."
            )
        if replay is not None:
            what = Replay(replay, at, store)
        elif at is not None:
            raise SettingsInvalid("--at is a moment of a recording. Give --replay DIR with it.")
        else:
            what = Live(
                clusters_of_flags(
                    settings,
                    cluster,
                    endpoints=endpoints or (),
                    prometheus=prometheus,
                    logs=logs or (),
                    subject=subject,
                )
            )
        if http is not None:
            anyio.run(_serve_http, what, settings, *_listening(http, token_file, allow_host or [], settings))
            return
        if token_file is not None or allow_host:
            raise SettingsInvalid("--token-file and --allow-host are for callers over HTTP. Give --http HOST:PORT too.")
        if sys.stdin.isatty():
            sys.stderr.write("opsai-mcp speaks MCP over stdin and stdout: an MCP client starts it. Ctrl-C ends it.\n")
        with prints_on_stderr():
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
    async with open_desks(what, settings) as opened, stdin_that_ends() as ending, anyio.create_task_group() as group:
        group.start_soon(_end_on_signal, ending)
        group.start_soon(_make_ready, opened, ending, failed)
        await assemble(opened.desks).run_stdio_async()
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]


def _listening(http: str, token_file: Path | None, hosts: list[str], settings: Settings) -> tuple[Address, Policy]:
    address = parse_address(http, "--http")
    policy = Policy(
        token=bearer_token(address, token_file, settings),
        hosts=(*settings.http.allowed_hosts, *hosts),
        loopback=address.is_loopback,
        max_body_bytes=settings.http.max_body_bytes,
        requests_per_second=settings.http.requests_per_second,
    )
    return address, policy


async def _serve_http(what: Live | Replay, settings: Settings, address: Address, policy: Policy) -> None:
    """Serve until a signal comes. Opening and listening fail before anything is served."""
    from opsai_server.http_app import serving  # noqa: PLC0415 (the SDK takes a second, as above)

    failed: list[OpsaiError] = []
    ending = Ending()
    async with (
        open_desks(what, settings) as opened,
        serving(opened.desks, address, policy, max_sessions=settings.http.max_sessions) as url,
    ):
        # Within, so that what runs here has ended before the last calls are waited for.
        async with anyio.create_task_group() as group:
            group.start_soon(_end_on_signal, ending)
            group.start_soon(_make_ready, opened, ending, failed)
            print(
                f"Serving MCP at {url} ({'with' if policy.token else 'without'} a token). Ctrl-C ends it.",
                flush=True,
            )
            await ending.wait()
            group.cancel_scope.cancel()
        log.info("stopping")
    if failed:
        raise failed[0]


async def _make_ready(opened: Opened, ending: Ending, failed: list[OpsaiError]) -> None:
    try:
        await opened.ready()
    except OpsaiError as error:  # without it no call could ever be answered
        failed.append(error)
        ending.end()
        return
    for desk in opened.desks.ready:
        log.info("ready cluster=%s now=%s", desk.name, desk.now().isoformat())


async def _end_on_signal(ending: Ending) -> None:
    """End at the first signal; a second one finds Python's own handler again."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            break
    ending.end()


def main() -> None:
    """Run the program."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app()


if __name__ == "__main__":
    main()
