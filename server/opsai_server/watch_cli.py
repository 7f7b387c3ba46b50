"""`opsai-watch`: looks at clusters, or plays one recording, and keeps their tickets."""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import anyio
import typer
from pydantic_core import to_json

from opsai_server.listening import Address, listening, parse_address
from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import OPEN, Ticket
from opsai_server.watch_http import WatchBoard, watch_app
from opsai_server.watcher import play, run, tick
from opsai_subjects.config import ClusterSettings, Settings, clusters_of_flags, load
from opsai_subjects.errors import OpsaiError, SettingsInvalid
from opsai_subjects.flags import Cluster as ClusterName
from opsai_subjects.flags import Config, Endpoints, Logs, Prometheus, Subject
from opsai_subjects.model import clean
from opsai_subjects.opening import Cluster, ReplayCluster, open_cluster, open_replay, parse_moment

CRITICAL_EXIT = 3

log = logging.getLogger(__name__)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Judges invariants of clusters at an interval and keeps their tickets. Only observes.",
)


@app.command()
def watch(
    endpoints: Endpoints = None,
    subject: Subject = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: ClusterName = None,
    config: Config = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="The database of tickets and evidence; a recording has none of its own."),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option("--interval", metavar="SECONDS", help="Between looks; with --once, how often you run it."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Look once, for cron: exit 0, or 3 while a critical ticket is open.")
    ] = False,
    replay: Annotated[
        Path | None, typer.Option("--replay", metavar="DIR", help="Play a recording instead of watching a cluster.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Where in it to begin: ISO time, start, end or +90s. With --once, where to look."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Where in it to end.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a look, on a line of its own.")] = False,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve /metrics for Prometheus, and /healthz, there."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, log more.")] = False,
) -> None:
    """Watch a live cluster (--endpoint, --prometheus, --logs), those of a settings file, or play a recording (--replay).

    Prints a line for each look and one for each step of a ticket; logs go to stderr. SIGTERM and SIGINT end it in order.
    """
    logging.getLogger().setLevel(logging.DEBUG if debug else logging.INFO)
    if not debug:  # its line about each look says what stdout says already
        logging.getLogger("opsai_server.watcher").setLevel(logging.WARNING)
    try:
        settings = load(config, store=store, watch=None if interval is None else {"interval_seconds": interval})
        lines = _Lines(as_json=as_json)
        address = None if metrics is None else parse_address(metrics, "--metrics")
        if address is not None and (replay is not None or once):
            raise SettingsInvalid(
                "--metrics tells of a watcher that goes on: it goes with neither --replay nor --once."
            )
        if replay is not None:
            code = anyio.run(_replay, replay, store, settings, lines, once, at, until)
        elif at is not None or until is not None:
            raise SettingsInvalid("--at and --until are moments of a recording. Give --replay DIR with them.")
        else:
            meant = clusters_of_flags(
                settings, cluster, endpoints=endpoints or (), prometheus=prometheus, logs=logs or (), subject=subject
            )
            code = anyio.run(_live, meant, settings, lines, once, address)
    except OpsaiError as error:
        if debug:
            raise
        sys.stderr.write(f"opsai-watch: {clean(str(error))}\n")
        code = 1
    raise typer.Exit(code)


async def _live(
    clusters: Mapping[str, ClusterSettings], settings: Settings, lines: "_Lines", once: bool, address: Address | None
) -> int:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store))
        opened = [
            await stack.enter_async_context(open_cluster(name, chosen, settings.web))
            for name, chosen in clusters.items()
        ]
        if once:
            for cluster in opened:
                await lines.show(await tick(cluster, store, settings.watch))
            return max([await _exit_code(store, cluster.name) for cluster in opened])
        boards = [WatchBoard(cluster, store, settings.watch.interval_seconds) for cluster in opened]
        async with (
            _served(boards, address, settings.http.allowed_hosts),
            _ended_by_signals(),
            anyio.create_task_group() as group,
        ):
            for cluster, board in zip(opened, boards, strict=True):
                group.start_soon(_watch_one, cluster, store, settings, board, lines)
        log.info("stopped cluster=%s", ",".join(clusters))
    return 0


async def _watch_one(cluster: Cluster, store: Store, settings: Settings, board: WatchBoard, lines: "_Lines") -> None:
    every_seconds = settings.watch.interval_seconds
    log.info("watching cluster=%s interval_seconds=%g store=%s", cluster.name, every_seconds, store.path)

    async def show(ticked: Ticked) -> None:
        board.looked(ticked)
        await lines.show(ticked)

    await run(cluster, store, settings.watch, on_tick=show, on_failure=board.failed)


@asynccontextmanager
async def _served(
    boards: Sequence[WatchBoard], address: Address | None, hosts: tuple[str, ...]
) -> AsyncGenerator[None]:
    """Serve the boards where that is wanted. Raises SettingsInvalid when nothing can listen there, and StoreError."""
    if address is None:
        yield
        return
    for board in boards:
        await board.remember()
    async with listening(watch_app(*boards, hosts=hosts), address, "--metrics") as url:
        log.info("serving metrics=%s/metrics health=%s/healthz", url, url)
        yield


