"""The cluster as it is: PD members and stores, from PD where it answers, else from what its metrics last said."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import anyio

from opsai_subjects.attempts import Attempts
from opsai_subjects.model import MetricsSource, Node, Scalar, Topology
from opsai_subjects.subject import Sources
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.reaching import address_of, status_address
from opsai_tikv.pd.values import Config, MemberHealth, Members, Store, View
from opsai_tikv.scheduling.schedulers import store_limits

FRESH_LEADER_SECONDS = 60
"""So long after a change of PD leader stores may be shown as Disconnected though they are well: the new leader knows
their heartbeats only from etcd (at most every 5 minutes) until each store's next one comes."""
MANY_STORES = 100
USUAL_LIMIT = 15.0
"""Of adding and of removing peers, a minute (pd pkg/schedule/config/config.go DefaultStoreLimit)."""
_GIB = 1024.0**3
_LEADS = (
    '(max by (instance) (service_member_role{{service="PD"}}{0}) or on () max by (instance) (pd_tso_role{0})'
    " or on () max by (instance) (etcd_server_is_leader{0}))"
)
_FRESH = f"({_LEADS.format('')} == 1) unless ({_LEADS.format(f' offset {FRESH_LEADER_SECONDS}s')} == 1)"
STORES_BY_METRICS = (
    'max by (store, address) (last_over_time(pd_scheduler_store_status{type="region_count",address!=""}[15m]))'
)


class _Read:
    """What was read for one answer, each question asked at the same time as the others."""

    def __init__(self, pd: Pd, metrics: MetricsSource | None) -> None:
        self._pd = pd
        self._metrics = metrics
        self.tries = Attempts()
        self.views: tuple[View, ...] = ()
        self.leader: str | None = None
        self.members: Members | None = None
        self.health: tuple[MemberHealth, ...] | None = None
        self.stores: tuple[Store, ...] | None = None
        self.config: Config | None = None
        self.regions: int | None = None
        self.version: str | None = None
        self.etcd: dict[str, bool] = {}
        self.fresh = False

    async def all(self) -> None:
        """Ask everything."""
        self.views, self.leader = await self._pd.views(), await self._pd.leader()
        for view in self.views:
            self._note(view)
        questions = (
            self._members,
            self._health,
            self._stores,
            self._config,
            self._regions,
            self._version,
            self._etcd,
            self._freshness,
        )
        async with anyio.create_task_group() as tasks:
            for question in questions:
                tasks.start_soon(question)

    def _note(self, view: View) -> None:
        if view.outcome != "answered":
            advice = "see whether it runs and can be reached from here (`addresses` maps advertised ones)"
            self.tries.miss(f"pd:{view.name}", "its status", view.why, advice)
        elif view.why:
            self.tries.miss(f"pd:{view.name}", "members", view.why, view.advice)

    async def _members(self) -> None:
        self.members = await self.tries.of("pd", "members", self._pd.members())

    async def _health(self) -> None:
        self.health = await self.tries.of("pd", "health", self._pd.health())

    async def _stores(self) -> None:
        self.stores = await self.tries.of("pd", "stores", self._pd.stores())

    async def _config(self) -> None:
        self.config = await self.tries.of("pd", "config", self._pd.config())

    async def _regions(self) -> None:
        self.regions = await self.tries.of("pd", "regions/count", self._pd.region_count())

    async def _version(self) -> None:
        self.version = await self.tries.of("pd", "config/cluster-version", self._pd.cluster_version())

    async def _etcd(self) -> None:
        """Ask each member that answers what its own etcd says: false while that sees no leader."""
        for view in self.views:
            if view.outcome == "answered":
                said = await self.tries.of(f"pd:{view.name}", "/health", self._pd.etcd_health(view.name))
                if said is not None:
                    self.etcd[view.name] = said.healthy

    async def _freshness(self) -> None:
        if self._metrics is not None:
            reply = await self.tries.of("prometheus", _FRESH, self._metrics.instant(_FRESH))
            self.fresh = bool(reply and reply.series)


