"""What PD says, as frozen values: sizes in bytes, times in UTC, ids as strings (they are above 2^53)."""

from datetime import datetime
from typing import Literal

from opsai_subjects.model import Scalar, Value

Outcome = Literal["answered", "refused", "timed_out", "disconnected", "unroutable", "unresolved", "error", "unknown"]
"""How a node met a question: it answered; nothing listens there; no answer in time; it broke off; no route leads to its
host; its host's name is not known here; it answered something else than was asked for.

`unknown`: it was never asked, or a recording holds no answer.
"""


NodeState = Literal["Preparing", "Serving", "Removing", "Removed", "unknown"]
"""Where a store stands between joining and having left; `unknown` before v6."""


class Member(Value):
    """One PD member, as the membership lists it."""

    name: str
    member_id: str
    client_urls: tuple[str, ...]
    peer_urls: tuple[str, ...] = ()
    version: str = ""
    leader_priority: int = 0

    @property
    def address(self) -> str:
        """Its advertised host:port, empty when it has not published one."""
        return self.client_urls[0].split("://", 1)[-1].rstrip("/") if self.client_urls else ""


class Members(Value):
    """The membership as one member sees it."""

    cluster_id: str | None
    members: tuple[Member, ...]
    leader: str | None
    """Name of the PD leader; None when the one asked knows none."""
    etcd_leader: str | None

    def named(self, name: str) -> Member | None:
        """Return the member of that name."""
        return next((member for member in self.members if member.name == name), None)


class PdStatus(Value):
    """One member's build and start."""

    version: str
    git_hash: str
    started_at: datetime | None


class View(Value):
    """What came of asking one member alone how it sees the membership."""

    name: str
    """The member's name, or the URL as configured while nobody could tell the name."""
    url: str
    """As advertised, or as configured."""
    outcome: Outcome
    seconds: float
    why: str = ""
    """What came back, when it did not answer or did not list the members."""
    members: Members | None = None
    """None when it did not list them: without an etcd quorum a member answers all but that."""
    sees_leader: str | None = None
    """Whom it follows; empty when it says that there is no leader, None when it did not say."""
    status: PdStatus | None = None
    is_other: bool = False
    """Something answers there, and nothing in it is a member's: the outcome is `unknown` then."""

    @property
    def advice(self) -> str:
        """What to try where it answers and does not list the members."""
        if self.status is None:
            return "see whether this is the client URL of a PD member: what answers there gives no PD status"
        return "it lives; its etcd may have no quorum: look at the other members"


class MemberHealth(Value):
    """One row of PD's own health check, in which the asked member pings the others."""

    name: str
    member_id: str
    client_urls: tuple[str, ...]
    healthy: bool


class EtcdHealth(Value):
    """What a member's embedded etcd says of itself."""

    healthy: bool
    reason: str = ""
    """etcd's own words (`RAFT NO LEADER`)."""


class Store(Value):
    """One store with what its last heartbeat told PD. Zero counts may be figures that PD leaves out."""

    id: str
    address: str
    status_address: str
    peer_address: str = ""
    labels: dict[str, str]
    version: str
    state: str
    """PD's `state_name`: Up, Disconnected (no heartbeat for 20 s), Down (max-store-down-time), Offline, Tombstone."""
    node_state: NodeState = "unknown"
    physically_destroyed: bool = False
    capacity_bytes: float
    """0 when PD has not heard from the store since it loaded it. PD rounds to four digits."""
    available_bytes: float
    used_bytes: float
    leader_count: int
    leader_weight: float
    leader_score: float
    leader_size_mib: float
    region_count: int
    region_weight: float
    region_score: float
    region_size_mib: float
    learner_count: int = 0
    pending_peer_count: int = 0
    slow_score: float = 0.0
    """1 is well, 100 is as slow as can be; 0 when the store reports none (TiFlash)."""
    network_slow_scores: dict[str, float]
    """Other store's id to how slow the way there is."""
    slow_trend_cause_rate: float = 0.0
    slow_trend_result_rate: float = 0.0
    sending_snapshots: int = 0
    receiving_snapshots: int = 0
    is_busy: bool = False
    leader_transfer_in_paused: bool = False
    leader_transfer_out_paused: bool = False
    started_at: datetime | None
    last_heartbeat_at: datetime | None
    """None when PD has never heard from it."""
    uptime_seconds: float
    """Last heartbeat minus start: it stands still once heartbeats end."""

    @property
    def entity(self) -> str:
        """Return its entity id, `store:4`."""
        return f"store:{self.id}"

    @property
    def role(self) -> str:
        """Return `tiflash` or `tikv`, by its engine label."""
        return "tiflash" if self.labels.get("engine", "").startswith("tiflash") else "tikv"

    @property
    def available_ratio(self) -> float | None:
        """Return the free share of its disk; None while PD knows no capacity."""
        return self.available_bytes / self.capacity_bytes if self.capacity_bytes > 0 else None


class Operator(Value):
    """One scheduling operator, running or finished."""

    description: str
    brief: str
    """`transfer leader: store 1 to 5`."""
    kinds: tuple[str, ...]
    region_id: str
    created_at: datetime | None = None
    started_at: datetime | None = None
    current_step: int = 0
    steps: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    outcome: str = "running"
    """`running`, or PD's word for its end: `finished`, `timeout`, `canceled`, `expired`, `replaced`."""
    finished_at: datetime | None = None
    duration_seconds: float | None = None
    text: str
    """As PD prints it."""


