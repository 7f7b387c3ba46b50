"""The etcd adapter satisfies what every adapter must, on three real members."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from opsai_etcd.kind import KIND
from opsai_server.conformance import surface_checks
from opsai_subjects.config import ClusterSettings
from opsai_subjects.conformance.checks import Check, checks
from opsai_subjects.conformance.scene import Scene, live
from tests.etcd.members import Members, own_net, running

pytestmark = [pytest.mark.anyio, pytest.mark.etcd]
NET = 65
LINES = (
    '{"level":"info","ts":"2026-05-01T12:00:00.123Z","caller":"raft/raft.go:923","msg":"raft.node: 8e9e05c52164694d elected leader 1"}',
    '{"level":"warn","ts":"2026-05-01T12:00:01.000+0200","caller":"etcdserver/util.go:166","msg":"apply request took too long","took":"1.2s"}',
    "2026-05-01 12:00:00.123456 I | etcdserver: published {Name:etcd1} to cluster 7",
    "2026-05-01T12:00:00.123Z\tINFO\tembed/etcd.go:1\tready\t{}",
)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with running(tmp_path_factory.mktemp("members"), NET) as started:
        started.wait_healthy()
        yield started


@asynccontextmanager
async def healthy() -> AsyncGenerator[Scene]:
    endpoints = tuple(f"http://127.72.{own_net(NET)}.{number}:2379" for number in (1, 2, 3))
    async with live(ClusterSettings(subject="etcd", endpoints=endpoints)) as scene:
        yield scene


@pytest.mark.usefixtures("members")
@pytest.mark.parametrize("check", [*checks(KIND, healthy, LINES), *surface_checks(KIND, healthy)], ids=str)
async def test_etcd(check: Check) -> None:
    await check()
