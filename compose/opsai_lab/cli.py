"""`opsai`: the bench. Parses and prints; what it prints is decided elsewhere."""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import anyio
import typer

from opsai_lab import clusters_cli, deploy_cli, recordings
from opsai_subjects.config import DEFAULT_SUBJECT, cluster_of_flags, load
from opsai_subjects.errors import OpsaiError
from opsai_subjects.flags import Cluster, Config, Endpoints, Logs, Prometheus, Store, Subject
from opsai_subjects.model import clean

Backend = Literal["auto", "rules", "claude"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The bench of opsai: a demo, recordings as clusters, tickets, and what can be seen. Only observes.",
)
tickets_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Read the tickets that the watcher raised.", add_completion=False
)
app.add_typer(tickets_app, name="tickets")
app.add_typer(clusters_cli.app, name="clusters")
app.add_typer(deploy_cli.app, name="deploy")

ClusterName = Annotated[str | None, typer.Option("--cluster", help="Only this cluster.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
BackendChoice = Annotated[
    Backend, typer.Option("--backend", help="auto: claude when ANTHROPIC_API_KEY is set, else rules (no model).")
]


def _say_version(asked: bool) -> None:
    if asked:
        print(f"opsai {version('opsai')}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and stop.")
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")] = False,
) -> None:
    pass


@app.command(short_help="Play an incident up to its diagnosis: a recorded one, or live.")
def demo(
    incident: Annotated[
        str, typer.Argument(help="A shipped recording by name, or a recording's folder.")
    ] = recordings.DEMO,
    backend: BackendChoice = "auto",
    live: Annotated[bool, typer.Option("--live", help="Break a real cluster on this machine instead.")] = False,
    subject: Annotated[str | None, typer.Option("--subject", help="Of --live: what runs.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="Of --live: processes, docker.")] = None,
    fault: Annotated[str, typer.Option("--fault", help="Of --live: what is done; list shows all.")] = "kill",
    node: Annotated[str | None, typer.Option("--node", help="Of --live: to this node.")] = None,
    interval: Annotated[float, typer.Option("--interval", min=1.0, max=30.0, help="Of --live: seconds a look.")] = 2.0,
    keep: Annotated[bool, typer.Option("--keep", help="Of --live: leave the cluster up afterwards.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Of --live: the cluster's name.")] = None,
) -> None:
    """Play a recorded incident: from a healthy cluster over a ticket to a checked diagnosis. Needs no cluster and no key.

    With --live a real cluster is brought up here, broken on purpose, watched, diagnosed, healed and recorded.
    """
    from opsai_lab.voice import Voice  # noqa: PLC0415 (the other commands need not wait for what only this one loads)

    if live:
        _demo_live(subject, target, name, fault, node, backend, interval, keep=keep)
        return
    from opsai_lab.demo import play_demo  # noqa: PLC0415

    anyio.run(play_demo, recordings.find(incident), Voice(), backend)


def _demo_live(
    subject: str | None,
    target: str | None,
    name: str | None,
    fault: str,
    node: str | None,
    backend: Backend,
    interval: float,
    *,
    keep: bool,
) -> None:
    from opsai_lab.live import demo as live  # noqa: PLC0415 (as above)
    from opsai_lab.telling import telling  # noqa: PLC0415
    from opsai_lab.voice import Voice  # noqa: PLC0415

    what = live.named(name, subject, target)
    if fault == "list":
        print(live.faults_text(what))
        return
    order = live.order_for(what, fault, node, interval, backend, datetime.now(UTC))
    try:
        with telling(f"{what.name}: demo") as tell:
            done = anyio.run(partial(live.play_live, what, order, Voice(), tell, keep=keep))
    except KeyboardInterrupt:
        print(f"Ended by Ctrl-C; what was done to {what.name} is undone.")
        sys.exit(130)
    if not done.right:
        raise typer.Exit(1)


@app.command(short_help="Break local clusters many times over, and count what is found out.")
def chaos(
    subject: Annotated[str | None, typer.Option("--subject", help="What runs.")] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="processes, docker; repeatable, default both.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Repeatable; all; default kill, pause, partition, leader-kill.")
    ] = None,
    times: Annotated[int, typer.Option("--times", min=1, max=1000, help="Each so often.")] = 10,
    interval: Annotated[float, typer.Option("--interval", min=1.0, max=30.0, help="Seconds between looks.")] = 2.0,
    json_file: Annotated[Path, typer.Option("--json", help="Where every run is written.")] = Path("chaos.json"),
    keep: Annotated[bool, typer.Option("--keep", help="Keep the recordings of right runs too.")] = False,
) -> None:
    """Each run: healthy, broken, detected, ticket, diagnosis by rules, healed, resolved by itself. Exits 1 when one is not right."""
    from opsai_lab.live import counting  # noqa: PLC0415 (as above)

    try:
        runs = anyio.run(
            partial(
                counting.count, subject, target or (), fault or (), times, interval, json_file, _print_now, keep=keep
            )
        )
    except KeyboardInterrupt:
        print("Ended by Ctrl-C; what was done is undone, what was brought up is gone.")
        sys.exit(130)
    if not all(ran.right for ran in runs):
        raise typer.Exit(1)


@app.command(short_help="Describe a recording, or serve it on loopback.")
def replay(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A recording's folder, or the name of a shipped one.")],
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on loopback until Ctrl-C.")] = False,
    at: Annotated[
        str, typer.Option("--at", help="The moment served: an ISO time, start, end or +90s (after the start).")
    ] = "end",
) -> None:
    """Say what a recording holds; with --serve answer as its nodes and Prometheus did, as of one moment."""
    from opsai_lab.replaying import described, endpoints_text, opened, served  # noqa: PLC0415 (as above)

    recording, moment = opened(recordings.find(folder), at)
    print(described(recording.incident))
    if not serve:
        return

    async def until_stopped() -> None:
        async with served(recording, moment) as endpoints:
            print(endpoints_text(recording.incident, endpoints, moment))
            print("Ctrl-C stops it.", flush=True)
            await anyio.sleep_forever()

    try:
        anyio.run(until_stopped)
    except KeyboardInterrupt:
        print("Stopped.")


@app.command(short_help="Record a live cluster into a folder, or finish one that was broken off.")
def record(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    for_: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 90s, 5m, 2h; without: until Ctrl-C.")
    ] = "",
    every: Annotated[float, typer.Option("--every", min=1.0, max=60.0, help="Seconds between two rounds.")] = 5.0,
    most: Annotated[int, typer.Option("--most", min=1, help="Megabytes written at most while it goes on.")] = 1000,
    keys: Annotated[bool, typer.Option("--keys", help="Keep row keys and values in log lines as logged.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Make a recording of what a killed recorder left.")] = False,
    subject: Subject = None,
    endpoints: Endpoints = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: Cluster = None,
    config: Config = None,
) -> None:
    """Record what a live cluster answers, so that it can be replayed, watched and investigated later. Only observes.

    Ctrl-C ends it and makes the recording. Secrets in answers are masked, and row keys in log lines unless --keys is given.
    """
    from opsai_lab import recording  # noqa: PLC0415 (as above)

    if finish:
        print(recording.finish_text(folder))
        return
    settings = load(config)
    name, chosen = cluster_of_flags(
        settings, cluster, subject=subject, endpoints=endpoints or (), prometheus=prometheus, logs=logs or ()
    )
    chosen = chosen.model_copy(update={"redact": chosen.redact and not keys})
    seconds = recording.seconds_of(for_) if for_ else float("inf")
    wish = recording.wish_for(
        folder, chosen, settings.watch, every_seconds=every, for_seconds=seconds, most_bytes=most * 1_000_000
    )
    try:
        anyio.run(recording.record, name, chosen, settings.web, wish, _print_now)
    except KeyboardInterrupt:
        print("Ended by Ctrl-C.")


