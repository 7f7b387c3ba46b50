"""One etcd cluster, looked at: the parts of the adapter put together."""

from collections.abc import Callable, Collection, Mapping

from opsai_etcd.api.client import Etcd
from opsai_etcd.bugs_seen import bugs_seen
from opsai_etcd.events.happened import events
from opsai_etcd.facts import EtcdFacts, groups, same_entity
from opsai_etcd.gathering.gather import gather
from opsai_etcd.gathering.members import members_of
from opsai_etcd.gathering.memory import Memory
from opsai_etcd.gathering.survey import Survey
from opsai_etcd.invariants import judge
from opsai_etcd.scraped import targets
from opsai_etcd.sight import check
from opsai_etcd.signs import signs
from opsai_etcd.stopping import stop_risk
from opsai_etcd.strangers import foreign
from opsai_etcd.topology import topology
from opsai_subjects.config import ClusterSettings
from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Invariant, Verdict, adjusted
from opsai_subjects.known_bug import BugSeen
from opsai_subjects.model import Events, ScrapeTarget, Topology, Window
from opsai_subjects.subject import Facts, Risk, Sight, Sources, SubjectKind


class EtcdSubject:
    """One etcd cluster."""

    def __init__(self, kind: SubjectKind, name: str, settings: ClusterSettings, sources: Sources) -> None:
        self.kind = kind
        self.cluster = name
        self.sources = sources
        self._settings = settings
        self._invariants = adjusted(kind.invariants, settings.limits, settings.for_seconds)
        self._etcd = Etcd(sources.web, settings.endpoints, sources.reach)
        self._survey = Survey(sources.metrics, sources.clock, settings)
        self._memory = Memory()

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """The invariants with the limits and holding times set for this cluster."""
        return self._invariants

    async def topology(self) -> Topology:
        """Return the cluster as it is."""
        return await topology(self.cluster, self._etcd, self.sources, self._settings.names)

    async def facts(self) -> EtcdFacts:
        """Gather everything once."""
        before = self._memory.until(self.sources.clock.now())
        facts = await gather(self.cluster, self._etcd, self.sources, self._settings.names, self._survey, before)
        self._memory = before.after(facts)
        return facts

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

    def foreign(self, facts: Facts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
        """Return what tells a series of another cluster."""
        return foreign(_own(facts), self._survey.known, metrics)

    async def scrape_targets(self) -> tuple[ScrapeTarget, ...]:
        """Return the members with the addresses of their metrics."""
        return await targets(self._etcd)

    async def scrape_seconds(self) -> float | None:
        """Return how often its targets are scraped."""
        if self._survey.interval_seconds is None:
            await self._survey.targets(members_of(await self._etcd.ask(health=False), self._settings.names))
        return self._survey.interval_seconds

    async def events(self, window: Window) -> Events:
        """Return what happened in the window."""
        asked = await self._etcd.ask(health=False)
        found = await events(window, members_of(asked, self._settings.names), self.sources, self._survey)
        return found.model_copy(update={"unread": (*asked.unread, *found.unread)})

    async def check(self) -> tuple[Sight, ...]:
        """Try each source once."""
        return await check(self._etcd, self._settings, self.sources, self._survey)


def _own(facts: Facts) -> EtcdFacts:
    if not isinstance(facts, EtcdFacts):
        raise TypeError(f"these are not facts of an etcd cluster: {type(facts).__name__}")
    return facts
