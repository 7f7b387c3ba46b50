"""A cluster of a few parts, all in memory: a second subject, so that what is tested here knows no TiKV."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from opsai_subjects.config import ClusterSettings
from opsai_subjects.fault import FaultKind, Sign, SignSpec
from opsai_subjects.invariant import Invariant, Verdict, adjusted
from opsai_subjects.known_bug import BugSeen, KnownBug
from opsai_subjects.model import (
    Event,
    Events,
    LogSource,
    MetricsSource,
    Node,
    ParsedLine,
    ScrapeTarget,
    Topology,
    Unread,
    Window,
)
from opsai_subjects.opening import Cluster
from opsai_subjects.progress import work
from opsai_subjects.sources.web import Web
from opsai_subjects.subject import (
    Facts,
    Page,
    Polled,
    Probe,
    ReadRpc,
    Risk,
    Sight,
    Signal,
    Sources,
    Subject,
    SubjectKind,
)
from tests.server.toy_knowledge import (
    EXAMPLES,
    FULL_RATIO,
    PART_FAST,
    PART_ROOMY,
    PART_SEEN,
    PART_UP,
    PLAIN,
    SLOW_SECONDS,
)

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@dataclass
class ToyPart:
    """One part as it really is; tests change it between ticks."""

    up: bool = True
    seen: bool = True
    """False: nothing of it can be read, so all but its being seen is unknown."""
    latency_seconds: float = 0.01
    full_ratio: float = 0.2


@dataclass
class ToyWorld:
    """What there is, and what time it is: the clock of the cluster too."""

    parts: dict[str, ToyPart] = field(default_factory=lambda: {name: ToyPart() for name in ("a", "b", "c")})
    at: datetime = NOON
    scrape_seconds: float | None = None
    cluster_id: str | None = "7"
    broken: Exception | None = None
    """Raised by the next look, when set."""
    gate: Callable[[], Awaitable[None]] | None = None
    """Waited for before each part is looked at, when set: a cluster that answers slowly."""

    def now(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class ToyFacts(Facts):
    """What the toy tells of each part: (up, seen, latency, fill)."""

    parts: dict[str, tuple[bool, bool, float, float]]


@dataclass
class ToySubject:
    """The toy, looked at."""

    kind: SubjectKind
    cluster: str
    sources: Sources
    world: ToyWorld
    invariants: tuple[Invariant, ...] = ()

    async def topology(self) -> Topology:
        facts = await self.facts()
        return Topology(
            cluster=self.cluster,
            cluster_id=self.world.cluster_id,
            at=facts.at,
            nodes=facts.nodes,
            summary={"parts": len(facts.nodes)},
            unread=facts.unread,
        )

    async def facts(self) -> ToyFacts:
        if self.world.broken is not None:
            raise self.world.broken
        parts = self.world.parts
        if self.world.gate is not None:
            looked_at = work(len(parts), "parts of the toy")
            for _ in parts:
                await self.world.gate()
                looked_at.did()
        return ToyFacts(
            cluster=self.cluster,
            cluster_id=self.world.cluster_id,
            at=self.sources.clock.now(),
            nodes=tuple(
                Node(
                    entity=f"part:{name}",
                    name=name,
                    role="part",
                    address=f"10.0.0.{place}:7000",
                    state=("up" if part.up else "down") if part.seen else "unknown",
                )
                for place, (name, part) in enumerate(parts.items(), start=1)
            ),
            unread=tuple(
                Unread(source=f"status:part:{name}", asked="/status", why="connection refused", advice="open its port")
                for name, part in parts.items()
                if not part.seen
            ),
            parts={name: (part.up, part.seen, part.latency_seconds, part.full_ratio) for name, part in parts.items()},
        )

    @property
    def _limits(self) -> dict[str, float]:
        return {one.id: one.limit for one in self.invariants if one.limit is not None}

    def judge(self, facts: Facts) -> tuple[Verdict, ...]:
        return tuple(
            verdict for name, part in _parts(facts).items() for verdict in _verdicts(self._limits, name, *part)
        )

    def signs(self, facts: Facts) -> tuple[Sign, ...]:
        return tuple(sign for name, part in _parts(facts).items() for sign in _signs(name, *part))

    def groups(self, facts: Facts) -> Mapping[str, tuple[str, ...]]:
        return {"part": tuple(f"part:{name}" for name in _parts(facts)), "load": ("load",)}

    def bugs_seen(self, facts: Facts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
        alike = (bug for bug in self.kind.known_bugs if not set(bug.kinds).isdisjoint(kinds))
        return tuple(BugSeen(bug=bug, entity="part:a", version="1.0.0", has="yes") for bug in alike)

    def stop_risk(self, facts: Facts, entity: str) -> Risk:
        others = [part for name, part in _parts(facts).items() if f"part:{name}" != entity]
        if any(not seen for _, seen, _, _ in others):
            return Risk(state="unknown", says="not every other part can be seen")
        if all(up for up, _, _, _ in others):
            return Risk(state="safe", says="every other part is up")
        return Risk(state="at_risk", says="another part is down already")

    def same_entity(self, facts: Facts, name: str) -> str | None:
        for node in facts.nodes:
            if name in (node.entity, node.name, node.address):
                return node.entity
        return "load" if name == "load" else None

    def foreign(self, facts: Facts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
        known = {node.address for node in facts.nodes}

        def stranger(labels: Mapping[str, str]) -> str:
            instance = labels.get("instance", "")
            return f"instance {instance}" if instance.endswith(":7000") and instance not in known else ""

        return stranger

    async def scrape_targets(self) -> tuple[ScrapeTarget, ...]:
        return ()

    async def scrape_seconds(self) -> float | None:
        return self.world.scrape_seconds

    async def events(self, window: Window) -> Events:
        if self.world.broken is not None:
            raise self.world.broken
        restart = Event(at=NOON, entity="part:a", kind="restart", says="part:a started", source="/status")
        return Events(window=window, events=(restart,) if window.start <= NOON <= window.end else ())

    async def check(self) -> tuple[Sight, ...]:
        return (Sight(source="toy", state="ok", identity="toy 1.0", says="it answers"),)


@dataclass
class ToyKind:
    """The toy's adapter."""

    name: str = "toy"
    about: str = "A toy of three parts."
    invariants: tuple[Invariant, ...] = (PART_UP, PART_ROOMY, PART_FAST, PART_SEEN)
    signs: tuple[SignSpec, ...] = (
        SignSpec(id="gone", says="it does not run"),
        SignSpec(id="full", says="it is full"),
        SignSpec(id="slow", says="it answers late"),
    )
    faults: tuple[FaultKind, ...] = (
        FaultKind(
            id="toy_down",
            says="The part's process is gone.",
            on="part",
            must_show=("gone",),
            must_not_show=("full",),
            rivals=("toy_full",),
            explains=("toy_slow",),
            do="Start the part again.",
            because="Nothing else runs it.",
            verify="part_up is held for it.",
            touches="restart",
        ),
        FaultKind(
            id="toy_full",
            says="The part has no room.",
            on="part",
            must_show=("full",),
            rivals=("toy_down",),
            explains=("toy_slow",),
            do="Give it more room.",
            because="It refuses writes until then.",
            verify="part_roomy is held for it.",
            touches="resources",
        ),
        FaultKind(
            id="toy_slow",
            says="The part is slow of itself.",
            on="part",
            must_show=("slow",),
            must_not_show=("gone", "full"),
            rivals=("toy_full",),
            do="Look at what it does.",
            because="Nothing is known yet.",
            verify="part_fast is held for it.",
        ),
    )
    signals: tuple[Signal, ...] = (
        Signal(
            name="part_latency", promql="toy_latency_seconds", unit="s", says="how late a part answers", normal="< 0.1"
        ),
    )
    probes: tuple[Probe, ...] = ()
    knowledge: tuple[Page, ...] = (Page(id="parts", title="What parts are", text="A part does *one* thing."),)
    fault_notes: Mapping[str, str] = field(default_factory=lambda: {"toy_down": "- Look: at its plug."})
    known_bugs: tuple[KnownBug, ...] = (
        KnownBug(
            id="toy#7",
            component="gears",
            says="a cog slips and the part stops",
            log=("cog slipped",),
            kinds=("toy_down",),
            fixed=("1.0.4", "2.0.0"),
            source="https://toy.invalid/issues/7",
            checked=date(2026, 5, 1),
        ),
    )
    scraped: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ("/status",)
    rpcs: tuple[ReadRpc, ...] = ()
    local_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    examples = EXAMPLES
    parts: tuple[str, ...] = ("part",)
    redaction = PLAIN
    endpoint: str = "a part"
    endpoint_roles: tuple[str, ...] = ("part",)
    polled: Mapping[str, tuple[Polled, ...]] = field(default_factory=dict[str, tuple[Polled, ...]])

    def answered_by(self, asked: str, recorded: str) -> None:
        return None

    def parse_log(self, line: str) -> ParsedLine | None:
        return None

    def open(self, name: str, cluster: ClusterSettings, sources: Sources) -> Subject:
        # Opened by a program, it has the wall's clock, and its parts are what the settings' `names` say of them.
        told = ToyWorld(parts={part: ToyPart(up=state != "down") for part, state in cluster.names.items()})
        world = sources.clock if isinstance(sources.clock, ToyWorld) else told
        invariants = adjusted(self.invariants, cluster.limits, cluster.for_seconds)
        return ToySubject(kind=self, cluster=name, sources=sources, world=world, invariants=invariants)


