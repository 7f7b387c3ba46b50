"""Claude as a backend: the real SDK against a stand-in service on loopback."""

import json
from pathlib import Path

import pytest

from opsai_agent.backend import SUBMIT, Assignment, News
from opsai_agent.budget import Limits
from opsai_agent.claude import open_claude
from tests.agent.conftest import lines_of, serving
from tests.agent.conversations import CONCLUDE, KEY, LOOK, MODEL, TOOLS, Fake, answers, claude, course
from tests.agent.stub import Stub

pytestmark = pytest.mark.anyio


async def test_a_whole_investigation_comes_to_an_accepted_diagnosis(fake: Fake, tmp_path: Path) -> None:
    steps = [
        {
            "thinking": "First the whole.",
            "calls": [{"name": "overview", "input": {}}, {"name": "tickets", "input": {"id": "T-1"}}],
        },
        {"calls": [{"name": "differential", "input": {"ticket": "T-1"}}]},
        CONCLUDE,
    ]
    stub = Stub(steps, key=KEY)

    outcome = await course(fake, tmp_path / "t.jsonl", stub)

    assert outcome.reply["accepted"] is True
    assert outcome.by == MODEL
    assert outcome.concluded_by_loop == ""
    claims = outcome.submission["claims"]
    assert isinstance(claims, list)
    assert isinstance(claims[0], dict)
    assert claims[0]["evidence_id"] == "E-4"
    assert len(stub.requests) == 3
    calls = [line["tool"] for line in lines_of(tmp_path / "t.jsonl") if line["event"] == "call"]
    assert calls == ["overview", "tickets", "differential", SUBMIT]


async def test_what_is_asked_of_the_service(fake: Fake, tmp_path: Path) -> None:
    stub = Stub([LOOK, CONCLUDE])

    await course(fake, tmp_path / "t.jsonl", stub)

    first, second = stub.requests
    assert first["stream"] is True
    assert first["thinking"] == {"type": "adaptive"}
    assert first["output_config"] == {"effort": "medium"}
    assert first["cache_control"] == {"type": "ephemeral"}
    assert "tool_choice" not in first
    assert first["system"].endswith("The server says of itself:\nA fake cluster of one store.")
    assert [tool["name"] for tool in first["tools"]] == sorted(tool["name"] for tool in first["tools"])
    assert first["messages"] == [{"role": "user", "content": "Investigate ticket T-1 and submit a diagnosis for it."}]
    said, heard = second["messages"][1:]
    assert [block["type"] for block in said["content"]] == ["thinking", "text", "tool_use"]
    assert said["content"][0] == {"type": "thinking", "thinking": "Let me look.", "signature": "sig-1"}
    assert set(said["content"][1]) == {"type", "text"}
    assert heard["content"][0]["type"] == "tool_result"
    assert heard["content"][0]["tool_use_id"] == said["content"][2]["id"]
    assert second["tools"] == first["tools"]
    assert second["system"] == first["system"]
    assert second["messages"][:1] == first["messages"]


