"""The store: tickets, evidence, diagnoses, ticks and heartbeats in one SQLite file that all programs share."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import aiosqlite
from pydantic import JsonValue

from opsai_server.evidence import Evidence, EvidenceSummary
from opsai_server.tickets.diagnosis import Conclusion, Diagnosis
from opsai_server.tickets.identity import Identity
from opsai_server.tickets.store_file import Database, open_database
from opsai_server.tickets.store_identity import forget, identities, introduce
from opsai_server.tickets.store_news import News, news
from opsai_server.tickets.store_rows import (
    diagnosis_of,
    evidence_of,
    evidence_summary_of,
    json_text,
    number_of,
    tick_of,
)
from opsai_server.tickets.store_tickets import (
    forget_evidence,
    insert_diagnosis,
    insert_evidence,
    load_tickets,
    one_ticket,
    save_ticket,
    ticket_numbers,
)
from opsai_server.tickets.store_watch import Decide, record, write_heartbeat
from opsai_server.tickets.tick import Judged, Tick, Ticked
from opsai_server.tickets.ticket import Heartbeat, Status, Ticket, Transition
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Window

BUSY_SECONDS = 5.0
KEEP_TICKS_SECONDS = 24 * 3600.0
KEEP_EVIDENCE_SECONDS = 7 * 24 * 3600.0
FORGET_EVERY = 100
"""After so many pieces of evidence that calls left, old evidence is looked for."""
_KNOWN_LISTED = 20
IdSort = Literal["ticket", "diagnosis", "evidence"]
_IDS: dict[IdSort, tuple[str, str]] = {
    "ticket": ("T", "tickets"),
    "diagnosis": ("D", "diagnoses"),
    "evidence": ("E", "evidence"),
}
"""The letter of an id, and the table of what has it."""
_NEWEST_IDS = (
    "SELECT number, count(*) OVER () AS total FROM {table} WHERE cluster IN (SELECT value FROM json_each(?1)) "
    "AND number GLOB ?2 ORDER BY number DESC LIMIT ?3"
)


class Store:
    """Everything that opsai remembers. Every method may raise StoreError, and then nothing of it was written."""

    def __init__(self, database: Database, path: Path, keep_ticks_seconds: float, keep_evidence_seconds: float) -> None:
        self.path = path
        self._database = database
        self._keep_ticks_seconds = keep_ticks_seconds
        self._keep_evidence_seconds = keep_evidence_seconds

    async def put_evidence(
        self,
        *,
        cluster: str,
        tool: str,
        arguments: dict[str, JsonValue],
        at: datetime,
        value: JsonValue,
        ticket: str | None = None,
    ) -> str:
        """Store a reply's full value under a new id and return that. Raises UnknownName for an unknown ticket.

        Now and then what is too old is forgotten: a server may be asked for months where no watcher looks.
        """
        text = json_text(value)
        async with self._database.writing() as db:
            ident = await insert_evidence(
                db, cluster=cluster, tool=tool, arguments=arguments, at=at, text=text, ticket=ticket
            )
            if number_of(ident, "E") % FORGET_EVERY == 0:
                await forget_evidence(db, cluster, at - timedelta(seconds=self._keep_evidence_seconds))
        return ident

    async def evidence(self, ident: str) -> Evidence:
        """Return stored evidence with its full value. Raises UnknownName."""
        async with self._database.reading() as db:
            for row in await db.execute_fetchall("SELECT * FROM evidence WHERE number = ?", (number_of(ident, "E"),)):
                return evidence_of(row)
            known = await _newest(db, "SELECT number FROM evidence ORDER BY number DESC LIMIT ?", "E")
        raise UnknownName("evidence", ident, known, advice="Old evidence that nothing cites is forgotten after a week.")

    async def list_evidence(
        self, cluster: str, *, ticket: str | None = None, limit: int = 50
    ) -> tuple[EvidenceSummary, ...]:
        """Return a cluster's evidence without its values, newest first; of one ticket: what it cites and what was read for it."""
        async with self._database.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT number, cluster, tool, arguments, at, ticket, chars FROM evidence WHERE cluster = ?1 AND "
                "(?2 IS NULL OR ticket = ?2 OR number IN (SELECT evidence FROM ticket_evidence WHERE ticket = ?2)) "
                "ORDER BY number DESC LIMIT ?3",
                (cluster, None if ticket is None else number_of(ticket, "T"), limit),
            )
        return tuple(evidence_summary_of(row) for row in rows)

    async def ids(
        self, sort: IdSort, clusters: Sequence[str], *, digits: str = "", limit: int
    ) -> tuple[tuple[str, ...], int]:
        """Return ids of these clusters whose number begins with the digits, newest first, and how many there are of them."""
        letter, table = _IDS[sort]
        query = _NEWEST_IDS.format(table=table)
        pattern = f"{digits}*" if digits.isascii() and (digits.isdigit() or not digits) else "-"
        async with self._database.reading() as db:
            rows = list(await db.execute_fetchall(query, (json_text(list(clusters)).decode(), pattern, limit)))
        return tuple(f"{letter}-{row['number']}" for row in rows), rows[0]["total"] if rows else 0

    async def ticket(self, ident: str) -> Ticket:
        """Return a ticket. Raises UnknownName with the newest ids."""
        async with self._database.reading() as db:
            return await one_ticket(db, ident)

    async def tickets(
        self,
        cluster: str | None = None,
        *,
        status: Sequence[Status] = (),
        parents_only: bool = False,
        limit: int = 50,
    ) -> tuple[Ticket, ...]:
        """Return tickets, newest first: of one cluster or all, of these statuses or any."""
        async with self._database.reading() as db:
            numbers = await ticket_numbers(db, cluster=cluster, status=status, parents_only=parents_only, limit=limit)
            return await load_tickets(db, numbers)

    async def family(self, ident: str) -> tuple[Ticket, ...]:
        """Return the parent and all its children, oldest first, whichever of them is asked for. Raises UnknownName."""
        async with self._database.reading() as db:
            asked = await one_ticket(db, ident)
            root = number_of(asked.parent or asked.id, "T")
            rows = await db.execute_fetchall("SELECT number FROM tickets WHERE parent = ?", (root,))
            members = await load_tickets(db, [root, *(row["number"] for row in rows)])
        return tuple(sorted(members, key=lambda one: (one.parent is not None, number_of(one.id, "T"))))

    async def news(self, idents: Collection[str], clusters: Collection[str]) -> News:
        """Return how tickets of these ids and what is open of these clusters stand, to be compared with another look."""
        async with self._database.reading() as db:
            return await news(db, idents, clusters)

    async def record_tick(self, judged: Judged, decide: Decide, heartbeat: Heartbeat) -> Ticked:
        """Store one tick and everything that follows from it, in one transaction.

        `decide` is called inside it, so that what it was told is still so when its answer is written.
        """
        async with self._database.writing() as db:
            return await record(
                db,
                judged,
                decide,
                heartbeat,
                keep_ticks_seconds=self._keep_ticks_seconds,
                keep_evidence_seconds=self._keep_evidence_seconds,
            )

    async def ticks(self, cluster: str, window: Window) -> tuple[Tick, ...]:
        """Return the ticks of the window, oldest first."""
        async with self._database.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT tick FROM ticks WHERE cluster = ? AND at BETWEEN ? AND ? ORDER BY at, number",
                (cluster, window.start.timestamp(), window.end.timestamp()),
            )
        return tuple(tick_of(row) for row in rows)

    async def put_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Replace the cluster's sign of life outside of a tick: a watcher's last."""
        async with self._database.writing() as db:
            await write_heartbeat(db, heartbeat)

    async def heartbeat(self, cluster: str) -> Heartbeat | None:
        """Return the last sign of life of a watcher of this cluster; None when there never was one."""
        async with self._database.reading() as db:
            rows = await db.execute_fetchall("SELECT heartbeat FROM heartbeats WHERE cluster = ?", (cluster,))
        return next((Heartbeat.model_validate_json(row["heartbeat"]) for row in rows), None)

    async def identity(self, cluster: str) -> Identity | None:
        """Return who was first seen under a cluster's name; None when nobody was."""
        async with self._database.reading() as db:
            return next(iter(await identities(db, cluster)), None)

    async def identities(self) -> tuple[Identity, ...]:
        """Return who was first seen under each name."""
        async with self._database.reading() as db:
            return await identities(db)

    async def introduce(self, cluster: str, cluster_id: str, at: datetime) -> Identity:
        """Keep who is seen under a name for the first time; return who that was, which may be another program's finding."""
        async with self._database.writing() as db:
            await introduce(db, cluster, cluster_id, at)
            return (await identities(db, cluster))[0]

    async def forget_identity(self, cluster: str) -> Identity:
        """Let the name be taken by another cluster; return who had it. Raises UnknownName with the names there are."""
        async with self._database.writing() as db:
            known = {one.cluster: one for one in await identities(db)}
            if cluster not in known:
                raise UnknownName("cluster that was seen", cluster, tuple(known))
            await forget(db, cluster)
            return known[cluster]

    async def save_diagnosis(
        self, *, ticket: str | None, cluster: str, at: datetime, by: str, conclusion: Conclusion
    ) -> Diagnosis:
        """File a conclusion, and set its ticket to diagnosed unless that is resolved. Raises UnknownName."""
        async with self._database.writing() as db:
            about = None if ticket is None else await one_ticket(db, ticket)
            ident = await insert_diagnosis(db, ticket=about, cluster=cluster, at=at, by=by, conclusion=conclusion)
            if about is not None:
                says = f"{ident} by {by}: {conclusion.submission.verdict}, {conclusion.confidence}"
                step = Transition(at=at, step="diagnosed", says=says)
                status: Status = "resolved" if about.status == "resolved" else "diagnosed"
                await save_ticket(db, about.model_copy(update={"status": status, "history": (*about.history, step)}))
            return await _diagnosis(db, ident)

    async def diagnosis(self, ident: str) -> Diagnosis:
        """Return a diagnosis. Raises UnknownName."""
        async with self._database.reading() as db:
            return await _diagnosis(db, ident)

    async def diagnoses(self, cluster: str, limit: int = 50) -> tuple[Diagnosis, ...]:
        """Return a cluster's diagnoses, newest first."""
        async with self._database.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM diagnoses WHERE cluster = ? ORDER BY number DESC LIMIT ?", (cluster, limit)
            )
        return tuple(diagnosis_of(row) for row in rows)


