"""PD's JSON read into values: what is told, what is left out, what is wrong."""

import copy
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from opsai_tikv.pd.hot import read_hot_regions
from opsai_tikv.pd.members import read_etcd_health, read_health, read_leader, read_members, read_status
from opsai_tikv.pd.operators import read_operators
from opsai_tikv.pd.regions import read_count, read_regions, read_rules
from opsai_tikv.pd.settings import (
    read_config,
    read_gc_safe_point,
    read_name,
    read_names,
    read_paused,
    read_resolved_ts,
    read_scheduler_config,
    read_text,
)
from opsai_tikv.pd.stores import read_progress, read_store_flows, read_stores
from opsai_tikv.pd.values import StoreFlow

READERS = {
    "members": read_members,
    "leader": read_leader,
    "health": read_health,
    "etcd health": read_etcd_health,
    "status": read_status,
    "stores": read_stores,
    "flows": read_store_flows,
    "progress": read_progress,
    "operators": read_operators,
    "regions": lambda json: read_regions(json, "down-peer"),
    "count": read_count,
    "rules": read_rules,
    "config": read_config,
    "scheduler config": read_scheduler_config,
    "name": read_name,
    "names": read_names,
    "paused": read_paused,
    "text": read_text,
    "gc": read_gc_safe_point,
    "resolved": read_resolved_ts,
    "hot": lambda json: read_hot_regions(json, (), "write", 0.0),
}
STORE: dict[str, JsonValue] = {
    "store": {
        "id": 4,
        "address": "10.0.1.2:20160",
        "labels": [{"key": "zone", "value": "z1"}, {"key": "engine", "value": "tiflash"}],
        "version": "8.5.4",
        "status_address": "10.0.1.2:20180",
        "start_timestamp": 1_755_741_600,
        "last_heartbeat": 1_755_828_012_345_678_901,
        "node_state": 1,
        "state_name": "Up",
        "something_new": {"a": 1},
    },
    "status": {
        "capacity": "1.718TiB",
        "available": "1.102TiB",
        "used_size": "598.2GiB",
        "leader_count": 8123,
        "leader_weight": 1,
        "leader_score": 8123,
        "region_count": 24377,
        "region_score": 3081233.4,
        "slow_score": 1,
        "slow_trend": {"cause_value": 250068.6, "cause_rate": 0.5, "result_rate": -1},
        "start_ts": "2026-08-21T10:00:00+08:00",
        "last_heartbeat_ts": "2026-08-22T10:00:12.345678901+08:00",
        "is_busy": True,
    },
}
REGION: JsonValue = {
    "id": 482091,
    "peers": [
        {"role_name": "Voter", "id": 1, "store_id": 1},
        {"role_name": "Learner", "is_learner": True, "id": 3, "store_id": 61, "role": 1},
    ],
    "leader": {"role_name": "Voter", "id": 1, "store_id": 1},
    "down_peers": [{"down_seconds": 1263, "peer": {"id": 2, "store_id": 4}}],
    "pending_peers": [{"id": 2, "store_id": 4}],
    "approximate_size": 97,
}
HOT: JsonValue = {
    "as_peer": {},
    "as_leader": {
        "1": {
            "statistics": [
                {
                    "store_id": 1,
                    "stores": [1, 4, 5],
                    "region_id": 7,
                    "hot_degree": 9,
                    "flow_bytes": 3e6,
                    "flow_keys": 5000,
                    "flow_query": 400,
                },
                {
                    "store_id": 1,
                    "stores": [1, 4, 5],
                    "region_id": 8,
                    "hot_degree": 3,
                    "flow_bytes": 1024,
                    "flow_keys": 32,
                    "flow_query": 32,
                },
            ]
        },
        "4": {"statistics": None},
    },
}
VALID: dict[str, JsonValue] = {
    "stores": {"count": 1, "stores": [STORE]},
    "regions": {"count": 1, "regions": [REGION]},
    "hot": HOT,
    "members": {"header": {"cluster_id": 7}, "members": [{"name": "a", "member_id": 1}], "leader": {"name": "a"}},
    "config": {"schedule": {"leader-schedule-limit": 4, "enable-debug": "true", "list": [1, {"x": None}]}},
    "gc": {"service_gc_safe_points": [{"service_id": "gc_worker", "expired_at": 9223372036854775807, "safe_point": 5}]},
}
leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
wild = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)


