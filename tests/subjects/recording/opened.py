"""The shipped recordings, and one opened at a moment: for any test, `async with replay("amber-heron", 160) as cluster`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from opsai_subjects.opening import ReplayCluster, open_replay

INCIDENTS = Path(__file__).parents[3] / "compose" / "incidents"

Replay = Callable[[str, float], AbstractAsyncContextManager[ReplayCluster]]


@asynccontextmanager
async def replay(name: str, seconds: float) -> AsyncGenerator[ReplayCluster]:
    """Open a shipped recording so many seconds after its start."""
    async with open_replay(INCIDENTS / name) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=seconds))
        yield cluster