def _print_now(text: str) -> None:
    print(text, flush=True)


@tickets_app.command("list", short_help="List tickets, newest first.")
def tickets_list(
    cluster: ClusterName = None,
    open_only: Annotated[bool, typer.Option("--open", help="Leave out resolved ones.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")] = 50,
    as_json: AsJson = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """List tickets, newest first; what joined another stands under it."""
    from opsai_lab import reading  # noqa: PLC0415 (as above)
    from opsai_lab.report import ticket_table  # noqa: PLC0415

    path = load(config, store=store).store
    found = anyio.run(reading.tickets, path, cluster, open_only, limit)
    if as_json:
        print(json.dumps({"store": str(path), "tickets": [ticket.model_dump(mode="json") for ticket in found]}))
    elif found:
        print(ticket_table(found))
        print(f"{len(found)} tickets in {path}. Next: opsai tickets show {found[0].parent or found[0].id}")
    else:
        print(f"No tickets in {path}. A watcher raises them: opsai-watch.")


@tickets_app.command("show", short_help="Show one ticket in full.")
def tickets_show(
    ticket: Annotated[str, typer.Argument(metavar="ID", help="As `opsai tickets list` names it: T-12.")],
    as_json: AsJson = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show one ticket in full: what joined it, its history, and its diagnosis with every claim."""
    from opsai_lab import reading  # noqa: PLC0415 (as above)
    from opsai_lab.report import ticket_text  # noqa: PLC0415

    family = anyio.run(reading.family, load(config, store=store).store, ticket)
    if as_json:
        parent, *children = (one.model_dump(mode="json") for one in family)
        print(json.dumps({"ticket": parent, "children": children}))
    else:
        print(ticket_text(family))


@app.command(short_help="Say which sources can be seen, and what to set.")
def check(
    endpoints: Endpoints = None,
    subject: Subject = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: Cluster = None,
    folder: Annotated[str | None, typer.Option("--replay", metavar="DIR", help="A recording, as of its end.")] = None,
    as_json: AsJson = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """Try each source once: can it be reached, who answers, what is blind, what to set. Exits 1 when something is blind."""
    from opsai_lab.checking import checked_text, look_at  # noqa: PLC0415 (as above)

    settings = load(config, store=store)
    if folder is not None:
        checked = anyio.run(look_at, recordings.find(folder), settings)
    else:
        named = cluster_of_flags(
            settings, cluster, endpoints=endpoints or (), prometheus=prometheus, logs=logs or (), subject=subject
        )
        checked = anyio.run(look_at, named, settings)
    if as_json:
        print(
            json.dumps(
                {"cluster": checked.cluster, "sources": [sight.model_dump(mode="json") for sight in checked.sights]}
            )
        )
    else:
        print(checked_text(checked))
    if checked.blind:
        raise typer.Exit(1)


@app.command(short_help="Print Prometheus alert rules made from the invariants.")
def rules(
    subject: Annotated[str, typer.Option("--subject", metavar="NAME", help="What the clusters are.")] = DEFAULT_SUBJECT,
) -> None:
    """Print a rules file for Prometheus: an alert for each invariant, as `opsai-watch --metrics` tells them, and two on our sight."""
    from opsai_server.alert_rules import alert_rules, rules_text  # noqa: PLC0415 (as above)
    from opsai_subjects.registry import subject_kind  # noqa: PLC0415

    print(rules_text(subject, alert_rules(subject, subject_kind(subject).invariants)), end="")


@app.command(short_help="Grade over recordings with known causes.")
def evaluate(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="A folder of recordings, one recording, or the name of a shipped one.")
    ],
    backend: BackendChoice = "rules",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the evaluation here too.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this one; repeatable.")] = None,
    require: Annotated[
        bool, typer.Option("--require", help="Exit 1 when tickets, entities or kinds are not good enough.")
    ] = False,
) -> None:
    """Grade watcher and investigator over recordings whose causes are known. `seconds` is the investigation's wall time."""
    from opsai_lab.evaluation.evaluating import evaluate_folder  # noqa: PLC0415 (as above)

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    broken = anyio.run(evaluate_folder, recordings.find(folder), backend, tuple(only or ()), json_file, print, tell)
    if require and broken:
        raise typer.Exit(1)


def main() -> None:
    """Run the program: an OpsaiError is one line on stderr and status 1; a wrong usage is status 2."""
    debug = "--debug" in sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    try:
        app(args=[argument for argument in sys.argv[1:] if argument != "--debug"], prog_name="opsai")
    except OpsaiError as error:
        if debug:
            raise
        print(f"opsai: {clean(str(error))}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
