"""Facts: everything known of one etcd cluster at one instant, and what could not be read."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from opsai_etcd.address import host_of
from opsai_etcd.api.values import Outcome
from opsai_subjects.model import LastState, Value
from opsai_subjects.subject import Facts

CLUSTER = "cluster"
"""The entity of what is said of the cluster as a whole."""


class Track(Value):
    """One signal of one entity over the look-back: evenly spaced points, the last one at the instant of the facts."""

    points: tuple[float | None, ...] = Field(exclude=True)
    """Oldest first; None where the series had no value."""
    now: float | None
    """The last point."""
    before: float | None
    """The median of the first third of the points that have a value: the entity's own past."""


class Tracks(Value):
    """The signals over the look-back, by name, then by entity."""

    start: datetime
    step_seconds: float
    by_name: dict[str, dict[str, Track]]
    partial: tuple[str, ...] = ()
    """Signals of which a part could not be read: who has no track there is unknown."""

    def of(self, name: str, entity: str) -> Track | None:
        """Return the track, None when the signal has no series for it."""
        return self.by_name.get(name, {}).get(entity)

    def known(self, name: str) -> bool:
        """Say whether the query was answered in full, so that the absence of a track means something."""
        return name in self.by_name and name not in self.partial


class MemberFacts(Value):
    """One member, as it describes itself and as it met us."""

    entity: str
    """Its name; `member:` and its id where it has none of its own."""
    id: str
    """Hexadecimal, as etcd's logs write it; empty for an endpoint that no member claims."""
    name: str
    address: str
    """host:port of its advertised client URL."""
    peer_address: str = ""
    port: Outcome
    why: str = ""
    """What came back where that was no answer."""
    answer_seconds: float | None = None
    """How long its plainest answer took."""
    is_learner: bool = False
    started: bool = True
    """False for a member that was added and has never started: it has no name and no client URL."""
    version: str = ""
    cluster_version: str = ""
    leader_id: str | None = None
    """The leader in its own view; empty when it says there is none, None when it did not say."""
    raft_term: int | None = None
    raft_index: int | None = None
    applied_index: int | None = None
    db_bytes: int | None = None
    db_in_use_bytes: int | None = None
    quota_bytes: int | None = None
    healthy: bool | None = None
    health_says: str = ""
    errors: tuple[str, ...] = ()
    started_at: datetime | None = None
    clock_ahead_seconds: float | None = None
    """Its clock against ours, to about half a second."""

    @property
    def host(self) -> str:
        """The host of its address."""
        return host_of(self.address)

    @property
    def leads(self) -> bool:
        """Whether it calls itself the leader."""
        return bool(self.id) and self.leader_id == self.id


class AlarmFacts(Value):
    """One alarm that is raised."""

    entity: str
    """The member it is of; `cluster` where it is of none that is listed: then each may be meant."""
    kind: str
    """NOSPACE or CORRUPT."""

    def is_of(self, member: str) -> bool:
        """Say whether a member may be meant."""
        return self.entity in (member, CLUSTER)

    @property
    def says(self) -> str:
        """What is to be said of it."""
        which = ", for no member that is listed: compare their hashes" if self.entity == CLUSTER else ""
        return f"the alarm {self.kind} is raised{which}"


class LogCount(Value):
    """How often one decisive message stands in one log within the look-back."""

    count: int
    first_at: datetime
    last_at: datetime
    sample: str = ""
    """The last of them, shortened."""


class NodeLog(Value):
    """What one member's log says."""

    lines: int
    """Of the newest lines read of all logs, how many are its."""
    last_at: datetime | None
    """When its newest line was written, up to a day back."""
    patterns: dict[str, LogCount]
    restarts: tuple[datetime, ...] = ()
    """When its process started again within the look-back without having been asked to stop, oldest first."""
    peers: dict[str, dict[str, LogCount]] = Field(default_factory=dict[str, dict[str, LogCount]])
    """The messages that are about one peer: pattern, then the peer's id."""


class Led(Value):
    """A leader that was seen in an earlier look, or at this one."""

    at: datetime
    term: int
    leader_id: str


class EtcdFacts(Facts):
    """Everything known of one etcd cluster at one instant."""

    members: tuple[MemberFacts, ...]
    members_known: bool
    """Whether a member said in this look who the members are."""
    members_listed: bool
    """Whether one said so in this look or an earlier one of this process; else `members` are the endpoints of the settings."""
    leader: str | None
    """The entity that leads in the view of most members that answer; None when none does or nobody could say."""
    leader_told: bool
    """Whether a member that answers said who leads, or that nobody does."""
    alarms: tuple[AlarmFacts, ...]
    alarms_known: bool
    scraped_by_us: bool
    """Whether metrics come from our own scraping: a scrape that fails is then no word of another."""
    tracks: Tracks
    active: dict[str, dict[str, Track]]
    """`etcd_network_active_peers` by the entity that tells, then by the peer: 1 while the way between them is open."""
    logs: dict[str, NodeLog]
    led: tuple[Led, ...] = ()
    """The leaders that earlier looks of this process saw, oldest first."""
    met: frozenset[str] = frozenset()
    """The ids of the members that answered an earlier look of this process: the way to them was open."""
    ends: dict[str, LastState] = Field(default_factory=dict[str, LastState])
    """How the members' processes last ended, where a container runtime tells."""

    def member(self, entity: str) -> MemberFacts | None:
        """Return the member of that entity."""
        return next((one for one in self.members if one.entity == entity), None)

    @property
    def voters(self) -> tuple[MemberFacts, ...]:
        """The members that vote."""
        return tuple(one for one in self.members if not one.is_learner)

    @property
    def quorum(self) -> int:
        """How many voters a majority is."""
        return len(self.voters) // 2 + 1


def groups(facts: EtcdFacts) -> Mapping[str, tuple[str, ...]]:
    """Return the entities of each group that fault kinds speak of."""
    return {"member": tuple(one.entity for one in facts.members), "cluster": (CLUSTER,)}


def same_entity(facts: EtcdFacts, name: str) -> str | None:
    """Return the entity meant by a name, an id (hexadecimal or decimal), a client or a peer address or its URL."""
    bare = name.strip().partition("://")[2].rstrip("/") if "://" in name else name.strip()
    for one in facts.members:
        decimal = str(int(one.id, 16)) if one.id else ""
        if bare and bare in (one.entity, one.name, one.address, one.peer_address, one.id, decimal):
            return one.entity
    hosts = [one.entity for one in facts.members if bare and bare in (one.host, host_of(one.peer_address))]
    if len(set(hosts)) == 1:
        return hosts[0]
    return CLUSTER if bare == CLUSTER else None
