"""The resource `opsai://incidents/{ticket}`: the report of an incident, and which of them are listed."""

from opsai_server.resources.finding import find_ticket
from opsai_server.resources.incident import gather
from opsai_server.resources.reading import MARKDOWN, SCHEME, Reading
from opsai_server.resources.report import incident_report
from opsai_server.tools.desks import Desks


def incident_uri(ticket: str) -> str:
    """Return where the report of a ticket's incident is read."""
    return f"{SCHEME}incidents/{ticket}"


async def read_incident(desks: Desks, ticket: str) -> Reading:
    """Return the report of the incident that a ticket stands for or joined. Raises UnknownName."""
    desk, found = await find_ticket(desks, ticket)
    return Reading(incident_uri(found.id), MARKDOWN, incident_report(await gather(desk, found)), desk.name)
