"""Facts: everything known of one TiKV cluster at one instant, and what could not be read."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from opsai_subjects.model import LastState, Scalar, Value, clean
from opsai_subjects.subject import Facts
from opsai_tikv.pd.values import NodeState, Outcome


class Track(Value):
    """One signal of one entity over the look-back: evenly spaced points, the last one at the instant of the facts."""

    points: tuple[float | None, ...] = Field(exclude=True)
    """Oldest first; None where the series had no value."""
    now: float | None
    """The last point."""
    before: float | None
    """The median of the first third of the points that have a value: the entity's own past."""
    peak: float | None


class Tracks(Value):
    """The signals over the look-back, by name, then by entity."""

    start: datetime
    step_seconds: float
    by_name: dict[str, dict[str, Track]]
    unread: tuple[str, ...] = ()
    """Signals whose query could not be answered: they are unknown, not zero."""
    partial: tuple[str, ...] = ()
    """Signals of which a part could not be read: who has no track there is unknown."""

    def of(self, name: str, entity: str) -> Track | None:
        """Return the track, None when the signal has no series for it."""
        return self.by_name.get(name, {}).get(entity)

    def known(self, name: str) -> bool:
        """Say whether the query was answered in full, so that the absence of a track means something."""
        return name in self.by_name and name not in self.partial


def host_of(address: str) -> str:
    """Return the host of `host:port`, brackets of IPv6 taken off."""
    return address.rpartition(":")[0].strip("[]")


class StoreFacts(Value):
    """One store, as PD describes it and as its status port met us."""

    entity: str
    id: str
    name: str
    address: str
    status_address: str
    state: str
    """PD's word: Up, Disconnected, Down, Offline, Tombstone; `unknown` when PD could not be asked."""
    engine: str = "tikv"
    heartbeat_age_seconds: float | None = None
    leader_count: int | None = None
    region_count: int | None = None
    leader_weight: float = 1.0
    region_weight: float = 1.0
    capacity_bytes: float | None = None
    available_bytes: float | None = None
    slow_score: float | None = None
    is_busy: bool = False
    version: str = ""
    started_at: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict[str, str])
    node_state: NodeState = "unknown"
    """Preparing, Serving, Removing, Removed."""
    may_lead: bool = True
    """False where placement rules or a label property let it hold followers or learners alone."""
    status_port: Outcome = "unknown"
    pending_peer_count: int = 0
    sending_snapshots: int = 0
    receiving_snapshots: int = 0
    leader_transfer_in_paused: bool = False

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.address)


class MemberFacts(Value):
    """One PD member, as it describes itself and as it met us."""

    entity: str
    name: str
    address: str
    is_leader: bool
    health: bool | None
    """What the cluster's health view says of it; None when nobody could be asked."""
    client_port: Outcome
    sees_leader: str | None = None
    """The leader in its own view; an empty string when it says there is none, None when it did not say."""
    version: str = ""
    started_at: datetime | None = None
    member_id: str = ""
    """etcd's id of it, decimal; empty when no member that answers lists it."""

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.address)


class HotRegion(Value):
    """A region that carries a large part of the cluster's traffic of one direction."""

    region_id: str
    leader_store: str
    owner: str = ""
    """Which table, index or keyspace its keys belong to; empty when they name none."""
    share: float
    """Of all keys written (read) in the cluster, 0 to 1."""
    keys_per_second: float


class LogCount(Value):
    """How often one decisive message stood in one node's log within the look-back."""

    count: int
    first_at: datetime
    last_at: datetime
    sample: str = Field(max_length=400)


class NodeLog(Value):
    """What one node's log says of the look-back."""

    lines: int
    """How many of its newest lines of the look-back were seen: none is silence, how many there are nobody counts."""
    last_at: datetime | None
    """Its newest line, None when there is none in the look-back."""
    patterns: dict[str, LogCount] = Field(default_factory=dict[str, LogCount])
    accuses: dict[str, int] = Field(default_factory=dict[str, int])
    """host:port of a peer to how many lines say it cannot be reached."""


