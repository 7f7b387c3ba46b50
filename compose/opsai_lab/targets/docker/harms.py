"""What is done to a container for each kind of harm, and what undoes it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.docker import disks, partition
from opsai_lab.targets.docker.containers import Container
from opsai_lab.targets.docker.engine import Engine
from opsai_lab.targets.docker.small_disks import KEEPER
from opsai_lab.targets.harm import Harm, HarmName

_SLOW_CPUS = 0.05
_LEAST_CPUS = 0.01


async def _kill(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if found[harm.node].joinable:
        await engine.kill(found[harm.node])


async def _start(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if not found[harm.node].joinable:
        await engine.start(found[harm.node])


async def _pause(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if found[harm.node].state != "paused":
        await engine.pause(found[harm.node])


async def _unpause(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if found[harm.node].state == "paused":
        await engine.unpause(found[harm.node])


async def _restart(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    await engine.restart(found[harm.node])


async def _cut(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    addresses = [address for peer in harm.apart_from or () for address in _addresses(found, peer)]
    await _filter(engine, found[harm.node], f"Cutting off {harm.node}", partition.cutting(harm, addresses))


async def _join(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if found[harm.node].joinable:  # a container that has stopped has lost its filters
        await _filter(engine, found[harm.node], f"Joining {harm.node} again", partition.joining(harm))


async def _filter(engine: Engine, container: Container, doing: str, script: str) -> None:
    await engine.with_tools(doing, ["nft", script], network_of=container, capabilities=["NET_ADMIN"])


def _addresses(found: Mapping[str, Container], peer: str) -> Sequence[str]:
    if peer not in found:
        raise LabError(
            f"There is no container of {peer}, so its address is not known. `opsai deploy local up` makes it."
        )
    if not found[peer].addresses:
        raise HarmRefused(
            f"{peer} does not run and has no fixed address in compose.yaml, so nobody can be cut off from it."
        )
    return found[peer].addresses


async def _slow_cpu(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    cpus = _SLOW_CPUS if harm.amount is None else harm.amount
    if cpus < _LEAST_CPUS:
        raise HarmRefused(f"Docker gives a container {_LEAST_CPUS} of a core at least; {cpus:g} was asked.")
    await engine.limit_cpus(found[harm.node], cpus)


async def _own_cpu(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    """Give back what compose.yaml says; without a limit there, all cores: the engine takes 0 for no change, not for no limit."""
    service = (await engine.project()).services.get(harm.node)
    await engine.limit_cpus(found[harm.node], (service.cpus if service else None) or await engine.cpus())


def _disk(found: Mapping[str, Container], node: str) -> disks.Disk:
    return disks.disk_of(found[node], (other for other in found.values() if other.service != KEEPER))


async def _slow_disk(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    await disks.throttle(engine, _disk(found, harm.node), harm.amount)


async def _own_disk(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    if found[harm.node].joinable:  # a container that has stopped has lost its limit
        await disks.release(engine, _disk(found, harm.node))


async def _fill(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    await disks.fill(engine, _disk(found, harm.node), harm)


async def _empty(engine: Engine, harm: Harm, found: Mapping[str, Container]) -> None:
    await disks.empty(engine, _disk(found, harm.node), harm)
    await _start(engine, harm, found)  # most databases end themselves when the disk is full


_Deed = Callable[[Engine, Harm, Mapping[str, Container]], Awaitable[None]]

_DEEDS: dict[HarmName, tuple[_Deed, _Deed]] = {
    "kill": (_kill, _start),
    "pause": (_pause, _unpause),
    "restart": (_restart, _start),
    "partition": (_cut, _join),
    "slow_cpu": (_slow_cpu, _own_cpu),
    "slow_disk": (_slow_disk, _own_disk),
    "fill_disk": (_fill, _empty),
}
_OF_A_LIVING_ONE: tuple[HarmName, ...] = ("pause", "restart", "partition", "slow_disk")


async def inject(engine: Engine, harm: Harm) -> None:
    """Do the harm. Raises LabError when the node has no container, HarmRefused when it cannot be done to it as it is."""
    found = {container.service: container for container in await engine.containers()}
    if harm.node not in found:
        raise LabError(f"There is no container of {harm.node}. `opsai deploy local up` makes it.")
    container = found[harm.node]
    if harm.name in _OF_A_LIVING_ONE and not container.joinable:
        raise HarmRefused(
            f"{harm.node} does not run ({container.says or container.state}), so {harm.says()} cannot be done."
        )
    await _DEEDS[harm.name][0](engine, harm, found)


async def undo(engine: Engine, harm: Harm) -> None:
    """Undo it; nothing is done where the container is gone."""
    found = {container.service: container for container in await engine.containers()}
    if harm.node in found:
        await _DEEDS[harm.name][1](engine, harm, found)
