"""Rows and values: how tickets, evidence, ticks and diagnoses stand in the store's tables."""

import sqlite3
import zlib
from datetime import datetime

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from opsai_server.evidence import Evidence, EvidenceSummary
from opsai_server.tickets.diagnosis import Conclusion, Diagnosis
from opsai_server.tickets.tick import Pending, Tick
from opsai_server.tickets.ticket import Ticket, Transition
from opsai_subjects.model import utc

_COMPRESS_FROM_BYTES = 2048
_ZLIB_MARK = b"x"
"""A zlib stream begins with 0x78, which no JSON text does: the blob itself says which it is."""


def number_of(ident: str, letter: str) -> int:
    """Return the number in `T-12`, also written `t-12` or `12`; 0, which no row has, when it is no such id."""
    digits = ident.strip().upper().removeprefix(f"{letter}-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0


def pack(text: bytes) -> bytes:
    """Return JSON text as it is stored."""
    return zlib.compress(text) if len(text) >= _COMPRESS_FROM_BYTES else text


def unpack(blob: bytes) -> bytes:
    """Return the JSON text that was packed."""
    return zlib.decompress(blob) if blob.startswith(_ZLIB_MARK) else blob


def json_text(value: JsonValue) -> bytes:
    """Return a value as JSON; floats that JSON has no word for become the strings NaN, Infinity and -Infinity."""
    return to_json(value, inf_nan_mode="strings")


def ticket_row(ticket: Ticket) -> dict[str, str | int | float | None]:
    """Return a ticket's row: by column."""
    return {
        "number": number_of(ticket.id, "T"),
        "cluster": ticket.cluster,
        "invariant": ticket.invariant,
        "entity": ticket.entity,
        "grade": ticket.grade,
        "severity": ticket.severity,
        "status": ticket.status,
        "title": ticket.title,
        "headline": ticket.headline,
        "lead": _number("T", ticket.lead),
        "parent": _number("T", ticket.parent),
        "recurs": _number("T", ticket.recurs),
        "violated_at": ticket.violated_at.timestamp(),
        "raised_at": ticket.raised_at.timestamp(),
        "last_violated_at": ticket.last_violated_at.timestamp(),
        "held_since": _seconds(ticket.held_since),
        "resolved_at": _seconds(ticket.resolved_at),
        "last_says": ticket.last_says,
    }


def ticket_of(
    row: sqlite3.Row, history: tuple[Transition, ...], evidence_ids: tuple[str, ...], diagnosis: Diagnosis | None
) -> Ticket:
    """Return the ticket of a row of tickets."""
    return Ticket(
        id=f"T-{row['number']}",
        cluster=row["cluster"],
        invariant=row["invariant"],
        entity=row["entity"],
        grade=row["grade"],
        severity=row["severity"],
        status=row["status"],
        title=row["title"],
        headline=row["headline"],
        lead=_id("T", row["lead"]),
        parent=_id("T", row["parent"]),
        recurs=_id("T", row["recurs"]),
        violated_at=utc(row["violated_at"]),
        raised_at=utc(row["raised_at"]),
        last_violated_at=utc(row["last_violated_at"]),
        held_since=_moment(row["held_since"]),
        resolved_at=_moment(row["resolved_at"]),
        last_says=row["last_says"],
        evidence_ids=evidence_ids,
        history=history,
        diagnosis=diagnosis,
    )


def transition_of(row: sqlite3.Row) -> Transition:
    """Return the transition of a row."""
    return Transition(at=utc(row["at"]), step=row["step"], says=row["says"])


def evidence_summary_of(row: sqlite3.Row) -> EvidenceSummary:
    """Return what a row of evidence says, but its value."""
    return EvidenceSummary(
        id=f"E-{row['number']}",
        cluster=row["cluster"],
        tool=row["tool"],
        arguments=from_json(row["arguments"]),
        at=utc(row["at"]),
        ticket=_id("T", row["ticket"]),
        chars=row["chars"],
    )


def evidence_of(row: sqlite3.Row) -> Evidence:
    """Return the evidence of a row."""
    summary = evidence_summary_of(row)
    return Evidence(
        id=summary.id,
        cluster=summary.cluster,
        tool=summary.tool,
        arguments=summary.arguments,
        at=summary.at,
        value=from_json(unpack(row["value"])),
        ticket=summary.ticket,
    )


def diagnosis_of(row: sqlite3.Row) -> Diagnosis:
    """Return the diagnosis of a row."""
    conclusion = Conclusion.model_validate_json(unpack(row["conclusion"]))
    return Diagnosis(
        id=f"D-{row['number']}",
        ticket=_id("T", row["ticket"]),
        cluster=row["cluster"],
        at=utc(row["at"]),
        by=row["made_by"],
        submission=conclusion.submission,
        checked=conclusion.checked,
        confidence=conclusion.confidence,
        confidence_because=conclusion.confidence_because,
        not_seen=conclusion.not_seen,
    )


def tick_of(row: sqlite3.Row) -> Tick:
    """Return the tick of a row."""
    return Tick.model_validate_json(unpack(row["tick"]))


def pending_of(row: sqlite3.Row) -> Pending:
    """Return the pending violation of a row."""
    return Pending(
        invariant=row["invariant"],
        entity=row["entity"],
        first_at=utc(row["first_at"]),
        seen_at=utc(row["seen_at"]),
    )


def _number(letter: str, ident: str | None) -> int | None:
    return None if ident is None else number_of(ident, letter)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _id(letter: str, number: int | None) -> str | None:
    return None if number is None else f"{letter}-{number}"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)
