"""The loop: turns and calls until a diagnosis is accepted, and never a ticket left hanging."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from opsai_agent.backend import SUBMIT, JsonObject, News, Tool, Turn, Usage
from opsai_agent.budget import Budget, Limits
from opsai_agent.errors import ModelUnavailable, ServerFailed
from opsai_agent.loop import Happened, Outcome, investigate
from opsai_agent.scripted import ScriptedBackend, Step
from opsai_agent.session import CallResult
from opsai_agent.transcript import Transcript
from tests.agent.conftest import AT, lines_of

pytestmark = pytest.mark.anyio
QUIET = {"do": "Wait.", "because": "It heals.", "verify": "It is held.", "touches": "nothing"}
HEALTHY: JsonObject = {"verdict": "healthy", "summary": "All is well.", "action": QUIET}


@dataclass
class Desk:
    """A server in memory: counts its evidence, refuses as many submissions as told."""

    refuses: int = 0
    fails: tuple[str, ...] = ()
    dies_at: str = ""
    asked: list[tuple[str, JsonObject]] = field(default_factory=list)
    together: int = 0
    at_once: int = 0
    instructions: str = "A desk."
    tools: tuple[Tool, ...] = (
        Tool("look", "", {"properties": {}}),
        Tool(SUBMIT, "", {"properties": {"ticket": {}, "by": {}, "verdict": {}}}),
    )

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
        self.asked.append((name, dict(arguments)))  # type: ignore[arg-type]
        self.together += 1
        self.at_once = max(self.at_once, self.together)
        await anyio.lowlevel.checkpoint()
        self.together -= 1
        if name == self.dies_at:
            raise ServerFailed("opsai-mcp ended.")
        if name in self.fails:
            return CallResult(f"{name} cannot.", None, True)
        if name == SUBMIT:
            return self.concluded()
        value: JsonObject = {"evidence_id": f"E-{len(self.asked)}", "violated": [{"entity": "a", "says": "is down"}]}
        return CallResult("{}", value, False)

    def concluded(self) -> CallResult:
        if self.refuses:
            self.refuses -= 1
            return CallResult("A claim cites no evidence.", None, True)
        return CallResult("{}", {"accepted": True, "diagnosis_id": "D-1", "confidence": "likely"}, False)


@dataclass
class Room:
    """Runs one investigation and keeps what came of it."""

    path: Path
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = lambda: 0.0
    events: list[Happened] = field(default_factory=list)

    async def run(self, desk: Desk, backend: Any, ticket: str | None = "T-1") -> Outcome:
        with Transcript(self.path, lambda: AT) as transcript:
            budget = Budget(self.limits, self.clock)
            with anyio.fail_after(10):
                return await investigate(desk, backend, ticket, budget, transcript, self.events.append)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "t.jsonl")


def script(*steps: Step, **rest: Any) -> ScriptedBackend:
    return ScriptedBackend(steps, **rest)


async def test_an_accepted_submission_ends_it(room: Room) -> None:
    desk = Desk()

    outcome = await room.run(desk, script([("look", {})], [(SUBMIT, HEALTHY)], [("look", {"never": True})]))

    assert outcome.concluded_by_loop == ""
    assert outcome.reply["diagnosis_id"] == "D-1"
    assert [name for name, _ in desk.asked] == ["look", SUBMIT]
    assert outcome.tool_calls == 2
    assert outcome.reply_chars == 4


async def test_a_submission_is_signed_with_the_ticket_and_who_investigated(room: Room) -> None:
    desk = Desk()

    await room.run(desk, script([(SUBMIT, {**HEALTHY, "ticket": "T-99", "by": "somebody else"})]))

    assert desk.asked[-1][1] == {**HEALTHY, "ticket": "T-1", "by": "scripted"}


async def test_without_a_ticket_none_is_named(room: Room) -> None:
    desk = Desk()

    await room.run(desk, script([(SUBMIT, {**HEALTHY, "ticket": "T-99"})]), ticket=None)

    assert desk.asked[-1][1] == {**HEALTHY, "by": "scripted"}


async def test_calls_of_one_turn_run_side_by_side_and_are_answered_in_order(room: Room) -> None:
    desk = Desk(fails=("b",))
    backend = script([("a", {}), ("b", {}), ("c", {}), ("d", {})], [(SUBMIT, HEALTHY)])

    await room.run(desk, backend)

    assert desk.at_once == 4
    replies = backend.told[1].replies
    assert [reply.call.name for reply in replies] == ["a", "b", "c", "d"]
    assert [reply.is_error for reply in replies] == [False, True, False, False]


async def test_a_submission_waits_for_the_reads_of_its_turn(room: Room) -> None:
    desk = Desk()

    await room.run(desk, script([(SUBMIT, HEALTHY), ("look", {})]))

    assert [name for name, _ in desk.asked] == ["look", SUBMIT]


async def test_the_same_call_again_is_answered_with_the_earlier_evidence(room: Room) -> None:
    desk = Desk()
    backend = script([("look", {"at": 1, "of": 2})], [("look", {"of": 2, "at": 1})], [(SUBMIT, HEALTHY)])

    outcome = await room.run(desk, backend)

    again = backend.told[2].replies[0]
    assert again.repeated
    assert again.evidence_id == "E-1"
    assert "You asked exactly this before" in again.text
    assert outcome.tool_calls == 2


async def test_the_same_call_twice_in_one_turn_runs_once(room: Room) -> None:
    desk = Desk()
    backend = script([("look", {}), ("look", {})], [(SUBMIT, HEALTHY)])

    await room.run(desk, backend)

    first, second = backend.told[1].replies
    assert (first.repeated, second.repeated) == (False, True)
    assert first.evidence_id == second.evidence_id == "E-1"


async def test_a_call_that_failed_may_be_tried_again(room: Room) -> None:
    desk = Desk(fails=("look",))

    await room.run(desk, script([("look", {}), ("look", {})], [("look", {})], [(SUBMIT, HEALTHY)]))

    assert [name for name, _ in desk.asked] == ["look", "look", SUBMIT]


async def test_a_refusal_goes_back_to_the_backend_which_may_correct_it(room: Room) -> None:
    desk = Desk(refuses=2)
    backend = script([(SUBMIT, HEALTHY)], [(SUBMIT, HEALTHY)], [(SUBMIT, HEALTHY)])

    outcome = await room.run(desk, backend)

    assert backend.told[1].replies[0].is_error
    assert backend.told[1].replies[0].text == "A claim cites no evidence."
    assert outcome.concluded_by_loop == ""


async def test_after_three_refusals_the_loop_concludes_and_says_so(room: Room) -> None:
    desk = Desk(refuses=3)

    outcome = await room.run(desk, script([("look", {})], [(SUBMIT, HEALTHY)], repeats=True))

    assert outcome.concluded_by_loop == "3 submissions were refused"
    submitted = desk.asked[-1][1]
    assert submitted["verdict"] == "inconclusive"
    assert submitted["ticket"] == "T-1"
    assert submitted["summary"] == (
        "No diagnosis: scripted did not conclude, because 3 submissions were refused. "
        "This entry was written by the loop, not by scripted. Asked before that: look (E-1). Seen: a: is down."
    )


async def test_a_server_that_refuses_even_that_is_an_error(room: Room) -> None:
    with pytest.raises(ServerFailed, match="refuses even an inconclusive diagnosis: A claim cites no evidence"):
        await room.run(Desk(refuses=99), script([(SUBMIT, HEALTHY)], repeats=True))


async def test_a_turn_without_calls_is_nudged(room: Room) -> None:
    backend = script(Turn(stop="ended", text="It is fine."), [(SUBMIT, HEALTHY)])

    await room.run(Desk(), backend)

    assert backend.told[1].note.startswith("Nothing was handed in.")
    assert [event.text for event in room.events if event.kind == "said"] == ["It is fine."]


async def test_a_backend_that_only_talks_is_concluded_for(room: Room) -> None:
    outcome = await room.run(Desk(), script(Turn(stop="ended", text="Hm."), repeats=True))

    assert outcome.concluded_by_loop == "scripted asked for nothing in 3 turns"


async def test_a_backend_that_declines_is_concluded_for_at_once(room: Room) -> None:
    outcome = await room.run(Desk(), script([("look", {})], Turn(stop="declined"), repeats=True))

    assert outcome.concluded_by_loop == "scripted declined to go on"


async def test_a_cut_answer_is_told_to_be_shorter(room: Room) -> None:
    backend = script(Turn(stop="cut"), [(SUBMIT, HEALTHY)])

    await room.run(Desk(), backend)

    assert backend.told[1].note.startswith("Your last answer was cut")


async def test_a_paused_turn_is_simply_continued(room: Room) -> None:
    backend = script(*[Turn(stop="paused")] * 5, [(SUBMIT, HEALTHY)])

    outcome = await room.run(Desk(), backend)

    assert [news.note for news in backend.told] == [""] * 6
    assert outcome.concluded_by_loop == ""


async def test_a_full_context_leaves_only_the_submission(room: Room) -> None:
    backend = script(Turn(stop="full"), [(SUBMIT, HEALTHY)])

    await room.run(Desk(), backend)

    assert backend.told[1].must_submit
    assert "the context window is full" in backend.told[1].note


def looks() -> ScriptedBackend:
    return Endless("endless", Usage(input_tokens=900, output_tokens=100, usd=0.1))


class Endless(ScriptedBackend):
    """Looks at something else each turn and never submits."""

    def __init__(self, name: str, usage: Usage) -> None:
        super().__init__((), name=name, usage=usage)

    async def turn(self, news: News) -> Turn:
        self.steps = [*self.steps, [("look", {"n": len(self.told)})]]
        return await super().turn(news)


@pytest.mark.parametrize(
    ("limits", "says", "turns"),
    [
        (Limits(steps=6), "the limit of 6 steps is reached (6 steps used)", 6),
        (Limits(tokens=10_000), "the limit of 10,000 tokens is reached (10,000 tokens used)", 10),
        (Limits(usd=0.75), "the limit of $0.75 is reached ($0.80 used)", 8),
        (Limits(seconds=50.0), "the limit of 50 s is reached (54 s used)", 9),
    ],
)
async def test_each_limit_ends_an_endless_investigation(tmp_path: Path, limits: Limits, says: str, turns: int) -> None:
    desk = Desk()
    room = Room(tmp_path / "t.jsonl", limits, lambda: 6.0 * len(desk.asked))
    backend = looks()

    outcome = await room.run(desk, backend)

    assert outcome.concluded_by_loop.startswith(says)
    assert len(backend.told) == turns
    asked = [news.must_submit for news in backend.told]
    assert asked[-1], "it was told to submit before the end"
    assert not asked[0]
    assert "Submit now with submit_diagnosis" in backend.told[-1].note


async def test_a_backend_told_to_submit_may_still_do_so(room: Room) -> None:
    room.limits = Limits(steps=3)

    class Obedient(Endless):
        async def turn(self, news: News) -> Turn:
            if news.must_submit:
                self.steps = [*self.steps, [(SUBMIT, HEALTHY)]]
            return await super().turn(news)

    outcome = await room.run(Desk(), Obedient("obedient", Usage()))

    assert outcome.concluded_by_loop == ""


async def test_a_turn_that_outlasts_the_time_is_given_up(tmp_path: Path) -> None:
    class Sleepy(ScriptedBackend):
        async def turn(self, news: News) -> Turn:
            await anyio.sleep_forever()
            raise AssertionError

    room = Room(tmp_path / "t.jsonl", Limits(seconds=0.05), lambda: 0.0)

    outcome = await room.run(Desk(), Sleepy(()))

    assert outcome.concluded_by_loop == "the limit of 0.05 s is reached"


async def test_a_model_that_cannot_be_reached_leaves_the_ticket_as_it_was(room: Room) -> None:
    class Gone(ScriptedBackend):
        async def turn(self, news: News) -> Turn:
            raise ModelUnavailable("No key.")

    desk = Desk()
    with pytest.raises(ModelUnavailable, match="No key"):
        await room.run(desk, Gone(()))

    assert desk.asked == []
    assert lines_of(room.path)[-1]["ending"] == "ModelUnavailable: No key."


async def test_a_server_that_dies_ends_it_and_the_transcript_says_so(room: Room) -> None:
    with pytest.raises(ServerFailed, match="opsai-mcp ended"):
        await room.run(Desk(dies_at="look"), script([("look", {}), ("other", {})]))

    assert lines_of(room.path)[-1]["ending"] == "ServerFailed: opsai-mcp ended."


async def test_the_transcript_tells_the_whole_course(room: Room) -> None:
    await room.run(Desk(), script([("look", {})], Turn(stop="ended", text="So."), [(SUBMIT, HEALTHY)]))

    lines = lines_of(room.path)
    assert [line["event"] for line in lines] == ["begin", "turn", "call", "turn", "note", "turn", "call", "end"]
    assert lines[0]["ticket"] == "T-1"
    assert lines[2]["evidence_id"] == "E-1"
    assert lines[-1]["ending"] == "diagnosed"
    assert lines[-1]["steps"] == 3


async def test_an_answer_that_is_no_object_is_an_error_to_the_backend(room: Room) -> None:
    class Prose(Desk):
        async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
            return CallResult("words", None, False) if name == "look" else await super().call(name, arguments)

    backend = script([("look", {})], [(SUBMIT, HEALTHY)])
    await room.run(Prose(), backend)

    assert backend.told[1].replies[0].is_error
    assert "not a JSON object: words" in backend.told[1].replies[0].text
