"""The shipped recordings as fixtures; a test elsewhere imports them from `tests.subjects.recording.opened`."""

from pathlib import Path

import pytest

from tests.subjects.recording import opened


@pytest.fixture(scope="session")
def incidents() -> Path:
    """The folder of the recordings that ship."""
    return opened.INCIDENTS


@pytest.fixture(scope="session")
def replay() -> opened.Replay:
    """Open a shipped recording so many seconds after its start: `async with replay("amber-heron", 160) as cluster`."""
    return opened.replay
