"""`opsai deploy`: the command line of local clusters. Parses and prints; what happens is decided in `deploying`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import anyio
import typer

from opsai_lab.errors import LabError
from opsai_lab.layout import columns
from opsai_lab.places import CONFIG_FILE_NAME, Remembered, meant, place_folder, remembered
from opsai_lab.targets.registry import target_kind, target_names
from opsai_lab.targets.target import NodeStatus, Place, Target
from opsai_lab.telling import telling
from opsai_subjects.config import DEFAULT_SUBJECT, choose, load

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Bring a cluster up to look at and to break.",
)
local = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="A cluster on this machine: brought up, looked at, broken on purpose, healed, taken away.",
)
app.add_typer(local, name="local", short_help="On this machine: up, down, status, inject, heal.")

Subject = Annotated[str | None, typer.Option("--subject", help="What runs: tikv (default), etcd.")]
TargetName = Annotated[str | None, typer.Option("--target", help="Where: docker (default), processes, existing.")]
Name = Annotated[str | None, typer.Option("--name", help="Its name; default: opsai-SUBJECT.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Config = Annotated[Path | None, typer.Option("--config", help="Of --target existing: the settings file.")]
Cluster = Annotated[str | None, typer.Option("--cluster", help="Of --target existing: which cluster of it.")]

NOTHING_UP = "No local cluster is up. Bring one up: opsai deploy local up --subject etcd --target processes"


@local.command(short_help="Bring a cluster up and wait until it is healthy.")
def up(
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
    blueprint: Annotated[
        Path | None, typer.Option("--blueprint", metavar="DIR", help="A folder with a cluster.toml of your own.")
    ] = None,
    wait_seconds: Annotated[float, typer.Option("--wait-seconds", min=1, help="For nodes to become healthy.")] = 120.0,
    companions: Annotated[
        bool, typer.Option("--companions/--no-companions", help="Prometheus and what else is no node.")
    ] = True,
    small_disks_mb: Annotated[
        int, typer.Option("--small-disks", min=0, metavar="MB", help="A small file system for each node's data.")
    ] = 0,
) -> None:
    """Bring a cluster up and wait until it is healthy; what already runs is left alone."""
    from opsai_lab.chaos.injecting import possible_faults  # noqa: PLC0415 (as below)
    from opsai_lab.deploying import bring_up  # noqa: PLC0415 (--help need not wait for it)
    from opsai_lab.targets.blueprints import find_blueprint  # noqa: PLC0415

    if target == "existing":
        _refuse_existing()
    chosen = find_blueprint(subject or DEFAULT_SUBJECT, blueprint)
    named = name or f"opsai-{chosen.subject}"
    before = remembered(named)
    what = Remembered(
        name=named,
        subject=chosen.subject,
        target=target or (before.target if before else "docker"),
        blueprint=chosen.folder,
        wait_seconds=wait_seconds,
        companions=companions,
        small_disks_mb=small_disks_mb,
    )
    try:
        with telling(f"bringing up {named}: {chosen.says}") as tell:
            brought = anyio.run(bring_up, what, tell)
    except KeyboardInterrupt:
        print("Stopped: what this call began is taken away again.", file=sys.stderr)
        raise typer.Exit(130) from None
    print(f"{named} is up: {chosen.says}, {what.target}.")
    for page, url in brought.endpoints.pages.items():
        print(f"  {page}: {url}")
    for sight in brought.blind:
        print(f"opsai cannot see {sight.source}: {sight.says.rstrip('.')}. Try: {sight.advice}")
    print(f"Look at it:  opsai check --config {brought.config}")
    print(f"With Claude: opsai-mcp --config {brought.config}")
    print("Break it:    opsai deploy local inject FAULT, and then: opsai deploy local heal")
    possible = possible_faults(brought.target)
    print(f"Its faults:  {', '.join(name for name, why in possible.items() if not why) or 'none'}")
    if any(possible.values()):
        print(f"Not here:    {', '.join(name for name, why in possible.items() if why)} (inject says why)")


@local.command(short_help="Heal it and take it away whole, data too.")
def down(subject: Subject = None, target: TargetName = None, name: Name = None) -> None:
    """Undo what harm is left and take the cluster away whole: processes, containers, networks, data."""
    from opsai_lab.deploying import remove_failed, take_down  # noqa: PLC0415 (as above)

    if target == "existing":
        _refuse_existing()
    if name and remembered(name) is None and remove_failed(name):
        print(f"{name} did not come up; its logs are removed.")
        return
    what = meant(name, subject, target)
    if what is None:
        print("No local cluster is up: there is nothing to take down.")
        for failed in remove_failed(None):
            print(f"{failed} did not come up; its logs are removed.")
        return
    with telling(f"taking {what.name} down") as tell:
        anyio.run(take_down, what, tell)
    print(f"{what.name} is gone, its data and logs too.")


@local.command(short_help="Show every node and what runs beside them.")
def status(
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
    as_json: AsJson = False,
    config: Config = None,
    cluster: Cluster = None,
) -> None:
    """Show every node and what runs beside them. Exits 1 when one does not run."""
    opened = _opened(name, subject, target, config, cluster)
    found = anyio.run(opened.status) if opened else ()
    if as_json:
        nodes = [one.model_dump(mode="json") for one in found]
        print(json.dumps({"name": opened.place.name if opened else None, "nodes": nodes}))
    elif opened is None:
        print(NOTHING_UP)
    else:
        print(f"{opened.place.name} ({opened.place.blueprint.says})")
        print(_status_table(found))
        _say_harm(opened.place)
    if not found or any(one.state != "running" for one in found):
        raise typer.Exit(1)


@local.command(short_help="Show where it is looked at, as opsai.toml.")
def endpoints(
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
    as_json: AsJson = False,
    config: Config = None,
    cluster: Cluster = None,
) -> None:
    """Show where it is looked at, as opsai.toml has it."""
    from opsai_lab.deploying import settings_text  # noqa: PLC0415 (as above)

    opened = _opened(name, subject, target, config, cluster)
    if opened is None:
        raise LabError(NOTHING_UP)
    found = anyio.run(opened.endpoints)
    file = config or opened.place.folder / CONFIG_FILE_NAME
    if as_json:
        print(json.dumps({"name": opened.place.name, "config": str(file), **found.model_dump(mode="json")}))
        return
    print(f"# {file}")
    print(settings_text(opened.place.name, found), end="")
    for page, url in found.pages.items():
        print(f"# {page}: {url}")


@local.command(short_help="Show the end of a node's log.")
def logs(
    node: Annotated[str, typer.Argument(help="A node, or prometheus.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many from the end.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then those that come, until Ctrl-C.")] = False,
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
) -> None:
    """Show the end of a node's log."""
    opened = _opened(name, subject, target, None, None)
    if opened is None:
        raise LabError(NOTHING_UP)

    async def printed() -> None:
        async for line in opened.logs(node, lines=lines, follow=follow):
            print(line, flush=follow)

    try:
        anyio.run(printed)
    except KeyboardInterrupt:
        sys.exit(130)


