"""The prompt `post_mortem`: a post-mortem written from an incident's report, with nothing that is not known."""

from collections.abc import Mapping

from opsai_server.prompts.prompt import NO_CONCLUSION, RULES, Calls, Written, numbered, ticket_meant
from opsai_server.resources.incidents import read_incident
from opsai_server.tools.desks import Desks


async def post_mortem(desks: Desks, given: Mapping[str, str]) -> Written:
    """Return the task with the incident's report. Raises UnknownName."""
    desk, ticket = await ticket_meant(desks, given)
    call = Calls(desks, desk)
    diagnosed = (
        ""
        if ticket.diagnosis is not None
        else " The ticket is not diagnosed: name no cause, and say that the prompt investigate_ticket would look for it."
    )
    steps = [
        f"Read the attached report, then {call('tickets', id=ticket.id)} for what has changed since.",
        f"{call('evidence', id='E-…', path='/…')}: look at what a statement rests on before you rely on it. A claim that FAILS supports nothing.",
        f"{call('timeline', start='…', end='…')}: where the report shows a part of the timeline only.",
        f"{call('knowledge', words='…')}: what is known of the fault kind, for what would prevent it.",
        (
            "Write: summary, impact, timeline, root cause, alternatives that were ruled out, action, what could not be seen. "
            "Keep each evidence id beside the statement that rests on it. Leave what the report calls not known as not known, "
            "and ask the user for it: what users felt, who did what, and what follows from it are theirs to tell."
        ),
    ]
    text = (
        f"Write the post-mortem of the incident of {ticket.id}. Its report is attached.{diagnosed}\n{call.note}\n"
        f"{numbered(steps)}\n\n{RULES}\n{NO_CONCLUSION}"
    )
    return Written(desk.name, text, (await read_incident(desks, ticket.id),))
