"""Shelves: which URIs there are, what stands under each, and which of it is listed."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mcp.shared.uri_template import UriTemplate

from opsai_server.resources.clusters import URI as CLUSTERS
from opsai_server.resources.clusters import read_clusters
from opsai_server.resources.diagnoses import read_diagnosis
from opsai_server.resources.evidence import read_evidence
from opsai_server.resources.incidents import incident_uri, read_incident
from opsai_server.resources.knowledge import (
    URI as KNOWLEDGE,
)
from opsai_server.resources.knowledge import any_known, kinds_of, knowledge_uri, listed_knowledge, read_knowledge
from opsai_server.resources.reading import JSON, MARKDOWN, SCHEME, Reading
from opsai_server.resources.tickets import URI as TICKETS
from opsai_server.resources.tickets import is_all, open_tickets, read_ticket, read_tickets
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desks import Desks
from opsai_subjects.errors import StoreError, UnknownName
from opsai_subjects.subject import SubjectKind

log = logging.getLogger(__name__)

LISTED_INCIDENTS = 20
Sort = Literal["clusters", "tickets", "ticket", "diagnosis", "evidence", "incident", "knowledge"]
"""What a resource is, for accounts and completion."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Resources of one sort: one URI, or a template for many."""

    sort: Sort
    uri: str
    """Without parameters, or an RFC 6570 template."""
    title: str
    about: str
    mime: str
    read: Callable[..., Awaitable[Reading]]
    """Called with the desks and the parameters by name. Raises OpsaiError."""

    @property
    def is_template(self) -> bool:
        """Whether it has parameters."""
        return "{" in self.uri


@dataclass(frozen=True, slots=True)
class Listed:
    """A resource in the list. Nothing that the cluster wrote stands in it: hosts show it as their own."""

    uri: str
    name: str
    title: str
    about: str
    mime: str
    changed_at: datetime | None = None


STORED = (
    Shelf("clusters", CLUSTERS, "Clusters", "The clusters that this server shows.", JSON, read_clusters),
    Shelf(
        "tickets",
        f"{TICKETS}{{?cluster}}",
        "Open tickets",
        "The open tickets, newest first.",
        JSON,
        read_tickets,
    ),
    Shelf(
        "ticket",
        f"{TICKETS}/{{id}}",
        "A ticket",
        "A ticket (T-12) whole: what joined it, its history, its diagnosis.",
        JSON,
        read_ticket,
    ),
    Shelf(
        "incident",
        f"{SCHEME}incidents/{{ticket}}",
        "An incident's report",
        "A post-mortem's skeleton of a ticket's incident: impact, timeline, root cause by evidence, what was not seen.",
        MARKDOWN,
        read_incident,
    ),
    Shelf(
        "diagnosis",
        f"{SCHEME}diagnoses/{{id}}",
        "A diagnosis",
        "A diagnosis (D-3) whole: each claim and whether it held.",
        JSON,
        read_diagnosis,
    ),
    Shelf(
        "evidence",
        f"{SCHEME}evidence/{{id}}{{?path,offset}}",
        "Stored evidence",
        "A stored reply (E-12) whole where it fits, or the part at a JSON Pointer, from an element on.",
        JSON,
        read_evidence,
    ),
)
"""What is the same for every kind of system."""


def shelves(kinds: Sequence[SubjectKind]) -> tuple[Shelf, ...]:
    """Return what there is to read on a server of these kinds of system."""
    anything = any_known(kinds)
    knowledge = f"{KNOWLEDGE}/{{+id}}"
    return (*STORED, Shelf("knowledge", knowledge, "Anything known by its id", anything, MARKDOWN, read_knowledge))


def shelf_of(among: Sequence[Shelf], uri: str) -> tuple[Shelf, Mapping[str, str]]:
    """Return where a URI stands and its parameters. Raises UnknownName with what there is."""
    for shelf in among:
        found = UriTemplate.parse(shelf.uri).match(uri)
        if found is not None:
            return shelf, {name: value for name, value in found.items() if isinstance(value, str)}
    raise UnknownName("resource", uri, tuple(shelf.uri for shelf in among), advice="resources/list names some.")


async def listed(desks: Desks) -> list[Listed]:
    """Return the list of resources. It waits for no cluster: of those that are not ready it lists no incident."""
    incidents, says = await _incidents(desks)
    known = listed_knowledge(kinds_of(desks))
    return [
        Listed(CLUSTERS, "clusters", "Clusters", "The clusters that this server shows.", JSON),
        Listed(TICKETS, "tickets", "Open tickets", f"The open tickets, newest first.{says}", JSON),
        *incidents,
        *(Listed(knowledge_uri(one.id), one.id, one.title, one.about, MARKDOWN) for one in known),
    ]


async def _incidents(desks: Desks) -> tuple[list[Listed], str]:
    """Return the newest open incidents, and what is to be said of the others."""
    names = tuple(desk.name for desk in desks.ready)
    if not names:
        return [], ""
    try:
        found = await open_tickets(desks, names, parents_only=True)
    except StoreError as error:  # what else there is can be listed all the same
        log.warning("incidents_not_listed why=%s", error)
        return [], " Not listed one by one now: the store could not be read."
    shown = found[:LISTED_INCIDENTS]
    rest = f"{len(found) - len(shown)}{'' if is_all(found) else ' or more'}" if len(found) > len(shown) else ""
    says = f" The newest {len(shown)} incidents are listed one by one, {rest} are not." if rest else ""
    return [_incident(ticket, several=len(desks.names) > 1) for ticket in shown], says


def _incident(ticket: Ticket, *, several: bool) -> Listed:
    of = f" of {ticket.cluster}" if several else ""
    diagnosed = "not diagnosed" if ticket.diagnosis is None else f"diagnosed ({ticket.diagnosis.confidence})"
    return Listed(
        incident_uri(ticket.id),
        f"incident {ticket.id}",
        f"Incident {ticket.id}{of}: {ticket.invariant}, {ticket.severity}",
        f"The report of an open incident, {diagnosed}.",
        MARKDOWN,
        max((step.at for step in ticket.history), default=ticket.raised_at),
    )
