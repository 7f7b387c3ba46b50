"""The tool `tickets`: what the watcher raised."""

from typing import Annotated, Literal

from pydantic import Field

from opsai_server.tickets.ticket import OPEN, Status, Ticket
from opsai_server.tools.desk import Desk
from opsai_server.tools.ticket_rows import listed, row
from opsai_subjects.reply import Answer, Rows, without_empty

ROWS = 20
FETCHED = 500


async def tickets(
    desk: Desk,
    id: Annotated[str, Field(description="One ticket whole: 'T-12'.")] = "",  # noqa: A002 (the argument's name in the protocol)
    status: Annotated[
        Literal["open", "created", "diagnosed", "resolved", "all"],
        Field(description="Which to list; open: not resolved."),
    ] = "open",
) -> Answer:
    """List the watcher's tickets, newest first, or read one whole with what joined it, its history and diagnosis.

    Use it to see what was noticed and when; overview names the open ones. Returns violated_at (the symptom began) and evidence_ids:
    verdicts, signs and facts of then, for evidence to read.
    """
    if id:
        return await _one(desk, id)
    statuses: tuple[Status, ...] = OPEN if status == "open" else () if status == "all" else (status,)
    found = await desk.store.tickets(desk.name, status=statuses, limit=FETCHED)
    rows = listed(found)
    of = f" (of the newest {FETCHED})" if len(found) == FETCHED else ""
    shown = {"tickets": Rows(rows[:ROWS], len(rows), f"narrow with status, or read one with id{of}")}
    return Answer(at=desk.now(), value={"tickets": rows}, shown=shown)


async def _one(desk: Desk, ticket_id: str) -> Answer:
    ticket = await desk.ticket(ticket_id)
    family = await desk.store.family(ticket.parent or ticket.id)
    children = [one for one in family if one.id not in (ticket.id, ticket.parent)]
    diagnosis = ticket.diagnosis.model_dump() if ticket.diagnosis else None
    value = without_empty(
        {
            "ticket": ticket.model_dump(exclude={"diagnosis"}),
            "children" if ticket.parent is None else "siblings": [
                one.model_dump(exclude={"diagnosis"}) for one in children
            ],
            "diagnosis": diagnosis,
        }
    )
    shown = {
        "ticket": _whole(ticket),
        "history": Rows(ticket.history, len(ticket.history), ""),
        "children" if ticket.parent is None else "siblings": Rows(
            [row(one) for one in children[:ROWS]], len(children), "all by evidence(id, path='/children')"
        ),
        "diagnosis": diagnosis or "none yet: see differential, then submit_diagnosis",
    }
    return Answer(at=desk.now(), value=value, shown=shown, ticket=ticket.id)


def _whole(ticket: Ticket) -> dict[str, object]:
    return without_empty(ticket.model_dump(exclude={"diagnosis", "history"}))
