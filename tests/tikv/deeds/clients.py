"""Deeds of operators and clients: settings, schedulers, placement, load."""

from opsai_tikv.facts import HotRegion
from tests.tikv.deeds.register import deed
from tests.tikv.scene import ONSET, STORES, Scene


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
