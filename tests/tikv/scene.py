"""Scenes: hand-made facts of a healthy cluster of three stores and three PD members, and what is done to it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from opsai_subjects.model import LastState, Node
from opsai_tikv.facts import CLUSTER, HotRegion, LogCount, MemberFacts, NodeLog, StoreFacts, TikvFacts, Track, Tracks
from opsai_tikv.gathering.tracking import LOOK_BACK_SECONDS, STEP_SECONDS, track
from tests.tikv.levels import AT, CLUSTER_LEVELS, MEMBER_LEVELS, STORE_LEVELS

START = AT - timedelta(seconds=LOOK_BACK_SECONDS)
POINTS = round(LOOK_BACK_SECONDS / STEP_SECONDS) + 1
ONSET = POINTS - 10
"""The point from which a fault shows: 135 s before the facts."""
STORES = ("store:1", "store:2", "store:3")
MEMBERS = ("pd-a", "pd-b", "pd-c")

REGION_STATES = ("miss-peer", "down-peer", "pending-peer", "empty", "oversized")
SIGNALS_OF_A_PROCESS = tuple(
    name for name in STORE_LEVELS if name not in ("up", "scrape_seconds", "up_flips", "accused", "region_heartbeats")
)


class Scene:
    """A cluster that is well until something is done to it."""

    def __init__(self) -> None:
        self.points: dict[str, dict[str, list[float | None]]] = {}
        for entities, levels in ((STORES, STORE_LEVELS), (MEMBERS, MEMBER_LEVELS), ((CLUSTER,), CLUSTER_LEVELS)):
            for name, level in levels.items():
                for entity in entities:
                    self.points.setdefault(name, {})[entity] = [float(level)] * POINTS
        for name in ("leading", "etcd_leading"):
            self.points[name]["pd-a"] = [1.0] * POINTS
        self.leader: str | None = "pd-a"
        self.leader_known = True
        self.stores = {entity: self._store(entity) for entity in STORES}
        self.members = {entity: self._member(entity) for entity in MEMBERS}
        self.unreachable: dict[str, dict[str, float]] = {}
        self.schedulers: tuple[str, ...] = (
            "balance-hot-region-scheduler",
            "balance-leader-scheduler",
            "balance-region-scheduler",
            "evict-slow-store-scheduler",
        )
        self.paused: tuple[str, ...] = ()
        self.paused_checkers: tuple[str, ...] | None = ()
        self.denied: tuple[str, ...] | None = ()
        self.evicting: dict[str, str] = {}
        self.config: dict[str, str | int | float | bool | None] = {
            "schedule.leader-schedule-limit": 4,
            "schedule.region-schedule-limit": 2048,
            "schedule.replica-schedule-limit": 64,
            "schedule.max-store-down-time": "30m0s",
            "schedule.halt-scheduling": False,
            "replication.max-replicas": 3,
        }
        self.store_config: dict[str, dict[str, str | int | float | bool | None]] | None = {}
        self.hot_writes = (HotRegion(region_id="7", leader_store="store:1", share=0.03, keys_per_second=2),)
        self.hot_reads = (HotRegion(region_id="9", leader_store="store:2", share=0.03, keys_per_second=90),)
        self.region_states: dict[str, int] | None = dict.fromkeys(REGION_STATES, 0)
        self.region_count: int | None = 90
        self.gc_known = True
        self.gc_age: float | None = 900.0
        self.logs = {entity: NodeLog(lines=100, last_at=AT - timedelta(seconds=2)) for entity in (*STORES, *MEMBERS)}
        self.ends: dict[str, LastState] = {}
        self.stores_known = True
        self.clocks: dict[str, float] | None = dict.fromkeys((*STORES, *MEMBERS), 0.2)
        self.certificates: dict[str, datetime | None] | None = {}

    def _store(self, entity: str) -> StoreFacts:
        number = entity.removeprefix("store:")
        return StoreFacts(
            entity=entity,
            id=number,
            name=f"kv{number}",
            address=f"10.0.0.{number}:20160",
            status_address=f"10.0.0.{number}:20180",
            state="Up",
            heartbeat_age_seconds=4.0,
            leader_count=30,
            region_count=90,
            capacity_bytes=1e12,
            available_bytes=6e11,
            slow_score=1,
            version="8.5.4",
            status_port="answered",
        )

    def _member(self, entity: str) -> MemberFacts:
        return MemberFacts(
            entity=entity,
            name=entity,
            address=f"10.0.1.{ord(entity[-1])}:2379",
            is_leader=entity == "pd-a",
            health=True,
            client_port="answered",
            sees_leader="pd-a",
            version="v8.5.4",
            member_id=str(0xA0 + ord(entity[-1])),
        )

    def set(self, name: str, entity: str, value: float | None, since: int = ONSET, until: int = POINTS) -> None:
        """Give a signal a value from a point on."""
        for index in range(since, until):
            self.points[name][entity][index] = value

    def store(self, entity: str, **changes: object) -> None:
        """Change what PD or its port says of a store."""
        self.stores[entity] = self.stores[entity].model_copy(update=changes)

    def tombstone(self, entity: str, **changes: object) -> None:
        """Let PD list a store that has left."""
        self.stores[entity] = self._store(entity).model_copy(
            update={"state": "Tombstone", "leader_count": 0, **changes}
        )

    def blind(self) -> TikvFacts:
        """Return the facts of one who knows the nodes' names and sees nothing of them."""
        seen = self.facts()
        none = (
            "heartbeat_age_seconds",
            "leader_count",
            "region_count",
            "capacity_bytes",
            "available_bytes",
            "slow_score",
        )
        return seen.model_copy(
            update={
                "leader": None,
                "leader_known": False,
                "members": tuple(
                    member.model_copy(
                        update={"is_leader": False, "health": None, "client_port": "unknown", "sees_leader": None}
                    )
                    for member in seen.members
                ),
                "stores": tuple(
                    store.model_copy(
                        update={"state": "unknown", "status_port": "unknown", "version": "", **dict.fromkeys(none)}
                    )
                    for store in seen.stores
                ),
                "stores_known": False,
                "logs": {},
                "unreachable": {},
                "evicting": {},
                "gc_known": False,
                "gc_safe_point_age_seconds": None,
                "tracks": Tracks(start=START, step_seconds=STEP_SECONDS, by_name={}),
                **dict.fromkeys(
                    (
                        "region_count",
                        "max_replicas",
                        "schedulers",
                        "paused_schedulers",
                        "paused_checkers",
                        "denied_ranges",
                        "config",
                        "store_config",
                        "region_states",
                        "hot_writes",
                        "hot_reads",
                        "clocks",
                        "certificates",
                    )
                ),
            }
        )

    def member(self, entity: str, **changes: object) -> None:
        """Change what is known of a member."""
        self.members[entity] = self.members[entity].model_copy(update=changes)

    def log(
        self,
        entity: str,
        pattern: str = "",
        *,
        count: int = 1,
        age_seconds: float = 60,
        silent_seconds: float = 2,
        accuses: tuple[str, ...] = (),
        sample: str = "",
    ) -> None:
        """Change what a node's log says."""
        old = self.logs[entity]
        patterns = dict(old.patterns)
        if pattern:
            at = AT - timedelta(seconds=age_seconds)
            patterns[pattern] = LogCount(count=count, first_at=at, last_at=at, sample=sample or f"a line of {pattern}")
        self.logs[entity] = old.model_copy(
            update={
                "patterns": patterns,
                "last_at": AT - timedelta(seconds=silent_seconds),
                "accuses": dict.fromkeys(accuses, 5),
            }
        )

    def end(self, entity: str, reason: str, exit_code: int | None, *, age_seconds: float, running: bool) -> None:
        """Let whoever runs its container tell how it last ended."""
        told = {"reason": reason, "exit_code": exit_code, "restarts": int(running), "source": "docker"}
        ended_at = AT - timedelta(seconds=age_seconds)
        name = self.stores[entity].name
        self.ends[entity] = LastState(node=name, running=running, ended_at=ended_at, **told)

    def zones(self, *zones: str) -> None:
        """Let there be two stores in each zone, labelled so, and PD place replicas by zone."""
        for number in range(len(STORES) + 1, 2 * len(zones) + 1):
            entity = f"store:{number}"
            self.stores[entity] = self._store(entity)
            self.logs[entity] = self.logs["store:1"]
            for name, level in STORE_LEVELS.items():
                self.points[name][entity] = [float(level)] * POINTS
        for index, entity in enumerate(self.stores):
            self.store(entity, labels={"zone": zones[index % len(zones)]})
        self.config["replication.location-labels"] = "zone"

    def vanish(self, entity: str, since: int = ONSET) -> None:
        """Let the samples of a process end."""
        names = (
            SIGNALS_OF_A_PROCESS
            if entity in self.stores
            else tuple(name for name in MEMBER_LEVELS if name not in ("up", "scrape_seconds"))
        )
        for name in names:
            if entity in self.points[name]:
                self.set(name, entity, None, since)
        self.set("up", entity, 0, since)

    def accuse(self, entity: str, *reporters: str) -> None:
        """Let other stores report it unreachable."""
        for reporter in reporters or tuple(other for other in self.stores if other != entity):
            self.unreachable.setdefault(reporter, {})[entity] = 20.0
        self.set("accused", entity, 20.0 * len(reporters or (1, 2)))

    def lose_leaders(self, entity: str) -> None:
        """Move its leaders to the others."""
        self.set("leaders", entity, 0, ONSET + 1)
        self.store(entity, leader_count=0)

    def facts(self) -> TikvFacts:
        """Return the facts of the scene."""
        by_name: dict[str, dict[str, Track]] = {
            name: {entity: track(points) for entity, points in entities.items()}
            for name, entities in self.points.items()
        }
        pds = [
            Node(entity=m.entity, name=m.name, role="pd", address=m.address, state="") for m in self.members.values()
        ]
        kvs = [
            Node(
                entity=s.entity,
                name=s.name,
                role="tikv",
                address=s.address,
                status_address=s.status_address,
                state=s.state,
            )
            for s in self.stores.values()
        ]
        return TikvFacts(
            cluster="scene",
            cluster_id="1",
            at=AT,
            nodes=(*pds, *kvs),
            unread=(),
            leader=self.leader,
            leader_known=self.leader_known,
            members=tuple(self.members.values()),
            stores=tuple(self.stores.values()),
            stores_known=self.stores_known,
            region_count=self.region_count,
            max_replicas=3,
            schedulers=self.schedulers,
            paused_schedulers=self.paused,
            paused_checkers=self.paused_checkers,
            denied_ranges=self.denied,
            evicting=self.evicting,
            config=self.config,
            store_config=self.store_config,
            region_states=self.region_states,
            hot_writes=self.hot_writes,
            hot_reads=self.hot_reads,
            gc_known=self.gc_known,
            gc_safe_point_age_seconds=self.gc_age,
            gc_blocker="backup" if self.gc_age else "",
            clocks=self.clocks,
            certificates=self.certificates,
            tracks=Tracks(start=START, step_seconds=STEP_SECONDS, by_name=by_name),
            unreachable=self.unreachable,
            logs=self.logs,
            ends=self.ends,
        )


Deed = Callable[[Scene], None]
