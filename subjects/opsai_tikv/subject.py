"""One TiKV cluster, looked at: the parts of the adapter put together."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from opsai_subjects.attempts import Attempts
from opsai_subjects.config import ClusterSettings
from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Invariant, Verdict, adjusted
from opsai_subjects.known_bug import BugSeen
from opsai_subjects.model import Events, MetricsSource, Node, ScrapeTarget, Topology, Window
from opsai_subjects.subject import Facts, Risk, Sight, Sources, SubjectKind
from opsai_tikv.bugs_seen import bugs_seen
from opsai_tikv.events.happened import events
from opsai_tikv.facts import TikvFacts, groups, same_entity
from opsai_tikv.gathering.gather import gather
from opsai_tikv.gathering.strangers import foreign
from opsai_tikv.gathering.survey import Survey, narrowed
from opsai_tikv.invariants import judge
from opsai_tikv.pd.client import Pd
from opsai_tikv.scraped import targets
from opsai_tikv.sight.every import check
from opsai_tikv.signs import signs
from opsai_tikv.stopping import stop_risk
from opsai_tikv.topology import etcd_names, topology

if TYPE_CHECKING:
    from opsai_tikv.logs.diagnostics import DiagnosticsLogs


class TikvSubject:
    """One TiKV cluster."""

    def __init__(self, kind: SubjectKind, name: str, settings: ClusterSettings, sources: Sources) -> None:
        self.kind = kind
        self.cluster = name
        self.sources = sources
        self._settings = settings
        self._invariants = adjusted(kind.invariants, settings.limits, settings.for_seconds)
        self._pd = Pd(sources.web, settings.endpoints, sources.reach, sources.clock)
        self._survey = Survey(sources.metrics, sources.clock, settings)
        self._diagnostics: DiagnosticsLogs | None = None
        if settings.diagnostics:
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its library tells stderr of each connection that ends
            from opsai_tikv.logs.asked import asked_logs, diagnostics_of  # noqa: PLC0415 - gRPC is slow to import, and few set it

            self._diagnostics = diagnostics_of(settings, sources, self._nodes)
            self.sources = replace(sources, asked_logs=asked_logs(settings, sources.logs, self._diagnostics))

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """The invariants with the limits and holding times set for this cluster."""
        return self._invariants

    @property
    def rate_seconds(self) -> float:
        """The range that rates are taken over: as set, else to fit the scrape interval as last measured."""
        return self._survey.rate_seconds

    def ask_pd(self) -> Pd:
        """Return a client for a round of questions to PD: who answers is found out anew."""
        return self._pd.again()

    async def topology(self) -> Topology:
        """Return the cluster as it is."""
        return await topology(self.cluster, self.ask_pd(), self.sources, self._settings.names)

    async def facts(self) -> TikvFacts:
        """Gather everything once."""
        names, prometheus = self._settings.names, self._settings.prometheus
        return await gather(self.cluster, self.ask_pd(), self.sources, names, self._survey, prometheus)

    def judge(self, facts: Facts) -> tuple[Verdict, ...]:
        """Judge every invariant."""
        return judge(_own(facts), self._settings.limits)

    def signs(self, facts: Facts) -> tuple[Sign, ...]:
        """Evaluate every sign."""
        return signs(_own(facts), self._settings.limits)

    def groups(self, facts: Facts) -> Mapping[str, tuple[str, ...]]:
        """Return the entities by group."""
        return groups(_own(facts))

    def bugs_seen(self, facts: Facts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
        """Return the known bugs that logs and versions show."""
        return bugs_seen(_own(facts), kinds)

    def stop_risk(self, facts: Facts, entity: str) -> Risk:
        """Say whether this entity could be stopped now."""
        return stop_risk(_own(facts), entity)

    def same_entity(self, facts: Facts, name: str) -> str | None:
        """Return the entity meant by a name."""
        return same_entity(_own(facts), name)

    async def own_metrics(self, found: Topology) -> MetricsSource | None:
        """Return the engine limited to this cluster's targets, its scrape interval measured; None where there is none."""
        targets = await self._survey.targets(found.nodes)
        # with a part of the topology unread nobody can say who is of this cluster
        return self.sources.metrics if found.unread else narrowed(self.sources, targets).metrics

    async def events(self, window: Window) -> Events:
        """Return what happened in the window."""
        pd = self.ask_pd()
        found = await topology(self.cluster, pd, self.sources, self._settings.names)
        sources = self.sources
        if not found.unread:  # else nobody can say who is of this cluster
            sources = narrowed(sources, await self._survey.targets(found.nodes))
        return await events(window, found.nodes, sources, Attempts(), await etcd_names(pd))

    async def check(self) -> tuple[Sight, ...]:
        """Try each source once."""
        pd = self.ask_pd()
        found = await topology(self.cluster, pd, self.sources, self._settings.names)
        sights = await check(pd, self._settings, self.sources, found.nodes, self._survey)
        return (*sights, await self._diagnostics.check()) if self._diagnostics is not None else sights

    async def scrape_targets(self) -> tuple[ScrapeTarget, ...]:
        """Return the PD members and stores with the addresses of their metrics."""
        return await targets(
            self.ask_pd(), self.sources.reach, tls=any(url.startswith("https") for url in self._settings.endpoints)
        )

    async def scrape_seconds(self) -> float | None:
        """Return how often its targets are scraped."""
        return (await self._survey.targets()).interval_seconds

    def foreign(self, facts: Facts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
        """Return what tells a series of another cluster."""
        return foreign(_own(facts), metrics)

    async def _nodes(self) -> tuple[Node, ...]:
        return (await self.topology()).nodes


def _own(facts: Facts) -> TikvFacts:
    if not isinstance(facts, TikvFacts):
        raise TypeError(f"these are not facts of a TiKV cluster: {type(facts).__name__}")
    return facts
