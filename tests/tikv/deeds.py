"""What can be done to a scene: one deed for each fault kind, written from what the fault does and not from its signs."""

from collections.abc import Callable

from opsai_tikv.facts import HotRegion
from tests.tikv.scene import AT, MEMBERS, ONSET, POINTS, STORES, Scene

DEEDS: dict[str, tuple[Callable[[Scene], None], str, frozenset[str]]] = {}
"""Name of the deed to what it does, the kind it is, and the entities any of which is right."""


def deed(kind: str, *entities: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a deed."""

    def register(do: Callable[[Scene], None]) -> Callable[[Scene], None]:
        DEEDS[do.__name__] = (do, kind, frozenset(entities))
        return do

    return register


def _gone(scene: Scene, store: str) -> None:
    scene.vanish(store)
    scene.set("scrape_seconds", store, 0.0004)
    scene.store(store, status_port="refused", state="Disconnected", heartbeat_age_seconds=130.0, leader_count=0)
    scene.log(store, silent_seconds=135)
    scene.accuse(store)


def _mute(scene: Scene, store: str) -> None:
    scene.vanish(store)
    scene.set("scrape_seconds", store, 5.0)
    scene.store(store, status_port="timed_out", state="Disconnected", heartbeat_age_seconds=130.0, leader_count=0)
    scene.accuse(store)


@deed("tikv_down", "store:2")
def a_store_is_killed(scene: Scene) -> None:
    _gone(scene, "store:2")


@deed("tikv_down", "store:2")
def a_store_is_stopped_in_order_and_forgotten(scene: Scene) -> None:
    _gone(scene, "store:2")
    scene.log("store:2", "signal_stop", age_seconds=134, silent_seconds=133)


@deed("tikv_crash_loop", "store:2")
def a_store_dies_and_returns(scene: Scene) -> None:
    first, second = ONSET, ONSET + 5
    scene.set("start_time", "store:2", AT.timestamp() - 130, first)
    scene.set("start_time", "store:2", AT.timestamp() - 60, second)
    scene.set("up", "store:2", 0, ONSET + 4, ONSET + 5)
    scene.log("store:2", "welcome", count=2, age_seconds=60)
    scene.log("store:2", "panic", count=2, age_seconds=62)
    scene.lose_leaders("store:2")


@deed("tikv_oom", "store:2")
def a_store_is_killed_for_its_memory_twice(scene: Scene) -> None:
    a_store_dies_and_returns(scene)
    scene.logs["store:2"].patterns.pop("panic")
    scene.set("rss_bytes", "store:2", 7.6e9, ONSET - 3, ONSET)


@deed("tikv_hang/frozen", "store:2")
def a_store_is_frozen(scene: Scene) -> None:
    _mute(scene, "store:2")
    scene.log("store:2", silent_seconds=135)


@deed("tikv_hang/grpc", "store:2")
def a_stores_grpc_is_paused(scene: Scene) -> None:
    scene.accuse("store:2")
    scene.set("requests", "store:2", 0)
    scene.set("raft_received", "store:2", 0)
    scene.lose_leaders("store:2")
    scene.set("votes", "store:2", 3)


@deed("tikv_partition", "store:2")
def a_store_is_cut_off_from_all(scene: Scene) -> None:
    _mute(scene, "store:2")
    scene.log("store:2", "connect_timeout", count=40, accuses=("10.0.0.1:20160", "10.0.0.3:20160"))


@deed("tikv_pd_partition", "store:2")
def a_store_is_cut_off_from_pd(scene: Scene) -> None:
    scene.store("store:2", state="Disconnected", heartbeat_age_seconds=130.0)
    scene.set("pd_reconnects", "store:2", 15)
    scene.set("region_heartbeats", "store:2", 0)


@deed("tikv_peer_partition", "store:2")
def a_store_is_cut_off_from_its_peers(scene: Scene) -> None:
    scene.accuse("store:2")
    scene.unreachable["store:2"] = {"store:1": 20.0, "store:3": 20.0}
    scene.set("accused", "store:1", 20)
    scene.set("accused", "store:3", 20)
    scene.set("votes", "store:2", 3)
    scene.set("raft_received", "store:2", 0)
    scene.lose_leaders("store:2")


@deed("tikv_peer_partition", "store:1", "store:2")
def two_stores_are_cut_off_from_each_other(scene: Scene) -> None:
    scene.accuse("store:2", "store:1")
    scene.accuse("store:1", "store:2")


@deed("tikv_client_partition", "store:2")
def a_store_is_cut_off_from_clients(scene: Scene) -> None:
    scene.set("requests", "store:2", 0)
    for other in ("store:1", "store:3"):
        scene.set("requests", other, 40)


@deed("tikv_quorum_loss", "store:2", "store:3")
def two_of_three_stores_are_killed(scene: Scene) -> None:
    for store in ("store:2", "store:3"):
        _gone(scene, store)
        scene.unreachable.pop(store, None)
    scene.unreachable = {"store:1": {"store:2": 20.0, "store:3": 20.0}}
    scene.set("leaders", "store:1", 5)
    scene.set("requests", "store:1", 1)


@deed("tikv_raft_drop", "store:2")
def a_store_rejects_raft_messages(scene: Scene) -> None:
    scene.set("raft_rejects", "store:2", 50)
    scene.set("votes", "store:2", 3)
    scene.lose_leaders("store:2")


@deed("tikv_raft_drop", "store:2")
def a_store_loses_raft_messages_silently(scene: Scene) -> None:
    scene.set("votes", "store:2", 3)
    scene.lose_leaders("store:2")


@deed("tikv_heartbeat_lost", "store:2")
def a_stores_region_heartbeats_are_lost(scene: Scene) -> None:
    scene.set("region_heartbeats", "store:2", 0)


@deed("tikv_cpu", "store:2")
def a_store_starves(scene: Scene) -> None:
    for name, value in {
        "apply_p99": 0.12,
        "apply_wait_p99": 0.2,
        "propose_wait_p99": 0.2,
        "schedule_wait_p99": 0.2,
        "message_delay_p99": 0.2,
        "message_delay_p50": 0.05,
        "scrape_seconds": 2.0,
        "fsync_p99": 0.1,
        "append_p99": 0.16,
        "inspect_p99": 0.4,
        "commit_p99": 0.3,
        "commit_p50": 0.1,
        "async_write_p99": 0.35,
        "scheduler_p99": 0.35,
        "latch_p99": 0.2,
        "grpc_p99": 0.4,
        "slow_score": 100,
        "network_probe_best": 0.05,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_disk_slow", "store:2")
def a_disk_is_slow(scene: Scene) -> None:
    for name, value in {
        "fsync_p99": 0.4,
        "append_p99": 0.45,
        "inspect_p99": 0.6,
        "store_write_wait_p99": 0.4,
        "slow_score": 100,
        "commit_p99": 0.3,
        "commit_p50": 0.05,
        "fsync_rate": 5,
        "async_write_p99": 0.3,
        "grpc_p99": 0.3,
        "scheduler_p99": 0.3,
        "latch_p99": 0.06,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_disk_slow", "store:2")
def a_disk_is_slow_and_its_leaders_have_left(scene: Scene) -> None:
    a_disk_is_slow(scene)
    for name in (
        "commit_p99",
        "commit_p50",
        "async_write_p99",
        "grpc_p99",
        "scheduler_p99",
        "latch_p99",
        "propose_wait_p99",
        "schedule_wait_p99",
    ):
        scene.set(name, "store:2", None, ONSET + 3)
    scene.set("requests", "store:2", 0, ONSET + 3)
    scene.lose_leaders("store:2")


@deed("tikv_disk_hang", "store:2")
def a_disk_hangs(scene: Scene) -> None:
    scene.set("fsync_rate", "store:2", 0)
    for name in ("fsync_p99", "append_p99", "inspect_p99", "commit_p99", "commit_p50", "async_write_p99", "apply_p99"):
        scene.set(name, "store:2", None)
    scene.set("requests", "store:2", 0)
    scene.set("raft_received", "store:2", 300)


@deed("tikv_disk_hang", "store:2")
def a_hung_disk_made_its_store_end_itself(scene: Scene) -> None:
    _gone(scene, "store:2")
    scene.log("store:2", "disk_probe_timeout", age_seconds=70, silent_seconds=70)
    scene.log("store:2", "fatal", age_seconds=70, silent_seconds=70)


@deed("tikv_disk_full", "store:2")
def a_disk_is_full(scene: Scene) -> None:
    scene.set("available_bytes", "store:2", 1e10)
    scene.set("disk_full_errors", "store:2", 20)
    scene.log("store:2", "disk_usage_changed", age_seconds=120)


@deed("tikv_disk_low", "store:2")
def a_disk_runs_low(scene: Scene) -> None:
    scene.set("available_bytes", "store:2", 1.5e11)


@deed("tikv_disk_error", "store:2")
def a_disk_turns_read_only(scene: Scene) -> None:
    _gone(scene, "store:2")
    scene.log("store:2", "disk_error", age_seconds=133, silent_seconds=133)
    scene.log("store:2", "fatal", age_seconds=133, silent_seconds=133)


@deed("tikv_network_delay", "store:2")
def a_stores_network_is_late(scene: Scene) -> None:
    for name, value in {
        "commit_p99": 0.25,
        "commit_p50": 0.2,
        "network_probe_best": 0.2,
        "message_delay_p50": 0.1,
        "message_delay_p99": 0.11,
        "async_write_p99": 0.3,
        "scheduler_p99": 0.3,
        "grpc_p99": 0.3,
        "scrape_seconds": 0.5,
        "pd_request_p99": 0.1,
        "latch_p99": 0.03,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_network_loss", "store:2")
def a_stores_network_loses_packets(scene: Scene) -> None:
    for name, value in {
        "commit_p99": 0.4,
        "commit_p50": 0.006,
        "message_delay_p99": 0.04,
        "async_write_p99": 0.4,
        "scheduler_p99": 0.4,
        "grpc_p99": 0.4,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_network_bandwidth", "store:2")
def a_stores_network_is_narrow(scene: Scene) -> None:
    for name, value in {
        "send_wait_p99": 0.4,
        "commit_p99": 0.5,
        "commit_p50": 0.1,
        "network_probe_best": 0.1,
        "message_delay_p50": 0.02,
        "async_write_p99": 0.5,
        "scheduler_p99": 0.5,
        "grpc_p99": 0.5,
        "scrape_seconds": 3.0,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_network_flap", "store:2")
def a_stores_network_comes_and_goes(scene: Scene) -> None:
    scene.set("up_flips", "store:2", 6)
    scene.accuse("store:2")
    scene.set("votes", "store:2", 2)
    scene.set("leaders", "store:2", 4)


@deed("tikv_raft_log_slow", "store:2")
def a_raft_log_writer_sleeps(scene: Scene) -> None:
    for name, value in {
        "append_p99": 0.5,
        "store_write_wait_p99": 0.5,
        "inspect_p99": 0.5,
        "slow_score": 100,
        "commit_p99": 0.5,
        "async_write_p99": 0.5,
        "scheduler_p99": 0.5,
        "grpc_p99": 0.5,
        "fsync_rate": 3,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_apply_slow", "store:2")
def an_apply_thread_sleeps(scene: Scene) -> None:
    for name, value in {
        "apply_p99": 0.3,
        "apply_wait_p99": 0.6,
        "async_write_p99": 0.6,
        "scheduler_p99": 0.6,
        "grpc_p99": 0.6,
        "latch_p99": 0.1,
    }.items():
        scene.set(name, "store:2", value)


@deed("tikv_scheduler_slow", "store:2")
def a_scheduler_sleeps(scene: Scene) -> None:
    for name, value in {"scheduler_p99": 0.5, "latch_p99": 0.3, "grpc_p99": 0.5}.items():
        scene.set(name, "store:2", value)


@deed("tikv_busy", "store:2")
def a_scheduler_refuses(scene: Scene) -> None:
    scene.set("busy", "store:2", 30)


@deed("tikv_write_stall", "store:2")
def a_flush_does_not_end(scene: Scene) -> None:
    scene.set("throttle", "store:2", 2e6)
    scene.set("immutable_memtables", "store:2", 5)
    scene.set("busy", "store:2", 5)
    scene.set("async_write_p99", "store:2", 0.5)
    scene.set("apply_p99", "store:2", 0.5)


@deed("tikv_read_error", "store:2")
def a_snapshot_fails(scene: Scene) -> None:
    scene.set("read_failures", "store:2", 30)


@deed("tikv_config", "store:2")
def a_store_is_set_differently(scene: Scene) -> None:
    scene.store_config = {"store:2": {"raftstore.raft-base-tick-interval": "10s"}}


@deed("pd_leader_down", "pd-a")
def the_pd_leader_is_killed(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "refused", 0.0004)
    scene.log("pd-a", silent_seconds=135)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_follower_down", "pd-c")
def a_pd_follower_is_killed(scene: Scene) -> None:
    _member_gone(scene, "pd-c", "refused", 0.0004)
    scene.log("pd-c", silent_seconds=135)


@deed("pd_leader_hang", "pd-a")
def the_pd_leader_is_frozen(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "timed_out", 5.0)
    scene.log("pd-a", silent_seconds=136)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_leader_partition", "pd-a")
def the_pd_leader_is_cut_off_from_all(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "timed_out", 5.0)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_leader_partition", "pd-a")
def the_pd_leader_is_cut_off_from_members(scene: Scene) -> None:
    scene.set("etcd_has_leader", "pd-a", 0)
    scene.set("leading", "pd-a", 0)
    scene.set("etcd_leading", "pd-a", 0)
    _elect(scene, "pd-b", losers=("pd-a",))
    scene.member("pd-a", sees_leader="")


@deed("pd_follower_partition", "pd-c")
def a_pd_follower_is_cut_off_from_members(scene: Scene) -> None:
    scene.set("etcd_has_leader", "pd-c", 0)
    scene.member("pd-c", sees_leader="")


@deed("pd_quorum_loss", "pd-a", "pd-b")
def two_of_three_members_are_killed(scene: Scene) -> None:
    for member in ("pd-a", "pd-b"):
        _member_gone(scene, member, "refused", 0.0004)
    scene.leader = None
    scene.stores_known = False
    scene.member("pd-c", sees_leader="")
    scene.set("etcd_has_leader", "pd-c", 0)
    for store in STORES:
        scene.set("requests", store, 0)
        scene.set("pd_reconnects", store, 10)
        scene.store(store, state="unknown", heartbeat_age_seconds=None)


@deed("pd_leader_flap", *MEMBERS)
def the_pd_leader_changes_again_and_again(scene: Scene) -> None:
    for index in range(ONSET, POINTS):
        holder = MEMBERS[(index // 2) % 3]
        for member in MEMBERS:
            scene.set("leading", member, float(member == holder), index, index + 1)
    holder = MEMBERS[((POINTS - 1) // 2) % 3]
    scene.leader = holder
    for member in MEMBERS:
        scene.member(member, is_leader=member == holder, sees_leader=holder)


@deed("pd_client_partition", "pd-a")
def stores_are_cut_off_from_the_pd_leader(scene: Scene) -> None:
    for store in STORES:
        scene.store(store, state="Disconnected", heartbeat_age_seconds=130.0)
        scene.set("pd_reconnects", store, 12)
        scene.set("region_heartbeats", store, 0)
        scene.set("requests", store, 1)


@deed("pd_disk_slow", "pd-a")
def the_pd_leaders_disk_is_slow(scene: Scene) -> None:
    scene.set("wal_fsync_p99", "pd-a", 0.6)


@deed("pd_disk_hang", "pd-c")
def a_pd_members_disk_hangs(scene: Scene) -> None:
    scene.set("wal_fsync_rate", "pd-c", 0)
    scene.set("wal_fsync_p99", "pd-c", None)


@deed("pd_disk_full", "pd-a")
def a_pd_members_disk_is_full(scene: Scene) -> None:
    scene.log("pd-a", "no_space", count=9)


@deed("pd_disk_error", "pd-a")
def a_pd_members_disk_fails(scene: Scene) -> None:
    scene.log("pd-a", "disk_error", count=9)


@deed("pd_cpu", "pd-a")
def a_pd_member_starves(scene: Scene) -> None:
    for name, value in {
        "schedule_latency_p99": 0.08,
        "wal_fsync_p99": 0.2,
        "peer_rtt_best": 0.2,
        "peer_rtt_p99": 0.4,
        "scrape_seconds": 1.5,
    }.items():
        scene.set(name, "pd-a", value)


@deed("pd_network_delay", "pd-a")
def a_pd_members_network_is_late(scene: Scene) -> None:
    scene.set("peer_rtt_best", "pd-a", 0.2)
    for member in MEMBERS:
        scene.set("peer_rtt_p99", member, 0.21)


@deed("pd_network_loss", "pd-a")
def a_pd_members_network_loses_packets(scene: Scene) -> None:
    scene.set("peer_rtt_p99", "pd-a", 0.4)
    for member in ("pd-b", "pd-c"):
        scene.set("peer_rtt_p99", member, 0.12)


@deed("pd_config", "config:schedule.leader-schedule-limit")
def a_limit_is_set_to_nothing(scene: Scene) -> None:
    scene.config["schedule.leader-schedule-limit"] = 0


@deed("pd_config", "config:schedule.halt-scheduling")
def scheduling_is_halted(scene: Scene) -> None:
    scene.config["schedule.halt-scheduling"] = True


@deed("pd_config", "config:replication.max-replicas")
def more_replicas_are_asked_than_stores_exist(scene: Scene) -> None:
    scene.config["replication.max-replicas"] = 5
    scene.region_states["miss-peer"] = 90


@deed("pd_scheduler", "scheduler:evict-leader-scheduler")
def an_evict_leader_scheduler_is_left_behind(scene: Scene) -> None:
    scene.schedulers = (*scene.schedulers, "evict-leader-scheduler")
    scene.evicting = {"store:2": "evict-leader-scheduler"}
    scene.set("requests", "store:2", 0)
    scene.lose_leaders("store:2")


@deed("pd_scheduler", "scheduler:balance-leader-scheduler")
def a_scheduler_is_removed(scene: Scene) -> None:
    scene.schedulers = tuple(name for name in scene.schedulers if name != "balance-leader-scheduler")


@deed("pd_scheduler", "scheduler:balance-region-scheduler")
def a_scheduler_is_paused(scene: Scene) -> None:
    scene.paused = ("balance-region-scheduler",)


@deed("store_offline", "store:2")
def a_store_cannot_leave(scene: Scene) -> None:
    scene.store("store:2", state="Offline", leader_count=28)


@deed("leader_skew", "store:2")
def leaders_pile_up_on_a_store(scene: Scene) -> None:
    for store, count in (("store:1", 4), ("store:2", 82), ("store:3", 4)):
        scene.store(store, leader_count=count)
        scene.set("leaders", store, count)
        scene.set("requests", store, count * 4)


@deed("hotspot_write", "region")
def clients_write_to_one_region(scene: Scene) -> None:
    for name, value in {
        "writes": 500,
        "requests": 600,
        "written_keys": 900,
        "scheduler_p99": 0.12,
        "grpc_p99": 0.14,
        "latch_p99": 0.03,
        "commit_p99": 0.09,
    }.items():
        scene.set(name, "store:1", value)
    scene.hot_writes = (HotRegion(region_id="7", leader_store="store:1", share=0.6, keys_per_second=800),)


@deed("hotspot_read", "region")
def clients_read_one_region(scene: Scene) -> None:
    for name, value in {"reads": 900, "requests": 950, "read_keys": 9000}.items():
        scene.set(name, "store:1", value)
    scene.hot_reads = (HotRegion(region_id="9", leader_store="store:1", share=0.7, keys_per_second=8000),)


@deed("overload", "load")
def clients_ask_more_than_can_be_carried(scene: Scene) -> None:
    for store in STORES:
        for name, value in {
            "requests": 700,
            "reads": 500,
            "writes": 200,
            "read_keys": 15000,
            "written_keys": 600,
            "grpc_p99": 0.5,
            "async_write_p99": 0.5,
            "scheduler_p99": 0.5,
            "commit_p99": 0.3,
            "fsync_p99": 0.06,
            "apply_p99": 0.02,
            "latch_p99": 0.2,
            "propose_wait_p99": 0.1,
        }.items():
            scene.set(name, store, value)


@deed("overload_scan", "load")
def clients_scan_more_than_can_be_carried(scene: Scene) -> None:
    for store in STORES:
        for name, value in {
            "requests": 200,
            "reads": 160,
            "read_keys": 90_000,
            "grpc_p99": 0.6,
            "read_grpc_p99": 0.7,
            "scans": 60,
        }.items():
            scene.set(name, store, value)


@deed("txn_contention", "load")
def transactions_fight_for_a_row(scene: Scene) -> None:
    for store in STORES:
        scene.set("conflicts", store, 20)
    scene.set("latch_p99", "store:1", 0.1)


@deed("data_growth", "load")
def data_fills_every_disk(scene: Scene) -> None:
    for store in STORES:
        for step in range(10):
            scene.set("available_bytes", store, 6e11 - step * 2.5e10, ONSET + step)
        scene.set("written_keys", store, 900)


@deed("tikv_gc_blocked", "cluster")
def a_backup_holds_gc_back(scene: Scene) -> None:
    scene.gc_age = 9_000.0


def _member_gone(scene: Scene, member: str, port: str, scrape_seconds: float) -> None:
    scene.vanish(member)
    scene.set("scrape_seconds", member, scrape_seconds)
    scene.member(member, client_port=port, sees_leader=None, is_leader=False, is_etcd_leader=False, health=False)


def _elect(scene: Scene, winner: str, losers: tuple[str, ...]) -> None:
    scene.leader = winner
    scene.set("leading", winner, 1, ONSET + 1)
    scene.set("etcd_leading", winner, 1, ONSET + 1)
    for member in MEMBERS:
        if member not in losers:
            scene.member(member, is_leader=member == winner, is_etcd_leader=member == winner, sees_leader=winner)
        else:
            scene.member(member, is_leader=False, is_etcd_leader=False)
