"""A session that takes nothing keeps neither the rest of the server nor other sessions waiting."""

from collections.abc import Mapping
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.lowlevel import checkpoint
from mcp.server.connection import Connection
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourcesListChanged, ResourceUpdated
from mcp.shared.dispatcher import CallOptions
from prometheus_client import CollectorRegistry, Gauge

from opsai_server.changes.follower import Follower, Watch
from opsai_server.changes.mailbox import Mailbox
from opsai_server.tools.desks import Desks
from tests.server.toy import KIND

pytestmark = pytest.mark.anyio

URI = "opsai://tickets/T-1"


class Peer:
    """The far end of a session: it takes what it is sent once `reads` is set."""

    def __init__(self) -> None:
        self.reads = anyio.Event()
        self.taken: list[str] = []

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self.reads.wait()
        self.taken.append((params or {}).get("uri", method))

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise AssertionError(f"{method} is asked of nobody")


def mailbox_of(peer: Peer, bus: InMemorySubscriptionBus) -> Mailbox:
    gauge = Gauge("listeners", "Listeners.", registry=CollectorRegistry())
    follower = Follower(Desks({"toy": KIND}), bus, gauge)
    mailbox = Mailbox(Connection.for_loop(peer), Watch(follower))
    mailbox.uris.add(URI)
    bus.subscribe(mailbox.post)
    return mailbox


async def test_one_that_does_not_read_is_told_each_thing_once_when_it_reads_again_and_others_at_once() -> None:
    bus = InMemorySubscriptionBus()
    stuck, quick = Peer(), Peer()
    quick.reads.set()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for peer in (stuck, quick):
                group.start_soon(mailbox_of(peer, bus).deliver)
            await checkpoint()
            for _ in range(1000):
                await bus.publish(ResourceUpdated(URI))
                await bus.publish(ResourceUpdated("opsai://tickets/T-2"))
                await bus.publish(ResourcesListChanged())
            before = list(stuck.taken)
            stuck.reads.set()
            while len(stuck.taken) < 3:
                await checkpoint()
            group.cancel_scope.cancel()

    assert before == []
    assert sorted(set(stuck.taken)) == ["notifications/resources/list_changed", URI]
    assert len(stuck.taken) == 3
    assert set(quick.taken) == set(stuck.taken)