@asynccontextmanager
async def open_store(
    path: Path,
    *,
    busy_seconds: float = BUSY_SECONDS,
    keep_ticks_seconds: float = KEEP_TICKS_SECONDS,
    keep_evidence_seconds: float = KEEP_EVIDENCE_SECONDS,
    trace: Callable[[str], None] | None = None,
) -> AsyncGenerator[Store]:
    """Open the store, which is made when it is not there. Raises StoreError.

    `trace` is told each SQL statement just before it runs, in the database's own thread.
    """
    async with open_database(path, busy_seconds, trace) as database:
        yield Store(database, path, keep_ticks_seconds, keep_evidence_seconds)


async def _diagnosis(db: aiosqlite.Connection, ident: str) -> Diagnosis:
    for row in await db.execute_fetchall("SELECT * FROM diagnoses WHERE number = ?", (number_of(ident, "D"),)):
        return diagnosis_of(row)
    known = await _newest(db, "SELECT number FROM diagnoses ORDER BY number DESC LIMIT ?", "D")
    raise UnknownName("diagnosis", ident, known)


async def _newest(db: aiosqlite.Connection, query: str, letter: str) -> tuple[str, ...]:
    return tuple(f"{letter}-{row['number']}" for row in await db.execute_fetchall(query, (_KNOWN_LISTED,)))
