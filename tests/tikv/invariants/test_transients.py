"""What comes and goes in a healthy cluster, and what one missing signal leaves open, break no invariant."""

from datetime import timedelta

from opsai_subjects.invariant import Verdict
from opsai_tikv.facts import HotRegion
from opsai_tikv.gathering.tracking import STEP_SECONDS
from opsai_tikv.invariants import INVARIANTS, judge
from tests.tikv.scene import AT, ONSET, POINTS, STORES, Scene


def _verdict(scene: Scene, invariant: str, entity: str) -> Verdict:
    return next(one for one in judge(scene.facts()) if (one.invariant, one.entity) == (invariant, entity))


def _two_stores_of_a_machine_stop(scene: Scene, age_seconds: float) -> None:
    scene.store("store:3", address="10.0.0.2:20161")
    for store in ("store:2", "store:3"):
        scene.vanish(store, ONSET + 8)
        scene.store(store, status_port="refused", state="Disconnected", heartbeat_age_seconds=age_seconds)
        scene.log(store, "signal_stop", age_seconds=age_seconds, silent_seconds=age_seconds)


def test_a_machine_whose_stores_restart_in_order_has_its_minute() -> None:
    scene = Scene()
    _two_stores_of_a_machine_stop(scene, 30)
    assert _verdict(scene, "place_up", "place:host=10.0.0.2").state == "held"


def test_a_machine_whose_stores_stay_away_after_their_minute_is_down() -> None:
    scene = Scene()
    _two_stores_of_a_machine_stop(scene, 100)
    assert _verdict(scene, "place_up", "place:host=10.0.0.2").state == "violated"


def _memory_jumps(started_seconds_ago: float) -> Scene:
    scene = Scene()
    scene.set("start_time", "store:2", AT.timestamp() - started_seconds_ago, 0)
    scene.set("rss_bytes", "store:2", 8e9, POINTS - 5)
    return scene


def test_a_store_that_started_lately_may_fill_its_block_cache() -> None:
    assert _verdict(_memory_jumps(480), "store_memory_steady", "store:2").state == "held"
    assert _verdict(_memory_jumps(86_400), "store_memory_steady", "store:2").state == "violated"


def _regions_wake() -> Scene:
    scene = Scene()
    for store in STORES:
        scene.set("awake_peers", store, 900)
        scene.set("raft_dropped", store, 30)
    return scene


def test_regions_that_wake_together_break_their_sleep() -> None:
    assert _verdict(_regions_wake(), "regions_sleep", "load").state == "violated"


def test_regions_that_a_restart_in_order_wakes_do_not() -> None:
    scene = _regions_wake()
    scene.set("start_time", "store:2", (AT - timedelta(seconds=60)).timestamp(), ONSET + 5)
    scene.log("store:2", "signal_stop", age_seconds=80)
    scene.log("store:2", "welcome", age_seconds=60)
    assert _verdict(scene, "regions_sleep", "load").state == "held"


def test_regions_that_a_crash_wakes_do() -> None:
    scene = _regions_wake()
    scene.set("start_time", "store:2", (AT - timedelta(seconds=60)).timestamp(), ONSET + 5)
    scene.log("store:2", "welcome", age_seconds=60)
    assert _verdict(scene, "regions_sleep", "load").state == "violated"


def test_regions_that_clients_wake_by_asking_twice_as_much_do_not() -> None:
    scene = _regions_wake()
    for store in STORES:
        scene.set("requests", store, 300)
    assert _verdict(scene, "regions_sleep", "load").state == "held"


def test_one_snapshot_that_failed_is_out_of_the_rate_before_it_is_a_ticket() -> None:
    points_in_range = 8  # 120 s, four scrapes of 30 s
    violated = 0
    for age in range(2 * points_in_range):
        scene = Scene()
        first = POINTS - 1 - age
        scene.set("snapshot_failures", "store:2", 0.0095, first, min(POINTS, first + points_in_range))
        violated += _verdict(scene, "store_snapshots_arrive", "store:2").state == "violated"
    allowed = next(one.for_seconds for one in INVARIANTS if one.id == "store_snapshots_arrive")
    assert 0 < violated * STEP_SECONDS < allowed


def test_requests_of_unknown_number_are_not_all_misrouted() -> None:
    scene = Scene()
    scene.set("misrouted_rate", "store:2", 2.0)
    assert _verdict(scene, "store_requests_routed", "store:2").state == "held", "140 requests/s reach it"
    del scene.points["requests"]["store:2"]
    assert _verdict(scene, "store_requests_routed", "store:2").state == "unknown"


def test_old_versions_are_not_weighed_against_keys_read_that_nobody_counts() -> None:
    scene = Scene()
    for store in STORES:
        scene.set("skipped_versions", store, 50_000)
        scene.set("read_grpc_p99", store, 0.3)
        scene.set("read_keys", store, 40_000)
    assert _verdict(scene, "reads_meet_live_data", "load").state == "held"
    for store in STORES:
        del scene.points["read_keys"][store]
    assert _verdict(scene, "reads_meet_live_data", "load").state == "unknown"


def test_the_only_region_of_an_idle_cluster_is_not_hot() -> None:
    scene = Scene()
    for name in ("requests", "writes", "reads", "written_keys", "read_keys"):
        for store in STORES:
            scene.set(name, store, 0, 0)
    scene.hot_writes = (HotRegion(region_id="2", leader_store="store:1", share=1.0, keys_per_second=1),)
    assert _verdict(scene, "load_even", "region").state != "violated"
