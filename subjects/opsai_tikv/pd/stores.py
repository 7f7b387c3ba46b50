"""Stores read from JSON: their state, flow, limits and progress.

Every function raises ValueError (pydantic's ValidationError among them) for what is not what it should be, and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from opsai_tikv.pd.go_values import rfc3339, unix_seconds
from opsai_tikv.pd.shapes import Bytes, Finite, Id, Json, Name, PerStore, Text, or_empty_list, or_empty_map
from opsai_tikv.pd.values import NodeState, Progress, Store, StoreFlow

_NODE_STATES: tuple[NodeState, ...] = ("Preparing", "Serving", "Removing", "Removed")


class _Label(Json):
    key: Name = ""
    value: Name = ""


class _StoreMeta(Json):
    id: Id
    address: Name = ""
    status_address: Name = ""
    peer_address: Name = ""
    labels: Annotated[tuple[_Label, ...], BeforeValidator(or_empty_list)] = ()
    version: Name = ""
    start_timestamp: int = 0
    last_heartbeat: int = 0
    state_name: Name = ""
    node_state: int | None = None
    physically_destroyed: bool = False


class _SlowTrend(Json):
    cause_rate: float = 0.0
    result_rate: float = 0.0


class _StoreStatus(Json):
    capacity: Bytes = 0.0
    available: Bytes = 0.0
    used_size: Bytes = 0.0
    leader_count: int = 0
    leader_weight: Finite = 0.0
    leader_score: float = 0.0
    leader_size: Finite = 0.0
    region_count: int = 0
    region_weight: Finite = 0.0
    region_score: float = 0.0
    region_size: Finite = 0.0
    learner_count: int = 0
    pending_peer_count: int = 0
    slow_score: Finite = 0.0
    network_slow_score: PerStore = Field(default_factory=dict[str, float])
    slow_trend: _SlowTrend | None = None
    sending_snap_count: int = 0
    receiving_snap_count: int = 0
    is_busy: bool = False
    pause_leader_transfer_in: bool = False
    pause_leader_transfer_out: bool = False
    start_ts: Text = ""
    last_heartbeat_ts: Text = ""


class _Store(Json):
    store: _StoreMeta
    status: _StoreStatus = _StoreStatus()


class _Stores(Json):
    stores: Annotated[list[_Store], BeforeValidator(or_empty_list)]


def read_stores(json: object) -> tuple[Store, ...]:
    """Read `/stores` in order of id."""
    found = _Stores.model_validate(json)
    return tuple(_store(entry) for entry in sorted(found.stores, key=lambda entry: int(entry.store.id or "0")))


def _store(entry: _Store) -> Store:
    meta, status = entry.store, entry.status
    started_at, heard_at = _started_at(entry), _heard_at(entry)
    return Store(
        id=meta.id,
        address=meta.address,
        status_address=meta.status_address,
        peer_address=meta.peer_address,
        labels={label.key: label.value for label in meta.labels},
        version=meta.version,
        state=meta.state_name or "unknown",
        node_state=_node_state(meta.node_state),
        physically_destroyed=meta.physically_destroyed,
        capacity_bytes=status.capacity,
        available_bytes=status.available,
        used_bytes=status.used_size,
        leader_count=status.leader_count,
        leader_weight=status.leader_weight,
        leader_score=status.leader_score,
        leader_size_mib=status.leader_size,
        region_count=status.region_count,
        region_weight=status.region_weight,
        region_score=status.region_score,
        region_size_mib=status.region_size,
        learner_count=status.learner_count,
        pending_peer_count=status.pending_peer_count,
        slow_score=status.slow_score,
        network_slow_scores=dict(status.network_slow_score),
        slow_trend_cause_rate=status.slow_trend.cause_rate if status.slow_trend else 0.0,
        slow_trend_result_rate=status.slow_trend.result_rate if status.slow_trend else 0.0,
        sending_snapshots=status.sending_snap_count,
        receiving_snapshots=status.receiving_snap_count,
        is_busy=status.is_busy,
        leader_transfer_in_paused=status.pause_leader_transfer_in,
        leader_transfer_out_paused=status.pause_leader_transfer_out,
        started_at=started_at,
        last_heartbeat_at=heard_at,
        uptime_seconds=max(0.0, (heard_at - started_at).total_seconds()) if heard_at and started_at else 0.0,
    )


def _started_at(entry: _Store) -> datetime | None:
    return unix_seconds(entry.store.start_timestamp) or (
        rfc3339(entry.status.start_ts) if entry.status.start_ts else None
    )


def _heard_at(entry: _Store) -> datetime | None:
    found = unix_seconds(entry.store.last_heartbeat / 1e9) if entry.store.last_heartbeat > 0 else None
    if found is None and entry.status.last_heartbeat_ts:
        return rfc3339(entry.status.last_heartbeat_ts)
    return found


def _node_state(number: int | None) -> NodeState:
    return _NODE_STATES[number] if number is not None and 0 <= number < len(_NODE_STATES) else "unknown"


class _Flows(Json):
    write_bytes: PerStore = Field(default_factory=dict[str, float], alias="bytes-write-rate")
    write_keys: PerStore = Field(default_factory=dict[str, float], alias="keys-write-rate")
    write_queries: PerStore = Field(default_factory=dict[str, float], alias="query-write-rate")
    read_bytes: PerStore = Field(default_factory=dict[str, float], alias="bytes-read-rate")
    read_keys: PerStore = Field(default_factory=dict[str, float], alias="keys-read-rate")
    read_queries: PerStore = Field(default_factory=dict[str, float], alias="query-read-rate")


def read_store_flows(json: object) -> tuple[StoreFlow, ...]:
    """Read `/hotspot/stores` in order of store id."""
    found = _Flows.model_validate(or_empty_map(json))
    flows: Mapping[str, Mapping[str, float]] = found.model_dump()
    ids = sorted({store for rates in flows.values() for store in rates}, key=lambda store: int(store or "0"))
    return tuple(
        StoreFlow(store_id=store, **{name: rates[store] for name, rates in flows.items() if store in rates})
        for store in ids
    )


class _Progress(Json):
    action: Text = ""
    store_id: Id = ""
    progress: Finite = 0.0
    current_speed: float = 0.0
    left_seconds: float = 0.0


def read_progress(json: object) -> Progress:
    """Read `/stores/progress`."""
    found = _Progress.model_validate(json)
    return Progress(
        action=found.action,
        store_id=found.store_id or None,
        ratio=found.progress,
        speed_mib=found.current_speed,
        left_seconds=found.left_seconds,
    )
