"""Gathering: every source read once for one instant, and what could not be read kept beside what was."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import anyio

from opsai_subjects.errors import NotRecorded, SourceError, SourceTooLarge
from opsai_subjects.model import Clock, Node, Unread, Window
from opsai_subjects.subject import Sources
from opsai_tikv.facts import HotRegion, MemberFacts, NodeLog, Outcome, StoreFacts, TikvFacts, Tracks
from opsai_tikv.logged import read_logs
from opsai_tikv.pd import Pd
from opsai_tikv.pd_traffic import HEARTBEAT_SECONDS, hottest
from opsai_tikv.pd_values import Config, Members, Store, View
from opsai_tikv.peculiar import peculiar
from opsai_tikv.reaching import status_address
from opsai_tikv.remembered import remembered_stores
from opsai_tikv.status import StatusPort
from opsai_tikv.tracking import LOOK_BACK_SECONDS, follow, latest

T = TypeVar("T")
PROBES_AT_ONCE = 16
SETTINGS_READ_AT_MOST = 20
"""Stores whose own settings are compared: 22 kB each."""
MOVERS = ("evict-leader-scheduler", "grant-leader-scheduler")


@dataclass
class _Reading:
    """What has been read so far."""

    unread: list[Unread] = field(default_factory=list[Unread])

    async def attempt(self, source: str, asked: str, read: Callable[[], Awaitable[T]]) -> T | None:
        """Return what the read gives; None, with the reason kept, when it cannot be read."""
        try:
            return await read()
        except SourceError as error:
            self.unread.append(Unread(source=source, asked=asked, why=error.came_back, advice=error.advice))
            return None


async def gather(cluster: str, pd: Pd, sources: Sources, names: dict[str, str], range_text: str) -> TikvFacts:
    """Read everything once. Never raises for a source that cannot be read."""
    reading = _Reading()
    clock: Clock = sources.clock
    at = clock.now()
    views = await pd.views()
    members = next((view.members for view in views if view.members), None)
    leader = await pd.leader()
    for view in views:
        if view.outcome != "answered":
            reading.unread.append(Unread(source=f"pd:{view.name}", asked=view.url, why=view.why or view.outcome))
    stores = await reading.attempt("pd", "/pd/api/v1/stores", pd.stores)
    store_facts = tuple(_store(store, at, names) for store in stores or ())
    if stores is None:
        store_facts = await remembered_stores(sources.metrics, names)
    member_facts = await _members(pd, views, members, leader, names)
    nodes = _nodes(store_facts, member_facts)
    parts = _Parts(reading, pd, sources, nodes, Window.last(LOOK_BACK_SECONDS, at), range_text)
    async with anyio.create_task_group() as tasks:
        for part in (parts.placement, parts.traffic, parts.gc, parts.tracks, parts.logs):
            tasks.start_soon(part)
        tasks.start_soon(parts.ports, store_facts)
    return parts.facts(cluster, at, views, members, leader, member_facts, store_facts, stores is not None)


class _Parts:
    """The parts that are read side by side once the nodes are known."""

    def __init__(
        self, reading: _Reading, pd: Pd, sources: Sources, nodes: tuple[Node, ...], window: Window, range_text: str
    ) -> None:
        self._reading = reading
        self._pd = pd
        self._sources = sources
        self._nodes = nodes
        self._window = window
        self._range_text = range_text
        self._outcomes: dict[str, Outcome] = {}
        self._evicting: dict[str, str] = {}
        self._schedulers: tuple[str, ...] | None = None
        self._paused: tuple[str, ...] | None = None
        self._config: Config | None = None
        self._region_count: int | None = None
        self._hot: dict[str, tuple[HotRegion, ...]] = {}
        self._settings: dict[str, dict[str, str | int | float | bool | None]] = {}
        self._gc: tuple[float | None, str] = (None, "")
        self._tracks: Tracks | None = None
        self._unreachable: dict[str, dict[str, float]] = {}
        self._states: dict[str, int] | None = None
        self._logs: dict[str, NodeLog] = {}

    async def placement(self) -> None:
        attempt = self._reading.attempt
        self._schedulers = await attempt("pd", "/pd/api/v1/schedulers", self._pd.schedulers)
        self._paused = await attempt("pd", "/pd/api/v1/schedulers?status=paused", self._pd.paused_schedulers)
        self._config = await attempt("pd", "/pd/api/v1/config", self._pd.config)
        self._region_count = await attempt("pd", "/pd/api/v1/regions/count", self._pd.region_count)
        for name in MOVERS:
            if self._schedulers and name in self._schedulers:
                found = await attempt("pd", f"scheduler-config/{name}", partial(self._pd.scheduler_config, name))
                for key in found.values if found else ():
                    if key.startswith("store-id-ranges."):
                        self._evicting[f"store:{key.split('.')[1]}"] = name

    async def traffic(self) -> None:
        try:
            regions = await self._pd.region_traffic()
            self._hot = {name: hottest(regions, name) for name in ("written_keys", "read_keys")}
        except SourceTooLarge:
            await self._busiest()
        except NotRecorded:
            return
        except SourceError as error:
            self._reading.unread.append(
                Unread(source="pd", asked=error.asked, why=error.came_back, advice=error.advice)
            )

    async def _busiest(self) -> None:
        flows = await self._reading.attempt("pd", "/pd/api/v1/hotspot/stores", self._pd.store_flows)
        for direction, name in (("write", "written_keys"), ("read", "read_keys")):
            try:
                regions = await self._pd.busiest_regions("write" if direction == "write" else "read")
            except SourceError as error:
                self._reading.unread.append(
                    Unread(source="pd", asked=error.asked, why=error.came_back, advice=error.advice)
                )
                continue
            rate = sum(flow.write_keys if direction == "write" else flow.read_keys for flow in flows or ())
            copies = 3 if direction == "write" else 1
            self._hot[name] = hottest(regions, name, rate * HEARTBEAT_SECONDS / copies)

    async def gc(self) -> None:
        found = await self._reading.attempt("pd", "/pd/api/v1/gc/safepoint", self._pd.gc_safe_point)
        if found is None or found.gc_safe_point_at is None:
            return
        age = (self._window.end - found.gc_safe_point_at).total_seconds()
        held = [service for service in found.services if service.safe_point_at]
        oldest = min(held, key=lambda service: service.safe_point_at or self._window.end, default=None)
        self._gc = (age, oldest.service_id if oldest else "")

    async def tracks(self) -> None:
        metrics = self._sources.metrics
        if metrics is None:
            self._reading.unread.append(
                Unread(
                    source="prometheus",
                    asked="every signal",
                    why="no Prometheus is set",
                    advice="set `prometheus` (--prometheus URL)",
                )
            )
            return
        followed = await follow(metrics, self._nodes, self._window, self._range_text)
        self._tracks, self._unreachable = followed.tracks, followed.unreachable
        self._reading.unread += followed.unread
        states = await self._reading.attempt(
            "prometheus", "pd_regions_status", lambda: metrics.instant("max by (type) (pd_regions_status)")
        )
        if states and states.series:
            self._states = {
                one.labels.get("type", "").removesuffix("-region-count"): int(one.last) for one in states.series
            }

    async def logs(self) -> None:
        if self._sources.logs is None:
            self._reading.unread.append(
                Unread(
                    source="logs",
                    asked="decisive messages",
                    why="no logs are set",
                    advice="set `logs` (--logs NODE=GLOB)",
                )
            )
            return
        self._logs, unread = await read_logs(self._sources.logs, self._nodes, self._window)
        self._reading.unread += unread

    async def ports(self, stores: tuple[StoreFacts, ...]) -> None:
        limiter = anyio.CapacityLimiter(PROBES_AT_ONCE)
        read_settings = len(stores) <= SETTINGS_READ_AT_MOST
        settings: dict[str, dict[str, str | int | float | bool | None]] = {}

        async def one(store: StoreFacts) -> None:
            async with limiter:
                port = StatusPort(self._sources.web, store.status_address, dict(self._sources.reach))
                probe = await port.alive()
                self._outcomes[store.entity] = probe.outcome
                if probe.outcome == "answered" and read_settings:
                    found = await port.config()
                    if found is not None:
                        settings[store.entity] = found
                elif probe.outcome != "answered" and probe.outcome != "unknown":
                    self._reading.unread.append(
                        Unread(source=f"status:{store.entity}", asked="/status", why=probe.says or probe.outcome)
                    )

        async with anyio.create_task_group() as tasks:
            for store in stores:
                if store.status_address and store.state != "Tombstone":
                    tasks.start_soon(one, store)
        self._settings = peculiar(settings)

    def facts(
        self,
        cluster: str,
        at: datetime,
        views: tuple[View, ...],
        members: Members | None,
        leader: str | None,
        member_facts: tuple[MemberFacts, ...],
        stores: tuple[StoreFacts, ...],
        stores_known: bool,
    ) -> TikvFacts:
        """Put the parts together."""
        replicas = self._config.values.get("replication.max-replicas") if self._config else None
        tracks = self._tracks or Tracks(start=self._window.start, step_seconds=15.0, by_name={})
        starts = latest(tracks.by_name.get("start_time", {}))
        return TikvFacts(
            cluster=cluster,
            cluster_id=members.cluster_id if members else None,
            at=at,
            nodes=self._nodes,
            unread=tuple(self._reading.unread),
            pd_answers=any(view.outcome == "answered" for view in views),
            leader=leader,
            leader_known=any(view.outcome == "answered" for view in views),
            members=tuple(_started(member, starts) for member in member_facts),
            stores=tuple(
                store.model_copy(update={"status_port": self._outcomes.get(store.entity, "unknown")})
                for store in stores
            ),
            stores_known=stores_known,
            region_count=self._region_count,
            max_replicas=replicas if isinstance(replicas, int) else None,
            schedulers=self._schedulers,
            paused_schedulers=self._paused,
            evicting=self._evicting,
            config=self._config.values if self._config else None,
            store_config=self._settings,
            region_states=self._states,
            hot_writes=self._hot.get("written_keys"),
            hot_reads=self._hot.get("read_keys"),
            gc_safe_point_age_seconds=self._gc[0],
            gc_blocker=self._gc[1],
            tracks=tracks,
            unreachable=self._unreachable,
            logs=self._logs,
        )


def _store(store: Store, at: datetime, names: dict[str, str]) -> StoreFacts:
    age = (at - store.last_heartbeat_at).total_seconds() if store.last_heartbeat_at else None
    port = status_address(store)
    return StoreFacts(
        entity=store.entity,
        id=store.id,
        name=names.get(store.address) or names.get(port) or store.address,
        address=store.address,
        status_address=port,
        state=store.state,
        engine=store.role,
        heartbeat_age_seconds=None if age is None else max(0.0, round(age, 3)),
        leader_count=store.leader_count,
        region_count=store.region_count,
        leader_weight=store.leader_weight,
        region_weight=store.region_weight,
        capacity_bytes=store.capacity_bytes or None,
        available_bytes=store.available_bytes if store.capacity_bytes else None,
        slow_score=store.slow_score,
        is_busy=store.is_busy,
        version=store.version,
        started_at=store.started_at,
        labels=store.labels,
    )


async def _members(
    pd: Pd, views: Sequence[View], members: Members | None, leader: str | None, names: dict[str, str]
) -> tuple[MemberFacts, ...]:
    by_name = {view.name: view for view in views}
    listed = {member.name: member for member in members.members} if members else {}
    health: dict[str, bool] = {}
    if leader is not None:
        try:
            health = {row.name: row.healthy for row in await pd.health_of(leader)}
        except SourceError:
            health = {}  # the members' own ports say who answers; this view is an extra
    found: list[MemberFacts] = []
    for name in dict.fromkeys((*listed, *by_name)):
        view, member = by_name.get(name), listed.get(name)
        seen = view.members if view else None
        address = member.address if member else (view.url.split("://")[-1] if view else "")
        found.append(
            MemberFacts(
                entity=name,
                name=names.get(address, name),
                address=address,
                is_leader=name == leader,
                is_etcd_leader=bool(members and members.etcd_leader == name),
                health=health.get(name),
                client_port=view.outcome if view else "unknown",
                sees_leader=(seen.leader or "") if seen else None,
                version=member.version if member else "",
            )
        )
    return tuple(found)


def _started(member: MemberFacts, starts: dict[str, float]) -> MemberFacts:
    start = starts.get(member.entity)
    return (
        member
        if start is None
        else member.model_copy(update={"started_at": datetime.fromtimestamp(start).astimezone()})
    )


def _nodes(stores: Sequence[StoreFacts], members: Sequence[MemberFacts]) -> tuple[Node, ...]:
    pds = [
        Node(
            entity=member.entity,
            name=member.name,
            role="pd",
            address=member.address,
            status_address=member.address,
            state=member.client_port,
        )
        for member in members
    ]
    rest = [
        Node(
            entity=store.entity,
            name=store.name,
            role=store.engine,
            address=store.address,
            status_address=store.status_address,
            state=store.state,
        )
        for store in stores
    ]
    return (*pds, *rest)
