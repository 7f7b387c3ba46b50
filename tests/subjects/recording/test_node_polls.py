"""One node asked for a recording: an error is written down by the class that tells a kill from a hang."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.model import WallClock
from opsai_subjects.recording.node_polls import NodePolls
from opsai_subjects.recording.tally import Tally
from opsai_subjects.recording.unfinished import Head, Left, Unfinished
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Polled

pytestmark = pytest.mark.anyio
HEAD = Head(
    name="made",
    subject="etcd",
    cluster="lab",
    start=datetime(2026, 11, 24, tzinfo=UTC),
    nodes=(),
    scrape_interval_seconds=5,
    poll_interval_seconds=5,
)


async def errors(base: str, folder: Path, *, paths: int) -> list[str]:
    into, tally = Unfinished(folder, HEAD), Tally()
    asked = tuple(Polled(path=f"/{number}") for number in range(paths))
    polls = NodePolls("node1", base, subject_kind("etcd"), asked, 5.0)
    async with open_web(Access(), WebLimits(connect_seconds=0.2), allow=(r"/\d",)) as web:
        with anyio.fail_after(10):
            await polls.round(web, WallClock(), into, tally)
    into.close()
    return [str(line["error"]).partition(":")[0] for line, _ in Left(folder).polls()]


async def test_a_port_that_nobody_listens_on_is_refused_and_two_errors_end_the_round(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    assert await errors(f"http://127.0.0.1:{port}", tmp_path, paths=3) == ["ConnectionRefusedError"] * 2


async def test_a_node_that_takes_connections_and_says_nothing_timed_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        assert await errors(f"http://127.0.0.1:{port}", tmp_path, paths=1) == ["TimeoutError"]
