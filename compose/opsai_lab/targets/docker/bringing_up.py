"""Bringing a cluster up: images, containers, health; and what is left of one that does not come up."""

from collections.abc import Sequence
from pathlib import Path

import anyio

from opsai_lab.errors import LabError
from opsai_lab.targets.docker.containers import FOLDER_LABEL, Container
from opsai_lab.targets.docker.engine import Engine
from opsai_lab.targets.docker.images import provide
from opsai_lab.targets.docker.project import Project
from opsai_lab.targets.docker.small_disks import KEEPER, with_small_disks
from opsai_lab.targets.docker.waiting import Waiting, follow
from opsai_lab.targets.target import Place, Tell
from opsai_subjects.model import clean

_LAST_LINES = 10


class DidNotComeUp(LabError):
    """A container ended or stayed unhealthy; everything is left as it is, to be looked at."""


async def bring_up(engine: Engine, place: Place, tell: Tell) -> None:
    """Bring up what is missing. Raises DidNotComeUp; on any other failure, and on Ctrl-C, what was not there before is removed again."""
    await engine.check()
    project = await with_small_disks(engine, place) if place.small_disks_mb else await engine.project()
    nodes = {node.name for node in place.blueprint.nodes}
    if without := sorted(nodes - set(project.services)):
        raise LabError(f"{engine.file} has no service {', '.join(without)}, which the blueprint names as a node.")
    before = await engine.containers()
    _ours(before, place)
    kept = await engine.volumes()
    await provide(engine, project, tell, only=None if place.companions else nodes)
    try:
        for container in before:
            if container.state == "paused":
                await engine.unpause(container)
        await _start(engine, _waiting(project, place, tell), tell)
    except DidNotComeUp:
        raise
    except BaseException:
        if not before:
            with anyio.CancelScope(shield=True):
                tell("removing what was made so far")
                await engine.remove_all(but=kept)
        raise


def _ours(found: Sequence[Container], place: Place) -> None:
    """Raise LabError where the containers of this name came from another folder: two benches would undo each other's work."""
    folder = place.blueprint.folder.resolve()
    for container in found:
        other = container.labels.get(FOLDER_LABEL, "")
        if other and Path(other).resolve() != folder:
            raise LabError(
                f"A cluster of the name {place.name} runs in Docker already, brought up from {other}, not from {folder}. Give this one "
                f"another name with --name, or take that one down: docker compose --project-name {place.name} down --volumes."
            )


def _waiting(project: Project, place: Place, tell: Tell) -> Waiting:
    nodes = {str(node.name) for node in place.blueprint.nodes}
    wanted = set(project.services) if place.companions else nodes | ({KEEPER} & set(project.services))
    return Waiting({name: name in nodes for name in project.services if name in wanted}, place.wait_seconds, tell)


async def _start(engine: Engine, waiting: Waiting, tell: Tell) -> None:
    outcomes: list[str] = []

    async def compose() -> None:
        outcomes.append(await engine.compose_up(waiting.services, lambda _line: None))

    failed, found = "", dict[str, Container]()
    lost: LabError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(compose)
        try:
            failed, found = await follow(engine, waiting, lambda: outcomes[0] if outcomes else None)
        except LabError as error:  # raised outside, where it is not wrapped into a group
            lost = error
            tasks.cancel_scope.cancel()
    if lost is not None:
        raise lost
    if failed and failed in found and found[failed].started_at is not None:
        raise DidNotComeUp(await _obituary(engine, found[failed], tell))
    if failed or outcomes[0]:
        raise LabError(outcomes[0] or f"{failed} has no container, though Compose says that all is started.")


async def _obituary(engine: Engine, container: Container, tell: Tell) -> str:
    """Tell the last lines of a container's output, and return the sentence about it."""
    said = [clean(line, 300) async for line in engine.logs(container.name, _LAST_LINES, follow=False)]
    tell(f"the last lines of {container.service}:")
    for line in said:
        tell(f"  {line}")
    why = container.says or f"it is {container.state}"
    last = f" Its last line: {said[-1]}" if said else " It printed nothing."
    return (
        f"{container.service} did not come up: {why}.{last} All of it: `docker logs {container.name}`. The cluster is left as it "
        "is, to be looked at; `opsai deploy local down` removes it."
    )
