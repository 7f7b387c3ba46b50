"""A small file system for each node's data: volumes in memory, which a keeper holds while their node does not run.

The engine unmounts a volume with its last container, and what is in memory is then gone: the keeper mounts them all.
"""

import json
from collections import Counter

from opsai_lab.targets.docker.engine import TOOLS_IMAGE, TOOLS_RECIPE, Engine
from opsai_lab.targets.docker.project import Project
from opsai_lab.targets.folder import write_whole
from opsai_lab.targets.target import Place

KEEPER = "disks"
FILE_NAME = "small-disks.json"


async def with_small_disks(engine: Engine, place: Place) -> Project:
    """Lay the volumes and their keeper over compose.yaml, and return what it says then. Raises LabError."""
    project = await engine.project()
    nodes = [project.services[node.name] for node in place.blueprint.nodes if node.name in project.services]
    written = Counter(volume for service in project.services.values() for volume in service.volumes)
    volumes = [volume for service in nodes for volume in service.volumes if written[volume] == 1]
    file = place.folder / FILE_NAME
    write_whole(file, json.dumps(_overlay(volumes, place.small_disks_mb)))
    engine.overlay(file)
    return await engine.project()


def _overlay(volumes: list[str], size_mb: int) -> dict[str, object]:
    small = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size_mb}m"}
    keeper = {
        "image": TOOLS_IMAGE,
        "build": {"context": str(TOOLS_RECIPE.context)},
        "command": ["sleep", "infinity"],
        "init": True,
        "network_mode": "none",
        "volumes": [f"{volume}:/disks/{volume}" for volume in volumes],
    }
    return {
        "services": {KEEPER: keeper},
        "volumes": {volume: {"driver": "local", "driver_opts": small} for volume in volumes},
    }
