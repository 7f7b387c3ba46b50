"""CASES: what breaks an invariant and what hides it, hand-made, for those that no recording and no deed shows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from opsai_tikv.facts import CLUSTER, HotRegion
from tests.tikv.scene import AT, ONSET, POINTS, STORES, Scene

Do = Callable[[Scene], None]


@dataclass(frozen=True)
class Case:
    """One invariant on one entity."""

    invariant: str
    entity: str
    breaks: Do
    hides: Do


def sets(name: str, entity: str, value: float | None, since: int = ONSET) -> Do:
    return lambda scene: scene.set(name, entity, value, since)


def hides(name: str, *entities: str) -> Do:
    def do(scene: Scene) -> None:
        for entity in entities:
            scene.set(name, entity, None, 0)

    return do


def signal(invariant: str, entity: str, name: str, value: float) -> Case:
    """Return the case of an invariant that stands on one signal."""
    return Case(invariant, entity, sets(name, entity, value), hides(name, entity))


def _pools(scene: Scene) -> None:
    for pool in ("raftstore", "unified_read"):
        scene.set(f"pool_busy:{pool}", "store:2", None, 0)


def _memory_jumps(scene: Scene) -> None:
    scene.set("rss_bytes", "store:2", 8e9, POINTS - 5)


def _leader_of_etcd_moves(scene: Scene) -> None:
    scene.set("etcd_leading", "pd-a", 0)
    scene.set("etcd_leading", "pd-b", 1)


def _one_member(scene: Scene) -> None:
    del scene.members["pd-b"], scene.members["pd-c"]


def _nobody_knows_the_members(scene: Scene) -> None:
    scene.leader_known = False


def _states(**counts: int) -> Do:
    def do(scene: Scene) -> None:
        assert scene.region_states is not None
        scene.region_count = 20_000
        scene.region_states |= {name.replace("_", "-"): count for name, count in counts.items()}

    return do


def _no_states(scene: Scene) -> None:
    scene.region_states = None


def _regions_without_a_leader(scene: Scene) -> None:
    for store in STORES:
        scene.set("leaders", store, 20)


def _one_store_uncounted(scene: Scene) -> None:
    scene.set("leaders", "store:3", None)


def _regions_pile_up(scene: Scene) -> None:
    for store, count in (("store:1", 200), ("store:2", 1800), ("store:3", 200)):
        scene.store(store, region_count=count)
        scene.set("regions", store, count)


def _no_capacity(scene: Scene) -> None:
    scene.store("store:2", capacity_bytes=None)


def _checker_paused(scene: Scene) -> None:
    scene.paused_checkers = ("merge",)


def _checkers_unread(scene: Scene) -> None:
    scene.paused_checkers = None


def _no_versions(scene: Scene) -> None:
    for store in STORES:
        scene.store(store, version="")
    for member in scene.members:
        scene.member(member, version="")


def _half_upgraded(scene: Scene) -> None:
    scene.store("store:2", version="8.5.5")


def _tombstone(scene: Scene) -> None:
    scene.tombstone("store:9", heartbeat_age_seconds=20 * 86_400.0)


def _stores_unread(scene: Scene) -> None:
    scene.stores_known = False


def _label_forgotten(scene: Scene) -> None:
    scene.config["replication.location-labels"] = "zone,host"
    for store in STORES:
        scene.store(store, labels={"zone": "a", "host": store})
    scene.store("store:2", labels={"host": "h2"})


def _settings_of_its_own(scene: Scene) -> None:
    scene.store_config = {"store:2": {"raftstore.apply-max-batch-size": 1}}


def _settings_unread(scene: Scene) -> None:
    scene.store_config = None


def _pd_counts_wrong(scene: Scene) -> None:
    scene.store("store:2", leader_count=90)


def _gc_stands_still(scene: Scene) -> None:
    scene.set("gc_safe_point_age", "store:2", 20_000.0)


def _gc_unread(scene: Scene) -> None:
    scene.gc_known = False


def _resolved_ts_stuck(scene: Scene) -> None:
    for index in range(POINTS):
        scene.set("resolved_ts_gap", "store:2", 100_000.0 + 15_000.0 * index, index, index + 1)


def _misrouted(scene: Scene) -> None:
    scene.set("misrouted_rate", "store:2", 60.0)


def _behind_a_wall(scene: Scene) -> None:
    scene.store("store:2", status_port="timed_out")


def _never_asked(scene: Scene) -> None:
    scene.store("store:2", status_port="unknown")


def _log_moved(scene: Scene) -> None:
    scene.log("store:2", silent_seconds=9000)


def _log_unread(scene: Scene) -> None:
    del scene.logs["store:2"]


def _restarts(scene: Scene) -> None:
    scene.set("start_time", "store:2", AT.timestamp() - 60, ONSET + 5)


def _clock_jumps(scene: Scene) -> None:
    assert scene.clocks is not None
    scene.clocks["store:2"] = 75.0


def _our_clock_is_late(scene: Scene) -> None:
    scene.clocks = dict.fromkeys((*STORES, "pd-a"), 40.0)


def _prometheus_is_late(scene: Scene) -> None:
    assert scene.clocks is not None
    scene.clocks["prometheus"] = -20.0


def _no_clocks(scene: Scene) -> None:
    scene.clocks = None


def _certificate_ends(scene: Scene) -> None:
    scene.certificates = {
        "https://10.0.1.97:2379": AT + timedelta(days=3),
        "https://10.0.1.98:2379": AT + timedelta(days=300),
    }


def _certificate_unchecked(scene: Scene) -> None:
    scene.certificates = {"https://10.0.1.97:2379": None}


def _one_region_is_hot(scene: Scene) -> None:
    for store in STORES:
        scene.set("writes", store, 100.0)
    scene.hot_writes = (HotRegion(region_id="7", leader_store="store:1", share=0.6, keys_per_second=90),)


def _traffic_unread(scene: Scene) -> None:
    scene.hot_writes = None


def _disk_nearly_full(scene: Scene) -> None:
    scene.set("available_bytes", "store:2", 3e10)


def _space_unread(scene: Scene) -> None:
    scene.set("available_bytes", "store:2", None, 0)
    scene.store("store:2", available_bytes=None)


def _rows_are_fought_for(scene: Scene) -> None:
    for store in STORES:
        scene.set("conflicts", store, 60.0)


def _waits_unread(scene: Scene) -> None:
    del scene.points["latch_p99"], scene.points["conflicts"]


CASES: tuple[Case, ...] = (
    signal("pd_cpu_enough", "pd-a", "schedule_latency_p99", 0.3),
    signal("pd_disk_space", "pd-a", "etcd_quota_ratio", 0.9),
    signal("store_pd_link", "store:2", "pd_reconnects", 6.0),
    Case("store_disk_space", "store:2", _disk_nearly_full, _space_unread),
    Case("load_even", "region", _one_region_is_hot, _traffic_unread),
    Case("transactions_flow", "load", _rows_are_fought_for, _waits_unread),
    signal("pd_saves_fast", "pd-a", "etcd_txn_p99", 2.0),
    signal("pd_timestamps_fast", CLUSTER, "tso_p99", 0.4),
    signal("pd_clock_true", CLUSTER, "tso_ahead_seconds", 60.0),
    signal("pd_clock_true", CLUSTER, "tso_ahead_seconds", -8.0),
    signal("pd_memory_enough", "pd-a", "memory_ratio", 0.9),
    Case("pd_leads_its_etcd", CLUSTER, _leader_of_etcd_moves, hides("etcd_leading", "pd-a")),
    Case("pd_members_enough", CLUSTER, _one_member, _nobody_knows_the_members),
    Case("replicas_alive", CLUSTER, _states(down_peer=3), _no_states),
    Case("regions_led", CLUSTER, sets("leader_missing", "store:1", 4.0), _one_store_uncounted),
    Case("regions_led", CLUSTER, _regions_without_a_leader, _one_store_uncounted),
    Case("regions_merged", CLUSTER, _states(empty=15_000), _no_states),
    Case("regions_split", CLUSTER, _states(oversized=5_000), _no_states),
    Case("regions_spread", "store:2", _regions_pile_up, _no_capacity),
    Case("checkers_run", CLUSTER, _checker_paused, _checkers_unread),
    signal("operators_finish", CLUSTER, "operator_timeouts", 6.0),
    signal("replicas_find_stores", CLUSTER, "no_store_events", 0.4),
    signal("store_memory_enough", "store:2", "memory_ratio", 0.92),
    Case("store_memory_steady", "store:2", _memory_jumps, hides("rss_bytes", "store:2")),
    Case("store_pools_free", "store:2", sets("pool_busy:unified_read", "store:2", 0.97), _pools),
    signal("store_raft_loop_fast", "store:2", "raft_loop_p999", 4.0),
    signal("store_followers_keep_up", "store:2", "log_lag_p99", 9_000.0),
    signal("store_reads_begin_fast", "store:2", "snapshot_p99", 2.0),
    signal("store_coprocessor_starts", "store:2", "coprocessor_wait_p9999", 30.0),
    signal("store_workers_keep_up", "store:2", "worker_pending", 5_000.0),
    signal("store_writes_drain", "store:2", "scheduler_contexts", 4_000.0),
    signal("store_l0_compacted", "store:2", "l0_files", 35.0),
    signal("store_compaction_keeps_up", "store:2", "pending_compaction_bytes", 4e11),
    Case("versions_alike", CLUSTER, _half_upgraded, _no_versions),
    Case("tombstones_cleared", CLUSTER, _tombstone, _stores_unread),
    Case("store_labelled", "store:2", _label_forgotten, _stores_unread),
    Case("store_settings_alike", "store:2", _settings_of_its_own, _settings_unread),
    Case("store_picture_true", "store:2", _pd_counts_wrong, hides("leaders", "store:2")),
    Case("store_requests_routed", "store:2", _misrouted, hides("misrouted_rate", "store:2")),
    signal("store_snapshots_arrive", "store:2", "snapshot_failures", 0.5),
    Case("store_resolved_ts_advances", "store:2", _resolved_ts_stuck, hides("resolved_ts_gap", "store:2")),
    Case("store_gc_follows", "store:2", _gc_stands_still, _gc_unread),
    Case("node_answers_us", "store:2", _behind_a_wall, _never_asked),
    Case("node_clock_true", "store:2", _clock_jumps, _no_clocks),
    Case("our_clock_true", CLUSTER, _our_clock_is_late, _no_clocks),
    Case("our_clock_true", CLUSTER, _prometheus_is_late, _no_clocks),
    Case("certificates_last", CLUSTER, _certificate_ends, _certificate_unchecked),
    Case("log_written", "store:2", _log_moved, _log_unread),
    signal("rates_have_samples", CLUSTER, "scrapes_in_range", 1.0),
    Case("target_scraped", "store:2", sets("up", "store:2", 0.0), lambda scene: scene.points["up"].clear()),
    Case("target_scraped", "store:2", sets("up", "store:2", None), lambda scene: scene.points["up"].clear()),
)
