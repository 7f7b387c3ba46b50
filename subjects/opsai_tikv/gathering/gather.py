"""Gathering: every source read once for one instant, and what could not be read kept beside what was."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import anyio

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import SourceError
from opsai_subjects.model import LastState, LogSource, MetricsSource, Node, Scalar, Window
from opsai_subjects.progress import work
from opsai_subjects.subject import Sources
from opsai_tikv.facts import HotRegion, MemberFacts, NodeLog, StoreFacts, TikvFacts, Tracks
from opsai_tikv.gathering.ended import read_ends
from opsai_tikv.gathering.hot import read_traffic
from opsai_tikv.gathering.met import told_beside
from opsai_tikv.gathering.metrics_round import MetricsRound
from opsai_tikv.gathering.peculiar import peculiar
from opsai_tikv.gathering.placed import Gc, Placement, read_denied, read_gc, read_placement
from opsai_tikv.gathering.status import StatusPort
from opsai_tikv.gathering.survey import Survey, narrowed
from opsai_tikv.gathering.tracking import LOOK_BACK_SECONDS, STEP_SECONDS, Followed, follow, latest
from opsai_tikv.logs.logged import read_logs
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.hot import Direction
from opsai_tikv.pd.reaching import address_of, status_address
from opsai_tikv.pd.values import Members, Outcome, Store, View
from opsai_tikv.roles import may_lead
from opsai_tikv.topology import stores_by_metrics

PROBES_AT_ONCE = 16
SETTINGS_READ_AT_MOST = 20
"""Stores whose own settings are compared: 22 kB each."""
REGION_STATES = "max by (type) (pd_regions_status)"


@dataclass
class _Found:
    """What the parts that are read side by side found."""

    placement: Placement = field(default_factory=Placement)
    hot: dict[Direction, tuple[HotRegion, ...]] = field(default_factory=dict[Direction, tuple[HotRegion, ...]])
    denied: tuple[str, ...] | None = None
    gc: Gc = field(default_factory=Gc)
    followed: Followed | None = None
    region_states: dict[str, int] | None = None
    logs: dict[str, NodeLog] = field(default_factory=dict[str, NodeLog])
    ends: dict[str, LastState] = field(default_factory=dict[str, LastState])
    ports: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    settings: dict[str, dict[str, Scalar]] | None = None


async def gather(
    cluster: str, pd: Pd, sources: Sources, names: dict[str, str], rate: str | Survey, prometheus: str | None = None
) -> TikvFacts:
    """Read everything once. Never raises for a source that cannot be read.

    `rate` is the range of rates, or the survey that knows it, and whose targets are of other clusters. `prometheus` is
    the URL by which Prometheus's clock is known.
    """
    tries = Attempts()
    if sources.metrics is not None:
        sources = replace(sources, metrics=MetricsRound(sources.metrics))
    at = sources.clock.now()
    asked_pd = work(2, "PD's members")
    views = await pd.views()
    asked_pd.did("PD's stores")
    members = next((view.members for view in views if view.members), None)
    leader = await pd.leader()
    for view in views:
        if view.outcome != "answered":
            tries.miss(f"pd:{view.name}", view.url, view.why or view.outcome)
    listed = await tries.of("pd", "/pd/api/v1/stores", pd.stores())
    asked_pd.did()
    if listed is not None:
        stores = tuple(_store(store, at, names) for store in listed)
    else:
        stores = tuple(_remembered(node) for node in await stores_by_metrics(sources.metrics, names, tries))
    member_facts = await _members(pd, views, members, leader, names)
    nodes = _nodes(stores, member_facts)
    window = Window.last(LOOK_BACK_SECONDS, at)
    answered = any(view.outcome == "answered" for view in views)
    if isinstance(rate, Survey):
        # Unless PD answers nobody can say who is of this cluster.
        targets = await rate.targets(nodes if answered and listed is not None else (), sources.metrics)
        tries.add(rate.notes(targets))
        sources, rate = narrowed(sources, targets), rate.range_text(targets)
    found = await _side_by_side(pd, sources, tries, nodes, stores, window, rate)
    known = _Known(cluster, members, leader, answered, listed is not None)
    facts = _facts(known, found, tries, nodes, stores, member_facts, window)
    return facts.model_copy(update=told_beside(sources, at, views, stores, prometheus))


@dataclass(frozen=True)
class _Known:
    """What PD's members say of the cluster as a whole."""

    cluster: str
    members: Members | None
    leader: str | None
    answered: bool
    stores_known: bool


def _facts(
    known: _Known,
    found: _Found,
    tries: Attempts,
    nodes: tuple[Node, ...],
    stores: tuple[StoreFacts, ...],
    members: tuple[MemberFacts, ...],
    window: Window,
) -> TikvFacts:
    placement, config = found.placement, found.placement.config
    replicas = config.values.get("replication.max-replicas") if config else None
    nothing = Tracks(start=window.start, step_seconds=STEP_SECONDS, by_name={})
    tracks = found.followed.tracks if found.followed else nothing
    starts = latest(tracks.by_name.get("start_time", {}))
    ports = found.ports
    return TikvFacts(
        cluster=known.cluster,
        cluster_id=known.members.cluster_id if known.members else None,
        at=window.end,
        nodes=nodes,
        unread=tries.unread,
        leader=known.leader,
        leader_known=known.answered,
        members=tuple(_started(member, starts) for member in members),
        stores=tuple(_met(one, ports, placement) for one in stores),
        stores_known=known.stores_known,
        region_count=placement.region_count,
        max_replicas=replicas if isinstance(replicas, int) else None,
        schedulers=placement.schedulers,
        paused_schedulers=placement.paused,
        paused_checkers=placement.paused_checkers,
        denied_ranges=found.denied,
        evicting=placement.evicting,
        config=config.values if config else None,
        store_config=found.settings,
        region_states=found.region_states,
        hot_writes=found.hot.get("write"),
        hot_reads=found.hot.get("read"),
        gc_known=found.gc.known,
        gc_safe_point_age_seconds=found.gc.age_seconds,
        gc_blocker=found.gc.blocker,
        tracks=tracks,
        unreachable=found.followed.unreachable if found.followed else {},
        logs=found.logs,
        ends=found.ends,
    )


