"""What every tool works at: one cluster, the store, and the facts of the moment."""

import logging
from datetime import datetime, timedelta

import anyio

from opsai_server.evidence import Evidence
from opsai_server.recognising import recognise
from opsai_server.tickets.store import Store
from opsai_server.tickets.tick import Tick
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.look import Look
from opsai_subjects.config import Settings
from opsai_subjects.errors import StoreError, UnknownName
from opsai_subjects.model import Node, Topology, Window
from opsai_subjects.opening import Cluster
from opsai_subjects.progress import Progress, await_also
from opsai_subjects.subject import Facts, Subject, SubjectKind

log = logging.getLogger(__name__)

REUSE_SECONDS = 5.0
"""How old facts of a live cluster may be and still answer the next question. An investigation asks overview,
check_invariants and differential in one breath: three gathers would triple what the cluster has to answer and would show
three slightly different clusters. What it knows of its own nodes comes by heartbeats that are seldom closer together."""
NAMES_SECONDS = 300.0
"""How old facts may be to tell which node an address belongs to."""


class Desk:
    """One cluster and its store, shared by all tool calls."""

    def __init__(self, cluster: Cluster, store: Store, settings: Settings) -> None:
        self.cluster = cluster
        self.store = store
        self.settings = settings
        self._gathering = anyio.Lock()
        self._gathered = Progress()
        self._look: Look | None = None
        self._gathered_at: datetime | None = None
        self.scrape_seconds: float | None = None
        """How often the cluster's targets are scraped, as known since its facts were last gathered."""

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name

    @property
    def subject(self) -> Subject:
        """The cluster as its adapter sees it."""
        return self.cluster.subject

    @property
    def kind(self) -> SubjectKind:
        """What the adapter knows."""
        return self.cluster.subject.kind

    def now(self) -> datetime:
        """Return the cluster's present: the wall's, or the recording's."""
        return self.cluster.clock.now()

    async def facts(self) -> Facts:
        """Return the facts of this moment."""
        return (await self.look()).facts

    async def look(self) -> Look:
        """Return the facts of this moment and what is made of them: gathered now, or a moment ago by another tool call.

        On a recording the same moment gives the same facts; as soon as its clock moves they are gathered again.
        """
        return await self._within(0.0 if self.cluster.recording is not None else REUSE_SECONDS)

    async def names(self) -> Facts:
        """Return facts recent enough to tell which node a name or an address means."""
        return (await self._within(NAMES_SECONDS)).facts

    async def _within(self, age_seconds: float) -> Look:
        if self._gathering.locked():
            await_also(self._gathered)
        async with self._gathering:
            now = self.now()
            fresh = self._gathered_at is not None and timedelta() <= now - self._gathered_at <= timedelta(
                seconds=age_seconds
            )
            if self._look is None or not fresh:
                self._gathered = Progress()
                with self._gathered.heard():
                    facts = await self.subject.facts()
                await self.recognise(facts)
                self._look = Look(self.subject, facts)
                self._gathered_at = now
                self.scrape_seconds = await self.subject.scrape_seconds()
            return self._look

    async def recognise(self, seen: Facts | Topology) -> None:
        """Make sure that it is still the same cluster that answers. Raises ClusterSwapped."""
        try:
            await recognise(self.store, seen)
        except StoreError as error:  # a store that cannot be used must not hide the cluster
            log.warning("cluster_not_remembered cluster=%s why=%s", self.name, error)

    async def ticks(self, window: Window) -> tuple[Tick, ...]:
        """Return what the watcher found in the window, oldest first."""
        return await self.store.ticks(self.name, window)

    async def ticket(self, ident: str) -> Ticket:
        """Return a ticket of this cluster. Raises UnknownName with those there are."""
        found = await self.store.ticket(ident)
        if found.cluster != self.name:
            known = tuple(ticket.id for ticket in await self.store.tickets(self.name))
            raise UnknownName(f"ticket of cluster {self.name!r}", ident, known)
        return found

    async def evidence(self, ident: str) -> Evidence:
        """Return evidence of this cluster. Raises UnknownName with the newest there is."""
        found = await self.store.evidence(ident)
        if found.cluster != self.name:
            known = tuple(kept.id for kept in await self.store.list_evidence(self.name, limit=20))
            raise UnknownName(f"evidence of cluster {self.name!r}", ident, known)
        return found

    def entity(self, facts: Facts, name: str) -> str:
        """Return the entity meant by a name, an address or an id. Raises UnknownName with the nodes."""
        found = self.subject.same_entity(facts, name)
        if found is not None:
            return found
        known = tuple(f"{node.entity} ({node.name})" for node in facts.nodes)
        raise UnknownName("node or entity", name, known, advice="An entity, a name or an address will do.")

    def node(self, facts: Facts, name: str) -> Node:
        """Return the node meant. Raises UnknownName with the nodes."""
        entity = self.entity(facts, name)
        for node in facts.nodes:
            if node.entity == entity:
                return node
        raise UnknownName("node", name, tuple(f"{node.entity} ({node.name})" for node in facts.nodes))