class Constraint(Value):
    """One condition that a placement rule puts on a store's labels."""

    key: str
    op: str
    """`in`, `notIn`, `exists` or `notExists`."""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.key} {self.op}" + (f" ({', '.join(self.values)})" if self.values else "")


class Rule(Value):
    """One placement rule."""

    group_id: str
    id: str
    role: str
    """`voter`, `leader` (a voter that should lead), `follower` (a voter that must not) or `learner`."""
    count: int
    location_labels: tuple[str, ...] = ()
    isolation_level: str = ""
    constraints: tuple[Constraint, ...] = ()
    start_key: str = ""
    end_key: str = ""


class LabelRule(Value):
    """One rule that gives regions of a key range labels: `schedule=deny` keeps PD from scheduling them."""

    id: str
    labels: dict[str, str]
    ranges: int
    """How many key ranges it covers."""


class Pause(Value):
    """One scheduler that is paused."""

    name: str
    until: datetime | None = None
    """None: PD did not say."""


class Diagnosis(Value):
    """What a balancing scheduler says of its last round."""

    status: str
    """`disabled`, `paused`, `halted`, `scheduling`, `pending` (it found nothing it may do) or `normal`."""
    summary: str
    """`295 store(s) StoreNotMatchRule; 3 store(s) StoreDown; `."""


class Replication(Value):
    """Whether writes wait for a majority, or for a second site too."""

    mode: str
    """`majority` or `dr-auto-sync`."""
    state: str = ""
    """Of dr-auto-sync: `sync`, `async_wait`, `async` or `sync_recover`."""
    label_key: str = ""


class Peer(Value):
    """One replica of a region."""

    id: str
    store_id: str
    role: str


class Region(Value):
    """One region as PD's last heartbeat of it tells."""

    id: str
    peers: tuple[Peer, ...]
    leader_store_id: str | None
    """None when PD knows no leader. A region that lost its quorum keeps its old leader here."""
    down_peers: dict[str, float]
    """Store id to the seconds its replica has been silent, as the region's leader counts them."""
    pending_store_ids: tuple[str, ...]
    size_mib: float
    keys: int
    written_bytes: float
    read_bytes: float
    """Since the region's heartbeat before the last (about 60 s)."""
    start_key: str = ""
    """Hexadecimal as PD prints it; empty is before every key."""
    end_key: str = ""
    """Empty is after every key."""

    @property
    def voters(self) -> tuple[Peer, ...]:
        """The peers that count for its majority: all but learners."""
        return tuple(peer for peer in self.peers if peer.role != "Learner")

    def holds(self, key: bytes) -> bool:
        """Say whether the key lies in it."""
        end = bytes.fromhex(self.end_key)
        return bytes.fromhex(self.start_key) <= key and (not end or key < end)


class RegionsFound(Value):
    """The regions a check lists."""

    check: str
    count: int
    regions: tuple[Region, ...]


class HotRegion(Value):
    """One region that carries a sensible share of the reads or writes; rates are per second, as PD filters them."""

    region_id: str
    store_id: str
    """Where its leader is."""
    store_ids: tuple[str, ...]
    hot_degree: int
    """How many intervals it has been hot: of 60 s for writes, of 10 s for reads."""
    bytes_rate: float
    keys_rate: float
    query_rate: float
    store_share_ratio: float | None
    """The largest of its shares (bytes, keys, queries) in its store's flow; None when that is not known."""
    cluster_share_ratio: float | None
    """The largest of its shares in the cluster's flow."""
    by: str
    """Which of bytes, keys, queries that share is of."""


class StoreFlow(Value):
    """One store's load, per second. Written bytes and keys count on every replica, queries on leaders."""

    store_id: str
    write_bytes: float = 0.0
    write_keys: float = 0.0
    write_queries: float = 0.0
    read_bytes: float = 0.0
    read_keys: float = 0.0
    read_queries: float = 0.0


class Progress(Value):
    """How far the leaving or joining of stores has come."""

    action: str
    store_id: str | None
    ratio: float
    speed_mib: float
    """MiB per second."""
    left_seconds: float


class ServiceSafePoint(Value):
    """One service that holds GC back."""

    service_id: str
    safe_point: str
    """A TSO."""
    safe_point_at: datetime | None
    expires_at: datetime | None
    """None: never."""


class GcSafePoint(Value):
    """How far GC may go and who holds it back."""

    gc_safe_point: str
    gc_safe_point_at: datetime | None
    """None when GC has never run (a cluster without TiDB)."""
    services: tuple[ServiceSafePoint, ...]


class ResolvedTs(Value):
    """The smallest resolved timestamp of the cluster."""

    ts: str | None
    """None when PD does not know (a store that is not eligible, a region never heard of)."""
    at: datetime | None
    is_real_time: bool
    """False: PD's figure is not kept up to date and says nothing."""


class Config(Value):
    """PD's configuration, flattened: `schedule.leader-schedule-limit`; "true" and "false" are booleans here."""

    values: dict[str, Scalar]
