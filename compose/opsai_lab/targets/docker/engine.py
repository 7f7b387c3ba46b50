"""The Docker Engine and Compose, as far as a local cluster needs them: the one home of python-on-whales.

Its commands run in threads. What may last (a pull, a build, `compose up`, a followed log) goes through `commands`, which can end it.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from pydantic import ValidationError
from python_on_whales import ClientNotFoundError, DockerClient
from python_on_whales.exceptions import DockerException

from opsai_lab.errors import LabError
from opsai_lab.targets.docker import commands, containers
from opsai_lab.targets.docker.containers import PROJECT_LABEL, Container
from opsai_lab.targets.docker.project import FILE_NAME, Project, Recipe, described, settable
from opsai_lab.targets.docker.trouble import NO_COMPOSE, NO_PROGRAM, explained, unpullable
from opsai_subjects.model import clean

_T = TypeVar("_T")
_Take = Callable[[str], None]

TOOLS_IMAGE = "opsai-tools:local"
TOOLS_RECIPE = Recipe(context=Path(__file__).parent / "tools", file=Path(__file__).parent / "tools/Dockerfile")
_TOOLS_LABEL = "opsai.tools-of"


class Engine:
    """One Compose project on the engine that the `docker` program speaks to."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.file = folder / FILE_NAME
        self._client = self._over()

    def _over(self, *files: Path) -> DockerClient:
        return DockerClient(compose_files=[self.file, *files], compose_project_name=self.name)

    def overlay(self, file: Path) -> None:
        """Lay a second compose file over compose.yaml, for this target's `up`."""
        self._client = self._over(file)

    async def check(self) -> None:
        """Return when an engine and Compose 2 or newer answer. Raises LabError."""
        await self._asked("Asking Docker", lambda: self._client.container.list(filters=[("name", "^none$")]))
        try:
            version = await anyio.to_thread.run_sync(self._client.compose.version)
        except DockerException as error:
            raise LabError(NO_COMPOSE) from error
        if version.rpartition(" ")[2].startswith(("1.", "v1.")):
            raise LabError(f"{NO_COMPOSE} What answers is {clean(version, 80)!r}.")

    async def project(self) -> Project:
        """Return what compose.yaml asks for in this environment. Raises LabError."""
        if not self.file.is_file():
            raise LabError(f"There is no {self.file}: the docker target reads there which containers to run.")
        answer = await self._asked(f"Reading {self.file}", lambda: self._client.compose.config(return_json=True))
        return described(answer, self.file)

    async def containers(self) -> tuple[Container, ...]:
        """Return every container of the project. Raises LabError."""

        def listed() -> list[str]:
            mine = self._client.container.list(all=True, filters=[("label", f"{PROJECT_LABEL}={self.name}")])
            return [one.id for one in mine]

        ids = await self._asked("Listing containers", listed)
        if not ids:
            return ()
        status, answer, said = await commands.answer([*self._docker(), "container", "inspect", *ids])
        if status and "no such container" not in said.lower():
            raise LabError(explained("Inspecting containers", said))
        try:
            return containers.described(answer)  # one that went away in between is left out
        except ValidationError as error:
            raise LabError(
                f"`docker container inspect` answered {clean(answer.decode(errors='replace'), 300)!r}."
            ) from error

    async def logs(self, container: str, lines: int, *, follow: bool) -> AsyncGenerator[str]:
        """Yield the last lines of its output, then, following, those that come."""
        argv = [
            *self._docker(),
            "container",
            "logs",
            "--tail",
            str(lines),
            *(["--follow"] if follow else []),
            container,
        ]
        async with aclosing(commands.lines(argv)) as printed:
            async for line in printed:
                yield line

    async def has_image(self, name: str) -> bool:
        """Return whether the image is on this machine."""
        return await self._asked(f"Looking for the image {name}", lambda: self._client.image.exists(name))

    async def pull(self, name: str, take: _Take) -> None:
        """Pull an image; its lines go to `take`. Raises LabError when it cannot be had."""
        ended = await commands.run([*self._docker(), "image", "pull", name], take)
        if ended.status:
            raise LabError(unpullable(name, ended.said, settable(self.file)))

    async def build(self, name: str, recipe: Recipe, take: _Take) -> None:
        """Build an image, with whichever builder the `docker` program has. Raises LabError."""
        arguments = [word for key, value in recipe.arguments.items() for word in ("--build-arg", f"{key}={value}")]
        argv = [*self._docker(), "build", "--tag", name, "--file", recipe.file, *arguments, recipe.context]
        ended = await commands.run([str(word) for word in argv], take)
        if ended.status:
            raise LabError(explained(f"Building {name} from {recipe.file}", ended.said, settable(self.file)))

    async def compose_up(self, services: Sequence[str], take: _Take) -> str:
        """Create and start what is missing of these services; return "" or why that failed."""
        argv = [*map(str, self._client.client_config.docker_compose_cmd)]
        argv += ["up", "--detach", "--no-build", "--pull", "never", *services]
        ended = await commands.run(argv, take)
        return explained("Starting the containers", ended.said, settable(self.file)) if ended.status else ""

    async def start(self, container: Container) -> None:
        """Start it; one that runs is left alone."""
        await self._harming(container, "Starting", lambda: self._client.container.start(container.id))

    async def kill(self, container: Container) -> None:
        """Kill it (SIGKILL)."""
        await self._harming(container, "Killing", lambda: self._client.container.kill(container.id))

    async def pause(self, container: Container) -> None:
        """Freeze it."""
        await self._harming(container, "Pausing", lambda: self._client.container.pause(container.id))

    async def unpause(self, container: Container) -> None:
        """Let it go on."""
        await self._harming(container, "Unpausing", lambda: self._client.container.unpause(container.id))

    async def restart(self, container: Container) -> None:
        """Stop it in order, then start it."""
        await self._harming(container, "Restarting", lambda: self._client.container.restart(container.id))

    async def limit_cpus(self, container: Container, cpus: float) -> None:
        """Give it that many cores at most."""
        await self._harming(container, "Limiting", lambda: self._client.container.update(container.id, cpus=cpus))

    async def cpus(self) -> float:
        """Return how many cores the engine has."""
        return float(await self._asked("Asking Docker", lambda: self._client.system.info().n_cpu or 1))

    async def with_tools(
        self,
        doing: str,
        command: Sequence[str],
        *,
        network_of: Container | None = None,
        volumes_of: Container | None = None,
        folders: Mapping[str, str] | None = None,
        capabilities: Sequence[str] = (),
    ) -> str:
        """Run a command in a container of the tools image and return its output; nothing of it stays. Raises LabError."""
        if not await self.has_image(TOOLS_IMAGE):
            await self.build(TOOLS_IMAGE, TOOLS_RECIPE, lambda _line: None)

        def ran() -> str:
            return str(
                self._client.container.run(
                    TOOLS_IMAGE,
                    list(command),
                    remove=True,
                    pull="never",
                    cap_drop=["ALL"],
                    cap_add=list(capabilities),
                    networks=[f"container:{network_of.id}"] if network_of else ["none"],
                    volumes_from=[volumes_of.id] if volumes_of else [],
                    volumes=list((folders or {}).items()),
                    labels={_TOOLS_LABEL: self.name},
                )
            )

        return await self._asked(doing, ran)

    async def volumes(self) -> tuple[str, ...]:
        """Return the names of the project's volumes."""

        def listed() -> tuple[str, ...]:
            mine = self._client.volume.list(filters=[("label", f"{PROJECT_LABEL}={self.name}")])
            return tuple(volume.name for volume in mine)

        return await self._asked("Listing volumes", listed)

    async def remove_all(self, but: Collection[str] = ()) -> tuple[int, int, int]:
        """Remove every container, network and volume of the project (`but` these volumes), by their labels; return how many of each.

        It needs no compose.yaml.
        """
        client = self._client

        def removed() -> tuple[int, int, int]:
            boxes = client.container.list(all=True, filters=[("label", f"{PROJECT_LABEL}={self.name}")])
            boxes += client.container.list(all=True, filters=[("label", f"{_TOOLS_LABEL}={self.name}")])
            for box in boxes:
                box.remove(force=True, volumes=True)
            networks = client.network.list(filters=[("label", f"{PROJECT_LABEL}={self.name}")])
            for network in networks:
                network.remove()
            volumes = client.volume.list(filters=[("label", f"{PROJECT_LABEL}={self.name}")])
            volumes = [volume for volume in volumes if volume.name not in but]
            for volume in volumes:
                volume.remove()
            return len(boxes), len(networks), len(volumes)

        return await self._asked(f"Removing {self.name}", removed)

    async def socket(self) -> str:
        """Return the URL of the engine: `unix:///var/run/docker.sock`; empty when that is not known."""

        def found() -> str:
            endpoint = self._client.context.inspect(None).endpoints.get("docker")
            return (endpoint.host if endpoint else None) or ""

        return await self._asked("Asking for Docker's context", found)

    async def _harming(self, container: Container, doing: str, call: Callable[[], object]) -> None:
        await self._asked(f"{doing} {container.name}", call)

    def _docker(self) -> list[str]:
        try:
            return list(map(str, self._client.client_config.docker_cmd))
        except ClientNotFoundError as error:
            raise LabError(NO_PROGRAM) from error

    async def _asked(self, doing: str, call: Callable[[], _T]) -> _T:
        """Return what a call of python-on-whales answers. Raises LabError with what Docker said."""
        try:
            return await anyio.to_thread.run_sync(call)
        except ClientNotFoundError as error:
            raise LabError(NO_PROGRAM) from error
        except DockerException as error:
            raise LabError(explained(doing, error.stderr or error.stdout or "", settable(self.file))) from error
