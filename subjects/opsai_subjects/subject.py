"""The seam: what an adapter offers and what it is given."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

import orjson
from pydantic import Field, JsonValue

from opsai_subjects.fault import FaultKind, Sign, SignSpec
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.known_bug import BugSeen, KnownBug
from opsai_subjects.model import (
    Clock,
    Events,
    LogSource,
    MetricsSource,
    Node,
    ParsedLine,
    ScrapeTarget,
    StateSource,
    Topology,
    Unread,
    Value,
    Window,
)
from opsai_subjects.redaction import Redaction
from opsai_subjects.reply import Answer

if TYPE_CHECKING:
    from opsai_subjects.config import ClusterSettings
    from opsai_subjects.sources.meetings import Meetings
    from opsai_subjects.sources.web import Web


class Facts(Value):
    """Everything at one instant, with what could not be read and why. An adapter adds its own fields."""

    cluster: str
    cluster_id: str | None
    at: datetime
    nodes: tuple[Node, ...]
    unread: tuple[Unread, ...]


class Signal(Value):
    """A named metric: a query with its unit and meaning."""

    name: str
    promql: str
    """May contain `$range`, filled with a rate range that fits the scrape interval (`1m`)."""
    unit: str
    says: str
    normal: str
    """The normal range and where that figure comes from."""
    topic: str = ""
    """What it belongs to, one word: the index of a long catalogue goes by it."""
    pitfalls: str = ""
    """How it is read wrongly; empty where there is nothing to tell."""
    versions: str = ""
    """The versions that have it (`v7.5+`); empty: all that the adapter knows."""
    needs: str = ""
    """What there must be before it has series (`a load balancer`, `the first such event`); empty: it always has."""
    absent: Literal["unknown", "zero"] = "unknown"
    """What no series means where others of its kind are: a counter that appears with its first event is at zero."""
    grain: float = 0.0
    """The smallest difference that tells anything, in its unit."""


class ReadRpc(Value):
    """A read that a system offers only as POST: its path and the one JSON body it may be asked with.

    Nothing else of the path may be asked, and a path has one body: both are compared before anything is sent.
    """

    path: str
    """Of the whole URL path (`/v3/cluster/member/list`), no pattern and no query."""
    body: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    @property
    def sent(self) -> bytes:
        """The body as it is sent: JSON with its keys in order."""
        return orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS)


class Polled(Value):
    """What a recording keeps of a node's HTTP answers: one question, asked again and again."""

    path: str
    """With its query, as the node is asked."""
    every_seconds: float = 5.0
    local: bool = False
    """Asked with the kind's `local_headers`: the node's own view."""
    rpc: ReadRpc | None = None
    """Asked by this call instead of GET; `path` is then the call's."""


class Page(Value):
    """One page of what an operator knows, in Markdown."""

    id: str
    title: str
    text: str


class Examples(Value):
    """What names look like in a system of this kind: filled in where a tool's description shows one."""

    entity: str
    """An entity that faults befall, by its id."""
    node: str
    """A node, by the name that people use."""
    roles: tuple[str, ...]
    entities: str
    """What else a cause may be, as a model is to read it: quoted ids and families of them, with commas between."""
    invariant: str
    fault: str
    topic: str
    """A topic of the signals."""
    bug: str = ""
    """A known bug's id; empty where there is no such table."""


class Risk(Value):
    """Whether taking one entity away would put a quorum at risk."""

    state: Literal["safe", "at_risk", "unknown"]
    says: str


class Sight(Value):
    """One line of `opsai check`: whether a source can be seen, as whom, and what to set."""

    source: str
    state: Literal["ok", "blind", "partial"]
    identity: str = ""
    """Who answered: a version, a name, a cluster id."""
    says: str
    advice: str = ""


@dataclass(frozen=True)
class Sources:
    """What an adapter looks through. Opened and closed by whoever opened the cluster."""

    web: "Web"
    metrics: MetricsSource | None
    logs: LogSource | None
    clock: Clock
    reach: Mapping[str, str] = field(default_factory=dict[str, str])
    """Advertised host:port to reachable URL base or host:port; an address that is not here is dialled as it is."""
    asked_logs: LogSource | None = None
    """What is searched when somebody asks: `logs`, and what costs a node too much to be read at each look.
    None: `logs` alone. Gathering never reads it."""
    states: StateSource | None = None
    """Who says how a process ended, where the nodes run in containers."""
    meetings: "Meetings | None" = None
    """What endpoints tell of their certificates and clocks; None where nobody notes it (a recording)."""


