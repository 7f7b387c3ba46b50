"""What is put into the store comes out of it again, in this process and the next."""

import stat
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from opsai_server.tickets.diagnosis import Action, CheckedClaim, Claim, Conclusion, Submission
from opsai_server.tickets.store import FORGET_EVERY, Store, open_store
from opsai_server.tickets.ticket import Heartbeat
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Window
from tests.server.toy import NOON, ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio

SETTINGS = WatchSettings()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    async with open_store(tmp_path / "state" / "opsai.sqlite") as opened:
        yield opened


async def put(store: Store, value: JsonValue, ticket: str | None = None) -> str:
    return await store.put_evidence(
        cluster="toy", tool="topology", arguments={"role": "part"}, at=NOON, value=value, ticket=ticket
    )


async def watch(store: Store, world: ToyWorld, times: int, every_seconds: float = 30) -> None:
    cluster = toy_cluster(world)
    for _ in range(times):
        await tick(cluster, store, SETTINGS)
        world.later(every_seconds)


def conclusion(*evidence_ids: str) -> Conclusion:
    claims = tuple(Claim(says="it is so", evidence_id=ident, path="/x", op="exists") for ident in evidence_ids)
    return Conclusion(
        submission=Submission(
            verdict="inconclusive",
            summary="Nobody knows.",
            claims=claims,
            action=Action(do="Look again.", because="It may show.", verify="It shows.", touches="nothing"),
        ),
        checked=tuple(CheckedClaim(claim=claim, held=True) for claim in claims),
        confidence="inconclusive",
        confidence_because=("the investigation says so itself",),
        not_seen=(),
    )


