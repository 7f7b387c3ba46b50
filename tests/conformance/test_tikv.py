"""The TiKV adapter satisfies what every adapter must, on a recording of a real cluster."""

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from opsai_lab.recordings import find
from opsai_server.conformance import surface_checks
from opsai_subjects.conformance.checks import Check, checks
from opsai_subjects.conformance.scene import Scene, recorded
from opsai_subjects.recording.folder import open_recording
from opsai_tikv.kind import KIND

AMBER = find("amber-heron")


@asynccontextmanager
async def healthy() -> AsyncGenerator[Scene]:
    async with recorded(AMBER, open_recording(AMBER).incident.start + timedelta(seconds=90)) as scene:
        yield scene


def lines() -> tuple[str, ...]:
    logs = [gzip.decompress((AMBER / "logs" / f"{node}.log.gz").read_bytes()).decode() for node in ("pd1", "tikv1")]
    return tuple(line for log in logs for line in log.splitlines()[:40])


@pytest.mark.anyio
@pytest.mark.parametrize("check", [*checks(KIND, healthy, lines()), *surface_checks(KIND, healthy)], ids=str)
async def test_tikv(check: Check) -> None:
    await check()
