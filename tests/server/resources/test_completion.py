"""What is offered while somebody types is what can be read here: newest first, and no more than the protocol allows."""

from pathlib import Path

import pytest
from mcp.types import INTERNAL_ERROR, PromptReference, ResourceTemplateReference

from opsai_server.tools.desk import Desk
from tests.server.mcp.bench import ERAS, served
from tests.server.mcp.test_submitting import broken, down
from tests.server.resources.reader import offered, refused, several
from tests.server.resources.test_resources import spoil

pytestmark = pytest.mark.anyio

TICKETS, INCIDENTS = "opsai://tickets/{id}", "opsai://incidents/{ticket}"
DIAGNOSES, EVIDENCE = "opsai://diagnoses/{id}", "opsai://evidence/{id}{?path,offset}"
KNOWLEDGE = "opsai://knowledge/{+id}"


@pytest.mark.parametrize("mode", ERAS)
async def test_ids_are_offered_newest_first_of_the_clusters_that_are_shown(tmp_path: Path, mode: str) -> None:
    async with several(tmp_path, mode=mode) as it:
        for name in ("north", "hidden", "south"):
            await it.down(name)
        found = {
            where: await offered(it.client, where, argument)
            for where, argument in ((TICKETS, "id"), (INCIDENTS, "ticket"), (EVIDENCE, "id"), (DIAGNOSES, "id"))
        }
        of_prompt = await offered(it.client, "investigate_ticket", "ticket")
        of_south = await offered(it.client, "post_mortem", "ticket", cluster="south")
        of_hidden = await offered(it.client, "post_mortem", "ticket", cluster="hidden")

    assert found == {TICKETS: ["T-3", "T-1"], INCIDENTS: ["T-3", "T-1"], EVIDENCE: ["E-3", "E-1"], DIAGNOSES: []}
    assert of_prompt == ["T-3", "T-1"]
    assert of_south == ["T-3"]
    assert of_hidden == ["T-3", "T-1"]


async def test_a_diagnosis_is_offered_once_there_is_one(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await toy.ask("submit_diagnosis", **down(await broken(toy)))
        found = await offered(toy.client, DIAGNOSES, "id", "d")

    assert found == ["D-1"]


@pytest.mark.parametrize("typed", ["E-11", "e-11", "11", " E-11"])
async def test_an_id_is_found_by_how_it_begins(tmp_path: Path, typed: str) -> None:
    async with served(tmp_path) as toy:
        for _ in range(120):
            await toy.store.put_evidence(cluster="toy", tool="t", arguments={}, at=toy.world.now(), value={})
        found = await offered(toy.client, EVIDENCE, "id", typed)

    assert found == [*(f"E-{number}" for number in range(119, 109, -1)), "E-11"]


async def test_more_than_a_hundred_are_counted_and_not_shown(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        for _ in range(130):
            await toy.store.put_evidence(cluster="toy", tool="t", arguments={}, at=toy.world.now(), value={})
        ref = ResourceTemplateReference(type="ref/resource", uri=EVIDENCE)
        found = (await toy.client.complete(ref, {"name": "id", "value": ""})).completion

    assert (len(found.values), found.values[0], found.total, found.has_more) == (100, "E-130", 130, True)


@pytest.mark.parametrize(
    ("where", "argument", "typed", "values"),
    [
        (KNOWLEDGE, "id", "toy_", ["toy_down", "toy_full", "toy_slow"]),
        (KNOWLEDGE, "id", "PART_F", ["part_fast"]),
        ("opsai://tickets{?cluster}", "cluster", "", ["toy"]),
        ("compare_windows", "baseline", "", ["before", "hour_ago", "yesterday", "last_week"]),
        ("compare_windows", "start", "", ["2026-05-01T12:00:10.000Z"]),
        ("compare_windows", "end", "2026", ["2026-05-01T12:00:10.000Z"]),
        ("compare_windows", "topic", "", []),
        (TICKETS, "id", "*", []),
        (TICKETS, "id", "[0-9", []),
        (TICKETS, "id", "T-٣", []),
        (TICKETS, "zebra", "", []),
        ("opsai://zebras/{id}", "id", "", []),
        ("zebra", "ticket", "", []),
        ("health_check", "zebra", "", []),
    ],
)
async def test_each_argument_is_offered_what_it_can_be(
    tmp_path: Path, where: str, argument: str, typed: str, values: list[str]
) -> None:
    async with served(tmp_path) as toy:
        await broken(toy)
        assert await offered(toy.client, where, argument, typed) == values


async def test_clusters_are_offered_where_a_prompt_takes_one(tmp_path: Path) -> None:
    async with several(tmp_path) as it:
        assert await offered(it.client, "health_check", "cluster") == ["north", "south"]
        assert await offered(it.client, "investigate_ticket", "cluster", "S") == ["south"]


@pytest.mark.parametrize("mode", ERAS)
async def test_nothing_is_offered_of_a_cluster_that_is_made_ready_and_nobody_waits(tmp_path: Path, mode: str) -> None:
    async with several(tmp_path, mode=mode, ready=False) as it:
        await it.down("north")
        await it.down("south")
        before = await offered(it.client, TICKETS, "id")
        it.desks.set(Desk(it.clusters["south"], it.store, it.settings))
        after = await offered(it.client, TICKETS, "id")

    assert (before, after) == ([], ["T-2"])


async def test_a_store_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await toy.watch(0)
        spoil(tmp_path)
        ref = PromptReference(type="ref/prompt", name="post_mortem")
        said = await refused(toy.client.complete(ref, {"name": "ticket", "value": ""}), code=INTERNAL_ERROR)

    assert "opsai.sqlite" in said
