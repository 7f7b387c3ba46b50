"""The id that a cluster gives itself is compared with the one first seen under its name."""

from pathlib import Path

import pytest

from opsai_server.recognising import ClusterSwapped
from opsai_server.tickets.store import open_store
from opsai_server.watcher import tick
from opsai_subjects.config import Settings
from tests.server.clusters.several import several
from tests.server.toy import ToyPart, ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio


async def test_another_cluster_under_a_known_name_is_neither_shown_nor_kept(tmp_path: Path) -> None:
    async with several(tmp_path, "prod") as server:
        await server.ask("overview")
        server.worlds["prod"].later(60)
        server.worlds["prod"].cluster_id = "id of another"
        server.worlds["prod"].parts["secret"] = ToyPart()
        refusals = [await server.fail(tool) for tool in ("overview", "check_invariants", "differential", "topology")]
        kept = await server.store.list_evidence("prod")

    for refusal in refusals:
        assert "'prod'" in refusal
        assert "id of another" in refusal
        assert "id of prod" in refusal
        assert "opsai clusters forget prod" in refusal
        assert "secret" not in refusal
    assert [one.tool for one in kept] == ["overview"]


async def test_the_watcher_raises_no_ticket_about_a_cluster_that_took_the_name(tmp_path: Path) -> None:
    world = ToyWorld()
    settings = Settings(store=tmp_path / "opsai.sqlite")
    async with open_store(settings.store) as store:
        cluster = toy_cluster(world, name="prod")
        await tick(cluster, store, settings.watch)
        world.cluster_id, world.parts["a"] = "8", ToyPart(up=False)
        for _ in range(3):
            world.later(30)
            with pytest.raises(ClusterSwapped, match="has the id 7"):
                await tick(cluster, store, settings.watch)

        assert await store.tickets("prod") == ()


async def test_a_name_that_was_forgotten_is_taken_by_the_next_cluster_that_answers(tmp_path: Path) -> None:
    async with several(tmp_path, "prod") as server:
        await server.ask("overview")
        had = await server.store.forget_identity("prod")
        server.worlds["prod"].later(60)
        server.worlds["prod"].cluster_id = "new"
        reply = await server.ask("overview")
        known = await server.store.identity("prod")

    assert had.cluster_id == "id of prod"
    assert reply["summary"]["cluster_id"] == "new"
    assert known is not None
    assert known.cluster_id == "new"


async def test_a_cluster_that_does_not_tell_its_id_is_taken_for_the_one_meant(tmp_path: Path) -> None:
    async with several(tmp_path, "prod") as server:
        server.worlds["prod"].cluster_id = None
        first = await server.ask("overview")
        unknown = await server.store.identity("prod")
        server.worlds["prod"].later(60)
        server.worlds["prod"].cluster_id = "now it tells"
        await server.ask("overview")
        known = await server.store.identity("prod")

    assert "cluster_id" not in first["summary"] or first["summary"]["cluster_id"] is None
    assert unknown is None
    assert known is not None


async def test_the_same_cluster_may_go_by_two_names(tmp_path: Path) -> None:
    async with several(tmp_path, "prod", "same") as server:
        server.worlds["same"].cluster_id = "id of prod"
        replies = [await server.ask("overview", cluster=name) for name in ("prod", "same")]

    assert [reply["cluster"] for reply in replies] == ["prod", "same"]
