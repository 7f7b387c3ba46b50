"""What the reading tools answer."""

import json
from pathlib import Path

import pytest

from opsai_server.tickets.ticket import Heartbeat
from opsai_subjects.fault import FaultKind
from opsai_subjects.invariant import Invariant
from tests.server.mcp.bench import ERAS, served
from tests.server.toy import NOON, ToyKind, ToyPart

pytestmark = pytest.mark.anyio

USUAL_CHARS = 4_000


@pytest.mark.parametrize("mode", ERAS)
async def test_overview_names_what_is_violated_unknown_and_ticketed(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        toy.world.parts["b"].up = False
        toy.world.parts["c"].seen = False
        await toy.watch(10, 30, 30)
        reply = await toy.ask("overview")

    assert (reply["cluster"], reply["at"], reply["evidence_id"]) == ("toy", "2026-05-01T12:01:10.000Z", "E-3")
    assert reply["summary"]["healthy"] is False
    assert reply["summary"]["verdicts"] == {"held": 7, "violated": 2, "unknown": 3}
    assert reply["nodes"]["by_role"] == {"part": 3}
    assert [one["entity"] for one in reply["nodes"]["not_well"]] == ["part:b", "part:c"]
    assert [(one["invariant"], one["entity"]) for one in reply["violated"]] == [
        ("part_up", "part:b"),
        ("part_seen", "part:c"),
    ]
    assert reply["unknown"] == [
        {
            "why": "part:c cannot be read",
            "count": 3,
            "invariants": ["part_up", "part_roomy", "part_fast"],
            "entities": ["part:c"],
        }
    ]
    assert {one["id"]: one["headline"] for one in reply["tickets"]} == {
        "T-1": "part:b does not run",
        "T-2": "part:c cannot be read",
    }
    assert reply["unread"][0]["advice"] == "open its port"
    assert len(json.dumps(reply)) < USUAL_CHARS


async def test_a_healthy_cluster_is_said_to_be_healthy(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("overview")

    assert reply["summary"]["healthy"] is True
    assert (reply["violated"], reply["tickets"]) == ([], [])
    assert "unread" not in reply


async def test_what_cannot_be_seen_is_neither_health_nor_a_fault(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["c"].seen = False
        reply = await toy.ask("overview")

    assert reply["summary"]["healthy"] is None


async def test_overview_says_that_no_watcher_ever_looked(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        watcher = (await toy.ask("overview"))["watcher"]

    assert watcher["alive"] is False
    assert "No watcher has ever looked" in watcher["says"]


async def test_overview_says_that_the_watcher_has_fallen_silent(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await toy.watch(0)
        toy.world.later(90)
        alive = (await toy.ask("overview"))["watcher"]
        toy.world.later(1)
        silent = (await toy.ask("overview"))["watcher"]

    assert alive["alive"] is True
    assert silent["alive"] is False
    assert "has not been heard of for 91 s" in silent["says"]
    assert silent["last_at"] == "2026-05-01T12:00:00.000Z"


async def test_overview_says_that_the_watcher_was_stopped(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        goodbye = Heartbeat(cluster="toy", watcher="w:1", at=NOON, tick_seconds=0, interval_seconds=30, stopped=True)
        await toy.store.put_heartbeat(goodbye)
        watcher = (await toy.ask("overview"))["watcher"]

    assert watcher["alive"] is False
    assert "was stopped" in watcher["says"]


async def test_topology_is_a_table_with_the_unusual_first_and_says_once_what_all_share(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        reply = await toy.ask("topology")
        stored = await toy.store.evidence(reply["evidence_id"])

    table = reply["tables"]["part"]
    assert table["columns"] == ["entity", "name", "address", "state"]
    assert table["rows"][0] == ["part:b", "b", "10.0.0.2:7000", "down"]
    assert table["same"] == {"status_address": ""}
    assert isinstance(stored.value, dict)
    assert stored.value["nodes"]["part:b"]["state"] == "down"  # type: ignore[index, call-overload]  # JSON


async def test_topology_of_many_nodes_shows_a_part_and_says_how_to_go_on(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts = {f"p{n}": ToyPart() for n in range(300)}
        toy.world.parts["p250"].up = False
        reply = await toy.ask("topology")
        rest = await toy.ask("topology", offset=290)
        one = await toy.ask("topology", nodes=["p17", "part:p250"])

    assert len(reply["tables"]["part"]["rows"]) == 25
    assert reply["tables"]["part"]["rows"][0][0] == "part:p250"
    assert reply["shown"]["tables.part.rows"].startswith("25 of 300; narrow with nodes or role, or go on with offset")
    assert len(rest["tables"]["part"]["rows"]) == 10
    assert [row[0] for row in one["tables"]["part"]["rows"]] == ["part:p250", "part:p17"]
    assert len(json.dumps(reply)) < USUAL_CHARS


async def test_check_invariants_shows_what_does_not_hold_and_counts_the_rest(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].full_ratio = 0.95
        reply = await toy.ask("check_invariants")

    assert reply["counts"] == {"held": 11, "violated": 1, "unknown": 0}
    assert reply["violated"] == [
        {
            "invariant": "part_roomy",
            "entity": "part:b",
            "severity": "warning",
            "grade": "cause",
            "says": "part:b is 95% full",
            "value": 0.95,
            "limit": 0.9,
            "unit": "ratio",
            "source": "/status",
        }
    ]
    assert reply["held"] == "11 verdicts of 4 rules; state='held' or invariant=… lists them"


async def test_check_invariants_narrows_to_one_rule_one_entity_or_one_state(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        rule = await toy.ask("check_invariants", invariant="part_up", state="all")
        entity = await toy.ask("check_invariants", entity="10.0.0.2:7000")
        held = await toy.ask("check_invariants", state="held", entity="b")

    assert [one["entity"] for one in rule["violated"] + rule["held"]] == ["part:b", "part:a", "part:c"]
    assert Invariant.model_fields.keys() >= rule["rule"].keys()
    assert [one["invariant"] for one in entity["violated"]] == ["part_up"]
    assert "violated" not in held
    assert {one["invariant"] for one in held["held"]} == {"part_roomy", "part_fast", "part_seen"}


async def test_check_invariants_shows_the_limit_that_is_set_for_this_cluster(tmp_path: Path) -> None:
    async with served(tmp_path, limits={"part_roomy": 0.5}, for_seconds={"part_roomy": 5}) as toy:
        toy.world.parts["b"].full_ratio = 0.6
        reply = await toy.ask("check_invariants", invariant="part_roomy")
        known = await toy.ask("knowledge", words="part_roomy")

    assert [(one["entity"], one["limit"]) for one in reply["violated"]] == [("part:b", 0.5)]
    assert (reply["rule"]["limit"], reply["rule"]["for_seconds"]) == (0.5, 5)
    assert known["entries"][0]["limit"] == 0.5


async def test_the_stored_verdicts_are_where_a_claim_looks_for_them(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        reply = await toy.ask("check_invariants")
        found = await toy.ask("evidence", id=reply["evidence_id"], path="/verdicts/part_up/part:b/state")

    assert found["value"] == "violated"
    assert found["evidence_id"] == reply["evidence_id"]
    assert (found["tool"], found["at"]) == ("check_invariants", reply["at"])


async def test_the_differential_names_cause_rivals_and_remedy(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        toy.world.parts["c"].latency_seconds = 2.0
        reply = await toy.ask("differential")
        signs = await toy.ask("evidence", id=reply["evidence_id"], path="/signs/part:b")
        kinds = await toy.ask("evidence", id=reply["evidence_id"], path="/kinds/toy_down/rivals")

    (cause,) = reply["causes"]
    assert (cause["kind"], cause["entity"], cause["standing"], cause["active"]) == ("toy_down", "part:b", "fits", True)
    assert cause["support"] == [{"sign": "gone", "says": "its process is gone"}]
    assert cause["rivals"] == [{"kind": "toy_full", "standing": "contradicted", "against": ["full"]}]
    assert cause["action"]["touches"] == "restart"
    assert [(one["kind"], one["entity"]) for one in reply["candidates"]] == [("toy_slow", "part:c")]
    assert signs["value"]["gone"]["state"] == "shown"
    assert kinds["value"] == ["toy_full"]


async def test_the_differential_remembers_what_the_watcher_saw_and_is_over(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        await toy.watch(10, 30)
        toy.world.parts["b"].up = True
        toy.world.later(60)
        reply = await toy.ask("differential")
        late = toy.world.later(3600)
        old = await toy.ask("differential")
        again = await toy.ask("differential", ticket="T-1")

    (cause,) = reply["causes"]
    assert (cause["kind"], cause["active"]) == ("toy_down", False)
    assert cause["support"][0] == {
        "sign": "gone",
        "says": "its process is gone",
        "since": "2026-05-01T12:00:10.000Z",
        "active": False,
    }
    assert late is None
    assert (old["causes"], old["watcher_ticks"]) == ([], 0)
    assert "not proof of health" in old["note"]
    assert [(one["kind"], one["active"]) for one in again["causes"]] == [("toy_down", False)]
    assert again["looked_from"] == "2026-05-01T11:58:10.000Z"


async def test_what_is_unknown_and_would_decide_is_listed_apart(tmp_path: Path) -> None:
    both = FaultKind(
        id="toy_both",
        says="The part is gone and full.",
        on="part",
        must_show=("gone", "full"),
        do="Look.",
        because="It is odd.",
        verify="It is well.",
    )
    async with served(tmp_path) as toy:
        toy.cluster.subject.kind = ToyKind(faults=(both,))
        toy.world.parts["b"].up = False
        await toy.watch(0)
        toy.world.parts["b"].seen = False
        toy.world.later(10)
        reply = await toy.ask("differential")

    assert reply["causes"] == []
    assert [(one["kind"], one["standing"], one["unknown"]) for one in reply["candidates"]] == [
        ("toy_both", "possible", ["full"])
    ]
    assert reply["apart"] == [
        {
            "entity": "part:b",
            "sign": "full",
            "says": "it is full",
            "unknown_because": "it cannot be read",
            "source": "/status",
            "needed_by": ["toy_both"],
        }
    ]
    assert "needs signs that are unknown" in reply["note"]
    assert "next_read" not in reply, "nothing competes with it"


async def test_tickets_list_open_ones_and_read_one_whole(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        toy.world.parts["b"].full_ratio = 0.99
        await toy.watch(10, 30, 30)
        listed = await toy.ask("tickets")
        one = await toy.ask("tickets", id="T-1")
        raised = await toy.ask("evidence", id=one["ticket"]["evidence_ids"][0], path="/verdicts/part_up/part:b")
        resolved = await toy.ask("tickets", status="resolved")

    assert [(row["id"], row["status"]) for row in listed["tickets"]] == [("T-1", "created")]
    assert one["ticket"]["violated_at"] == "2026-05-01T12:00:10.000Z"
    assert one["history"][0]["step"] == "created"
    assert one["diagnosis"].startswith("none yet")
    assert raised["value"]["state"] == "violated"
    assert raised["tool"] == "watcher"
    assert resolved["tickets"] == []


async def test_the_timeline_merges_events_symptoms_and_ticket_steps_in_order(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await toy.watch(0)
        toy.world.parts["b"].up = False
        await toy.watch(30, 30)
        toy.world.parts["b"].up = True
        await toy.watch(30)
        reply = await toy.ask("timeline", minutes=5)
        narrowed = await toy.ask("timeline", entity="b", start="2026-05-01T12:00:40Z", end="2026-05-01T12:01:00Z")
        nothing = await toy.ask("timeline", start="2026-05-01T10:00:00Z", end="2026-05-01T10:10:00Z")

    assert [(one["kind"], one["at"][11:19]) for one in reply["events"]] == [
        ("restart", "12:00:00"),
        ("symptom_began", "12:00:30"),
        ("ticket_created", "12:01:00"),
        ("symptom_ended", "12:01:30"),
    ]
    assert [one["kind"] for one in narrowed["events"]] == ["ticket_created"]
    assert nothing["events"] == []
    assert "The watcher did not look then" in nothing["note"]


async def test_an_unknown_verdict_neither_begins_nor_ends_a_symptom(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["b"].up = False
        await toy.watch(10)
        toy.world.parts["b"].seen = False
        await toy.watch(30)
        toy.world.parts["b"].seen = True
        await toy.watch(30)
        reply = await toy.ask("timeline", minutes=5, entity="b")

    began = [one for one in reply["events"] if one["kind"] == "symptom_began" and one["says"].startswith("part_up")]
    assert len(began) == 1
    assert not [one for one in reply["events"] if one["kind"] == "symptom_ended" and one["says"].startswith("part_up")]


async def test_knowledge_answers_by_id_by_words_and_with_an_index(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        index = await toy.ask("knowledge")
        fault = await toy.ask("knowledge", words="toy_down")
        page = await toy.ask("knowledge", words="parts")
        words = await toy.ask("knowledge", words="how late does a part answer")

    assert index["index"]["faults"] == ["toy_down", "toy_full", "toy_slow"]
    assert fault["entries"][0]["rivals"] == ["toy_full"]
    assert page["entries"][0]["text"] == "A part does *one* thing."
    assert words["found"][0] == {"type": "metric", "id": "part_latency", "says": "how late a part answers"}
    assert index["evidence_id"] is None


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ('[2026/05/04 03:02:01.123 +00:00] [WARN] ["cog slipped"]', None),
        ("cog slipped in 1.0.2", "1.0.2: it has it"),
        ("1.0.2", "1.0.2: it has it"),
        ("v1.0.2 the part stops", "1.0.2: it has it"),
        ("cog slipped in 2.1.0", "2.1.0: it does not have it"),
    ],
)
async def test_knowledge_tells_a_known_bug_by_a_log_line_and_by_a_version(
    tmp_path: Path, words: str, version: str | None
) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("knowledge", words=words)

    [bug] = reply["known_bugs"]
    assert bug["id"] == "toy#7"
    assert bug["remedy"] == "fixed in 1.0.4, 2.0.0"
    assert bug.get("version") == version


async def test_knowledge_has_no_bug_for_a_version_without_one(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        whole = await toy.ask("knowledge", words="toy#7")
        reply = await toy.ask("knowledge", words="2.0.0 parts")

    assert whole["entries"][0]["source"] == "https://toy.invalid/issues/7"
    assert "known_bugs" not in reply


async def test_the_differential_names_the_known_bug_that_looks_like_the_cause(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        well = await toy.ask("differential")
        toy.world.parts["b"].up = False
        toy.world.later(10)
        down = await toy.ask("differential")

    assert "known_bugs" not in well
    [bug] = down["known_bugs"]
    assert (bug["id"], bug["remedy"]) == ("toy#7", "fixed in 1.0.4, 2.0.0")
    assert bug["because"] == "it looks like a cause named here, and its version 1.0.0 has it"


async def test_facts_are_gathered_once_for_questions_asked_in_one_breath(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        first = await toy.ask("overview")
        toy.world.parts["a"].up = False
        toy.world.later(5)
        same = await toy.ask("check_invariants")
        toy.world.later(0.1)
        fresh = await toy.ask("check_invariants")
        toy.world.later(-60)
        back = await toy.ask("check_invariants")

    assert same["at"] == first["at"]
    assert same["counts"]["violated"] == 0
    assert fresh["counts"]["violated"] == 1
    assert back["at"] == "2026-05-01T11:59:05.100Z"
