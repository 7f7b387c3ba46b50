"""One tick in the store's tables: what is known, what is decided of it, and all of it written in one transaction."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import aiosqlite
from pydantic_core import to_json

from opsai_server.tickets.store_rows import json_text, number_of, pack, pending_of
from opsai_server.tickets.store_tickets import forget_evidence, insert_evidence, load_tickets, save_ticket
from opsai_server.tickets.tick import Changes, Judged, Key, Pending, Stepped, Ticked, WatchState
from opsai_server.tickets.ticket import Heartbeat

Decide = Callable[[WatchState], Changes]
"""Says what a tick means for the tickets: pure, called within the tick's transaction."""


async def record(
    db: aiosqlite.Connection,
    judged: Judged,
    decide: Decide,
    heartbeat: Heartbeat,
    *,
    keep_ticks_seconds: float,
    keep_evidence_seconds: float,
) -> Ticked:
    """Write everything of one tick."""
    tick = judged.tick()
    await db.execute(
        "INSERT INTO ticks (cluster, at, tick) VALUES (?, ?, ?)",
        (tick.cluster, tick.at.timestamp(), pack(tick.model_dump_json().encode())),
    )
    violated = {(verdict.invariant, verdict.entity) for verdict in judged.verdicts if verdict.state == "violated"}
    changes = decide(await watch_state(db, judged.cluster, violated))
    for ticket in changes.tickets:
        await save_ticket(db, ticket)
    evidence_id = await _cite(db, judged, changes.raised) if changes.raised else None
    await _write_pending(db, judged.cluster, changes.pending)
    await write_heartbeat(db, heartbeat)
    await _prune(db, judged, keep_ticks_seconds, keep_evidence_seconds)
    stand = {
        ticket.id: ticket for ticket in await load_tickets(db, (number_of(ident, "T") for ident, _ in changes.steps))
    }
    steps = tuple(Stepped(ticket=stand[ident], transition=transition) for ident, transition in changes.steps)
    return Ticked(tick=tick, steps=steps, evidence_id=evidence_id, verdicts=judged.verdicts)


async def watch_state(db: aiosqlite.Connection, cluster: str, violated: Iterable[Key]) -> WatchState:
    """Return what is known of a cluster's tickets, as far as a tick with these violations needs it."""
    keys = to_json([list(key) for key in violated]).decode()
    newest = await db.execute_fetchall(
        "SELECT max(number) AS number FROM tickets, json_each(?2) AS key WHERE cluster = ?1 "
        "AND invariant = json_extract(key.value, '$[0]') AND entity = json_extract(key.value, '$[1]') GROUP BY invariant, entity",
        (cluster, keys),
    )
    numbers = {row["number"] for row in newest}
    rows = await db.execute_fetchall(
        "WITH roots AS (SELECT coalesce(parent, number) AS root FROM tickets "
        "WHERE (cluster = ?1 AND status != 'resolved') OR number IN (SELECT value FROM json_each(?2))) "
        "SELECT number FROM tickets WHERE number IN roots OR parent IN roots",
        (cluster, to_json(list(numbers)).decode()),
    )
    tickets = {ticket.id: ticket for ticket in await load_tickets(db, (row["number"] for row in rows))}
    pending = [
        pending_of(row) for row in await db.execute_fetchall("SELECT * FROM pending WHERE cluster = ?", (cluster,))
    ]
    return WatchState(
        cluster=cluster,
        next_number=await _next_number(db),
        tickets=tickets,
        resolved={
            (ticket.invariant, ticket.entity): ticket.id
            for ticket in tickets.values()
            if number_of(ticket.id, "T") in numbers and ticket.status == "resolved"
        },
        pending={(one.invariant, one.entity): one for one in pending},
    )


async def write_heartbeat(db: aiosqlite.Connection, heartbeat: Heartbeat) -> None:
    """Replace the cluster's sign of life."""
    await db.execute(
        "INSERT OR REPLACE INTO heartbeats VALUES (?, ?)", (heartbeat.cluster, heartbeat.model_dump_json())
    )


async def _next_number(db: aiosqlite.Connection) -> int:
    rows = list(await db.execute_fetchall("SELECT seq FROM sqlite_sequence WHERE name = 'tickets'"))
    return rows[0]["seq"] + 1 if rows else 1


async def _cite(db: aiosqlite.Connection, judged: Judged, raised: tuple[str, ...]) -> str:
    text = json_text(judged.evidence_value())
    ident = await insert_evidence(
        db, cluster=judged.cluster, tool="watcher", arguments={}, at=judged.at, text=text, ticket=None
    )
    await db.executemany(
        "INSERT INTO ticket_evidence VALUES (?, ?)",
        [(number_of(ticket, "T"), number_of(ident, "E")) for ticket in raised],
    )
    return ident


async def _write_pending(db: aiosqlite.Connection, cluster: str, pending: tuple[Pending, ...]) -> None:
    await db.execute("DELETE FROM pending WHERE cluster = ?", (cluster,))
    await db.executemany(
        "INSERT INTO pending VALUES (?, ?, ?, ?, ?)",
        [(cluster, one.invariant, one.entity, one.first_at.timestamp(), one.seen_at.timestamp()) for one in pending],
    )


async def _prune(db: aiosqlite.Connection, judged: Judged, ticks_seconds: float, evidence_seconds: float) -> None:
    ticks_from = (judged.at - timedelta(seconds=ticks_seconds)).timestamp()
    await db.execute("DELETE FROM ticks WHERE cluster = ? AND at < ?", (judged.cluster, ticks_from))
    await forget_evidence(db, judged.cluster, judged.at - timedelta(seconds=evidence_seconds))
