"""The shipped recordings, and one opened at a moment."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from opsai_subjects.opening import ReplayCluster, open_replay

INCIDENTS = Path(__file__).parents[3] / "compose" / "incidents"

Replay = Callable[[str, float], AbstractAsyncContextManager[ReplayCluster]]


@pytest.fixture(scope="session")
def incidents() -> Path:
    """The folder of the recordings that ship."""
    return INCIDENTS


@pytest.fixture(scope="session")
def replay(incidents: Path) -> Replay:
    """Open a shipped recording so many seconds after its start: `async with replay("amber-heron", 160) as cluster`."""

    @asynccontextmanager
    async def opened(name: str, seconds: float) -> AsyncGenerator[ReplayCluster]:
        async with open_replay(incidents / name) as cluster:
            cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=seconds))
            yield cluster

    return opened
