"""What the agent's tests share: the stand-in service, the small server, a transcript."""

import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from opsai_agent.session import Session, SessionTimes, open_session
from opsai_agent.transcript import Transcript
from tests.agent.stub import Stub, listening, server, url_of

FAKE = Path(__file__).with_name("fake_server.py")
TIMES = SessionTimes()
AT = datetime(2026, 11, 23, 23, 5, tzinfo=UTC)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own and nothing of the tester's."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def fake(environment: dict[str, str]) -> Callable[..., AbstractAsyncContextManager[Session]]:
    """Open a session with the small server in these moods."""

    def opened(*moods: str, times: SessionTimes = TIMES) -> AbstractAsyncContextManager[Session]:
        command = (sys.executable, str(FAKE), *moods)
        return open_session((), by="a test", environment=environment, times=times, command=command)

    return opened


@asynccontextmanager
async def serving(stub: Stub) -> AsyncGenerator[str]:
    """Serve the stub inside this event loop and yield its URL."""
    service = server(stub)
    service.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with listening() as listener:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_served, service, listener)
                try:
                    yield url_of(listener)
                finally:
                    service.should_exit = True
                    service.force_exit = True
        except ExceptionGroup as group_of_one:
            raise group_of_one.exceptions[0] from None


async def _served(service: Any, listener: Any) -> None:
    with contextlib.suppress(SystemExit):
        await service.serve(sockets=[listener])


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    return Transcript(tmp_path / "transcript.jsonl", lambda: AT)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
