"""An outcome as a program reads it (one JSON object) and as a person reads it (lines that survive a pipe)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from opsai_agent.backend import JsonObject, ToolReply
from opsai_agent.budget import Budget
from opsai_agent.loop import Outcome
from opsai_server.tickets.diagnosis import Alternative, Claim, Submission
from opsai_subjects.model import clean

ARGUMENTS_CHARS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line for a person: its text and how it is meant."""

    text: str
    style: str = ""
    """`head`, `good`, `bad`, `dim` or empty."""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """One claim after the server looked."""

    claim: Claim
    held: bool
    found: JsonValue = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """An accepted diagnosis and what it took."""

    ticket: str | None
    submission: Submission
    checked: tuple[Checked, ...]
    reply: JsonObject
    outcome: Outcome
    budget: Budget
    transcript: Path


def report(ticket: str | None, outcome: Outcome, budget: Budget, transcript: Path) -> Report:
    """Join an outcome's submission with what the server found of it."""
    submission = _submission(outcome.submission)
    every = [*submission.claims, *(claim for other in submission.alternatives for claim in other.claims)]
    found = outcome.reply.get("claims")
    rows = [row if isinstance(row, dict) else {} for row in (found if isinstance(found, list) else [])]
    rows += [{}] * (len(every) - len(rows))
    checked = tuple(
        Checked(claim=claim, held=row.get("held") is True, found=row.get("found"), why=str(row.get("why") or ""))
        for claim, row in zip(every, rows, strict=False)
    )
    return Report(ticket, submission, checked, outcome.reply, outcome, budget, transcript)


def as_json(done: Report) -> JsonObject:
    """Return the report as one JSON object."""
    reply, budget = done.reply, done.budget
    diagnosis: JsonObject = {
        "id": reply.get("diagnosis_id"),
        "ticket": done.ticket,
        "cluster": reply.get("cluster"),
        "at": reply.get("at"),
        "by": done.outcome.by,
        "submission": done.submission.model_dump(mode="json"),
        "checked": [
            {"claim": c.claim.model_dump(mode="json"), "held": c.held, "found": c.found, "why": c.why}
            for c in done.checked
        ],
        "confidence": reply.get("confidence"),
        "confidence_because": reply.get("because"),
        "not_seen": reply.get("not_seen"),
    }
    return {
        "diagnosis": diagnosis,
        "ticket": done.ticket,
        "verdict": done.submission.verdict,
        "causes": [{"kind": cause.kind, "entity": cause.entity} for cause in done.submission.root_causes],
        "claims": len(done.checked),
        "claims_held": sum(c.held for c in done.checked),
        "tool_calls": done.outcome.tool_calls,
        "reply_chars": done.outcome.reply_chars,
        "seconds": round(budget.seconds, 3),
        "backend": done.outcome.by,
        "usd": None if budget.usd is None else round(budget.usd, 6),
        "tokens": {
            "input": budget.input_tokens,
            "output": budget.output_tokens,
            "cache_read": budget.cache_read_tokens,
            "cache_write": budget.cache_write_tokens,
        },
        "steps": budget.steps,
        "concluded_by_loop": done.outcome.concluded_by_loop or None,
        "transcript": str(done.transcript),
    }


def call_line(reply: ToolReply) -> Line:
    """Return one answered call as one line."""
    arguments = " ".join(f"{name}={_short(value)}" for name, value in _worth_showing(reply).items())
    told = f"{reply.seconds:.2f} s, {len(reply.text):,} chars"
    if reply.repeated:
        told = "asked before, not run again"
    evidence = f" -> {reply.evidence_id}" if reply.evidence_id else ""
    failed = f"  FAILED: {_flat(reply.text, 160)}" if reply.is_error else ""
    text = f"{reply.call.name} {arguments}".rstrip()
    return Line(f"{text}  ({told}){evidence}{failed}", "bad" if reply.is_error else "dim")


