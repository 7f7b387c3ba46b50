"""Tickets as replies list them: one row per incident, its joined tickets counted."""

from collections.abc import Sequence

from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.reply import without_empty


def listed(tickets: Sequence[Ticket]) -> list[dict[str, object]]:
    """Return parents as rows in the order given, each with how many joined it; a child without its parent here is a row too."""
    ids = {ticket.id for ticket in tickets}
    children: dict[str, int] = {}
    for ticket in tickets:
        if ticket.parent in ids:
            children[str(ticket.parent)] = children.get(str(ticket.parent), 0) + 1
    return [row(ticket, children.get(ticket.id, 0)) for ticket in tickets if ticket.parent not in ids]


def row(ticket: Ticket, joined: int = 0) -> dict[str, object]:
    """Return one ticket as a row."""
    return without_empty(
        {
            "id": ticket.id,
            "status": ticket.status,
            "severity": ticket.severity,
            "grade": ticket.grade,
            "headline": ticket.headline,
            "invariant": ticket.invariant,
            "entity": ticket.entity,
            "violated_at": ticket.violated_at,
            "raised_at": ticket.raised_at,
            "resolved_at": ticket.resolved_at,
            "joined": joined or None,
            "parent": ticket.parent,
            "diagnosis": short(ticket.diagnosis) if ticket.diagnosis else None,
        }
    )


def short(diagnosis: Diagnosis) -> dict[str, object]:
    """Return a diagnosis in one row."""
    return without_empty(
        {
            "id": diagnosis.id,
            "verdict": diagnosis.submission.verdict,
            "confidence": diagnosis.confidence,
            "causes": [f"{cause.kind} on {cause.entity}" for cause in diagnosis.submission.root_causes],
            "by": diagnosis.by,
        }
    )
