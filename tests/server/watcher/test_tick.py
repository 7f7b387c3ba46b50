"""One look, from facts to what stands in the store."""

from pathlib import Path

import pytest

from opsai_server.tickets.store import open_store
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from tests.server.toy import ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio

SETTINGS = WatchSettings()


async def test_a_part_that_stays_down_gets_one_ticket_with_evidence_of_the_moment(tmp_path: Path) -> None:
    world = ToyWorld()
    cluster = toy_cluster(world)
    async with open_store(tmp_path / "store.sqlite") as store:
        world.parts["b"].up = False
        first = await tick(cluster, store, SETTINGS)
        world.later(30)
        second = await tick(cluster, store, SETTINGS)
        world.later(30)
        third = await tick(cluster, store, SETTINGS)

        (ticket,) = await store.tickets("toy")
        assert (first.steps, third.steps) == ((), ())
        assert [(step.ticket.id, step.transition.step) for step in second.steps] == [("T-1", "created")]
        assert (ticket.invariant, ticket.entity, ticket.status) == ("part_up", "part:b", "created")
        assert ticket.title == "part:b does not run"
        (ident,) = ticket.evidence_ids
        value = (await store.evidence(ident)).value
        assert isinstance(value, dict)
        assert set(value) == {"verdicts", "signs", "facts"}
