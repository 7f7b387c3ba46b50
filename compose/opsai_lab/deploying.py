"""Local clusters as a person asks for them: up, down, healed, harmed; with what is remembered and one bench at a time."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import anyio
import tomli_w

from opsai_lab.chaos.bench_lock import only_bench
from opsai_lab.chaos.healing import heal
from opsai_lab.chaos.injecting import Injected, fault_named, inject
from opsai_lab.chaos.journal import Journal
from opsai_lab.errors import LabError, NobodyLeads
from opsai_lab.places import CONFIG_FILE_NAME, Remembered, lab_home, place_folder, remember, remembered
from opsai_lab.seeing import until_seen
from opsai_lab.targets.folder import write_whole
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Endpoints, Target, Tell
from opsai_subjects.config import WebLimits
from opsai_subjects.model import Topology, WallClock
from opsai_subjects.opening import open_cluster
from opsai_subjects.subject import Sight

ELECTION_SECONDS = 10.0
"""How long a fault that means the leader waits for one."""


@dataclass(frozen=True)
class BroughtUp:
    """A local cluster that is up."""

    target: Target
    endpoints: Endpoints
    config: Path
    """The settings file that names it, for `opsai-mcp --config`."""
    blind: tuple[Sight, ...] = ()
    """The sources that opsai could not see after a while, and what to do about each."""


async def bring_up(what: Remembered, tell: Tell) -> BroughtUp:
    """Bring a place up, or finish what was begun; harm that a crashed bench left is undone first. Raises LabError."""
    before = remembered(what.name)
    if before is not None and before.target != what.target:
        raise LabError(
            f"{what.name} is up as {before.target}, not as {what.target}. First: opsai deploy local down --name {what.name}. "
            "Or give the new one another name: --name."
        )
    folder = place_folder(what.name)
    with only_bench(folder):
        target = what.opened()
        try:
            remember(what)
            await heal(target, Journal(folder), tell)
            await target.up(tell)
        except BaseException:
            _forget_unless_up(before, folder)
            raise
        endpoints = await target.endpoints()
        config = folder / CONFIG_FILE_NAME
        write_whole(config, settings_text(what.name, endpoints))
        blind = await until_seen(what.name, endpoints, tell)
    return BroughtUp(target, endpoints, config, blind)


async def take_down(what: Remembered, tell: Tell) -> None:
    """Undo what harm is left, take the place away whole and forget it. What cannot be undone does not keep it."""
    folder = place_folder(what.name)
    with only_bench(folder):
        target = what.opened()
        try:
            await heal(target, Journal(folder), tell)
        except LabError as error:
            tell(str(error))
        await target.down(tell)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise LabError(
                f"{what.name} is down, but {folder} could not be removed whole: is part of it another user's?"
            )


def remove_failed(name: str | None) -> tuple[str, ...]:
    """Remove the logs that attempts to come up have left, of that name or all; return the names."""
    folders = [place_folder(name)] if name else sorted(path for path in lab_home().glob("*") if path.is_dir())
    removed: list[str] = []
    for folder in folders:
        with only_bench(folder):
            if folder.is_dir() and {path.name for path in folder.iterdir()} <= {"logs"}:
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder.name)
    return tuple(removed)


async def heal_place(what: Remembered, tell: Tell) -> tuple[Harm, ...]:
    """Undo what harm is left; return it."""
    folder = place_folder(what.name)
    with only_bench(folder):
        return await heal(what.opened(), Journal(folder), tell)


async def harm_place(what: Remembered, fault: str, node: str | None) -> Injected:
    """Do a fault of the blueprint and leave it done."""
    folder = place_folder(what.name)
    with only_bench(folder):
        target = what.opened()
        fault_named(target.place.blueprint, fault)
        until = anyio.current_time() + ELECTION_SECONDS
        while True:
            try:
                return await inject(target, Journal(folder), fault, await topology_of(target), WallClock(), node)
            except NobodyLeads:
                if anyio.current_time() > until:
                    raise
            await anyio.sleep(0.2)


async def topology_of(target: Target) -> Topology:
    """Return the cluster of a target as its subject sees it now."""
    endpoints = await target.endpoints()
    async with open_cluster(target.place.name, endpoints.cluster, WebLimits()) as cluster:
        return await cluster.subject.topology()


def settings_text(name: str, endpoints: Endpoints) -> str:
    """Return the settings file of a place: its cluster, and a store of its own for its tickets."""
    cluster = endpoints.cluster.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return tomli_w.dumps(
        {"store": "tickets.sqlite", "clusters": {name: {"subject": endpoints.cluster.subject, **cluster}}}
    )


def _forget_unless_up(before: Remembered | None, folder: Path) -> None:
    """Leave of a failed first attempt only its logs."""
    if before is None and folder.is_dir():
        for path in folder.iterdir():
            if path.name != "logs":
                path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()
