"""The resources `opsai://tickets` and `opsai://tickets/{id}`: what the watcher raised."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote

from opsai_server.resources.diagnoses import diagnosis_uri
from opsai_server.resources.finding import find_ticket
from opsai_server.resources.reading import SCHEME, Reading, json_reading
from opsai_server.tickets.ticket import OPEN, Ticket
from opsai_server.tools.desks import Desks
from opsai_server.tools.shaping import moment
from opsai_server.tools.ticket_rows import listed, row
from opsai_subjects.reply import Rows, Whole, without_empty

URI = f"{SCHEME}tickets"
FETCHED = 500
ROWS = 100


def ticket_uri(ident: str) -> str:
    """Return where a ticket is read."""
    return f"{URI}/{ident}"


async def open_tickets(desks: Desks, names: tuple[str, ...], *, parents_only: bool = False) -> list[Ticket]:
    """Return the open tickets of these clusters (one at least), newest first, at most 500 of each. Raises StoreError."""
    store = (await desks.desk(names[0])).store
    found = [
        ticket
        for name in names
        for ticket in await store.tickets(name, status=OPEN, parents_only=parents_only, limit=FETCHED)
    ]
    return sorted(found, key=lambda ticket: ticket.number, reverse=True)


def is_all(found: Iterable[Ticket]) -> bool:
    """Say whether these are all the open tickets, and not the newest 500 of a cluster."""
    return max(Counter(ticket.cluster for ticket in found).values(), default=0) < FETCHED


async def read_tickets(desks: Desks, cluster: str = "") -> Reading:
    """Return the open tickets of one cluster or of all that are served, one row for each incident, newest first."""
    names = (cluster,) if cluster else desks.names
    for name in names:  # while a recording is played its tickets come and go
        await desks.desk(name)
    found = await open_tickets(desks, names)
    clusters = {ticket.id: ticket.cluster for ticket in found}
    rows = [{"cluster": clusters[str(one["id"])], **one} for one in listed(found)]
    of = "" if is_all(found) else f" (of the newest {FETCHED} tickets of each cluster)"
    shown: dict[str, object] = {"open": Rows(rows[:ROWS], len(rows), f"one by {URI}/ID, more by the tool tickets{of}")}
    if of and len(rows) <= ROWS:
        shown["note"] = f"More are open than were looked at{of}: narrow with the tool tickets."
    if not rows:
        shown["note"] = "No ticket is open. That is no health check: overview says what is violated or unknown now."
    uri = f"{URI}?cluster={quote(cluster, safe='')}" if cluster else URI
    return json_reading(uri, {}, shown, cluster)


async def read_ticket(desks: Desks, id: str) -> Reading:  # noqa: A002 (the template's own word)
    """Return a ticket whole, with its family, its history and its diagnosis. Raises UnknownName."""
    desk, ticket = await find_ticket(desks, id)
    family = [one for one in await desk.store.family(ticket.id) if one.id != ticket.id]
    asked = f"tickets(id={ticket.id!r})"
    shown: dict[str, object] = {
        "ticket": without_empty(ticket.model_dump(exclude={"diagnosis", "history"})),
        "history": Rows(ticket.history, len(ticket.history), asked),
        "children" if ticket.parent is None else "family": Rows([row(one) for one in family], len(family), asked),
        "diagnosis": _diagnosis(ticket),
    }
    head = {"cluster": desk.name, "at": moment(desk.now())}
    return json_reading(ticket_uri(ticket.id), head, shown, desk.name)


def _diagnosis(ticket: Ticket) -> object:
    if ticket.diagnosis is None:
        return "none yet: see differential, then submit_diagnosis"
    found = ticket.diagnosis
    said = found.submission
    return {
        "id": found.id,
        "uri": diagnosis_uri(found.id),
        "by": found.by,
        "verdict": said.verdict,
        "confidence": found.confidence,
        "summary": Whole(said.summary),
        "root_causes": Rows(said.root_causes, len(said.root_causes), "its uri"),
        "action": said.action,
    }
