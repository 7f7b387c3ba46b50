"""Bringing the images of a cluster onto this machine: built where there is a recipe, else pulled."""

import re
from collections.abc import Collection

from opsai_lab.errors import LabError
from opsai_lab.targets.docker.engine import TOOLS_IMAGE, TOOLS_RECIPE, Engine
from opsai_lab.targets.docker.project import Project, Recipe
from opsai_lab.targets.target import Tell

_STEP = re.compile(r"^(?:Step (?P<step>\d+/\d+)|#\d+ \[[^\]]*?(?P<kit>\d+/\d+)\])")
_TAKE_TIME = ("RUN", "COPY", "ADD", "FROM")


async def provide(engine: Engine, project: Project, tell: Tell, only: Collection[str] | None = None) -> None:
    """Bring what is missing (for `only` these services). Raises LabError for what cannot be had; without the tools only some harms
    cannot be done, which is told."""
    wanted = project.images(only)
    missing = [name for name in wanted if not await engine.has_image(name)]
    if missing:
        tell(f"images: {len(wanted) - len(missing)} of {len(wanted)} are here")
    for name in missing:
        await _bring(engine, name, wanted[name], tell)
    if not await engine.has_image(TOOLS_IMAGE):
        try:
            await _bring(engine, TOOLS_IMAGE, TOOLS_RECIPE, tell)
        except LabError as error:
            tell(f"partition, fill_disk and slow_disk cannot be done for now: {error}")


async def _bring(engine: Engine, name: str, recipe: Recipe | None, tell: Tell) -> None:
    if recipe is not None:
        tell(f"building {name}")
        await engine.build(name, recipe, _Building(name, tell).take)
    else:
        tell(f"pulling {name}")
        await engine.pull(name, _Pulling(name, tell).take)


class _Pulling:
    """Counts layers in what `docker pull` prints where there is no terminal."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._layers: set[str] = set()
        self._done: set[str] = set()

    def take(self, line: str) -> None:
        layer, _, what = line.partition(": ")
        if what.startswith(("Pulling fs layer", "Already exists")):
            self._layers.add(layer)
        if what.startswith(("Pull complete", "Already exists")) and layer not in self._done:
            self._done.add(layer)
            self._tell(f"pulling {self._name}: {len(self._done)} of {len(self._layers)} layers")


class _Building:
    """Passes on the steps of a build, as the classic builder and BuildKit write them."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._last = ""

    def take(self, line: str) -> None:
        found = _STEP.match(line)
        what = line[found.end() :].lstrip(" :") if found else ""
        if found and line != self._last and what.startswith(_TAKE_TIME):
            self._last = line
            self._tell(f"building {self._name}: step {found['step'] or found['kit']}: {' '.join(what.split()[:6])} …")
