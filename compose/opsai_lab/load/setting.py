"""The load of a local cluster: where its file is, who is loaded, what is set."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from opsai_lab.errors import LabError
from opsai_lab.load import driver, wanted
from opsai_lab.load.driver import Driver
from opsai_lab.load.supervisor import Load
from opsai_lab.places import Remembered, place_folder
from opsai_lab.targets.target import Endpoints

FOLDER_VARIABLE = "OPSAI_LOAD_FOLDER"


def wanted_file(what: Remembered) -> Path:
    """Return the file that the load of this cluster follows: in containers the folder that compose.yaml mounts."""
    if what.target == "docker":
        return Path(os.environ.get(FOLDER_VARIABLE) or what.blueprint / "load") / wanted.FILE_NAME
    return _folder(what) / wanted.FILE_NAME


def driver_of(what: Remembered) -> Driver:
    """Return how go-ycsb reaches this cluster. Raises LabError."""
    return driver.read_driver(what.blueprint / driver.FILE_NAME)


def load_of(what: Remembered, endpoints: Endpoints) -> Load:
    """Return the load that is to be run from here. Raises LabError where it runs in a container already."""
    if what.target == "docker":
        raise LabError(
            "The containers are loaded by a container: the service `load` of compose.yaml, with the profile `load`. From here "
            "the nodes' own names are not known."
        )
    hosts = [urlsplit(url).netloc for url in endpoints.cluster.endpoints]
    if not hosts:
        raise LabError(f"{what.name} has no endpoint to put load on.")
    return Load(driver_of(what), ",".join(hosts), wanted_file(what), _folder(what))


def _folder(what: Remembered) -> Path:
    return place_folder(what.name) / "load"
