"""The prompt `investigate_ticket`: from a ticket to a diagnosis whose claims are checked."""

from collections.abc import Mapping

from opsai_server.prompts.prompt import ONCE, RULES, Calls, Written, numbered, ticket_meant
from opsai_server.resources.incident import BEFORE
from opsai_server.resources.tickets import read_ticket
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desks import Desks
from opsai_server.tools.shaping import moment


async def investigate_ticket(desks: Desks, given: Mapping[str, str]) -> Written:
    """Return the task with the ticket as it stands. Raises UnknownName."""
    desk, ticket = await ticket_meant(desks, given)
    call = Calls(desks, desk)
    onset, before = moment(ticket.violated_at), moment(ticket.violated_at - BEFORE)
    own = f", and what only this system has ({call.own})" if call.own else ""
    steps = [
        f"{call('overview')}: what else is violated, unknown or ticketed now.",
        f"{call('differential', ticket=ticket.id)}: the candidates, their signs, and what would tell them apart. Make its next_read.",
        f"{call('timeline', start=before)}: what began first, and what somebody changed before {onset}.",
        f"{call('compare_windows', start=onset)}: what moved since the onset, and on which node. The loudest is often a victim.",
        (
            f"{call('query_metrics', name='…', start=before)} and {call('search_logs', templates=True, start=onset, baseline_minutes=10)}{own}: "
            "read what decides between the candidates."
        ),
        "Try to refute your candidate: each rival needs evidence against it.",
        f"{call('evidence', id='E-…', path='/…')}: look at what each claim will point to.",
        f"{call('submit_diagnosis', ticket=ticket.id)} with verdict, summary, root_causes (one, as a rule), claims, alternatives and action.",
    ]
    text = (
        f"Investigate ticket {ticket.id}. The ticket as it stands is attached.{_standing(ticket)}\n{call.note}\n"
        f"{numbered(steps)}\n\n{RULES}\n{ONCE}"
    )
    return Written(desk.name, text, (await read_ticket(desks, ticket.id),))


def _standing(ticket: Ticket) -> str:
    said = ""
    if ticket.parent is not None:
        said += f" It joined {ticket.parent}: the cause is likely that incident's."
    if ticket.resolved_at is not None:
        said += f" It was resolved at {moment(ticket.resolved_at)}: if it is over, the verdict is recovered."
    if ticket.diagnosis is not None:
        said += (
            f" It has a diagnosis already, {ticket.diagnosis.id} ({ticket.diagnosis.confidence}): check it, and submit "
            "only if you find otherwise, for the later one stands."
        )
    return said
