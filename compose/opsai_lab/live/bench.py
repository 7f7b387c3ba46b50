"""Live runs many times over: each fault on each target, so often, every one judged alike."""

import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from opsai_lab.chaos.bench_lock import only_bench
from opsai_lab.chaos.injecting import fault_named, possible_faults
from opsai_lab.deploying import bring_up, take_down
from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.live.haste import Haste
from opsai_lab.live.performing import Performed
from opsai_lab.live.recorded import Order, play
from opsai_lab.live.steps import Silent
from opsai_lab.places import Remembered, place_folder, recordings_home
from opsai_lab.targets.blueprint import Blueprint
from opsai_lab.targets.target import Target, Tell
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import Value

USUAL = ("kill", "pause", "partition", "leader-kill")
ALL = "all"
LASTING = ("kill", "restart", "partition")
"""Harms that leave a trace in what is judged of the next ten minutes: deaths, elections."""
AWAY_TRIES = 3
AWAY_PAUSE_SECONDS = 3.0
GIVE_UP = 3
"""A target whose cluster was not healthy so many times in a row is left."""


class Ran(Value):
    """One run."""

    target: str
    fault: str
    number: int
    right: bool
    kind_right: bool
    entity_right: bool
    detected_seconds: float | None = None
    ticket_seconds: float | None = None
    diagnosis_seconds: float | None = None
    resolved_seconds: float | None = None
    says: str = ""
    """What the diagnosis names, and what is right; or why it came no further."""
    recording: str = ""
    """Where it was recorded; empty for a right one, which is not kept."""


@dataclass(frozen=True)
class Wanted:
    """What is to be run."""

    blueprint: Blueprint
    targets: tuple[str, ...]
    faults: tuple[str, ...]
    times: int
    haste: Haste
    backend: str = "rules"
    keep: bool = False
    """Keep the recordings of right runs too."""


def faults_of(blueprint: Blueprint, named: Sequence[str]) -> tuple[str, ...]:
    """Return the faults meant: those named, all of them for `all`, the usual ones for none. Raises UnknownName. Pure."""
    if ALL in named:
        return tuple(blueprint.faults)
    for name in named:
        fault_named(blueprint, name)
    return tuple(named) or tuple(name for name in USUAL if name in blueprint.faults) or tuple(blueprint.faults)


async def bench(wanted: Wanted, tell: Tell) -> AsyncGenerator[Ran]:
    """Run it all and yield each run as it ends; a target's cluster is up for all its runs. Raises LabError, OpsaiError.

    After a run that ended a process or cut one off the cluster is made anew: a node that dies twice in some minutes is in a crash
    loop, four elections are too many, and an investigation that says so is right.
    """
    for target in wanted.targets:
        what = Remembered(
            name=f"chaos-{wanted.blueprint.subject}-{target}",
            subject=wanted.blueprint.subject,
            target=target,
            blueprint=wanted.blueprint.folder,
            wait_seconds=120.0,
            companions=True,
            small_disks_mb=0,
        )
        try:
            for fault in wanted.faults:
                async for ran in _many(what, wanted, fault, tell):
                    yield ran
        finally:
            with anyio.CancelScope(shield=True):
                await _away(what, tell)


async def _many(what: Remembered, wanted: Wanted, fault: str, tell: Tell) -> AsyncGenerator[Ran]:
    failed = 0
    for number in range(1, wanted.times + 1):
        target = (await bring_up(what, _quiet)).target
        if why := possible_faults(target)[fault]:
            tell(f"{what.target} {fault}: not here: {why}")
            return
        said = partial(_numbered, tell, f"{what.target} {fault} {number}/{wanted.times}")
        with only_bench(place_folder(what.name)):
            ran = await _once(target, what, wanted, fault, number, said)
        failed = 0 if ran.detected_seconds is not None else failed + 1
        yield ran
        if wanted.blueprint.faults[fault].harm in LASTING or failed:
            await _away(what, tell)
        if failed == GIVE_UP:
            tell(f"{what.target} {fault}: {GIVE_UP} in a row came to nothing; the rest is left out")
            return


async def _away(what: Remembered, tell: Tell) -> None:
    """Take the cluster away; an engine that is still busy with the last removal is asked again. Raises LabError."""
    for _ in range(AWAY_TRIES - 1):
        try:
            await take_down(what, _quiet)
        except LabError as error:
            tell(f"{what.name}: {error} Trying again.")
            await anyio.sleep(AWAY_PAUSE_SECONDS)
        else:
            return
    await take_down(what, _quiet)


def _quiet(_: str) -> None:
    pass


def _numbered(tell: Tell, what: str, text: str) -> None:
    tell(f"{what}: {text}")


async def _once(
    target: Target, what: Remembered, wanted: Wanted, fault: str, number: int, said: Callable[[str], None]
) -> Ran:
    home = recordings_home() / f"{what.name}-{fault}-{number}"
    recording = home.with_name(f"{home.name}-recorded")
    for old in (home, recording):
        shutil.rmtree(old, ignore_errors=True)
    order = Order(fault, None, home, recording, wanted.haste, wanted.backend)
    try:
        ran = told(what.target, number, await play(target, order, Silent(said)), recording)
    except HarmRefused:
        raise
    except OpsaiError as error:
        ran = told(what.target, number, Performed(fault=fault, error=str(error)), Path())
    if not ran.right:
        said(f"WRONG: {ran.says}")
    elif not wanted.keep:
        for folder in (home, recording):
            shutil.rmtree(folder, ignore_errors=True)
        ran = ran.model_copy(update={"recording": ""})
    return ran


def told(target: str, number: int, done: Performed, recording: Path) -> Ran:
    """Return what a run came to as one line of the table. Pure."""
    concluded = done.concluded
    return Ran(
        target=target,
        fault=done.fault,
        number=number,
        right=done.right,
        kind_right=concluded is not None and concluded.kind_right,
        entity_right=concluded is not None and concluded.entity_right,
        detected_seconds=done.detected.seconds if done.detected else None,
        ticket_seconds=done.ticketed.seconds if done.ticketed else None,
        diagnosis_seconds=concluded.seconds if concluded else None,
        resolved_seconds=done.resolved.seconds if done.resolved else None,
        says="; ".join(text for text in (concluded.says if concluded else "", done.error) if text),
        recording=str(recording) if recording.name else "",
    )


def wanted_targets(given: Sequence[str]) -> tuple[str, ...]:
    """Return the targets meant, in the order given. Raises LabError for one that harms nothing."""
    if "existing" in given:
        raise LabError("A cluster that someone else runs is only looked at: opsai does no harm to it.")
    return tuple(dict.fromkeys(given)) or ("processes", "docker")
