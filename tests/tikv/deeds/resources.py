"""Deeds to what a store needs: disk, processor, network, stages."""

from tests.tikv.deeds.register import deed, gone
from tests.tikv.scene import ONSET, Scene


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
    gone(scene, "store:2")
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
    gone(scene, "store:2")
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
    scene.store_config = {"store:2": {"storage.flow-control.memtables-threshold": 1}}
    scene.set("throttle", "store:2", 2e6)
    scene.set("async_write_p99", "store:2", 0.5)