async def _replay(
    folder: Path, kept: Path | None, settings: Settings, lines: "_Lines", once: bool, at: str | None, until: str | None
) -> int:
    async with open_replay(folder) as cluster, _store_for_replay(kept) as store:
        start, end = _span(cluster, at, until)
        async with _ended_by_signals():
            await play(cluster, store, settings.watch, start=start, until=start if once else end, on_tick=lines.show)
        await lines.end(cluster, store, kept)
        return await _exit_code(store, cluster.name) if once else 0


def _span(cluster: ReplayCluster, at: str | None, until: str | None) -> tuple[datetime, datetime]:
    incident = cluster.recording.incident
    start = parse_moment(at, cluster.recording) if at else incident.judged_from
    end = parse_moment(until, cluster.recording) if until else incident.end
    if not incident.start <= start <= end <= incident.end:
        raise SettingsInvalid(
            f"From {start.isoformat()} to {end.isoformat()} is no part of the recording, which runs from "
            f"{incident.start.isoformat()} to {incident.end.isoformat()}. Give --at and --until in order and inside it."
        )
    return start, end


@asynccontextmanager
async def _store_for_replay(kept: Path | None) -> AsyncGenerator[Store]:
    """Open the store that was named, else one that is gone afterwards.

    Never the shared one by default: a recording may be of a cluster that is watched live, and its past would then be
    taken for that cluster's present.
    """
    if kept is not None:
        async with open_store(kept) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="opsai-watch-") as folder:
        async with open_store(Path(folder) / "opsai.sqlite") as store:
            yield store


@asynccontextmanager
async def _ended_by_signals() -> AsyncGenerator[None]:
    """Cancel what is inside at the first SIGTERM or SIGINT; a second one finds Python's own handler again."""

    async def wait(scope: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                break
        scope.cancel()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(wait, group.cancel_scope)
            yield
            group.cancel_scope.cancel()
    except ExceptionGroup as failed:  # a task group wraps even a single error, whose text is what the user is to read
        if len(failed.exceptions) == 1:
            raise failed.exceptions[0] from None
        raise


async def _exit_code(store: Store, cluster: str) -> int:
    is_open = await store.tickets(cluster, status=OPEN, parents_only=True, limit=1000)
    return CRITICAL_EXIT if any(ticket.severity == "critical" for ticket in is_open) else 0


class _Lines:
    """What is printed; when nobody reads it any more, the watch goes on without."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._looks = 0

    async def show(self, ticked: Ticked) -> None:
        self._looks += 1
        if self._as_json:
            self._print(to_json(_as_json(ticked)).decode())
            return
        kept = ticked.tick
        at = f"{kept.at:%Y-%m-%dT%H:%M:%SZ}"
        unread = f"  unread {len(kept.unread)}" if kept.unread else ""
        self._print(
            f"{at}  {kept.cluster}  held {kept.held}  violated {kept.violated}  unknown {kept.unknown}{unread}  "
            f"({kept.took_seconds:.2f} s)"
        )
        for step in ticked.steps:
            ticket = step.ticket
            self._print(
                f"{at}  {ticket.id:<6} {step.transition.step:<9} {ticket.severity:<8} {_line(step.transition.says)}"
            )

    async def end(self, cluster: ReplayCluster, store: Store, kept: Path | None) -> None:
        if self._as_json:
            return
        tickets = await store.tickets(cluster.name, parents_only=True)
        self._print(f"looks: {self._looks}, incidents: {len(tickets)}")
        for ticket in reversed(tickets):
            self._print(f"  {ticket.id:<6} {ticket.status:<9} {ticket.severity:<8} {_line(ticket.headline)}")
        if kept is None:
            self._print("Nothing was kept. Try: the same with --store FILE, then opsai tickets list --store FILE")
        else:
            self._print(f"Next: opsai tickets list --store {kept}")

    def _print(self, line: str) -> None:
        try:
            print(line, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_json(ticked: Ticked) -> dict[str, object]:
    kept = ticked.tick
    return {
        "cluster": kept.cluster,
        "at": kept.at,
        "held": kept.held,
        "violated": kept.violated,
        "unknown": kept.unknown,
        "unread": len(kept.unread),
        "took_seconds": round(kept.took_seconds, 3),
        "evidence_id": ticked.evidence_id,
        "steps": [
            {"ticket": _brief(step.ticket), "step": step.transition.step, "says": step.transition.says}
            for step in ticked.steps
        ],
    }


def _brief(ticket: Ticket) -> dict[str, object]:
    return ticket.model_dump(include={"id", "invariant", "entity", "grade", "severity", "status", "parent", "title"})


def _line(text: str) -> str:
    return clean(text, 240)


def main() -> None:
    """Run the program."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx", "httpcore", "uvicorn", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app()


if __name__ == "__main__":
    main()