@local.command(name="inject", short_help="Break it on purpose, until `heal`.")
def inject_fault(
    fault: Annotated[str, typer.Argument(help="A fault of the cluster's blueprint: kill, pause, partition, …")],
    node: Annotated[str | None, typer.Option("--node", help="This node, instead of the one the fault chooses.")] = None,
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
) -> None:
    """Break it on purpose and leave it broken, until `heal`."""
    from opsai_lab.deploying import harm_place  # noqa: PLC0415 (as above)

    if target == "existing":
        _refuse_existing()
    what = meant(name, subject, target)
    if what is None:
        raise LabError(NOTHING_UP)
    done = anyio.run(harm_place, what, fault, node)
    for harm in done.harms:
        print(f"{done.at:%H:%M:%S}Z  {harm.says()}")
    print(f"Right is a diagnosis of {done.kind} on {', '.join(done.entities) or 'the cluster as a whole'}.")
    print("Undo it: opsai deploy local heal")


@local.command(short_help="Undo what harm is left, newest first.")
def heal(subject: Subject = None, target: TargetName = None, name: Name = None) -> None:
    """Undo what harm is left, newest first; also what a bench left that crashed."""
    from opsai_lab.deploying import heal_place  # noqa: PLC0415 (as above)

    what = meant(name, subject, target)
    if what is None:
        print("No local cluster is up: there is nothing to heal.")
        return
    with telling(f"healing {what.name}") as tell:
        undone = anyio.run(heal_place, what, tell)
    print(f"{what.name}: {len(undone)} undone." if undone else f"{what.name}: no harm is left to undo.")


