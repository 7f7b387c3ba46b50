"""A local cluster in containers, as the bench asks for it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from opsai_lab.errors import LabError
from opsai_lab.targets.docker import harms
from opsai_lab.targets.docker.bringing_up import bring_up
from opsai_lab.targets.docker.containers import Container
from opsai_lab.targets.docker.endpoints import endpoints
from opsai_lab.targets.docker.engine import Engine
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Endpoints, NodeStatus, Place, Tell
from opsai_subjects.model import clean


class DockerTarget:
    """The Compose project named as the place is, of the compose.yaml beside the blueprint. A node is the service of its name."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._engine = Engine(place.name, place.blueprint.folder)

    async def up(self, tell: Tell) -> None:
        await bring_up(self._engine, self.place, tell)

    async def down(self, tell: Tell) -> None:
        boxes, networks, volumes = await self._engine.remove_all()
        tell(f"removed {boxes} containers, {networks} networks, {volumes} volumes of {self.place.name}; images stay")

    async def status(self) -> tuple[NodeStatus, ...]:
        found = await self._found()
        nodes = [self._status(node.name, node.role, found.get(node.name)) for node in self.place.blueprint.nodes]
        planned = {node.name for node in self.place.blueprint.nodes}
        companions = [self._status(name, name, found[name]) for name in sorted(found) if name not in planned]
        return (*nodes, *companions)

    async def endpoints(self) -> Endpoints:
        return endpoints(self.place, await self._found(), await self._engine.socket())

    async def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        found = await self._found()
        if node not in found:
            self._known(node, found)
            raise LabError(f"There is no container of {node}, and so no log. `opsai deploy local up` makes it.")
        # Closed with this one: a generator that is only dropped leaves its process running.
        async with aclosing(self._engine.logs(found[node].name, lines, follow=follow)) as logged:
            async for line in logged:
                yield clean(line)

    def refusal(self, harm: Harm) -> str:
        try:
            for name in (harm.node, *(harm.apart_from or ())):
                self._known(name)
        except LabError as error:
            return str(error)
        if harm.name == "partition" and harm.apart_from is not None and not set(harm.apart_from) - {harm.node}:
            return f"{harm.node} cannot be cut off from nobody: name the other nodes."
        if harm.name == "fill_disk" and not self.place.small_disks_mb:
            return (
                f"The data of {harm.node} shares its file system with everything else on the engine's machine, which must not be "
                "filled. Bring the cluster up with small ones: opsai deploy local up --small-disks 256."
            )
        if harm.name == "slow_disk" and self.place.small_disks_mb:
            return "Small disks are in memory, and memory is not made slow. Bring the cluster up without --small-disks."
        return ""

    async def inject(self, harm: Harm) -> None:
        if why := self.refusal(harm):
            raise LabError(why)
        await harms.inject(self._engine, harm)

    async def undo(self, harm: Harm) -> None:
        self._known(harm.node)
        await harms.undo(self._engine, harm)

    async def _found(self) -> dict[str, Container]:
        return {container.service: container for container in await self._engine.containers()}

    def _known(self, name: str, found: Mapping[str, Container] | None = None) -> None:
        nodes = [str(node.name) for node in self.place.blueprint.nodes]
        if name not in nodes:
            known = [*nodes, *(other for other in found or {} if other not in nodes)]
            raise LabError(f"There is no node {name!r} in {self.place.name}: it has {', '.join(known)}.")

    def _status(self, name: str, role: str, container: Container | None) -> NodeStatus:
        if container is None:
            return NodeStatus(name=name, role=role, state="absent", says="it has no container")
        published = sorted(container.published.items())
        host, port = published[0][1] if published else ("", 0)
        return NodeStatus(
            name=name,
            role=role,
            state=container.state,
            address=f"{host}:{port}" if port and container.joinable else "",
            says=container.says,
            log=f"docker logs {container.name}",
        )