@given(name=st.sampled_from(sorted(READERS)), json=wild)
@settings(max_examples=400, deadline=None)
def test_wild_json_is_refused_as_a_wrong_value_and_nothing_else(name: str, json: JsonValue) -> None:
    try:
        READERS[name](json)
    except ValueError:
        return


@given(name=st.sampled_from(sorted(VALID)), data=st.data(), junk=wild)
@settings(max_examples=300, deadline=None)
def test_a_body_with_one_thing_wrong_in_it_is_read_or_refused(name: str, data: st.DataObject, junk: JsonValue) -> None:
    body = copy.deepcopy(VALID[name])
    holder, key = data.draw(st.sampled_from(list(places(body))))
    holder[key] = junk
    try:
        READERS[name](body)
    except ValueError:
        return


def places(value: JsonValue) -> list[tuple[dict[str, JsonValue] | list[JsonValue], str | int]]:
    found: list[tuple[dict[str, JsonValue] | list[JsonValue], str | int]] = []
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in keys:
        found.append((value, key))  # type: ignore[arg-type]  # a container, since it has keys
        found += places(value[key])  # type: ignore[index,call-overload]
    return found


def test_a_store_is_read_with_units_and_times_and_what_is_new_is_let_be() -> None:
    (store,) = read_stores({"stores": [STORE]})

    assert (store.entity, store.role, store.state, store.node_state) == ("store:4", "tiflash", "Up", "Serving")
    assert store.capacity_bytes == 1.718 * 1024**4
    assert store.available_ratio == pytest.approx(1.102 / 1.718)
    assert store.started_at == datetime(2025, 8, 21, 2, 0, tzinfo=UTC)
    assert store.last_heartbeat_at == datetime(2025, 8, 22, 2, 0, 12, 345679, tzinfo=UTC)
    assert store.uptime_seconds == pytest.approx(86412.345679)
    assert (store.slow_trend_cause_rate, store.slow_trend_result_rate, store.is_busy) == (0.5, -1, True)
    assert store.labels == {"zone": "z1", "engine": "tiflash"}


def test_what_proto3_leaves_out_is_zero_and_never_a_failure() -> None:
    (store,) = read_stores({"stores": [{"store": {"id": 7, "state_name": "Disconnected"}, "status": {}}]})

    assert (store.leader_count, store.slow_score, store.last_heartbeat_at, store.uptime_seconds) == (0, 0, None, 0)
    assert store.available_ratio is None, "a store that PD never heard from has no share of a disk"
    assert store.node_state == "unknown"


def test_a_heartbeat_in_go_s_zero_time_was_never_sent() -> None:
    body = {
        "store": {"id": 7},
        "status": {"last_heartbeat_ts": "0001-01-01T00:00:00Z", "start_ts": "1970-01-01T08:00:00+08:00"},
    }
    (store,) = read_stores({"stores": [body]})

    assert (store.last_heartbeat_at, store.started_at) == (None, None)


def test_stores_come_in_order_of_their_number() -> None:
    body: JsonValue = {"stores": [{"store": {"id": number}} for number in (10, 9, 100, 1)]}
    assert [store.id for store in read_stores(body)] == ["1", "9", "10", "100"]


def test_ids_above_two_to_the_53_keep_every_digit() -> None:
    found = read_members(
        json.loads(
            '{"header":{"cluster_id":18446744073709551615},"members":[{"name":"a","member_id":9724873857558226554}]}'
        )
    )

    assert (found.cluster_id, found.members[0].member_id) == ("18446744073709551615", "9724873857558226554")
    assert (found.leader, found.etcd_leader) == (None, None)