class Subject(Protocol):
    """One cluster, looked at through one adapter."""

    kind: "SubjectKind"
    cluster: str
    sources: Sources

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """The kind's invariants with the limits and holding times set for this cluster (`invariant.adjusted`)."""
        ...

    async def topology(self) -> Topology:
        """Return the cluster as it is. Never raises for a source that cannot be read: it says so inside."""
        ...

    async def facts(self) -> Facts:
        """Gather everything once. Never raises for a source that cannot be read: it says so inside."""
        ...

    def judge(self, facts: Facts) -> tuple[Verdict, ...]:
        """Judge every invariant on every entity it applies to, by this cluster's limits. Pure."""
        ...

    def signs(self, facts: Facts) -> tuple[Sign, ...]:
        """Evaluate every sign on every entity it applies to. Pure."""
        ...

    def groups(self, facts: Facts) -> Mapping[str, tuple[str, ...]]:
        """Return the entities of each group that fault kinds speak of (`member` -> m1, m2). Pure."""
        ...

    def bugs_seen(self, facts: Facts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
        """Return the known bugs whose mark stands in a log, then those that look like one of these fault kinds and that a version has. Pure."""
        ...

    def stop_risk(self, facts: Facts, entity: str) -> Risk:
        """Say whether this entity could be stopped now without losing a quorum. Pure."""
        ...

    def same_entity(self, facts: Facts, name: str) -> str | None:
        """Return the entity meant by a name, address or id; None when it names none. Pure."""
        ...

    def foreign(self, facts: Facts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
        """Return what says, for the labels of a series, which node it names that is none of this cluster; empty for none.

        `metrics` are the metrics that the series were made of, None when they are not known. Pure.
        """
        ...

    async def scrape_targets(self) -> tuple[ScrapeTarget, ...]:
        """Return the nodes whose `/metrics` can be read without a Prometheus. Raises SourceError when nobody can say."""
        ...

    async def scrape_seconds(self) -> float | None:
        """Return how often its targets are scraped, as measured lately; None when that is not known. Never raises."""
        ...

    async def events(self, window: Window) -> Events:
        """Return what happened in the window."""
        ...

    async def check(self) -> tuple[Sight, ...]:
        """Try each source once and say what can be seen."""
        ...


@dataclass(frozen=True)
class Visit:
    """What a probe is asked with: the cluster, and the facts that the other tools of this moment see too."""

    subject: Subject
    facts: Callable[[], Awaitable[Facts]]
    """The facts of this moment, gathered now or a few seconds ago by another question."""


Probe = Callable[..., Awaitable[Answer]]
"""A typed, read-only question that only one kind of system has: `async def latency(visit: Visit, …) -> Answer`. It becomes a
tool as it stands: its name, its docstring as the description, its annotated parameters after `visit` as the arguments."""


class SubjectKind(Protocol):
    """An adapter: what it knows before any cluster is opened. Found by the entry point group `opsai.subjects`.

    An adapter's class inherits from this one for what has a default here.
    """

    name: str
    about: str
    """What it is and how to read it, a short paragraph; goes into the server's instructions."""
    invariants: tuple[Invariant, ...]
    signs: tuple[SignSpec, ...]
    faults: tuple[FaultKind, ...]
    signals: tuple[Signal, ...]
    probes: tuple[Probe, ...]
    """Typed questions that only this kind of system has; each becomes a tool."""
    scraped: frozenset[str]
    """The metrics worth keeping when opsai scrapes by itself: those that its own queries read. Empty: it cannot."""
    paths: tuple[str, ...]
    """Regular expressions of the paths it may GET; any other is refused before it is sent."""
    rpcs: tuple[ReadRpc, ...] = ()
    """The reads that it may POST, each with its one body; any other POST is refused before it is sent."""
    endpoint: str
    """What `--endpoint` is to name, in a word or two with its article (`a member`)."""
    endpoint_roles: tuple[str, ...]
    """Roles of the nodes that are asked for the others: of a recording, these are its endpoints."""
    polled: Mapping[str, tuple[Polled, ...]]
    """Per role of a node, what a recording keeps of its HTTP answers, in the order asked."""
    local_headers: Mapping[str, str] = MappingProxyType({})
    """Headers that make a node answer from its own view instead of asking its leader; empty where there are none."""

    examples: Examples
    """What stands for an example in the descriptions of tools."""
    parts: tuple[str, ...] = ()
    """Words for what such a system is made of, in the singular, beside node, member, process and the like: who stops or removes one
    lays hands on the system."""
    redaction: Redaction = Redaction()
    """What in its logs is data of its users, beside what is called a key or a value."""

    def answered_by(self, asked: str, recorded: str) -> Callable[[bytes], bytes] | None:
        """Return what makes the answer to one path and query out of the recorded answer to another of the same path.

        None when that answer does not tell as much. For recordings only.
        """
        return None

    @property
    def knowledge(self) -> tuple[Page, ...]:
        """What an operator knows, page by page."""
        ...

    @property
    def fault_notes(self) -> Mapping[str, str]:
        """What the data of a fault kind does not say, Markdown by the kind's id: where to look, how long it takes, what makes it worse."""
        ...

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """Bugs of the system itself that an operator meets; empty when nobody keeps such a table."""
        ...

    def parse_log(self, line: str) -> ParsedLine | None:
        """Read one log line; None when it does not begin an entry (it then continues the one before)."""
        ...

    def open(self, name: str, cluster: "ClusterSettings", sources: Sources) -> Subject:
        """Return the cluster of that name as a subject. Does no I/O."""
        ...