async def topology(cluster: str, pd: Pd, sources: Sources, names: Mapping[str, str]) -> Topology:
    """Return the cluster as it is now. Never raises for a source that cannot be read: it says so inside."""
    now = sources.clock.now()
    read = _Read(pd, sources.metrics)
    await read.all()
    nodes = [member_node(view, read, names, now) for view in read.views]
    if read.stores is not None:
        limits = store_limits(read.config.values if read.config else {})
        nodes += [store_node(store, names, now, limits.get(store.entity, {})) for store in read.stores]
    else:
        nodes += await stores_by_metrics(sources.metrics, names, read.tries)
    return Topology(
        cluster=cluster,
        cluster_id=read.members.cluster_id if read.members else None,
        at=now,
        nodes=tuple(nodes),
        summary=_summary(read, names),
        notes=tuple(_notes(read, nodes)),
        unread=read.tries.unread,
    )


async def etcd_names(pd: Pd) -> dict[str, str]:
    """Return the members' etcd ids, in hexadecimal as etcd logs them, with their names. Never raises."""
    views = await pd.views()
    members = [member for view in views if view.members for member in view.members.members]
    return {f"{int(member.member_id):x}": member.name for member in members if member.member_id}


def named(names: Mapping[str, str], *addresses: str) -> str:
    """Return what people call the node at one of these addresses, else the first address."""
    return next((names[address] for address in addresses if address in names), addresses[0] if addresses else "")


def member_node(view: View, read: _Read, names: Mapping[str, str], now: datetime) -> Node:
    """Return a PD member as a node."""
    members = read.members
    member = members.named(view.name) if members else None
    address = (member.address if member else "") or address_of(view.url)
    status = view.status
    healthy = next((row.healthy for row in read.health or () if row.name == view.name), None)
    leads = view.name == read.leader
    state = view.outcome if view.outcome != "answered" else "leader" if leads else "follower"
    details: dict[str, Scalar] = {
        "healthy": healthy,
        "etcd_healthy": read.etcd.get(view.name),
        "etcd_leader": members.etcd_leader == view.name if members else None,
        "sees_leader": view.sees_leader or ("none" if view.sees_leader == "" else None),
        "version": status.version if status else (member.version or None) if member else None,
        "uptime_seconds": round((now - status.started_at).total_seconds()) if status and status.started_at else None,
    }
    name = named(names, address, view.name)
    return Node(
        entity=view.name,
        name=name,
        role="pd",
        address=address,
        status_address=address,
        state=state,
        details=details,
    )


def store_node(store: Store, names: Mapping[str, str], now: datetime, limits: Mapping[str, float]) -> Node:
    """Return a store as a node."""
    status = status_address(store)
    ratio = store.available_ratio
    age = (now - store.last_heartbeat_at).total_seconds() if store.last_heartbeat_at else None
    details: dict[str, Scalar] = {
        "leaders": store.leader_count,
        "regions": store.region_count,
        "capacity_gib": round(store.capacity_bytes / _GIB, 2) if store.capacity_bytes else None,
        "available_ratio": round(ratio, 3) if ratio is not None else None,
        "leader_score": round(store.leader_score, 1),
        "region_score": round(store.region_score, 1),
        "slow_score": store.slow_score or None,
        "heartbeat_age_seconds": round(age, 1) if age is not None else None,
        "uptime_seconds": round(store.uptime_seconds) or None,
        "version": store.version,
        "labels": ",".join(f"{key}={value}" for key, value in sorted(store.labels.items())) or None,
    }
    details |= _unusual(store) | _limited(limits)
    return Node(
        entity=store.entity,
        name=named(names, store.address, status),
        role=store.role,
        address=store.address,
        status_address=status,
        state=store.state,
        details=details,
    )


def _unusual(store: Store) -> dict[str, Scalar]:
    """Return what is only worth a column when it is so."""
    found: dict[str, Scalar] = {
        "busy": store.is_busy,
        "pending_peers": store.pending_peer_count,
        "sending_snapshots": store.sending_snapshots,
        "receiving_snapshots": store.receiving_snapshots,
        "leader_transfer_in_paused": store.leader_transfer_in_paused,
        "leader_transfer_out_paused": store.leader_transfer_out_paused,
    }
    if store.leader_weight != 1:
        found["leader_weight"] = store.leader_weight
    if store.region_weight != 1:
        found["region_weight"] = store.region_weight
    if store.node_state not in ("Serving", "unknown"):
        found["node_state"] = store.node_state
    return {name: value for name, value in found.items() if value or name.endswith("_weight")}


def _limited(limits: Mapping[str, float]) -> dict[str, Scalar]:
    """Return the store limits, a minute, where they are not as PD gives them to a new store."""
    return {f"{action.replace('-', '_')}_per_minute": rate for action, rate in limits.items() if rate != USUAL_LIMIT}


