"""The prompt `health_check`: how a cluster stands, with what nobody can see of it."""

from collections.abc import Mapping

from opsai_server.prompts.prompt import NO_CONCLUSION, RULES, Calls, Written, numbered
from opsai_server.resources.tickets import read_tickets
from opsai_server.tools.desks import Desks


async def health_check(desks: Desks, given: Mapping[str, str]) -> Written:
    """Return the task with the open tickets. Raises UnknownName."""
    desk = await desks.desk(given.get("cluster", ""))
    call = Calls(desks, desk)
    own = f" The tools that only this system has ({call.own}) say more of their part." if call.own else ""
    steps = [
        f"{call('overview')}: healthy is true, false, or null when too much is unknown to say. If nothing is violated, unknown or ticketed, say so and stop.",
        f"{call('check_invariants', state='violated')}: what is violated, by how much and since when.",
        f"{call('check_invariants', state='unknown')}: what cannot be judged, why, and what to set so that it can.",
        f"{call('differential')}: only when something is violated: which causes fit.{own}",
        f"{call('timeline', minutes=60)}: what changed in the last hour.",
        (
            "Report in this order: healthy, not healthy, or not known; what is violated, with its evidence_id and since when; "
            "what is unknown; open tickets, worst first; the one thing to do next. For a ticket, the prompt investigate_ticket goes on."
        ),
    ]
    text = (
        f"Check the health of this {desk.kind.name} cluster. Its open tickets are attached.\n{call.note}\n"
        f"{numbered(steps)}\n\n{RULES}\n{NO_CONCLUSION}"
    )
    return Written(desk.name, text, (await read_tickets(desks, desk.name),))