async def _side_by_side(
    pd: Pd,
    sources: Sources,
    tries: Attempts,
    nodes: tuple[Node, ...],
    stores: tuple[StoreFacts, ...],
    window: Window,
    range_text: str,
) -> _Found:
    found = _Found()

    async def of_pd() -> None:
        found.placement = await read_placement(pd, tries)
        if found.placement.evicting or any(store.state == "Offline" for store in stores):
            found.denied = await read_denied(pd, tries)
        found.hot = await read_traffic(pd, tries, found.placement.region_count)
        found.gc = await read_gc(pd, tries, window.end)

    async def of_metrics() -> None:
        if sources.metrics is None:
            tries.miss("prometheus", "every signal", "no Prometheus is set", "set `prometheus` (--prometheus URL)")
            return
        found.followed = await follow(sources.metrics, nodes, window, range_text)
        tries.add(found.followed.unread)
        found.region_states = await _region_states(sources.metrics, tries)

    async def of_logs() -> None:
        found.logs = await _logs(sources.logs, nodes, window, tries)

    async def of_containers() -> None:
        found.ends = await read_ends(sources.states, nodes, tries)

    async def of_ports() -> None:
        found.ports, found.settings = await _ports(sources, stores, tries)

    async with anyio.create_task_group() as tasks:
        for part in (of_pd, of_metrics, of_logs, of_containers, of_ports):
            tasks.start_soon(part)
    return found


async def _region_states(metrics: MetricsSource, tries: Attempts) -> dict[str, int] | None:
    reply = await tries.of("prometheus", REGION_STATES, metrics.instant(REGION_STATES))
    if reply is None or not reply.series:
        return None
    counted = [one for one in reply.series if math.isfinite(one.last)]
    return {one.labels.get("type", "").removesuffix("-region-count"): int(one.last) for one in counted} or None


async def _logs(logs: LogSource | None, nodes: tuple[Node, ...], window: Window, tries: Attempts) -> dict[str, NodeLog]:
    if logs is None:
        tries.miss(
            "logs", "decisive messages", "no logs are set", "set `logs` (--logs NODE=GLOB), docker, kubernetes or loki"
        )
        return {}
    found, unread = await read_logs(logs, nodes, window)
    tries.add(unread)
    return found


async def _ports(
    sources: Sources, stores: tuple[StoreFacts, ...], tries: Attempts
) -> tuple[dict[str, Outcome], dict[str, dict[str, Scalar]] | None]:
    """Knock at each store's status port; of a small cluster read its settings too, and return the peculiar ones."""
    limiter = anyio.CapacityLimiter(PROBES_AT_ONCE)
    outcomes: dict[str, Outcome] = {}
    settings: dict[str, dict[str, Scalar]] = {}
    knocked_at = [store for store in stores if store.status_address and store.state != "Tombstone"]
    progress = work(len(knocked_at), "status ports of the stores")

    async def one(store: StoreFacts) -> None:
        async with limiter:
            port = StatusPort(sources.web, store.status_address, dict(sources.reach))
            probe = await port.alive()
            outcomes[store.entity] = probe.outcome
            if probe.outcome == "answered":
                own = await port.config() if len(stores) <= SETTINGS_READ_AT_MOST else None
                if own is not None:
                    settings[store.entity] = own
            elif probe.outcome != "unknown":
                tries.miss(f"status:{store.entity}", "/status", probe.says or probe.outcome)
        progress.did()

    async with anyio.create_task_group() as tasks:
        for store in knocked_at:
            tasks.start_soon(one, store)
    return outcomes, peculiar(settings)


def _met(store: StoreFacts, ports: dict[str, Outcome], placement: Placement) -> StoreFacts:
    config = placement.config.values if placement.config else {}
    leads = may_lead(store.labels, placement.rules, config)
    return store.model_copy(update={"status_port": ports.get(store.entity, "unknown"), "may_lead": leads})


def _remembered(node: Node) -> StoreFacts:
    return StoreFacts(
        entity=node.entity,
        id=node.entity.removeprefix("store:"),
        name=node.name,
        address=node.address,
        status_address=node.status_address,
        state=node.state,
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
        node_state=store.node_state,
        pending_peer_count=store.pending_peer_count,
        sending_snapshots=store.sending_snapshots,
        receiving_snapshots=store.receiving_snapshots,
        leader_transfer_in_paused=store.leader_transfer_in_paused,
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
        address = member.address if member else (address_of(view.url) if view else "")
        found.append(
            MemberFacts(
                entity=name,
                name=names.get(address, name),
                address=address,
                is_leader=name == leader,
                health=health.get(name),
                client_port=view.outcome if view else "unknown",
                sees_leader=view.sees_leader if view else None,
                version=member.version if member else "",
                member_id=member.member_id if member else "",
            )
        )
    return tuple(found)


def _started(member: MemberFacts, starts: dict[str, float]) -> MemberFacts:
    start = starts.get(member.entity)
    return member if start is None else member.model_copy(update={"started_at": datetime.fromtimestamp(start, UTC)})


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
