"""Deeds to a store's process, network and quorum."""

from tests.tikv.deeds.register import deed, gone
from tests.tikv.scene import AT, ONSET, Scene


def _mute(scene: Scene, store: str) -> None:
    scene.vanish(store)
    scene.set("scrape_seconds", store, 5.0)
    scene.store(store, status_port="timed_out", state="Disconnected", heartbeat_age_seconds=130.0, leader_count=0)
    scene.accuse(store)


@deed("tikv_down", "store:2")
def a_store_is_killed(scene: Scene) -> None:
    gone(scene, "store:2")


@deed("tikv_down", "store:2")
def a_store_is_stopped_in_order_and_forgotten(scene: Scene) -> None:
    gone(scene, "store:2")
    scene.log("store:2", "signal_stop", age_seconds=134, silent_seconds=133)


@deed("tikv_down", "store:2")
def a_store_dies_and_is_back_at_once(scene: Scene) -> None:
    scene.set("start_time", "store:2", AT.timestamp() - 100, ONSET + 3)
    scene.set("up", "store:2", 0, ONSET + 2, ONSET + 3)
    scene.log("store:2", "welcome", count=1, age_seconds=100)


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


@deed("tikv_oom", "store:2")
def a_store_is_killed_for_its_memory_and_stays_away(scene: Scene) -> None:
    gone(scene, "store:2")
    scene.set("rss_bytes", "store:2", 7.6e9, ONSET - 3, ONSET)


@deed("tikv_oom", "store:2")
def a_store_is_killed_for_its_memory_between_two_scrapes(scene: Scene) -> None:
    gone(scene, "store:2")
    scene.end("store:2", "OOMKilled", 137, age_seconds=135, running=False)


@deed("tikv_oom", "store:2")
def a_store_is_killed_at_its_containers_limit_again_and_again(scene: Scene) -> None:
    a_store_dies_and_returns(scene)
    scene.logs["store:2"].patterns.pop("panic")
    scene.end("store:2", "OOMKilled", None, age_seconds=62, running=True)


@deed("tikv_crash_loop", "store:2")
def a_store_aborts_while_its_memory_is_high(scene: Scene) -> None:
    a_store_is_killed_for_its_memory_twice(scene)
    scene.end("store:2", "Error", 134, age_seconds=62, running=True)


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
        gone(scene, store)
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