def diagnosis_lines(done: Report) -> Iterator[Line]:
    """Return the diagnosis as lines."""
    submission, reply = done.submission, done.reply
    number = reply.get("diagnosis_id") or "diagnosis"
    on = f" of ticket {done.ticket}" if done.ticket else ""
    yield Line("")
    yield Line(f"{number}{on}: {submission.verdict}, {reply.get('confidence') or 'confidence unknown'}", "head")
    yield Line(f"by {done.outcome.by}", "dim")
    if done.outcome.concluded_by_loop:
        yield Line(f"Concluded by the loop, not by {done.outcome.by}: {done.outcome.concluded_by_loop}", "bad")
    yield from _section("Observed", [submission.summary])
    for cause in submission.root_causes:
        yield from _section("Root cause", [f"{cause.kind} on {cause.entity}: {cause.explanation}"])
    if submission.claims:
        yield from _claims("Claims, re-checked by the server", done.checked[: len(submission.claims)])
    metrics = [f"{m.entity}: {m.metric}: {m.says} [{m.evidence_id}]" for m in submission.correlated_metrics]
    yield from _section("Moved with it", metrics)
    yield from _alternatives(done)
    yield from _section("Confidence", _texts(reply.get("because")))
    yield from _section("Not seen", _texts(reply.get("not_seen")))
    action = submission.action
    touches = "touches nothing" if action.touches == "nothing" else f"touches: {action.touches}"
    yield from _section(
        "What to do", [f"{action.do} ({touches})", f"Because: {action.because}", f"Verify: {action.verify}"]
    )


def cost_line(done: Report) -> Line:
    """Return what the investigation took."""
    budget = done.budget
    parts = [f"{done.outcome.tool_calls} calls", f"{done.outcome.reply_chars:,} chars", f"{budget.seconds:.1f} s"]
    if budget.input_tokens or budget.output_tokens:
        read = f" and {budget.cache_read_tokens:,} from the cache" if budget.cache_read_tokens else ""
        parts.append(f"{budget.tokens:,} tokens{read}")
        parts.append("price unknown" if budget.usd is None else f"${budget.usd:.4f}")
    return Line(f"Took {', '.join(parts)}.", "dim")


def _alternatives(done: Report) -> Iterator[Line]:
    others = done.submission.alternatives
    if not others:
        return
    yield Line("")
    yield Line("Considered instead", "head")
    at = len(done.submission.claims)
    for other in others:
        yield Line(_flat(f"{other.kind} on {other.entity}: {other.against}"), indent=2)
        yield from _checked_lines(done.checked[at : at + _count(other)], 4)
        at += _count(other)


def _count(other: Alternative) -> int:
    return len(other.claims)


def _claims(title: str, checked: tuple[Checked, ...]) -> Iterator[Line]:
    yield Line("")
    yield Line(f"{title} ({sum(c.held for c in checked)} of {len(checked)} hold)", "head")
    yield from _checked_lines(checked, 2)


def _checked_lines(checked: tuple[Checked, ...], indent: int) -> Iterator[Line]:
    for one in checked:
        mark, style = ("ok    ", "good") if one.held else ("FAILED", "bad")
        why = "" if one.held else f": {one.why or f'found {one.found!r}'}"
        yield Line(f"{mark} {_flat(one.claim.says)} [{one.claim.evidence_id}{why}]", style, indent)


def _section(title: str, texts: list[str]) -> Iterator[Line]:
    if not texts:
        return
    yield Line("")
    yield Line(title, "head")
    for text in texts:
        yield Line(_flat(text), indent=2)


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _worth_showing(reply: ToolReply) -> JsonObject:
    if reply.call.name == "submit_diagnosis":
        return {name: reply.call.arguments[name] for name in ("ticket", "verdict") if name in reply.call.arguments}
    return reply.call.arguments


def _short(value: JsonValue) -> str:
    text = value if isinstance(value, str) else str(value)
    return _flat(text, ARGUMENTS_CHARS)


def _flat(text: str, limit_chars: int = 4000) -> str:
    return " ".join(clean(text, limit_chars).split())


def _submission(arguments: JsonObject) -> Submission:
    fields = {name: value for name, value in arguments.items() if name in Submission.model_fields}
    try:
        return Submission.model_validate(fields)
    except ValidationError:
        # the server coerces where we do not ("5" for 5): what it accepted is shown as far as it reads
        return Submission.model_validate({**fields, "claims": (), "alternatives": (), "correlated_metrics": ()})