async def stores_by_metrics(
    metrics: MetricsSource | None, names: Mapping[str, str], tries: Attempts
) -> tuple[Node, ...]:
    """Return the stores as PD's metrics last listed them (within 15 minutes), their state unknown."""
    if metrics is None:
        return ()
    reply = await tries.of("prometheus", STORES_BY_METRICS, metrics.instant(STORES_BY_METRICS))
    statuses = _status_addresses(names)
    nodes: list[Node] = []
    for series in reply.series if reply else ():
        address = series.labels.get("address", "")
        name = named(names, address)
        nodes.append(
            Node(
                entity=f"store:{series.labels.get('store', '')}",
                name=name,
                role="tikv",
                address=address,
                status_address=statuses.get((name, address), ""),
                state="unknown",
                details={"regions": int(series.last) if series.last == series.last else None},
            )
        )
    return tuple(sorted(nodes, key=lambda node: (len(node.entity), node.entity)))


def _status_addresses(names: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return, of each named address, the other address that goes by the same name: a store's status port."""
    return {
        (name, address): other
        for address, name in names.items()
        for other, same in names.items()
        if same == name and other != address
    }


def _summary(read: _Read, names: Mapping[str, str]) -> dict[str, Scalar]:
    config = read.config.values if read.config else {}
    states = Counter(store.state for store in read.stores or ())
    answering = sum(view.outcome == "answered" for view in read.views)
    leader = read.members.named(read.leader) if read.members and read.leader else None
    return {
        "version": read.version or (leader.version if leader else None),
        "pd_members": len(read.views),
        "pd_members_answering": answering,
        "pd_leader": named(names, leader.address, leader.name) if leader else read.leader,
        "stores": len(read.stores) if read.stores is not None else None,
        "store_states": ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or None,
        "regions": read.regions,
        "leaders": sum(store.leader_count for store in read.stores) if read.stores is not None else None,
        "max_replicas": config.get("replication.max-replicas"),
        "placement_rules": config.get("replication.enable-placement-rules"),
        "location_labels": config.get("replication.location-labels") or None,
    }


def _notes(read: _Read, nodes: Sequence[Node]) -> list[str]:
    notes: list[str] = []
    if read.leader is None:
        notes.append(_no_leader(read))
    claims = sorted({view.sees_leader for view in read.views if view.sees_leader})
    if len(claims) > 1:
        notes.append(f"PD members name different leaders ({', '.join(claims)}): one of them is cut off or just behind.")
    if read.leader and read.members and read.members.etcd_leader not in (None, read.leader):
        notes.append(
            f"The PD leader ({read.leader}) is not etcd's leader ({read.members.etcd_leader}): for more than a few seconds "
            "that is a campaign that does not succeed."
        )
    if read.fresh:
        notes.append(
            f"The PD leader is new (less than {FRESH_LEADER_SECONDS} s): stores may be shown as Disconnected until their "
            "next heartbeat (10 s), scheduling starts only when region heartbeats are in (up to 5 min)."
        )
    versions = Counter(
        str(node.details.get("version")) for node in nodes if node.role == "tikv" and node.details.get("version")
    )
    if len(versions) > 1:
        listed = ", ".join(f"{version} ({count})" for version, count in sorted(versions.items()))
        notes.append(f"Stores run different versions: {listed}. An upgrade is under way, or stopped half-way.")
    if read.stores is None:
        notes.append(_without_stores(nodes))
    elif len(read.stores) > MANY_STORES:
        notes.append(f"{len(read.stores)} stores: look at those of one state, or ask for one by its id or address.")
    return notes


def _no_leader(read: _Read) -> str:
    answering = [view.name for view in read.views if view.outcome == "answered"]
    if not answering:
        return "No PD member answers from here: whether the cluster serves is not known from PD."
    return (
        f"No PD member that answers ({', '.join(answering)}) leads: without a leader there are no timestamps, and PD cannot "
        "say how the stores are."
    )


def _without_stores(nodes: Sequence[Node]) -> str:
    listed = any(node.role != "pd" for node in nodes)
    if listed:
        return "PD could not list the stores: these are the ones its metrics named last, their state is unknown."
    return "PD could not list the stores, and neither do its metrics: which stores there are is unknown."
