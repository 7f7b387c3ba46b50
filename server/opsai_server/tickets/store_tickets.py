"""Tickets, evidence and diagnoses in the store's tables, within a transaction that the store opened."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import aiosqlite
from pydantic import JsonValue
from pydantic_core import to_json

from opsai_server.tickets.diagnosis import Conclusion, Diagnosis
from opsai_server.tickets.store_rows import (
    diagnosis_of,
    json_text,
    number_of,
    pack,
    ticket_of,
    ticket_row,
    transition_of,
)
from opsai_server.tickets.ticket import Ticket, Transition
from opsai_subjects.errors import UnknownName

_KNOWN_LISTED = 20


async def load_tickets(db: aiosqlite.Connection, numbers: Iterable[int]) -> tuple[Ticket, ...]:
    """Return the tickets of these numbers that exist, newest first, each whole."""
    wanted = to_json(sorted(set(numbers))).decode()
    history: dict[int, list[Transition]] = defaultdict(list)
    for row in await db.execute_fetchall(
        "SELECT * FROM transitions WHERE ticket IN (SELECT value FROM json_each(?)) ORDER BY ticket, place", (wanted,)
    ):
        history[row["ticket"]].append(transition_of(row))
    evidence: dict[int, list[str]] = defaultdict(list)
    for row in await db.execute_fetchall(
        "SELECT * FROM ticket_evidence WHERE ticket IN (SELECT value FROM json_each(?)) ORDER BY evidence", (wanted,)
    ):
        evidence[row["ticket"]].append(f"E-{row['evidence']}")
    diagnoses: dict[int, Diagnosis] = {}
    for row in await db.execute_fetchall(
        "SELECT * FROM diagnoses WHERE number IN "
        "(SELECT max(number) FROM diagnoses WHERE ticket IN (SELECT value FROM json_each(?)) GROUP BY ticket)",
        (wanted,),
    ):
        diagnoses[row["ticket"]] = diagnosis_of(row)
    rows = await db.execute_fetchall(
        "SELECT * FROM tickets WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number DESC", (wanted,)
    )
    return tuple(
        ticket_of(
            row,
            history=tuple(history[row["number"]]),
            evidence_ids=tuple(evidence[row["number"]]),
            diagnosis=diagnoses.get(row["number"]),
        )
        for row in rows
    )


async def one_ticket(db: aiosqlite.Connection, ident: str) -> Ticket:
    """Return the ticket of that id. Raises UnknownName."""
    found = await load_tickets(db, [number_of(ident, "T")])
    if found:
        return found[0]
    rows = await db.execute_fetchall("SELECT number FROM tickets ORDER BY number DESC LIMIT ?", (_KNOWN_LISTED,))
    known = tuple(f"T-{row['number']}" for row in rows)
    raise UnknownName("ticket", ident, known, advice="" if known else "No ticket was ever raised in this store.")


async def ticket_numbers(
    db: aiosqlite.Connection, *, cluster: str | None, status: Sequence[str], parents_only: bool, limit: int
) -> tuple[int, ...]:
    """Return the numbers of the newest tickets that answer to all conditions."""
    rows = await db.execute_fetchall(
        "SELECT number FROM tickets WHERE (?1 IS NULL OR cluster = ?1) "
        "AND (?2 = '[]' OR status IN (SELECT value FROM json_each(?2))) "
        "AND (NOT ?3 OR parent IS NULL) ORDER BY number DESC LIMIT ?4",
        (cluster, to_json(list(status)).decode(), parents_only, limit),
    )
    return tuple(row["number"] for row in rows)


async def save_ticket(db: aiosqlite.Connection, ticket: Ticket) -> None:
    """Insert a ticket, or update what may change in it; transitions it did not have yet are added."""
    await db.execute(
        "INSERT INTO tickets VALUES (:number, :cluster, :invariant, :entity, :grade, :severity, :status, :title, "
        ":headline, :lead, :parent, :recurs, :violated_at, :raised_at, :last_violated_at, :held_since, :resolved_at, "
        ":last_says) ON CONFLICT (number) DO UPDATE SET severity = :severity, status = :status, headline = :headline, "
        "lead = :lead, parent = :parent, last_violated_at = :last_violated_at, held_since = :held_since, "
        "resolved_at = :resolved_at, last_says = :last_says",
        ticket_row(ticket),
    )
    number = number_of(ticket.id, "T")
    await db.executemany(
        "INSERT OR IGNORE INTO transitions VALUES (?, ?, ?, ?, ?)",
        [
            (number, place, step.at.timestamp(), step.step, step.says)
            for place, step in enumerate(ticket.history, start=1)
        ],
    )


async def insert_evidence(
    db: aiosqlite.Connection,
    *,
    cluster: str,
    tool: str,
    arguments: dict[str, JsonValue],
    at: datetime,
    text: bytes,
    ticket: str | None,
) -> str:
    """Store a value's JSON under a new id and return the id. Raises UnknownName for an unknown ticket."""
    number = None if ticket is None else number_of((await one_ticket(db, ticket)).id, "T")
    cursor = await db.execute(
        "INSERT INTO evidence (cluster, tool, arguments, at, ticket, value, chars) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (cluster, tool, json_text(arguments), at.timestamp(), number, pack(text), len(text)),
    )
    return f"E-{cursor.lastrowid}"


async def forget_evidence(db: aiosqlite.Connection, cluster: str, before: datetime) -> None:
    """Delete a cluster's evidence of earlier moments, but for what a ticket or a diagnosis cites."""
    await db.execute(
        "DELETE FROM evidence WHERE cluster = ? AND at < ? AND number NOT IN (SELECT evidence FROM ticket_evidence) "
        "AND number NOT IN (SELECT evidence FROM diagnosis_evidence)",
        (cluster, before.timestamp()),
    )


async def insert_diagnosis(
    db: aiosqlite.Connection, *, ticket: Ticket | None, cluster: str, at: datetime, by: str, conclusion: Conclusion
) -> str:
    """Store a conclusion under a new id with what it cites, and return the id."""
    cursor = await db.execute(
        "INSERT INTO diagnoses (cluster, ticket, at, made_by, conclusion) VALUES (?, ?, ?, ?, ?)",
        (
            cluster,
            None if ticket is None else number_of(ticket.id, "T"),
            at.timestamp(),
            by,
            pack(conclusion.model_dump_json().encode()),
        ),
    )
    submission = conclusion.submission
    cited = {checked.claim.evidence_id for checked in conclusion.checked}
    cited |= {metric.evidence_id for metric in submission.correlated_metrics}
    await db.execute(
        "INSERT INTO diagnosis_evidence SELECT ?, number FROM evidence "
        "WHERE number IN (SELECT value FROM json_each(?))",
        (cursor.lastrowid, to_json([number_of(ident, "E") for ident in cited]).decode()),
    )
    return f"D-{cursor.lastrowid}"