def test_a_region_tells_its_peers_and_who_is_down() -> None:
    found = read_regions({"count": 1, "regions": [REGION]}, "down-peer")
    (region,) = found.regions

    assert (region.id, region.leader_store_id, region.down_peers) == ("482091", "1", {"4": 1263.0})
    assert [(peer.store_id, peer.role) for peer in region.peers] == [("1", "Voter"), ("61", "Learner")]
    assert region.pending_store_ids == ("4",)


def test_a_region_without_leader_has_none() -> None:
    found = read_regions({"count": 1, "regions": [{"id": 5, "leader": {"role_name": "Voter"}}]}, "miss-peer")
    assert found.regions[0].leader_store_id is None


@pytest.mark.parametrize("empty", [{"count": 0, "regions": None}, {"count": 0, "regions": []}, {}])
def test_no_regions_are_no_regions_however_go_writes_it(empty: JsonValue) -> None:
    assert read_regions(empty, "down-peer").regions == ()


def test_a_hot_region_is_one_by_its_share_and_not_by_being_listed() -> None:
    flows = [
        StoreFlow(store_id=store, write_bytes=4e6, write_keys=6000, write_queries=500) for store in ("1", "4", "5")
    ]
    found = read_hot_regions(HOT, flows, "write", 0.1)

    assert [region.region_id for region in found] == ["7"]
    # 12 MB/s over three stores are 4 MB/s of the clients', since each write is counted on its three replicas
    assert found[0].cluster_share_ratio == pytest.approx(max(3e6 / 4e6, 5000 / 6000, 400 / 1500))
    assert found[0].store_share_ratio == pytest.approx(400 / 500)
    assert (found[0].by, found[0].store_ids) == ("keys", ("1", "4", "5"))


def test_in_an_idle_cluster_nothing_is_hot() -> None:
    flows = [StoreFlow(store_id="1", write_bytes=1500, write_keys=40, write_queries=2)]
    assert read_hot_regions(HOT, flows, "write", 0.1) == ()


def test_a_cluster_that_is_not_ready_has_no_hot_regions() -> None:
    assert read_hot_regions(None, (), "read", 0.1) == ()


def test_settings_are_flat_and_their_booleans_are_booleans() -> None:
    config = read_config(VALID["config"]).values

    assert config["schedule.leader-schedule-limit"] == 4
    assert config["schedule.enable-debug"] is True
    assert config["schedule.list.0"] == 1
    assert config["schedule.list.1.x"] is None


@pytest.mark.parametrize("body", ["no settings", None, []])
def test_a_scheduler_without_settings_has_none(body: JsonValue) -> None:
    assert read_scheduler_config(body).values == {}


def test_paused_schedulers_are_read_with_and_without_their_times() -> None:
    body: JsonValue = [
        "balance-leader-scheduler",
        {"name": "balance-region-scheduler", "paused_at": "x", "resume_at": "y"},
    ]
    assert read_paused(body) == ("balance-leader-scheduler", "balance-region-scheduler")


@pytest.mark.parametrize(("ts", "known"), [(18446744073709551615, False), (0, False), (470673075275563025, True)])
def test_a_resolved_timestamp_of_all_ones_or_zero_is_unknown(ts: int, known: bool) -> None:
    found = read_resolved_ts({"is_real_time": True, "min_resolved_ts": ts})
    assert (found.ts is not None, found.at is not None) == (known, known)


def test_a_service_that_never_expires_has_no_end() -> None:
    found = read_gc_safe_point(VALID["gc"])
    assert (found.services[0].expires_at, found.gc_safe_point_at) == (None, None)


def test_etcd_says_its_health_as_a_text() -> None:
    assert read_etcd_health({"health": "true", "reason": ""}).healthy
    assert read_etcd_health({"health": "false", "reason": "RAFT NO LEADER"}).reason == "RAFT NO LEADER"
