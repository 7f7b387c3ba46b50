"""How a diagnosis is handed in, checked and filed."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.mcp.bench import ERAS, Served, served

pytestmark = pytest.mark.anyio

NOTHING = {"do": "Nothing needs doing.", "because": "It is well.", "verify": "It stays so.", "touches": "nothing"}


def down(evidence_id: str, **changes: Any) -> dict[str, Any]:
    """Return a submission that part:b is down, which the stored differential bears out."""
    said = {"says": "b is gone", "evidence_id": evidence_id, "path": "/signs/part:b/gone/state"}
    submission: dict[str, Any] = {
        "ticket": "T-1",
        "verdict": "fault",
        "summary": "Part b is gone.",
        "root_causes": [{"entity": "b", "kind": "toy_down", "explanation": "Its process ended."}],
        "claims": [{**said, "op": "==", "value": "shown"}],
        "alternatives": [
            {
                "kind": "toy_full",
                "entity": "part:b",
                "against": "It has room.",
                "claims": [{**said, "path": "/signs/part:b/full/state", "op": "==", "value": "absent"}],
            }
        ],
        "action": {
            "do": "Start the part again.",
            "because": "Nothing else runs it.",
            "verify": "part_up is held for it.",
            "touches": "restart",
            "entity": "part:b",
        },
    }
    return {**submission, **changes}


def half_true(evidence_id: str) -> dict[str, Any]:
    """Return the same with one claim more, which does not hold."""
    submission = down(evidence_id)
    wrong = {"says": "b is full", "evidence_id": evidence_id, "path": "/signs/part:b/full/state"}
    submission["claims"].append({**wrong, "op": "==", "value": "shown"})
    return submission


async def broken(toy: Served) -> str:
    """Break part b, let the watcher raise T-1, and return the id of a stored differential."""
    toy.world.parts["b"].up = False
    await toy.watch(10, 30)
    evidence_id = (await toy.ask("differential", ticket="T-1"))["evidence_id"]
    assert isinstance(evidence_id, str)
    return evidence_id


@pytest.mark.parametrize("mode", ERAS)
async def test_a_diagnosis_that_the_evidence_bears_out_is_confirmed_and_filed(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode, by="claude-of-the-test") as toy:
        reply = await toy.ask("submit_diagnosis", **down(await broken(toy)))
        ticket = await toy.ask("tickets", id="T-1")
        basis = await toy.store.evidence(reply["evidence_id"])

    assert (reply["accepted"], reply["diagnosis_id"], reply["ticket"]) == (True, "D-1", "T-1")
    assert (reply["confidence"], reply["because"]) == ("confirmed", [])
    assert reply["claims"] == [
        {"says": "b is gone", "held": True, "found": "shown"},
        {"says": "b is gone", "held": True, "found": "absent"},
    ]
    assert ticket["ticket"]["status"] == "diagnosed"
    assert ticket["diagnosis"]["by"] == "claude-of-the-test"
    assert ticket["diagnosis"]["submission"]["root_causes"][0]["entity"] == "part:b"
    assert [step["step"] for step in ticket["history"]] == ["created", "diagnosed"]
    assert (basis.tool, basis.ticket) == ("differential", "T-1")


async def test_a_claim_that_does_not_hold_lowers_the_confidence_and_says_why(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        evidence_id = await broken(toy)
        submission = half_true(evidence_id)
        reply = await toy.ask("submit_diagnosis", **submission)

    assert reply["confidence"] == "likely"
    assert any("does not hold" in why for why in reply["because"])
    assert [(one["held"], one["found"]) for one in reply["claims"]][1] == (False, "absent")


async def test_a_claim_on_missing_evidence_is_refused_with_what_to_correct(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await broken(toy)
        text = await toy.fail("submit_diagnosis", **down("E-99"))
        ticket = await toy.ask("tickets", id="T-1")

    assert "The diagnosis is not accepted and nothing was saved." in text
    assert "There is no evidence 'E-99'" in text
    assert "The claim 'b is gone' does not hold" in text
    assert ticket["ticket"]["status"] == "created"


async def test_an_action_that_would_risk_the_quorum_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        evidence_id = await broken(toy)
        toy.world.parts["a"].seen = False
        toy.world.later(30)
        text = await toy.fail("submit_diagnosis", **down(evidence_id))

    assert "To restart part:b is not known to be safe now: not every other part can be seen." in text


async def test_every_thing_to_correct_is_listed_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        evidence_id = await broken(toy)
        causes = [{"entity": "z", "kind": "gremlins", "explanation": "?"}]
        text = await toy.fail("submit_diagnosis", **down(evidence_id, root_causes=causes, claims=[]))

    assert "There is no fault kind 'gremlins'. Known: toy_down, toy_full, toy_slow." in text
    assert "There is no entity 'z'" in text
    assert "nothing supports it" in text
    assert "1. " in text
    assert "3. " in text


async def test_a_second_submission_replaces_the_first_and_the_history_keeps_both(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        evidence_id = await broken(toy)
        await toy.ask("submit_diagnosis", **down(evidence_id))
        quiet = {"verdict": "inconclusive", "summary": "Not sure after all.", "action": NOTHING, "ticket": "T-1"}
        second = await toy.ask("submit_diagnosis", **quiet)
        ticket = await toy.ask("tickets", id="T-1")

    assert second["diagnosis_id"] == "D-2"
    assert ticket["diagnosis"]["id"] == "D-2"
    assert [step["says"][:3] for step in ticket["history"] if step["step"] == "diagnosed"] == ["D-1", "D-2"]


async def test_an_investigation_without_a_ticket_may_conclude_that_all_is_well(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        checked = (await toy.ask("check_invariants"))["evidence_id"]
        claim = {
            "says": "nothing is violated",
            "evidence_id": checked,
            "path": "/counts/violated",
            "op": "==",
            "value": 0,
        }
        reply = await toy.ask(
            "submit_diagnosis", verdict="healthy", summary="All is well.", claims=[claim], action=NOTHING
        )

    assert reply["confidence"] == "confirmed"
    assert reply["ticket"] is None


async def test_what_could_not_be_read_is_listed_by_the_server(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.parts["c"].seen = False
        reply = await toy.ask("submit_diagnosis", verdict="healthy", summary="All is well.", action=NOTHING)

    assert reply["confidence"] == "likely"
    assert "status:part:c: /status: connection refused" in reply["not_seen"]


async def test_nested_arguments_that_arrive_as_json_text_are_read(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        text = '{"do":"Nothing.","because":"It is well.","verify":"It stays.","touches":"nothing"}'
        reply = await toy.ask("submit_diagnosis", verdict="healthy", summary="All is well.", action=text)

    assert reply["accepted"] is True
