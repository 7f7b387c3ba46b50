"""What people do on purpose, and in order, is no fault."""

from datetime import timedelta

from opsai_tikv.invariants import judge
from tests.tikv.scene import AT, MEMBERS, ONSET, Scene


def _violated(scene: Scene) -> set[str]:
    return {verdict.invariant for verdict in judge(scene.facts()) if verdict.state == "violated"}


def test_a_pd_member_that_restarts_in_order_has_its_minute() -> None:
    scene = Scene()
    scene.member("pd-c", client_port="refused", sees_leader=None)
    scene.log("pd-c", "pd_stop", age_seconds=20, silent_seconds=20)
    assert "pd_member_up" not in _violated(scene)


def test_a_pd_member_that_stays_away_after_its_minute_is_down() -> None:
    scene = Scene()
    scene.member("pd-c", client_port="refused", sees_leader=None)
    scene.log("pd-c", "pd_stop", age_seconds=100, silent_seconds=100)
    assert "pd_member_up" in _violated(scene)


def test_leader_changes_of_a_rolling_restart_of_pd_are_orderly() -> None:
    scene = Scene()
    for step, member in enumerate(("pd-b", "pd-c")):
        for other in MEMBERS:
            scene.set("leading", other, float(other == member), ONSET + 3 * step)
    assert "pd_leader_stable" in _violated(scene)
    for member in ("pd-a", "pd-b"):
        scene.log(member, "pd_stop", age_seconds=90)
    assert "pd_leader_stable" not in _violated(scene)


def test_a_store_that_restarts_in_order_has_its_minute() -> None:
    scene = Scene()
    scene.vanish("store:2", ONSET + 8)
    scene.store("store:2", status_port="refused", state="Disconnected", heartbeat_age_seconds=25.0)
    scene.accuse("store:2")
    scene.log("store:2", "signal_stop", age_seconds=25, silent_seconds=24)
    assert _violated(scene) & {"store_up", "store_reachable", "store_keeps_leaders"} == set()


def test_a_store_that_came_back_in_order_is_no_crash() -> None:
    scene = Scene()
    scene.set("start_time", "store:2", (AT - timedelta(seconds=60)).timestamp(), ONSET + 5)
    scene.log("store:2", "signal_stop", age_seconds=80)
    scene.log("store:2", "welcome", age_seconds=60)
    scene.lose_leaders("store:2")
    assert _violated(scene) & {"store_stays_up", "store_keeps_leaders"} == set()


def test_a_store_that_came_back_without_a_signal_has_crashed() -> None:
    scene = Scene()
    scene.set("start_time", "store:2", (AT - timedelta(seconds=60)).timestamp(), ONSET + 5)
    scene.log("store:2", "welcome", age_seconds=60)
    assert "store_stays_up" in _violated(scene)


def test_a_new_pd_leader_does_not_yet_know_which_stores_are_alive() -> None:
    scene = Scene()
    scene.leader = "pd-b"
    scene.set("leading", "pd-a", 0, -2 % len(scene.points["leading"]["pd-a"]))
    scene.set("leading", "pd-b", 1, -2 % len(scene.points["leading"]["pd-b"]))
    scene.store("store:2", state="Disconnected", heartbeat_age_seconds=200.0)
    verdicts = {(verdict.invariant, verdict.entity): verdict.state for verdict in judge(scene.facts())}
    assert verdicts["store_up", "store:2"] == "unknown"
