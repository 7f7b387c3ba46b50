"""Deeds besides what clients do: feeds, snapshots, catching up, dropped tables, waking regions, whole places."""

from tests.tikv.deeds.register import deed, gone
from tests.tikv.scene import AT, ONSET, STORES, Scene


@deed("tikv_cdc_pressure", "store:2")
def a_changefeed_is_resumed(scene: Scene) -> None:
    scene.set("feed_scans", "store:2", 400)
    scene.set("feed_memory_ratio", "store:2", 0.95)
    scene.set("rss_bytes", "store:2", 3e9)


@deed("tikv_cdc_pressure", *STORES)
def log_backup_begins_on_every_store(scene: Scene) -> None:
    for store in STORES:
        scene.set("feed_scans", store, 900)
        scene.set("rss_bytes", store, 7.5e9)


@deed("tikv_peer_stuck", "store:2")
def snapshots_wait_for_a_full_level_0(scene: Scene) -> None:
    scene.set("snapshots_to_apply", "store:2", 12)
    scene.set("pending_compaction_bytes", "store:2", 4e10)
    scene.region_states["pending-peer"] = 12


@deed("tikv_peer_stuck", "store:2")
def snapshots_do_not_get_through(scene: Scene) -> None:
    scene.log("store:2", "snapshot_failed", count=9, age_seconds=20)
    scene.region_states["down-peer"] = 9


@deed("tikv_catching_up", "store:2")
def a_store_returns_and_applies_its_log(scene: Scene) -> None:
    scene.set("start_time", "store:2", AT.timestamp() - 140)
    scene.set("busy_on_apply", "store:2", 60)
    scene.log("store:2", "signal_stop", age_seconds=170)
    scene.log("store:2", "welcome", age_seconds=140)
    scene.lose_leaders("store:2")


@deed("drop_table_compaction", "store:2")
def a_large_table_is_dropped(scene: Scene) -> None:
    scene.set("destroyed_ranges", "store:2", 0.05, ONSET, ONSET + 3)
    scene.set("pending_compaction_bytes", "store:2", 4e11, ONSET + 1)
    scene.set("throttle", "store:2", 3e6, ONSET + 2)
    scene.set("async_write_p99", "store:2", 0.5, ONSET + 2)


@deed("regions_woken", "load")
def every_idle_region_wakes(scene: Scene) -> None:
    for store in STORES:
        scene.set("awake_peers", store, 9_000)
        scene.set("commit_p99", store, 0.4)
        scene.set("raft_dropped", store, 300)
        scene.set("grpc_p99", store, 0.3)


@deed("mvcc_garbage", "load")
def most_of_a_table_was_deleted(scene: Scene) -> None:
    for store in STORES:
        scene.set("skipped_versions", store, 2e6, 0)
        scene.set("read_grpc_p99", store, 0.8, 0)
        scene.set("grpc_p99", store, 0.8, 0)


@deed("range_paused", "cluster")
def an_import_holds_what_a_leaving_store_has(scene: Scene) -> None:
    scene.store("store:2", state="Offline", leader_count=28)
    scene.denied = ("lightning-5f2a",)


@deed("range_paused", "cluster", "scheduler:evict-leader-scheduler")
def an_import_holds_the_leaders_of_a_store_to_be_drained(scene: Scene) -> None:
    scene.schedulers = (*scene.schedulers, "evict-leader-scheduler")
    scene.evicting = {"store:2": "evict-leader-scheduler"}
    scene.denied = ("lightning-5f2a",)


@deed("place_down", "place:zone=z2", "store:2", "store:5")
def a_zone_loses_its_power(scene: Scene) -> None:
    scene.zones("z1", "z2", "z3")
    for store in ("store:2", "store:5"):
        gone(scene, store)


@deed("store_labels", "store:3")
def a_store_is_added_without_its_zone(scene: Scene) -> None:
    scene.zones("z1", "z2", "z3")
    scene.store("store:3", labels={"host": "c"})


@deed("store_labels", "store:2", "store:5")
def stores_of_one_machine_claim_two_zones(scene: Scene) -> None:
    scene.zones("z1", "z2", "z3")
    scene.store("store:5", address="10.0.0.2:20161", labels={"zone": "z3"})
