"""One cluster in containers for all tests of a module that only harm and heal it; it is gone when they are over."""

import os
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from opsai_lab.targets.target import Target
from tests.docker.local import ETCD, docker, environment, left_of, refused, target_in


@pytest.fixture(scope="session")
def images() -> None:
    """Skip where the images of compose/etcd are not on this machine: no test pulls one."""
    wanted = docker("compose", "--file", str(ETCD / "compose.yaml"), "config", "--images").split()
    missing = [
        name for name in {*wanted, "opsai-tools:local"} if "operator" not in name if refused("image", "inspect", name)
    ]
    if missing:
        why = f"no image {', '.join(missing)}: `scripts/images` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="module")
def cluster(images: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    """Three etcd members, up and healthy when a test begins; a test that harms them undoes it (`harmed`)."""
    name = f"opsai-test-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment().items():
            patch.setenv(variable, value)
        target = target_in(tmp_path_factory.mktemp("place"), name)
        anyio.run(target.up, print)
        try:
            yield target
        finally:
            anyio.run(target.down, print)
    assert left_of(name) == []


@pytest.fixture
def elsewhere(images: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[str]:
    """The name of a cluster that the test itself brings up; whatever it leaves is taken away."""
    name = f"opsai-test-own-{os.getpid()}"
    for variable, value in environment().items():
        monkeypatch.setenv(variable, value)
    yield name
    anyio.run(target_in(tmp_path, name).down, lambda _line: None)
