"""Finding a ticket, a diagnosis or evidence by its id among the clusters that a server shows: those of others do not exist here."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from opsai_server.evidence import Evidence
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.store import IdSort
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_subjects.errors import UnknownName

KNOWN = 20
TRY = {
    "ticket": "opsai://tickets lists the open ones, tickets(status='all') every one.",
    "diagnosis": "A ticket names its own: opsai://tickets/{id}.",
    "evidence": "Replies and tickets name theirs; old evidence that nothing cites is forgotten after a week.",
}


class _Kept(Protocol):
    @property
    def cluster(self) -> str: ...


Found = TypeVar("Found", bound=_Kept)


async def find_ticket(desks: Desks, ident: str) -> tuple[Desk, Ticket]:
    """Return a ticket and the desk of its cluster. Raises UnknownName with the newest that can be read here."""
    return await _find(desks, "ticket", ident, (await desks.store()).ticket)


async def find_diagnosis(desks: Desks, ident: str) -> tuple[Desk, Diagnosis]:
    """Return a diagnosis and the desk of its cluster. Raises UnknownName as above."""
    return await _find(desks, "diagnosis", ident, (await desks.store()).diagnosis)


async def find_evidence(desks: Desks, ident: str) -> tuple[Desk, Evidence]:
    """Return stored evidence and the desk of its cluster. Raises UnknownName as above."""
    return await _find(desks, "evidence", ident, (await desks.store()).evidence)


async def _find(desks: Desks, sort: IdSort, ident: str, ask: Callable[[str], Awaitable[Found]]) -> tuple[Desk, Found]:
    try:
        found = await ask(ident)
    except UnknownName:
        found = None
    if found is None or found.cluster not in desks.names:
        known, total = await (await desks.store()).ids(sort, desks.names, limit=KNOWN)
        more = f" These are the newest {len(known)} of {total}." if total > len(known) else ""
        clusters = ", ".join(repr(name) for name in desks.names[:KNOWN])
        here = f" This server shows {clusters} and nothing of other clusters."
        raise UnknownName(sort, ident, known, advice=f"{TRY[sort]}{more}{here}")
    return await desks.desk(found.cluster), found
