"""Which local clusters there are on this machine, and what is remembered of each."""

import os
import re
from pathlib import Path

import platformdirs

from opsai_lab.errors import LabError
from opsai_lab.targets.blueprints import find_blueprint
from opsai_lab.targets.folder import read_value, write_whole
from opsai_lab.targets.registry import target_kind
from opsai_lab.targets.target import Place, Target
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Value

HOME_VARIABLE = "OPSAI_LAB_HOME"
FILE_NAME = "place.json"
CONFIG_FILE_NAME = "opsai.toml"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Remembered(Value):
    """What a later command needs to know of a local cluster that was brought up."""

    name: str
    subject: str
    target: str
    blueprint: Path
    wait_seconds: float
    companions: bool
    small_disks_mb: int

    def opened(self) -> Target:
        """Return its target. Raises UnknownName or BlueprintInvalid when what it was made of is gone."""
        place = Place(
            name=self.name,
            folder=place_folder(self.name),
            blueprint=find_blueprint(self.subject, self.blueprint),
            wait_seconds=self.wait_seconds,
            companions=self.companions,
            small_disks_mb=self.small_disks_mb,
        )
        return target_kind(self.target).open(place)


def lab_home() -> Path:
    """Return where local clusters keep everything: `$OPSAI_LAB_HOME`, else `lab` in the user's state folder."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).absolute() if home else Path(platformdirs.user_state_path("opsai")) / "lab"


def recordings_home() -> Path:
    """Return where live runs are recorded: beside the local clusters, since a recording outlives its cluster."""
    return lab_home().with_name(f"{lab_home().name}-recordings")


def place_folder(name: str) -> Path:
    """Return the folder of a place. Raises LabError for a name that cannot be one of containers, tables and folders alike."""
    if not _NAME.fullmatch(name):
        raise LabError(
            f"{name!r} is no name for a local cluster: small letters, digits and hyphens, a letter first, at most 41."
        )
    return lab_home() / name


def remember(what: Remembered) -> None:
    """Write down what runs at a place."""
    write_whole(place_folder(what.name) / FILE_NAME, what.model_dump_json(indent=1))


def remembered(name: str) -> Remembered | None:
    """Return what runs at the place of that name, None when nothing does."""
    return read_value(place_folder(name) / FILE_NAME, Remembered)


def known_places() -> tuple[Remembered, ...]:
    """Return the places that are remembered, by name."""
    found = (read_value(path, Remembered) for path in sorted(lab_home().glob(f"*/{FILE_NAME}")))
    return tuple(one for one in found if one is not None)


def meant(name: str | None, subject: str | None = None, target: str | None = None) -> Remembered | None:
    """Return the place meant by the flags given, None when nothing is up. Raises UnknownName or LabError when that is not clear."""
    known = known_places()
    fitting = [
        one
        for one in known
        if name in (None, one.name) and subject in (None, one.subject) and target in (None, one.target)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        raise LabError(f"Several local clusters are up: {', '.join(one.name for one in fitting)}. Which? --name NAME.")
    if known:
        given = name or " ".join(filter(None, (subject, target)))
        raise UnknownName("local cluster", given, tuple(one.name for one in known))
    return None
