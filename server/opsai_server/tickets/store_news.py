"""What is new among the tickets, found by asking again: programs that share a store do not tell each other.

Asked once a second for a hundred tickets it costs the store 0.3 ms of a core; `PRAGMA data_version`, which would say first
whether anything was written at all, costs 0.1 ms, and would need a connection of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import aiosqlite
from pydantic_core import to_json

from opsai_server.tickets.store_rows import number_of

Stand = tuple[object, ...]
"""What a ticket's readers care for, compared and never shown: another stand is a change, a refreshed sentence is none."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a ticket and its family stood when they were looked at."""

    cluster: str
    ticket: Stand
    family: tuple[Stand, ...]
    """The parent and all its children, whichever of them the ticket is."""


@dataclass(frozen=True, slots=True)
class News:
    """One look."""

    newest: int
    """The number of the newest ticket of the store; 0: there is none."""
    raised: bool
    """Whether one of these clusters has a ticket newer than asked."""
    marks: Mapping[str, Mark]
    """By id as it was asked for; what is no ticket is left out."""


async def news(db: aiosqlite.Connection, idents: Collection[str], clusters: Iterable[str], after: int) -> News:
    """Look at the tickets of these ids, and for tickets of these clusters with numbers above `after`."""
    rows = await db.execute_fetchall("SELECT coalesce(max(number), 0) AS newest FROM tickets")
    newest = int(next(iter(rows))["newest"])
    ours = await db.execute_fetchall(
        "SELECT 1 FROM tickets WHERE number > ? AND cluster IN (SELECT value FROM json_each(?)) LIMIT 1",
        (after, to_json(list(clusters)).decode()),
    )
    return News(newest, bool(list(ours)), await _marks(db, idents))


async def _marks(db: aiosqlite.Connection, idents: Collection[str]) -> dict[str, Mark]:
    numbers = {ident: number_of(ident, "T") for ident in idents}
    if not numbers:
        return {}
    rows = await db.execute_fetchall(
        "WITH roots AS (SELECT coalesce(parent, number) FROM tickets WHERE number IN (SELECT value FROM json_each(?))) "
        "SELECT number, cluster, coalesce(parent, number) AS root, status, severity, headline, lead, parent, "
        "(SELECT max(place) FROM transitions WHERE ticket = number) AS steps "
        "FROM tickets WHERE number IN roots OR parent IN roots ORDER BY number",
        (to_json(sorted(set(numbers.values()))).decode(),),
    )
    found: dict[int, tuple[str, int, Stand]] = {}
    families: dict[int, list[Stand]] = defaultdict(list)
    for row in rows:
        stand = (row["number"], *row[3:])
        found[row["number"]] = (row["cluster"], row["root"], stand)
        families[row["root"]].append(stand)
    return {
        ident: Mark(cluster, stand, tuple(families[root]))
        for ident, number in numbers.items()
        if number in found
        for cluster, root, stand in (found[number],)
    }
