"""A survey of the metrics engine: which of its targets are members of this cluster, and how often it scrapes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from re import escape

from opsai_etcd.facts import MemberFacts
from opsai_etcd.gathering.tracked import IDS
from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import Clock, MetricsSource
from opsai_subjects.promql.samples import Matcher
from opsai_subjects.scrape_interval import measured, rate_range
from opsai_subjects.sources.scoped import ScopedMetrics

RENEW = timedelta(minutes=5)
RETRY = timedelta(seconds=5)
"""After a survey that was not answered or did not know every member: a Prometheus that was just started scrapes one after another."""


@dataclass(frozen=True)
class Targets:
    """The targets of one survey."""

    entities: Mapping[str, str] = field(default_factory=dict[str, str])
    """A target's `instance` to the member it is."""
    strangers: tuple[str, ...] = ()
    """Instances of etcds that are no member of this cluster."""
    interval_seconds: float | None = None
    """How often ours are scraped; None when too few samples tell."""

    def entity(self, labels: Mapping[str, str]) -> str | None:
        """Return the member that a series is of, by its `instance`."""
        return self.entities.get(labels.get("instance", ""))


class Survey:
    """Asks the engine for its targets now and then, and remembers them."""

    def __init__(self, metrics: MetricsSource | None, clock: Clock, settings: ClusterSettings) -> None:
        self._metrics = metrics
        self._clock = clock
        self._rate_seconds = settings.rate_seconds
        self._found = Targets()
        self._of: frozenset[tuple[str, str]] = frozenset()
        self._until: datetime | None = None
        self._since: datetime | None = None

    async def targets(self, members: Sequence[MemberFacts]) -> Targets:
        """Return the targets as last surveyed, at most five minutes ago. Never raises: none where nobody answers."""
        if self._metrics is None:
            return Targets()
        now = self._clock.now()
        of = frozenset((member.entity, member.id) for member in members)
        held = self._since is not None and self._until is not None and self._since <= now < self._until
        if held and of == self._of:
            return self._found
        complete = False
        try:
            self._found = await _surveyed(self._metrics, members)
            complete = {*self._found.entities.values()} >= {one.entity for one in members}
        except (SourceError, QueryInvalid):
            pass  # the signals' own queries say so; the last known targets stay
        self._of, self._since = of, now
        self._until = now + (RENEW if complete and self._found.interval_seconds else RETRY)
        return self._found

    @property
    def interval_seconds(self) -> float | None:
        """How often ours are scraped, as last surveyed."""
        return self._found.interval_seconds

    @property
    def known(self) -> Mapping[str, str]:
        """The instances that are members, as last surveyed."""
        return self._found.entities

    def range_text(self, targets: Targets) -> str:
        """Return the range of rates as PromQL writes it: as set, else to fit the interval found."""
        return f"{round(self._rate_seconds or rate_range(targets.interval_seconds))}s"


async def _surveyed(metrics: MetricsSource, members: Sequence[MemberFacts]) -> Targets:
    by_id = {member.id: member.entity for member in members if member.id}
    entities = {member.address: member.entity for member in members if member.address}
    strangers: set[str] = set()
    for series in (await metrics.instant(IDS)).series:
        instance, entity = series.labels.get("instance", ""), by_id.get(series.labels.get("server_id", ""))
        if entity is not None:
            entities[instance] = entity
        elif instance not in entities:
            strangers.add(instance)
    one_of = "|".join(sorted(escape(instance) for instance in entities))
    ups = (await metrics.instant(f'up{{instance=~"{_quoted(one_of)}"}}[5m]')).series if entities else ()
    known = {series.labels.get("instance", "") for series in ups}
    mapped = {instance: entity for instance, entity in entities.items() if instance in known}
    return Targets(mapped, tuple(sorted(strangers - set(mapped))), measured(ups))


def narrowed(metrics: MetricsSource, targets: Targets) -> MetricsSource:
    """Return the engine limited to our targets: another etcd's members may bear the same names and even ids."""
    if not targets.entities:
        return metrics
    one_of = "|".join(sorted(escape(instance) for instance in targets.entities))
    return ScopedMetrics(metrics, (Matcher("instance", "=~", one_of),))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
