"""Every compose file of the repository is one that Compose takes, as it stands and in each of its profiles."""

import json
import re
import subprocess

import pytest

from opsai_lab.targets.blueprint import read_blueprint
from tests.docker.local import ROOT

pytestmark = pytest.mark.docker
FILES = sorted((ROOT / "compose").glob("*/compose.yaml"))


def configured(path: str, *profiles: str) -> dict[str, dict[str, dict[str, object]]]:
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    ran = subprocess.run(
        ["docker", "compose", "--file", path, *chosen, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "level=warning" not in ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_compose_takes_the_file_and_every_node_of_the_blueprint_is_a_service(file: str) -> None:
    plain = configured(str(file))
    everything = configured(str(file), "*")

    nodes = {node.name for node in read_blueprint(file.parent).nodes}
    assert nodes - set(plain["services"]) == set()
    assert set(plain["services"]) - set(everything["services"]) == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_ports_are_published_on_loopback_only_and_images_have_a_version(file: str) -> None:
    services = configured(str(file), "*")["services"]

    open_ports = [
        name for name, one in services.items() for port in one.get("ports", ()) if port.get("host_ip") != "127.0.0.1"
    ]
    images = [str(one["image"]) for one in services.values() if "image" in one]
    assert open_ports == []
    assert [image for image in images if not re.search(r":[\w.-]+$", image) or image.endswith(":latest")] == []
