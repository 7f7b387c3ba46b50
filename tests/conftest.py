"""What every test may use."""

import os
import shutil
import sys
from collections.abc import Callable

import pytest

NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
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
