"""A survey of the metrics engine: which targets it has of this cluster, how often it scrapes them, and whose others are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from re import escape

from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import Clock, MetricsSource, Node, Series, Unread
from opsai_subjects.promql.samples import Matcher
from opsai_subjects.scrape_interval import measured, rate_range
from opsai_subjects.sources.scoped import ScopedMetrics
from opsai_subjects.subject import Sight, Sources
from opsai_tikv.gathering.tracking import Finder
from opsai_tikv.wording import named

RENEW = timedelta(minutes=5)
RETRY = timedelta(minutes=1)
"""After a survey that was not answered."""
_TARGETS = ('up{job=~".*(tikv|pd).*"}[5m]', 'up{job=~".*(tikv|pd).*"}[30m]')
"""The second where the first holds too few samples to tell an interval by."""
_OWN_LABELS = frozenset({"__name__", "instance", "job", "host", "node", "pod", "component", "group", "replica"})
"""Labels that differ between the nodes of one cluster."""


@dataclass(frozen=True)
class Targets:
    """The targets of one survey, told apart by the nodes that are known."""

    ours: tuple[Series, ...] = ()
    strangers: tuple[Series, ...] = ()
    """Targets named after tikv or pd that are no node of this cluster."""

    @property
    def interval_seconds(self) -> float | None:
        """How often ours are scraped; of any where none is known as ours."""
        return measured(self.ours or self.strangers)

    @property
    def names(self) -> tuple[str, ...]:
        """The instances of the strangers."""
        return tuple(sorted({one.labels.get("instance", "") for one in self.strangers}))

    @property
    def telling(self) -> tuple[Matcher, ...]:
        """The labels that all of ours have with one value and no stranger has: what `matchers` can name."""
        labels = {name: value for name, value in (self.ours[0].labels if self.ours else {}).items() if value}
        return tuple(
            Matcher(name, "=", value)
            for name, value in sorted(labels.items())
            if name not in _OWN_LABELS
            and all(one.labels.get(name) == value for one in self.ours)
            and all(one.labels.get(name) != value for one in self.strangers)
        )


class Survey:
    """Asks the engine for its targets now and then, and remembers them."""

    def __init__(self, metrics: MetricsSource | None, clock: Clock, settings: ClusterSettings) -> None:
        self._metrics = metrics
        self._clock = clock
        self._rate_seconds = settings.rate_seconds
        self._matchers = settings.matchers
        self._found: tuple[Series, ...] = ()
        self._until: datetime | None = None
        self._since: datetime | None = None
        self._nodes: tuple[Node, ...] = ()

    async def targets(self, nodes: Sequence[Node] = (), metrics: MetricsSource | None = None) -> Targets:
        """Return the targets as last surveyed, at most five minutes ago. Never raises: none where nobody answers.

        `nodes` are those of this cluster; without them, the ones given last. `metrics` is who is asked, else its own.
        """
        now = self._clock.now()
        metrics = metrics or self._metrics
        if metrics is not None and not self._holds(now):
            self._since, self._until = now, now + RENEW
            try:
                self._found = await _asked(metrics)
            except (SourceError, QueryInvalid):
                self._until = now + RETRY
        self._nodes = tuple(nodes) or self._nodes
        return told_apart(self._found, self._nodes)

    @property
    def rate_seconds(self) -> float:
        """The range of rates: as set, else to fit the interval last found."""
        return self._rate_seconds or rate_range(told_apart(self._found, self._nodes).interval_seconds)

    def range_text(self, targets: Targets) -> str:
        """Return the range of rates as PromQL writes it: as set, else to fit the interval found."""
        return f"{round(self._rate_seconds or rate_range(targets.interval_seconds))}s"

    def notes(self, targets: Targets) -> tuple[Unread, ...]:
        """Return the note that series of other targets were left out; none where there are none."""
        if not targets.strangers:
            return ()
        every = len(targets.names) + len({one.labels.get("instance") for one in targets.ours})
        why = f"{said(targets)}: their series were left out"
        advised = advice(targets, self._matchers)
        return (Unread(source="prometheus targets", asked=f"{len(targets.names)} of {every}", why=why, advice=advised),)

    def sights(self, targets: Targets) -> tuple[Sight, ...]:
        """Return what is to be set for the targets found: the range of rates, and what keeps other clusters apart."""
        found: list[Sight] = []
        least = rate_range(targets.interval_seconds)
        if self._rate_seconds is not None and targets.interval_seconds and self._rate_seconds < least:
            scrapes = self._rate_seconds / targets.interval_seconds
            says = f"`rate_seconds` = {self._rate_seconds:g} holds {scrapes:.1f} scrapes: rates have holes"
            tip = f"leave it out, or set at least {least:g}"
            found.append(Sight(source="prometheus rates", state="partial", says=says, advice=tip))
        if targets.strangers:
            says = f"{said(targets)}: their series are left out of each look, and not of PromQL that sums over nodes"
            tip = advice(targets, self._matchers)
            found.append(Sight(source="prometheus targets", state="partial", says=says, advice=tip))
        return tuple(found)

    def _holds(self, now: datetime) -> bool:
        return self._since is not None and self._until is not None and self._since <= now < self._until


async def _asked(metrics: MetricsSource) -> tuple[Series, ...]:
    found: tuple[Series, ...] = ()
    for query in _TARGETS:
        found = (await metrics.instant(query)).series
        if not found or measured(found) is not None:
            break
    return found


def told_apart(targets: Sequence[Series], nodes: Sequence[Node]) -> Targets:
    """Return which targets are nodes of this cluster and which are not; all are taken for ours while none is known."""
    if not nodes:
        return Targets(ours=tuple(targets))
    finder = Finder(nodes)
    ours, strangers = list[Series](), list[Series]()
    for one in targets:
        role = "pd" if "pd" in one.labels.get("job", "") else "tikv"
        known = finder.by_instance(one.labels.get("instance", ""), role)
        (strangers if known is None else ours).append(one)
    return Targets(tuple(ours), tuple(strangers))


def narrowed(sources: Sources, targets: Targets) -> Sources:
    """Return the sources with the metrics limited to our targets, where the engine has those of others too.

    Store 4 exists in every cluster: a sum over stores would add up all of them.
    """
    if sources.metrics is None or not (targets.ours and targets.strangers):
        return sources
    instances = sorted({escape(one.labels.get("instance", "")) for one in targets.ours})
    return replace(sources, metrics=ScopedMetrics(sources.metrics, (Matcher("instance", "=~", "|".join(instances)),)))


def said(targets: Targets) -> str:
    """Say who the strangers are."""
    are = "is" if len(targets.names) == 1 else "are"
    return f"{named(targets.names)} {are} no member or store of this cluster"


def advice(targets: Targets, matchers: Mapping[str, str]) -> str:
    """Say what to set so that other clusters' series are not even asked for."""
    if matchers:
        return "see whether `matchers` lets in another cluster, or whether these targets are gone for good"
    if telling := targets.telling:
        values = ", ".join(f'{one.name} = "{one.value}"' for one in telling[:3])
        return f"if they are of other clusters, set `matchers = {{ {values} }}` for this one"
    return (
        "if they are of other clusters, give the targets of each a label of its own and name it in `matchers`; if they "
        "are gone, drop them from the engine's targets"
    )