KIND = ToyKind()


def toy_cluster(
    world: ToyWorld | None = None,
    *,
    name: str = "toy",
    metrics: MetricsSource | None = None,
    logs: LogSource | None = None,
    **set_here: Any,
) -> Cluster:
    """Return the toy as an opened cluster; the world is its clock, and what changes in it shows at the next look."""
    world = world or ToyWorld()
    settings = ClusterSettings.model_validate({"subject": "toy", **set_here})
    # The toy reads nothing over the web.
    sources = Sources(web=cast("Web", None), metrics=metrics, logs=logs, clock=world)
    subject = KIND.open(name, settings, sources)
    return Cluster(name=name, subject=subject, clock=world, settings=settings, recording=None)


def _parts(facts: Facts) -> dict[str, tuple[bool, bool, float, float]]:
    assert isinstance(facts, ToyFacts)
    return facts.parts


def _verdicts(
    limits: Mapping[str, float], name: str, up: bool, seen: bool, latency_seconds: float, full_ratio: float
) -> tuple[Verdict, ...]:
    entity = f"part:{name}"
    blind = f"{entity} cannot be read"
    full, slow = limits["part_roomy"], limits["part_fast"]
    found = (
        (PART_UP, up, f"{entity} {'runs' if up else 'does not run'}", None, None),
        (PART_ROOMY, full_ratio < full, f"{entity} is {full_ratio:.0%} full", full_ratio, full),
        (
            PART_FAST,
            latency_seconds < slow,
            f"{entity} answers in {latency_seconds:g} s",
            latency_seconds,
            slow,
        ),
    )
    judged = tuple(
        Verdict(
            invariant=invariant.id,
            entity=entity,
            state=("held" if held else "violated") if seen else "unknown",
            says=says if seen else blind,
            value=value if seen else None,
            limit=limit,
            unit=invariant.unit,
            source="/status",
        )
        for invariant, held, says, value, limit in found
    )
    sight = Verdict(
        invariant=PART_SEEN.id,
        entity=entity,
        state="held" if seen else "violated",
        says=f"{entity} can be read" if seen else blind,
    )
    return (*judged, sight)


def _signs(name: str, up: bool, seen: bool, latency_seconds: float, full_ratio: float) -> tuple[Sign, ...]:
    found = (
        ("gone", not up, "its process is gone"),
        ("full", full_ratio >= FULL_RATIO, f"it is {full_ratio:.0%} full"),
        ("slow", latency_seconds >= SLOW_SECONDS, f"it answers in {latency_seconds:g} s"),
    )
    return tuple(
        Sign(
            id=ident,
            entity=f"part:{name}",
            state=("shown" if shown else "absent") if seen else "unknown",
            says=says if seen else "it cannot be read",
            source="/status",
        )
        for ident, shown, says in found
    )
