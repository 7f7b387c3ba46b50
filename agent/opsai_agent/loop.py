"""The investigation: turns of a backend, calls over MCP, until a diagnosis is accepted or the budget ends."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import anyio
from pydantic import JsonValue

from opsai_agent.backend import SUBMIT, Assignment, Backend, JsonObject, News, Tool, ToolCall, ToolReply, Turn
from opsai_agent.budget import Budget
from opsai_agent.drafting import last_resort
from opsai_agent.errors import ServerFailed
from opsai_agent.session import CallResult
from opsai_agent.transcript import Transcript

MAX_REFUSALS = 3
"""Submissions that may be refused before the loop concludes by itself."""
MAX_IDLE = 3
"""Turns in a row that may ask for nothing."""
MAX_PARALLEL = 4


class Server(Protocol):
    """What the loop needs of a session."""

    tools: tuple[Tool, ...]
    instructions: str

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
        """Call a tool."""
        ...


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened, for whoever watches."""

    kind: str
    """`call` (a tool was answered), `said` (the backend's words), `note` (the loop's words to the backend)."""
    text: str = ""
    reply: ToolReply | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an investigation came to."""

    submission: JsonObject
    """As it was accepted."""
    reply: JsonObject
    """The server's reply to it: diagnosis_id, confidence, because, claims, not_seen."""
    by: str
    concluded_by_loop: str = ""
    """Why the loop had to conclude in the backend's place; empty when the backend did."""
    tool_calls: int = 0
    """Calls that reached the server, the submissions too."""
    reply_chars: int = 0


@dataclass
class _Run:
    session: Server
    backend: Backend
    ticket: str | None
    budget: Budget
    transcript: Transcript
    on_event: Callable[[Happened], None]
    seen: dict[str, ToolReply] = field(default_factory=dict[str, ToolReply])
    """Answered calls by name and arguments."""
    tool_calls: int = 0
    reply_chars: int = 0
    refusals: int = 0
    idle: int = 0
    accepted: tuple[JsonObject, JsonObject] | None = None


async def investigate(
    session: Server,
    backend: Backend,
    ticket: str | None,
    budget: Budget,
    transcript: Transcript,
    on_event: Callable[[Happened], None],
) -> Outcome:
    """Investigate until a diagnosis is accepted; when the backend brings none, an inconclusive one is handed in.

    Raises ServerFailed and ModelUnavailable: then nothing was concluded and the ticket can be taken again.
    """
    run = _Run(session, backend, ticket, budget, transcript, on_event)
    transcript.write("begin", ticket=ticket, backend=backend.name, tools=[tool.name for tool in session.tools])
    ending = "stopped"
    try:
        backend.begin(Assignment(ticket=ticket, tools=session.tools, instructions=session.instructions))
        why = await _turns(run)
        if run.accepted is None:
            await _conclude(run, why)
        ending = "diagnosed"
    except Exception as error:
        ending = f"{type(error).__name__}: {error}"
        raise
    finally:
        transcript.write(
            "end", ending=ending, steps=budget.steps, tool_calls=run.tool_calls, seconds=round(budget.seconds, 3)
        )
    assert run.accepted is not None
    submission, reply = run.accepted
    return Outcome(
        submission=submission,
        reply=reply,
        by=backend.name,
        concluded_by_loop=why,
        tool_calls=run.tool_calls,
        reply_chars=run.reply_chars,
    )


async def _turns(run: _Run) -> str:
    """Take turns until a submission is accepted (empty) or the backend will bring none (why)."""
    news = News(room_left=run.budget.left())
    while (out := run.budget.ran_out()) is None:
        turn = await _turn(run, news)
        if turn is None:
            return f"the limit of {run.budget.limits.seconds:g} s is reached"
        replies = await _answer(run, turn.calls)
        if run.accepted is not None:
            return ""
        if run.refusals >= MAX_REFUSALS:
            return f"{run.refusals} submissions were refused"
        stuck = _stuck(run, turn)
        if stuck:
            return stuck
        news = _news(run, turn, replies)
        if news.note:
            run.transcript.write("note", text=news.note)
            run.on_event(Happened("note", text=news.note))
    return out


async def _turn(run: _Run, news: News) -> Turn | None:
    """Take one turn; None when the time ran out in its middle."""
    turn: Turn | None = None
    with anyio.move_on_after(run.budget.seconds_left):
        turn = await run.backend.turn(news)
    if turn is None:
        return None
    run.budget.spend(turn.usage)
    usage = turn.usage
    run.transcript.write(
        "turn",
        stop=turn.stop,
        text=turn.text,
        calls=[{"id": c.id, "tool": c.name, "arguments": c.arguments} for c in turn.calls],
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        usd=usage.usd,
    )
    if turn.text:
        run.on_event(Happened("said", text=turn.text))
    return turn


def _stuck(run: _Run, turn: Turn) -> str:
    if turn.stop == "declined":
        return f"{run.backend.name} declined to go on"
    run.idle = 0 if turn.calls or turn.stop == "paused" else run.idle + 1
    return f"{run.backend.name} asked for nothing in {run.idle} turns" if run.idle >= MAX_IDLE else ""


def _news(run: _Run, turn: Turn, replies: tuple[ToolReply, ...]) -> News:
    nearly = run.budget.nearly_out()
    notes = [_nudge(turn)]
    must = nearly is not None or turn.stop == "full"
    if must:
        notes.append(
            f"Submit now with {SUBMIT}: {nearly or 'the context window is full'}. "
            "Only that tool is left; claim what the evidence so far shows, and say inconclusive if it does not suffice."
        )
    return News(
        replies=replies,
        note=" ".join(note for note in notes if note),
        must_submit=must,
        room_left=run.budget.left(),
    )