async def test_the_file_and_its_folder_are_for_their_owner_alone(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("value", [None, True, 3, 2**70, "text", [], {}, {"a": [1, {"b": None}]}, {"long": "ü" * 9000}])
async def test_evidence_comes_back_as_it_was(store: Store, value: JsonValue) -> None:
    ident = await put(store, value)
    found = await store.evidence(ident)
    assert (found.value, found.tool, found.arguments, found.at) == (value, "topology", {"role": "part"}, NOON)


async def test_a_float_without_a_word_in_json_is_kept_as_a_word(store: Store) -> None:
    stored = await store.put_evidence(
        cluster="toy", tool="query", arguments={}, at=NOON, value={"max": float("inf"), "avg": float("nan")}
    )
    assert (await store.evidence(stored)).value == {"max": "Infinity", "avg": "NaN"}


async def test_evidence_is_listed_newest_first_without_its_value(store: Store) -> None:
    for number in range(3):
        await put(store, {"number": number})
    listed = await store.list_evidence("toy", limit=2)
    assert [(summary.id, summary.chars) for summary in listed] == [("E-3", 12), ("E-2", 12)]
    assert await store.list_evidence("another") == ()


async def test_evidence_that_is_not_there_is_answered_with_what_is(store: Store) -> None:
    await put(store, 1)
    with pytest.raises(UnknownName, match=r"There is no evidence 'E-99'\. Known: E-1\."):
        await store.evidence("E-99")


@pytest.mark.parametrize("ident", ["", "T-", "E-1", "T-1 OR 1", "T-٣", "-1", "T-" + "9" * 40])
async def test_what_is_no_ticket_id_is_an_unknown_ticket(store: Store, ident: str) -> None:
    with pytest.raises(UnknownName, match="No ticket was ever raised"):
        await store.ticket(ident)


async def test_a_ticket_is_found_however_its_id_is_written(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    await watch(store, world, 2)
    assert {(await store.ticket(ident)).id for ident in ("T-1", "t-1", " T-1 ", "1")} == {"T-1"}


async def test_tickets_are_selected_by_cluster_status_and_parenthood(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    world.parts["b"].latency_seconds = 2
    await watch(store, world, 2)
    assert [ticket.id for ticket in await store.tickets()] == ["T-2", "T-1"]
    assert [ticket.id for ticket in await store.tickets("toy", parents_only=True)] == ["T-1"]
    assert [ticket.id for ticket in await store.tickets("toy", limit=1)] == ["T-2"]
    assert await store.tickets("toy", status=("resolved", "diagnosed")) == ()
    assert await store.tickets("another") == ()
    assert [ticket.id for ticket in await store.family("T-2")] == ["T-1", "T-2"]


async def test_tickets_of_one_tick_share_its_evidence(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    world.parts["b"].latency_seconds = 2
    await watch(store, world, 2)
    assert {ticket.evidence_ids for ticket in await store.tickets()} == {("E-1",)}
    assert [summary.tool for summary in await store.list_evidence("toy", ticket="T-2")] == ["watcher"]


async def test_a_ticket_of_one_cluster_knows_nothing_of_another(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    one, other = toy_cluster(world), toy_cluster(world, name="other")
    for _ in range(2):
        await tick(one, store, SETTINGS)
        await tick(other, store, SETTINGS)
        world.later(30)
    assert [(ticket.cluster, ticket.parent) for ticket in await store.tickets()] == [("other", None), ("toy", None)]


async def test_ticks_come_back_oldest_first_with_what_was_not_in_order(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    world.parts["b"].seen = False
    await watch(store, world, 3)
    ticks = await store.ticks("toy", Window(start=NOON + timedelta(seconds=30), end=NOON + timedelta(seconds=60)))
    assert [kept.at - NOON for kept in ticks] == [timedelta(seconds=30), timedelta(seconds=60)]
    last = ticks[-1]
    assert (last.held, last.violated, last.unknown) == (7, 2, 3)
    assert {verdict.state for verdict in last.verdicts} == {"violated", "unknown"}
    assert [(sign.id, sign.entity) for sign in last.signs] == [("gone", "part:a")]
    assert [part.source for part in last.unread] == ["status:part:b"]


async def test_a_heartbeat_is_replaced_by_the_next(store: Store) -> None:
    assert await store.heartbeat("toy") is None
    for seconds in (0, 30):
        beat = Heartbeat(
            cluster="toy",
            watcher="host:1",
            at=NOON + timedelta(seconds=seconds),
            tick_seconds=0.5,
            interval_seconds=30,
        )
        await store.put_heartbeat(beat)
    assert await store.heartbeat("toy") == beat


async def test_a_diagnosis_stands_on_its_ticket_with_a_transition(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    await watch(store, world, 2)
    saved = await store.save_diagnosis(
        ticket="T-1", cluster="toy", at=NOON, by="rules (no model)", conclusion=conclusion("E-1")
    )
    ticket = await store.ticket("T-1")
    assert (ticket.status, ticket.diagnosis) == ("diagnosed", saved)
    assert ticket.history[-1].step == "diagnosed"
    assert (await store.diagnosis("D-1")) == saved
    assert await store.diagnoses("toy") == (saved,)
    await watch(store, world, 1)
    assert (await store.ticket("T-1")).diagnosis == saved


async def test_a_second_diagnosis_replaces_the_first_which_can_still_be_read(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    await watch(store, world, 2)
    for _ in range(2):
        await store.save_diagnosis(ticket="T-1", cluster="toy", at=NOON, by="x", conclusion=conclusion())
    diagnosis = (await store.ticket("T-1")).diagnosis
    assert diagnosis is not None
    assert diagnosis.id == "D-2"
    assert (await store.diagnosis("D-1")).ticket == "T-1"


async def test_a_diagnosis_of_a_resolved_ticket_leaves_it_resolved(store: Store) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    await watch(store, world, 2)
    world.parts["a"].up = True
    await watch(store, world, 3)
    await store.save_diagnosis(ticket="T-1", cluster="toy", at=NOON, by="x", conclusion=conclusion())
    assert (await store.ticket("T-1")).status == "resolved"


async def test_a_diagnosis_without_a_ticket_is_kept_and_one_of_an_unknown_ticket_is_not(store: Store) -> None:
    saved = await store.save_diagnosis(ticket=None, cluster="toy", at=NOON, by="x", conclusion=conclusion())
    assert saved.ticket is None
    with pytest.raises(UnknownName, match="'T-9'"):
        await store.save_diagnosis(ticket="T-9", cluster="toy", at=NOON, by="x", conclusion=conclusion())
    assert len(await store.diagnoses("toy")) == 1


async def test_old_ticks_go_and_evidence_stays_where_something_cites_it(tmp_path: Path) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    async with open_store(tmp_path / "s", keep_ticks_seconds=60, keep_evidence_seconds=120) as store:
        await put(store, {"cited": True})
        await put(store, {"cited": False})
        await store.save_diagnosis(ticket=None, cluster="toy", at=NOON, by="x", conclusion=conclusion("E-1"))
        await watch(store, world, 6)
        ticks = await store.ticks("toy", Window(start=NOON, end=world.at))
        evidence = await store.list_evidence("toy")
        assert [(kept.at - NOON).total_seconds() for kept in ticks] == [90, 120, 150]
        assert [summary.id for summary in evidence] == ["E-3", "E-1"]
        assert await put(store, {}) == "E-4"


async def test_pruning_one_cluster_leaves_the_others_alone(tmp_path: Path) -> None:
    async with open_store(tmp_path / "s", keep_evidence_seconds=60) as store:
        await store.put_evidence(cluster="other", tool="x", arguments={}, at=NOON, value=1)
        await watch(store, ToyWorld(), 6)
        assert len(await store.list_evidence("other")) == 1


async def test_a_server_that_is_asked_without_a_watcher_forgets_old_evidence_too_but_none_that_is_cited(
    tmp_path: Path,
) -> None:
    async with open_store(tmp_path / "s", keep_evidence_seconds=60) as store:
        cited, old = await put(store, 1), await put(store, 2)
        await store.save_diagnosis(ticket=None, cluster="toy", at=NOON, by="me", conclusion=conclusion(cited))
        for number in range(FORGET_EVERY):
            at = NOON + timedelta(seconds=61)
            await store.put_evidence(cluster="toy", tool="topology", arguments={}, at=at, value=number)
        kept = await store.list_evidence("toy", limit=2 * FORGET_EVERY)

    assert cited in {one.id for one in kept}
    assert old not in {one.id for one in kept}
    assert len(kept) == FORGET_EVERY + 1


async def test_what_is_pruned_never_gives_its_id_away(tmp_path: Path) -> None:
    world = ToyWorld()
    async with open_store(tmp_path / "s", keep_evidence_seconds=60) as store:
        await put(store, 1)
        await put(store, 2)
        await watch(store, world, 6)
        assert await store.list_evidence("toy") == ()
    async with open_store(tmp_path / "s") as store:
        assert await put(store, 3) == "E-3"


async def test_the_next_process_finds_everything(tmp_path: Path) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    async with open_store(tmp_path / "s") as store:
        await watch(store, world, 1)
    async with open_store(tmp_path / "s") as store:
        await watch(store, world, 1)
        tickets = await store.tickets()
    async with open_store(tmp_path / "s") as store:
        assert await store.tickets() == tickets
        assert [ticket.violated_at for ticket in tickets] == [NOON]