async def test_the_key_goes_to_the_service_and_nowhere_else(fake: Fake, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    stub = Stub([{"text": f"The key is {KEY}."}, CONCLUDE], key=KEY)

    await course(fake, path, stub)

    assert not any(KEY in json.dumps(request) for request in stub.requests[:1])
    assert KEY not in path.read_text(encoding="utf-8")


async def test_tokens_and_dollars_are_counted_with_the_cache_apart() -> None:
    usage = {
        "input_tokens": 1000,
        "output_tokens": 500,
        "cache_read_input_tokens": 20_000,
        "cache_creation_input_tokens": 3000,
        "cache_creation": {"ephemeral_5m_input_tokens": 2000, "ephemeral_1h_input_tokens": 1000},
    }
    async with claude(Stub([{**LOOK, "usage": usage}])) as backend:
        turn = await backend.turn(News())

    assert turn.usage.input_tokens == 1000
    assert turn.usage.output_tokens == 500
    assert turn.usage.cache_read_tokens == 20_000
    assert turn.usage.cache_write_tokens == 3000
    assert turn.usage.usd == pytest.approx((4000 + 10_000 + 10_000 + 8000 + 4000) / 1e6)


async def test_an_effort_of_none_sends_neither_effort_nor_thinking() -> None:
    stub = Stub([LOOK])
    async with claude(stub, effort="none") as backend:
        await backend.turn(News())

    assert "thinking" not in stub.requests[0]
    assert "output_config" not in stub.requests[0]


async def test_the_last_step_offers_the_submission_only_and_forces_it() -> None:
    stub = Stub([LOOK, CONCLUDE])
    async with claude(stub) as backend:
        turn = await backend.turn(News())
        last = await backend.turn(News(replies=answers(turn.calls), note="Submit now.", must_submit=True))

    forced = stub.requests[1]
    assert [tool["name"] for tool in forced["tools"]] == [SUBMIT]
    assert forced["tool_choice"] == {"type": "tool", "name": SUBMIT}
    assert forced["thinking"] == {"type": "disabled"}
    assert forced["messages"][-1]["content"][-1] == {"type": "text", "text": "Submit now."}
    assert last.calls[0].name == SUBMIT


async def test_a_model_that_takes_no_forced_choice_is_asked_without() -> None:
    refused = {"error": {"status": 400, "type": "invalid_request_error", "message": "tool_choice: not supported"}}
    stub = Stub([LOOK, refused, CONCLUDE])
    async with claude(stub) as backend:
        turn = await backend.turn(News())
        last = await backend.turn(News(replies=answers(turn.calls), note="Submit now.", must_submit=True))

    assert "tool_choice" not in stub.requests[2]
    assert [tool["name"] for tool in stub.requests[2]["tools"]] == [SUBMIT]
    assert stub.requests[2]["thinking"] == {"type": "adaptive"}
    assert last.calls[0].name == SUBMIT


async def test_an_answer_cut_at_its_limit_leaves_no_call_without_a_result() -> None:
    stub = Stub([{**LOOK, "stop": "max_tokens"}, LOOK])
    async with claude(stub) as backend:
        turn = await backend.turn(News())
        await backend.turn(News(note="Be shorter."))

    assert turn.stop == "cut"
    assert turn.calls == ()
    kept = stub.requests[1]["messages"][1]["content"]
    assert [block["type"] for block in kept] == ["thinking", "text"]
    assert stub.requests[1]["messages"][2]["content"] == [{"type": "text", "text": "Be shorter."}]


async def test_a_pause_is_continued_with_the_same_messages() -> None:
    stub = Stub([{"text": "Wait…", "stop": "pause_turn"}, LOOK])
    async with claude(stub) as backend:
        turn = await backend.turn(News())
        await backend.turn(News())

    assert turn.stop == "paused"
    assert [message["role"] for message in stub.requests[1]["messages"]] == ["user", "assistant"]


async def test_a_full_window_makes_room_by_leaving_old_results_out() -> None:
    stub = Stub(
        [
            *[{"calls": [{"name": "overview", "input": {"n": n}}]} for n in range(8)],
            {"text": "…", "stop": "model_context_window_exceeded"},
            CONCLUDE,
        ]
    )
    async with claude(stub) as backend:
        turn = await backend.turn(News())
        for _ in range(8):
            turn = await backend.turn(News(replies=answers(turn.calls)))
        assert turn.stop == "full"
        await backend.turn(News(note="Submit now.", must_submit=True))

    results = [
        b
        for m in stub.requests[-1]["messages"]
        for b in m["content"]
        if isinstance(b, dict) and b["type"] == "tool_result"
    ]
    assert [result["content"].startswith("(left out") for result in results] == [True] * 2 + [False] * 6


async def test_a_refusal_ends_in_an_inconclusive_entry_that_says_so(fake: Fake, tmp_path: Path) -> None:
    stub = Stub([LOOK, {"text": "I cannot.", "stop": "refusal"}])

    outcome = await course(fake, tmp_path / "t.jsonl", stub)

    assert outcome.concluded_by_loop == f"{MODEL} declined to go on"
    assert outcome.submission["verdict"] == "inconclusive"
    assert len(stub.requests) == 2


async def test_a_model_that_only_talks_is_nudged_and_then_concluded_for(fake: Fake, tmp_path: Path) -> None:
    stub = Stub([{"text": "It is fine."}])

    outcome = await course(fake, tmp_path / "t.jsonl", stub)

    assert outcome.concluded_by_loop == f"{MODEL} asked for nothing in 3 turns"
    nudge = stub.requests[1]["messages"][-1]["content"][0]["text"]
    assert nudge.startswith("Nothing was handed in.")


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(steps=5), "the limit of 5 steps is reached"),
        (Limits(tokens=12_000), "the limit of 12,000 tokens is reached"),
        (Limits(usd=0.05), r"the limit of $0.05 is reached"),
    ],
)
async def test_an_endless_loop_of_tools_is_cut_by_each_limit(
    fake: Fake, tmp_path: Path, limits: Limits, says: str
) -> None:
    stub = Stub([LOOK])

    outcome = await course(fake, tmp_path / "t.jsonl", stub, limits=limits)

    assert outcome.concluded_by_loop.startswith(says)
    assert stub.requests[-1]["tool_choice"] == {"type": "tool", "name": SUBMIT}
    repeated = [line for line in lines_of(tmp_path / "t.jsonl") if line["event"] == "call" and line["repeated"]]
    assert repeated, "the same call again was not run again"


async def test_a_refused_submission_is_corrected(fake: Fake, tmp_path: Path) -> None:
    stub = Stub([LOOK, CONCLUDE, {**CONCLUDE, "text": "Corrected."}])

    outcome = await course(fake, tmp_path / "t.jsonl", stub, "picky")

    told = stub.requests[2]["messages"][-1]["content"][0]
    assert told["is_error"] is True
    assert "a claim cites evidence that does not exist" in told["content"]
    assert outcome.concluded_by_loop == ""


async def test_an_unknown_price_gives_no_dollars() -> None:
    async with serving(Stub([LOOK])) as url:
        environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url}
        async with open_claude("claude-of-next-year", "low", None, environment) as backend:
            backend.begin(Assignment(None, TOOLS, ""))
            turn = await backend.turn(News())

    assert turn.usage.usd is None


async def test_without_a_ticket_it_is_asked_whether_anything_is_wrong_or_was() -> None:
    stub = Stub([LOOK])
    async with claude(stub) as backend:
        backend.begin(Assignment(None, TOOLS, ""))
        await backend.turn(News())

    assert stub.requests[0]["messages"][0]["content"].startswith(
        "No ticket: is anything wrong with this cluster, or was it"
    )


def test_the_briefing_is_short_enough_to_be_read_each_time() -> None:
    briefing = Path(__file__).parents[2] / "agent" / "opsai_agent" / "briefing.md"

    assert len(briefing.read_text(encoding="utf-8")) < 5000