def _nudge(turn: Turn) -> str:
    if turn.stop == "ended" and not turn.calls:
        return f"Nothing was handed in. An investigation ends only with {SUBMIT}: call it, or ask what you still need."
    if turn.stop == "cut":
        return "Your last answer was cut at its length limit. Be shorter: fewer calls at once, shorter texts."
    return ""


async def _answer(run: _Run, calls: tuple[ToolCall, ...]) -> tuple[ToolReply, ...]:
    """Answer every call, in their order; reads run side by side, submissions after them."""
    replies: dict[int, ToolReply] = {}
    first: dict[str, int] = {}
    again: list[int] = []
    limiter = anyio.CapacityLimiter(MAX_PARALLEL)
    failed: list[ServerFailed] = []

    async def read(index: int, call: ToolCall) -> None:
        async with limiter:
            try:
                replies[index] = await _call(run, call)
            except ServerFailed as error:
                failed.append(error)

    async with anyio.create_task_group() as group:
        for index, call in enumerate(calls):
            key = _key(call)
            if call.name == SUBMIT:
                continue
            if key in run.seen or key in first:
                again.append(index)
                continue
            first[key] = index
            group.start_soon(read, index, call)
    if failed:
        raise failed[0]
    for index in again:
        replies[index] = _repeat(run, calls[index], replies.get(first.get(_key(calls[index]), -1)))
    for index, call in enumerate(calls):
        if call.name == SUBMIT:
            replies[index] = await _submit(run, call)
    return tuple(replies[index] for index in range(len(calls)))


async def _call(run: _Run, call: ToolCall) -> ToolReply:
    began = run.budget.seconds
    result = await run.session.call(call.name, call.arguments)
    value = result.structured
    malformed = value is None and not result.is_error
    text = f"{call.name} answered with something that is not a JSON object: {result.text[:500]}" if malformed else ""
    reply = ToolReply(
        call=call,
        text=text or result.text,
        value=value or {},
        is_error=result.is_error or malformed,
        seconds=round(run.budget.seconds - began, 3),
    )
    run.tool_calls += 1
    run.reply_chars += len(reply.text)
    if not reply.is_error and call.name != SUBMIT:
        run.seen[_key(call)] = reply
    _tell(run, reply)
    return reply


def _repeat(run: _Run, call: ToolCall, just_now: ToolReply | None) -> ToolReply:
    before = run.seen.get(_key(call)) or just_now
    assert before is not None
    value: JsonObject = {
        "evidence_id": before.evidence_id,
        "says": f"You asked exactly this before: it is answered above, as evidence {before.evidence_id}. "
        "Ask something else, or submit.",
    }
    if before.is_error:
        value = {"says": f"Asked twice in one turn; it failed: {before.text}"}
    reply = ToolReply(
        call=call, text=_compact(value), value=value, is_error=before.is_error, repeated=True, seconds=0.0
    )
    _tell(run, reply)
    return reply


async def _submit(run: _Run, call: ToolCall) -> ToolReply:
    if run.accepted is not None:
        value: JsonObject = {"says": "A diagnosis was already accepted."}
        return ToolReply(call=call, text=_compact(value), value=value, is_error=True)
    arguments = _signed(run, call.arguments)
    reply = await _call(run, ToolCall(id=call.id, name=SUBMIT, arguments=arguments))
    if not reply.is_error and reply.value.get("accepted") is True:
        run.accepted = (arguments, reply.value)
    else:
        run.refusals += 1
    return reply


def _signed(run: _Run, arguments: JsonObject) -> JsonObject:
    """Return a submission that names our ticket and, where the server asks for it, who investigated."""
    accepts = next((tool.schema.get("properties") for tool in run.session.tools if tool.name == SUBMIT), None)
    known = accepts if isinstance(accepts, dict) else {}
    ours: JsonObject = {"ticket": run.ticket, "by": run.backend.name}
    signed = {name: value for name, value in arguments.items() if name not in ours}
    return {**signed, **{name: value for name, value in ours.items() if name in known and value is not None}}


async def _conclude(run: _Run, why: str) -> None:
    """Hand in an inconclusive diagnosis in the backend's place, so that no ticket is left hanging."""
    answered = ""
    for attempt, submission in enumerate(last_resort(tuple(run.seen.values()), by=run.backend.name, why=why)):
        run.transcript.write("concluded_by_loop", why=why, arguments=submission)
        reply = await _submit(run, ToolCall(id=f"loop-{attempt}", name=SUBMIT, arguments=submission))
        if run.accepted is not None:
            return
        answered = reply.text[:500]
    raise ServerFailed(f"opsai-mcp refuses even an inconclusive diagnosis: {answered}")


def _tell(run: _Run, reply: ToolReply) -> None:
    run.transcript.write(
        "call",
        id=reply.call.id,
        tool=reply.call.name,
        arguments=reply.call.arguments,
        evidence_id=reply.evidence_id,
        is_error=reply.is_error,
        repeated=reply.repeated,
        seconds=reply.seconds,
        text=reply.text,
    )
    run.on_event(Happened("call", reply=reply))


def _key(call: ToolCall) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True, default=str)}"


def _compact(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
