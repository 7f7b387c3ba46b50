"""What every test may use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# the suite's workers share two cores with real clusters: how long an example takes to make says nothing of the code
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@cache
def docker_answers() -> bool:
    """Return whether a Docker Engine and Compose are there."""
    if shutil.which("docker") is None:
        return False
    asked = (("docker", "version"), ("docker", "compose", "version"))
    return all(subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in asked)


@cache
def clients_are_there() -> bool:
    """Return whether what tests/clients starts is there, in the versions asked for."""
    return subprocess.run([ROOT / "scripts" / "clients", "--check"], check=False).returncode == 0


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (lambda: shutil.which("chromium") is not None, "no chromium on PATH: Debian's package chromium has it"),
    "clients": (clients_are_there, "no real clients here, or others than asked for: `make clients` fetches them"),
    "docker": (docker_answers, "needs a Docker Engine with Compose; `scripts/ci-docker` makes one on Debian"),
    "etcd": (lambda: shutil.which("etcd") is not None, "no etcd on PATH: Debian's package etcd-server has it"),
    "root": (
        lambda: sys.platform == "linux" and os.geteuid() == 0 and shutil.which("nft") is not None,
        "needs root on Linux, and nft (Debian's package nftables)",
    ),
}
"""Marker to whether its tests can run here, and why not."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip with a reason what cannot run on this machine; the CI's machines can run all, so there it is a failure."""
    for marker, (can_run, why) in NEEDS.items():
        if item.get_closest_marker(marker) and not can_run():
            if os.environ.get("CI") == "true":
                pytest.fail(why)
            pytest.skip(why)
