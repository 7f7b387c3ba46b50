"""How an outcome reads: one JSON object for a program, plain lines for a person."""

from pathlib import Path
from typing import Any

from opsai_agent.backend import ToolCall, ToolReply, Usage
from opsai_agent.budget import Budget, Limits
from opsai_agent.loop import Outcome
from opsai_agent.report import Report, as_json, call_line, cost_line, diagnosis_lines, report

PATH = Path("t.jsonl")
CLAIM = {"says": "it is stuck", "evidence_id": "E-4", "path": "/a", "op": "==", "value": "shown"}
SUBMISSION: dict[str, Any] = {
    "ticket": "T-1",
    "verdict": "fault",
    "summary": "It is stuck.\x1b[31m",
    "root_causes": [{"entity": "store:4", "kind": "stuck", "explanation": "Something holds it."}],
    "claims": [CLAIM, {**CLAIM, "says": "it is hot"}],
    "correlated_metrics": [{"metric": "flow", "entity": "store:4", "says": "fell by 4.", "evidence_id": "E-7"}],
    "alternatives": [{"kind": "gone", "entity": "store:4", "against": "It answers.", "claims": [CLAIM]}],
    "action": {
        "do": "Open it.",
        "because": "It helps.",
        "verify": "It flows.",
        "touches": "restart",
        "entity": "store:4",
    },
}
REPLY: dict[str, Any] = {
    "cluster": "lab",
    "at": "2026-11-23T23:05:00Z",
    "accepted": True,
    "diagnosis_id": "D-3",
    "confidence": "likely",
    "because": ["its rival gone is not ruled out"],
    "claims": [
        {"says": "it is stuck", "held": True, "found": "shown"},
        {"held": False, "found": "absent", "why": "absent is not shown"},
        {"held": True},
    ],
    "not_seen": ["logs: tikv2: refused"],
}


def made(why: str = "", **changes: Any) -> Report:
    budget = Budget(Limits(), lambda: 0.0)
    budget.spend(Usage(1000, 200, 5000, 300, 0.0123456789))
    outcome = Outcome({**SUBMISSION, **changes}, REPLY, "claude-opus-5-5", why, tool_calls=7, reply_chars=4321)
    return report("T-1", outcome, budget, PATH)


def text(done: Report) -> str:
    return "\n".join(" " * line.indent + line.text for line in diagnosis_lines(done))


def test_a_program_reads_what_the_grader_needs() -> None:
    found = as_json(made())

    assert {
        name: found[name]
        for name in (
            "ticket",
            "verdict",
            "causes",
            "claims",
            "claims_held",
            "tool_calls",
            "reply_chars",
            "seconds",
            "backend",
            "usd",
            "tokens",
        )
    } == {
        "ticket": "T-1",
        "verdict": "fault",
        "causes": [{"kind": "stuck", "entity": "store:4"}],
        "claims": 3,
        "claims_held": 2,
        "tool_calls": 7,
        "reply_chars": 4321,
        "seconds": 0.0,
        "backend": "claude-opus-5-5",
        "usd": 0.012346,
        "tokens": {"input": 1000, "output": 200, "cache_read": 5000, "cache_write": 300},
    }
    assert found["concluded_by_loop"] is None


def test_the_diagnosis_in_it_has_everything_that_was_accepted() -> None:
    diagnosis: Any = as_json(made())["diagnosis"]

    assert diagnosis["id"] == "D-3"
    assert diagnosis["by"] == "claude-opus-5-5"
    assert diagnosis["confidence"] == "likely"
    assert diagnosis["submission"]["summary"] == SUBMISSION["summary"]
    assert [(one["held"], one["why"]) for one in diagnosis["checked"]] == [
        (True, ""),
        (False, "absent is not shown"),
        (True, ""),
    ]
    assert diagnosis["not_seen"] == ["logs: tikv2: refused"]