class TikvFacts(Facts):
    """A TiKV cluster at one instant."""

    leader: str | None
    """The PD leader's name: None when the members that answer know none or none answers."""
    leader_known: bool
    """Whether the question of the leader could be answered (also with: there is none)."""
    members: tuple[MemberFacts, ...]
    stores: tuple[StoreFacts, ...]
    stores_known: bool
    region_count: int | None = None
    max_replicas: int | None = None
    schedulers: tuple[str, ...] | None = None
    paused_schedulers: tuple[str, ...] | None = None
    paused_checkers: tuple[str, ...] | None = None
    denied_ranges: tuple[str, ...] | None = None
    """Rules that keep PD from scheduling a range of keys; read only while a store leaves or gives its leaders away."""
    evicting: dict[str, str] = Field(default_factory=dict[str, str])
    """Store entity to the scheduler that moves its leaders away."""
    config: dict[str, Scalar] | None = None
    """PD's configuration, dotted names."""
    store_config: dict[str, dict[str, Scalar]] | None = None
    """Store entity to its own settings where they differ from most stores, dotted names; None when too few are known."""
    region_states: dict[str, int] | None = None
    """`miss-peer`, `down-peer`, `pending-peer`, … to how many regions."""
    hot_writes: tuple[HotRegion, ...] | None = None
    hot_reads: tuple[HotRegion, ...] | None = None
    gc_known: bool = False
    """Whether PD said how far GC may go, also with: GC is not used."""
    gc_safe_point_age_seconds: float | None = None
    """None: GC is not used (PD has no safe point, or 0), or nobody could be asked."""
    gc_blocker: str = ""
    clocks: dict[str, float] | None = None
    """Node, or `prometheus`, to how many seconds its clock is ahead of ours, of those that told the time; None: nobody
    notes it."""
    certificates: dict[str, datetime | None] | None = None
    """Endpoint spoken to over TLS to when its certificate ends, None where that was not checked; None: nobody notes it."""
    tracks: Tracks
    unreachable: dict[str, dict[str, float]] = Field(default_factory=dict[str, dict[str, float]])
    """Reporting store to the stores it says it cannot reach and the reports per second, now."""
    logs: dict[str, NodeLog] = Field(default_factory=dict[str, NodeLog])
    """Entity to what its log says; an entity that is not here has no readable log."""
    ends: dict[str, LastState] = Field(default_factory=dict[str, LastState])
    """Entity to how its process last ended; an entity that is not here runs in no container that could be asked."""

    def store(self, entity: str) -> StoreFacts | None:
        """Return the store of that entity."""
        return next((store for store in self.stores if store.entity == entity), None)

    def member(self, entity: str) -> MemberFacts | None:
        """Return the member of that entity."""
        return next((member for member in self.members if member.entity == entity), None)

    @property
    def data_stores(self) -> tuple[StoreFacts, ...]:
        """The stores that hold raft groups of their own: no TiFlash, no tombstone."""
        return tuple(store for store in self.stores if store.engine == "tikv" and store.state != "Tombstone")


PROMETHEUS = "prometheus"
"""The name of its clock among those of the nodes."""
CLUSTER = "cluster"
"""The entity of what concerns the whole cluster."""


def places(facts: TikvFacts) -> dict[str, tuple[str, ...]]:
    """Return the places that hold several stores and not all of them, with their stores: `place:zone=z1`, `place:host=10.0.0.1`.

    A place is a value of a location label, or a machine; one that holds the same stores as a wider one is left out.
    """
    stores = facts.data_stores
    found: dict[str, list[str]] = {}
    for label in location_labels(facts):
        for store in stores:
            if value := store.labels.get(label):
                found.setdefault(f"place:{clean(label, 40)}={clean(value, 80)}", []).append(store.entity)
    for store in stores:
        found.setdefault(f"place:host={store.address.rpartition(':')[0]}", []).append(store.entity)
    seen: set[frozenset[str]] = {frozenset(store.entity for store in stores)}
    kept: dict[str, tuple[str, ...]] = {}
    for place, inside in found.items():
        members = frozenset(inside)
        if len(members) > 1 and members not in seen:
            seen.add(members)
            kept[place] = tuple(dict.fromkeys(inside))
    return kept


def location_labels(facts: TikvFacts) -> tuple[str, ...]:
    """Return the labels that PD places replicas by, the widest first; without its settings, none."""
    value = (facts.config or {}).get("replication.location-labels")
    return tuple(name for part in str(value or "").split(",") if (name := part.strip()))


def groups(facts: TikvFacts) -> Mapping[str, tuple[str, ...]]:
    """Return the entities that fault kinds speak of, by group."""
    settings = tuple(sorted(f"config:{name}" for name in facts.config or {}))
    return {
        "store": tuple(store.entity for store in facts.data_stores),
        "place": tuple(places(facts)),
        "pd": tuple(member.entity for member in facts.members),
        "cluster": (CLUSTER,),
        "config": settings,
        "scheduler": tuple(f"scheduler:{name}" for name in facts.schedulers or ()) + ABSENT_SCHEDULERS,
        "region": ("region",),
        "load": ("load",),
    }


DEFAULT_SCHEDULERS = ("balance-hot-region-scheduler", "balance-leader-scheduler", "balance-region-scheduler")
"""Present in every version unless an operator removed them (pd pkg/schedule/config DefaultSchedulers)."""
ABSENT_SCHEDULERS = tuple(f"scheduler:{name}" for name in DEFAULT_SCHEDULERS)


def same_entity(facts: TikvFacts, name: str) -> str | None:
    """Return the entity meant by a name, address or id."""
    for node in facts.nodes:
        if name in (node.entity, node.name, node.address, node.status_address):
            return node.entity
    for store in facts.stores:
        if name == store.id:
            return store.entity
    pods = [node.entity for node in facts.nodes if own_host(node.address) == name]
    if len(pods) == 1:
        return pods[0]
    known = {entity for entities in groups(facts).values() for entity in entities}
    if name in known:
        return name
    prefixes = ("region:", "place:", "config:", "scheduler:", "link:")
    return name if name.startswith(prefixes) or name in ("keys", "load", "region", CLUSTER) else None


def own_host(address: str) -> str:
    """Return a host's own name: `prod-tikv-0` of `prod-tikv-0.prod-tikv-peer.ns.svc:20160`; empty for an IP address."""
    host, dot, _ = address.rsplit(":", 1)[0].partition(".")
    return host if dot and not host.isdecimal() else ""