@local.command(name="load")
def set_load(
    pattern: Annotated[str | None, typer.Argument(help="steady, burst, hot-read, hot-write, scan or ramp.")] = None,
    rate: Annotated[int | None, typer.Option("--rate", help="Operations a second; 0: none.")] = None,
    run: Annotated[
        bool, typer.Option("--run", help="Run go-ycsb from here until Ctrl-C: for --target processes.")
    ] = False,
    subject: Subject = None,
    target: TargetName = None,
    name: Name = None,
) -> None:
    """Set which load go-ycsb puts on it, while it runs; without a pattern and a rate say which it is."""
    from opsai_lab.load import setting  # noqa: PLC0415 (as above)
    from opsai_lab.load.cli import until_signalled  # noqa: PLC0415
    from opsai_lab.load.patterns import PATTERNS  # noqa: PLC0415
    from opsai_lab.load.wanted import read_wanted, wanted, write_wanted  # noqa: PLC0415

    if target == "existing":
        raise LabError("A cluster that someone else runs is only looked at: opsai puts no load on it.")
    what = meant(name, subject, target)
    if what is None:
        raise LabError(NOTHING_UP)
    own = setting.driver_of(what)
    file = setting.wanted_file(what)
    if pattern is not None or rate is not None:
        before = read_wanted(file) if pattern is None else None
        write_wanted(file, wanted(before.pattern if before else pattern or "", rate))
    now = read_wanted(file)
    print(f"{what.name}: {now.pattern} at {own.rate if now.rate is None else now.rate} operations a second.")
    if pattern is None and rate is None and not run:
        print(columns([("pattern", ""), *((each, one.says) for each, one in PATTERNS.items())], indent="  "))
    if run:
        anyio.run(until_signalled, setting.load_of(what, anyio.run(what.opened().endpoints)))


def _opened(
    name: str | None, subject: str | None, target: str | None, config: Path | None, cluster: str | None
) -> Target | None:
    if target == "existing":
        return _existing(config, cluster)
    if target is not None and target not in target_names():
        target_kind(target)
    what = meant(name, subject, target)
    return what.opened() if what else None


def _existing(config: Path | None, cluster: str | None) -> Target:
    from opsai_lab.targets.blueprint import Blueprint  # noqa: PLC0415 (as above)

    name, settings = choose(load(config), cluster)
    nothing = Blueprint(
        subject=settings.subject, says="run by someone else", roles={}, nodes=(), faults={}, folder=Path()
    )
    return target_kind("existing").open(Place(name, place_folder("existing"), nothing, settings=settings))


def _refuse_existing() -> None:
    raise LabError("A cluster that someone else runs is only looked at: opsai neither starts nor stops nor harms it.")


def _status_table(found: tuple[NodeStatus, ...]) -> str:
    rows = [(one.name, one.role, one.state, one.address, one.says[:80]) for one in found]
    return columns([("node", "role", "state", "address", ""), *rows], indent="  ")


def _say_harm(place: Place) -> None:
    from opsai_lab.chaos.journal import Journal  # noqa: PLC0415 (as above)

    for harm in Journal(place.folder).left():
        print(f"  not undone: {harm.says()} (opsai deploy local heal)")
