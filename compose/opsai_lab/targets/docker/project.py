"""What `docker compose config` says of a cluster: its services, their images, and how those are made."""

import os
import re
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, Field, JsonValue, ValidationError

from opsai_lab.errors import LabError
from opsai_subjects.model import Value

FILE_NAME = "compose.yaml"
_SETTABLE = re.compile(r"\$\{(?P<name>\w+):-(?P<default>[^${}]*)\}")


class Recipe(Value):
    """How an image is built."""

    context: Path
    file: Path
    arguments: dict[str, str] = Field(default_factory=dict[str, str])


class Service(Value):
    """One service that is to run."""

    name: str
    image: str
    recipe: Recipe | None
    """None: the image is pulled."""
    cpus: float | None
    """The share of the machine's cores that it is limited to."""
    volumes: tuple[str, ...]
    """The named volumes that it writes to."""


class Project(Value):
    """The services of the chosen profiles."""

    services: dict[str, Service]

    def images(self, only: Collection[str] | None = None) -> dict[str, Recipe | None]:
        """Return each image of the services, or of `only` these, once, and how it is made."""
        found: dict[str, Recipe | None] = {}
        for service in self.services.values():
            if only is None or service.name in only:
                found[service.image] = service.recipe or found.get(service.image)
        return found


class _Build(BaseModel):
    context: Path
    dockerfile: Path = Path("Dockerfile")
    args: dict[str, str | None] = Field(default_factory=dict[str, str | None])


class _Limits(BaseModel):
    cpus: float | None = None


class _Resources(BaseModel):
    limits: _Limits = _Limits()


class _Deploy(BaseModel):
    resources: _Resources = _Resources()


class _Volume(BaseModel):
    type: str = ""
    source: str = ""
    read_only: bool = False


class _Service(BaseModel):
    volumes: list[_Volume] = Field(default_factory=list[_Volume])
    image: str | None = None
    build: _Build | None = None
    deploy: _Deploy = _Deploy()
    cpus: float | None = None


class _Project(BaseModel):
    name: str
    services: dict[str, _Service] = Field(default_factory=dict[str, _Service])


def described(answer: JsonValue, file: Path) -> Project:
    """Return what the configuration says. Raises LabError for one that cannot be used."""
    try:
        read = _Project.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise LabError(
            f"{file} cannot be used: {where}: {first['msg']} (as `docker compose config` shows it)."
        ) from error
    return Project(services={name: _service(name, one, read.name) for name, one in read.services.items()})


def _service(name: str, one: _Service, project: str) -> Service:
    recipe = None
    if one.build is not None:
        file = one.build.dockerfile
        recipe = Recipe(
            context=one.build.context,
            file=file if file.is_absolute() else one.build.context / file,
            arguments={key: value for key, value in one.build.args.items() if value is not None},
        )
    return Service(
        name=name,
        image=one.image or f"{project}-{name}",  # as Compose names what it builds
        recipe=recipe,
        cpus=one.cpus or one.deploy.resources.limits.cpus,
        volumes=tuple(volume.source for volume in one.volumes if volume.type == "volume" and not volume.read_only),
    )


def settable(file: Path) -> dict[str, str]:
    """Return which environment variable sets a value that the file has now: `{"34001": "OPSAI_ETCD_PORT_1"}`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return {os.environ.get(found["name"]) or found["default"]: found["name"] for found in _SETTABLE.finditer(text)}