def test_a_person_reads_it_from_top_to_bottom() -> None:
    assert (
        text(made())
        == """
D-3 of ticket T-1: fault, likely
by claude-opus-5-5

Observed
  It is stuck.�[31m

Root cause
  stuck on store:4: Something holds it.

Claims, re-checked by the server (1 of 2 hold)
  ok     it is stuck [E-4]
  FAILED it is hot [E-4: absent is not shown]

Moved with it
  store:4: flow: fell by 4. [E-7]

Considered instead
  gone on store:4: It answers.
    ok     it is stuck [E-4]

Confidence
  its rival gone is not ruled out

Not seen
  logs: tikv2: refused

What to do
  Open it. (touches: restart)
  Because: It helps.
  Verify: It flows."""
    )


def test_what_the_loop_concluded_is_marked_as_such() -> None:
    done = made("the limit of 5 steps is reached")

    assert "Concluded by the loop, not by claude-opus-5-5: the limit of 5 steps is reached" in text(done)
    assert as_json(done)["concluded_by_loop"] == "the limit of 5 steps is reached"


def test_nothing_is_shown_for_what_is_empty() -> None:
    lines = text(made(root_causes=[], claims=[], alternatives=[], correlated_metrics=[]))

    assert "Root cause" not in lines
    assert "Claims" not in lines
    assert "Considered" not in lines


def test_a_submission_that_only_the_server_could_read_is_shown_as_far_as_it_reads() -> None:
    done = made(claims="5")

    assert done.submission.claims == ()
    assert done.submission.verdict == "fault"


def test_a_call_is_one_line() -> None:
    call = ToolCall("1", "search_logs", {"nodes": ["tikv1"], "regex": "x" * 200})

    line = call_line(ToolReply(call, "y" * 1234, {"evidence_id": "E-5"}, seconds=0.256))

    assert line.text.startswith("search_logs nodes=['tikv1'] regex=xxx")
    assert line.text.endswith("(0.26 s, 1,234 chars) -> E-5")
    assert "\n" not in line.text


def test_a_call_that_failed_says_why() -> None:
    line = call_line(ToolReply(ToolCall("1", "evidence", {"id": "E-9"}), "There is\nno E-9", is_error=True))

    assert line.text == "evidence id=E-9  (0.00 s, 15 chars)  FAILED: There is no E-9"
    assert line.style == "bad"


def test_a_call_that_was_asked_before_says_so() -> None:
    reply = ToolReply(ToolCall("1", "overview", {}), "", {"evidence_id": "E-1"}, repeated=True)

    assert call_line(reply).text == "overview  (asked before, not run again) -> E-1"


def test_a_submission_is_shown_by_its_verdict_not_by_its_whole_text() -> None:
    reply = ToolReply(ToolCall("1", "submit_diagnosis", SUBMISSION), "{}", {"evidence_id": "E-9"})

    assert call_line(reply).text == "submit_diagnosis ticket=T-1 verdict=fault  (0.00 s, 2 chars) -> E-9"


def test_the_cost_tells_tokens_cache_and_dollars_apart() -> None:
    assert cost_line(made()).text == "Took 7 calls, 4,321 chars, 0.0 s, 1,500 tokens and 5,000 from the cache, $0.0123."


def test_an_investigation_without_a_model_costs_no_tokens() -> None:
    done = report(
        None, Outcome(SUBMISSION, REPLY, "rules (no model)", tool_calls=2), Budget(Limits(), lambda: 0.0), PATH
    )

    assert cost_line(done).text == "Took 2 calls, 0 chars, 0.0 s."


def test_an_unknown_price_is_said_and_not_guessed() -> None:
    budget = Budget(Limits(), lambda: 0.0)
    budget.spend(Usage(10, 10, usd=None))
    done = report(None, Outcome(SUBMISSION, REPLY, "claude-of-next-year"), budget, PATH)

    assert cost_line(done).text.endswith("20 tokens, price unknown.")
    assert as_json(done)["usd"] is None
