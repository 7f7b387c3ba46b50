"""Tickets, diagnoses and evidence are read by their URIs, of the clusters that are served and no other."""

import json
from pathlib import Path

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR

from opsai_server.tools.desk import Desk
from tests.server.mcp.bench import ERAS, served
from tests.server.mcp.test_hostile import NASTY, bad_characters
from tests.server.mcp.test_submitting import broken, down
from tests.server.resources.reader import refused, several, text_at, value_at

pytestmark = pytest.mark.anyio


def spoil(folder: Path) -> None:
    """Overwrite the store with what is no database."""
    for part in folder.iterdir():
        part.write_bytes(b"no database" * 400)


@pytest.mark.parametrize("mode", ERAS)
async def test_a_ticket_is_read_whole_by_its_uri(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        await toy.ask("submit_diagnosis", **down(await broken(toy)))
        ticket = await value_at(toy.client, "opsai://tickets/T-1")

    assert (ticket["cluster"], ticket["ticket"]["invariant"], ticket["ticket"]["status"]) == (
        "toy",
        "part_up",
        "diagnosed",
    )
    assert [step["step"] for step in ticket["history"]] == ["created", "diagnosed"]
    assert (ticket["diagnosis"]["uri"], ticket["diagnosis"]["confidence"]) == ("opsai://diagnoses/D-1", "confirmed")
    assert ticket["children"] == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_diagnosis_is_read_with_what_was_found_of_each_claim(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        await toy.ask("submit_diagnosis", **down(await broken(toy)))
        diagnosis = await value_at(toy.client, "opsai://diagnoses/D-1")

    assert (diagnosis["diagnosis"], diagnosis["ticket"], diagnosis["claims_held"]) == ("D-1", "T-1", "2 of 2")
    assert [(one["says"], one["held"]) for one in diagnosis["claims"]] == [("b is gone", True)]
    assert [one["held"] for one in diagnosis["claims_of_alternatives"]] == [True]


@pytest.mark.parametrize("mode", ERAS)
async def test_evidence_that_fits_is_one_whole_value(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        kept = await toy.store.evidence(await broken(toy))
        read = await value_at(toy.client, f"opsai://evidence/{kept.id}")

    assert (read["evidence_id"], read["tool"], read["value"]) == (kept.id, "differential", kept.value)
    assert "page" not in read


async def test_evidence_that_does_not_fit_is_described_and_read_in_parts(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        rows = [{"line": f"{number:05d} " + "x" * 60} for number in range(1_500)]
        kept = await toy.store.put_evidence(
            cluster="toy", tool="search_logs", arguments={}, at=toy.world.now(), value={"lines": rows, "n": 7}
        )
        uri = f"opsai://evidence/{kept}"
        whole = await value_at(toy.client, uri)
        first = await value_at(toy.client, f"{uri}?path=/lines")
        after = int(first["page"].split("go on with offset=")[1].split()[0])
        second = await value_at(toy.client, f"{uri}?path=/lines&offset={after}")
        size = len(await text_at(toy.client, uri))

    assert whole["value"]["lines"] == {"left_out_chars": 117_001, "path": "/lines", "elements": 1_500}
    assert whole["value"]["n"] == 7
    assert first["value"] + second["value"] == rows[: len(first["value"]) + len(second["value"])]
    assert f"{after} of 1500" in first["page"]
    assert size < 40_000


async def test_a_text_of_quotes_which_json_makes_twice_as_long_is_read_in_parts_too(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        kept = await toy.store.put_evidence(
            cluster="toy", tool="query_metrics", arguments={}, at=toy.world.now(), value={"text": '"' * 50_000}
        )
        read = await value_at(toy.client, f"opsai://evidence/{kept}?path=/text")

    assert set(read["value"]) == {'"'}
    assert f"go on with offset={len(read['value'])}" in read["page"]


async def test_open_tickets_are_listed_with_the_cluster_each_is_of(tmp_path: Path) -> None:
    async with several(tmp_path) as it:
        await it.down("north")
        await it.down("hidden")
        await it.down("south")
        every = await value_at(it.client, "opsai://tickets")
        one = await value_at(it.client, "opsai://tickets?cluster=south")
        none = await refused(it.client.read_resource("opsai://tickets?cluster=hidden"))

    assert [(row["id"], row["cluster"]) for row in every["open"]] == [("T-3", "south"), ("T-1", "north")]
    assert [row["id"] for row in one["open"]] == ["T-3"]
    assert none == "There is no cluster 'hidden'. Known: north, south."


async def test_no_open_ticket_is_not_called_health(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        read = await value_at(toy.client, "opsai://tickets")

    assert read["open"] == []
    assert "no health check" in read["note"]


@pytest.mark.parametrize("mode", ERAS)
async def test_what_is_of_another_cluster_does_not_exist_here(tmp_path: Path, mode: str) -> None:
    async with several(tmp_path, mode=mode) as it:
        await it.down("north")
        await it.down("hidden")
        ticket = await refused(it.client.read_resource("opsai://tickets/T-2"))
        report = await refused(it.client.read_resource("opsai://incidents/T-2"))
        evidence = await refused(it.client.read_resource("opsai://evidence/E-2"))
        diagnosis = await refused(it.client.read_resource("opsai://diagnoses/D-1"))
        own = await value_at(it.client, "opsai://tickets/T-1")

    assert ticket.startswith("There is no ticket 'T-2'. Known: T-1. ")
    assert "This server shows 'north', 'south' and nothing of other clusters." in ticket
    assert report == ticket
    assert evidence.startswith("There is no evidence 'E-2'. Known: E-1. ")
    assert diagnosis.startswith("There is no diagnosis 'D-1'. Known: none. ")
    assert own["cluster"] == "north"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("opsai://tickets/T-99", "There is no ticket 'T-99'. Known: none. opsai://tickets lists the open ones"),
        ("opsai://tickets/T-99999999999999999999", "There is no ticket 'T-99999999999999999999'."),
        ("opsai://tickets/%1b%5b2J", "There is no ticket"),
        ("opsai://diagnoses/latest", "There is no diagnosis 'latest'."),
        ("opsai://evidence/E-1?offset=-1", "offset='-1' cannot be used: it is no count of elements. Try: ?offset=20"),
        (
            "opsai://zebras/1",
            "There is no resource 'opsai://zebras/1'. Known: opsai://clusters, opsai://tickets{?cluster}",
        ),
        ("zebra://1", "Unknown resource: zebra://1"),
    ],
)
async def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path, uri: str, says: str) -> None:
    async with served(tmp_path) as toy:
        said = await refused(toy.client.read_resource(uri))

    assert said.startswith(says)
    assert "\x1b" not in said


@pytest.mark.parametrize("mode", ERAS)
async def test_nothing_that_is_read_carries_control_or_direction_characters(tmp_path: Path, mode: str) -> None:
    nasty = NASTY.replace("\ud800", "")
    async with served(tmp_path, mode=mode) as toy:
        toy.world.parts[nasty] = type(toy.world.parts["a"])(up=False)
        await toy.watch(0, 30)
        kept = await toy.ask("check_invariants", state="all")
        await toy.ask("submit_diagnosis", verdict="inconclusive", summary=nasty, action=UNSURE, ticket="T-1")
        uris = [
            "tickets",
            "tickets/T-1",
            "incidents/T-1",
            "diagnoses/D-1",
            "evidence/E-1",
            f"evidence/{kept['evidence_id']}",
        ]
        texts = {uri: await text_at(toy.client, f"opsai://{uri}") for uri in uris}
        with pytest.raises(MCPError) as refusal:
            await toy.client.get_prompt(nasty)

    for uri, text in texts.items():
        assert bad_characters(text) - {"\n"} == set(), uri
        assert "evil" in text, uri
    assert bad_characters(str(refusal.value.error)) == set()


UNSURE = {"do": "Look on.", "because": "It is not clear.", "verify": "It is.", "touches": "nothing"}


async def test_a_store_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    async with served(tmp_path, busy_seconds=0.05) as toy:
        await toy.watch(0)
        spoil(tmp_path)
        said = await refused(toy.client.read_resource("opsai://tickets/T-1"), code=INTERNAL_ERROR)
        listed = [one.uri for one in (await toy.client.list_resources()).resources]
        about = (await toy.client.list_resources(cache_mode="bypass")).resources[1].description

    assert "opsai.sqlite" in said
    assert "opsai://knowledge/parts" in listed
    assert about == "The open tickets, newest first. Not listed one by one now: the store could not be read."


async def test_open_incidents_are_listed_newest_first_without_a_word_of_the_clusters(tmp_path: Path) -> None:
    async with several(tmp_path) as it:
        it.worlds["north"].parts["evil # heading"] = it.worlds["north"].parts.pop("a")
        it.worlds["north"].parts["evil # heading"].up = False
        await it.down("north")
        await it.down("south")
        listed = [one for one in (await it.client.list_resources()).resources if "incidents" in one.uri]

    assert [(one.uri, one.title) for one in listed] == [
        ("opsai://incidents/T-3", "Incident T-3 of south: part_up, critical"),
        ("opsai://incidents/T-2", "Incident T-2 of north: part_up, critical"),
        ("opsai://incidents/T-1", "Incident T-1 of north: part_up, critical"),
    ]
    assert "evil" not in str(listed)


async def test_of_many_open_incidents_the_newest_are_listed_and_the_others_counted(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        part = toy.world.parts["a"]
        toy.world.parts.update({f"p{number:02d}": type(part)(up=False) for number in range(25)})
        await toy.watch(0, 30)
        listed = (await toy.client.list_resources()).resources
        read = await value_at(toy.client, "opsai://tickets")

    assert sum("incidents" in one.uri for one in listed) == 20
    assert listed[1].description is not None
    assert listed[1].description.endswith("The newest 20 incidents are listed one by one, 5 are not.")
    assert len(read["open"]) == 25


async def test_more_open_tickets_than_are_looked_at_are_not_counted_as_all(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        part = type(toy.world.parts["a"])
        toy.world.parts.update({f"p{number:03d}": part(up=False) for number in range(510)})
        await toy.watch(0, 30)
        listed = (await toy.client.list_resources()).resources
        read = await value_at(toy.client, "opsai://tickets")

    assert str(listed[1].description).endswith("The newest 20 incidents are listed one by one, 480 or more are not.")
    assert read["shown"]["open"] == (
        "100 of 500; one by opsai://tickets/ID, more by the tool tickets (of the newest 500 tickets of each cluster)"
    )


@pytest.mark.parametrize("mode", ERAS)
async def test_while_a_cluster_is_made_ready_lists_do_not_wait_and_reads_do(tmp_path: Path, mode: str) -> None:
    async with several(tmp_path, mode=mode, ready=False) as it, anyio.create_task_group() as group:
        listed = [one.uri for one in (await it.client.list_resources()).resources]
        clusters = await value_at(it.client, "opsai://clusters")
        found: list[dict[str, object]] = []

        async def read() -> None:
            found.append(await value_at(it.client, "opsai://tickets"))

        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        before = list(found)
        for name in ("north", "south"):
            it.desks.set(Desk(it.clusters[name], it.store, it.settings))

    assert listed[:2] == ["opsai://clusters", "opsai://tickets"]
    assert clusters["clusters"] == [
        {"name": "north", "subject": "toy", "ready": False},
        {"name": "south", "subject": "toy", "ready": False},
    ]
    assert "made ready" in clusters["note"]
    assert before == []
    assert found[0]["open"] == []


async def test_clusters_that_are_ready_are_said_to_be(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        text = await text_at(toy.client, "opsai://clusters")

    assert json.loads(text) == {"clusters": [{"name": "toy", "subject": "toy", "ready": True}]}


async def test_the_list_says_when_an_incident_last_changed(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await broken(toy)
        listed = (await toy.client.list_resources()).resources
        [incident] = [one for one in listed if "incidents" in one.uri]

    assert incident.annotations is not None
    assert incident.annotations.last_modified == "2026-05-01T12:00:40.000Z"


async def test_what_a_list_says_is_stale_at_once_for_tickets_come_and_go(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        resources = await toy.client.list_resources()
        templates = await toy.client.list_resource_templates()

    assert (resources.ttl_ms, templates.ttl_ms) == (0, 3_600_000)
