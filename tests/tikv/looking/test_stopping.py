"""Whether a node may be stopped is safe only where fresh facts show that no quorum would be lost."""

from opsai_tikv.facts import TikvFacts
from opsai_tikv.stopping import stop_risk
from tests.tikv.scene import POINTS, Scene


def _state(scene: Scene, entity: str, **changes: object) -> str:
    facts: TikvFacts = scene.facts().model_copy(update=changes)
    return stop_risk(facts, entity).state


def test_one_of_three_well_stores_may_be_stopped() -> None:
    assert _state(Scene(), "store:2") == "safe"


def test_no_store_may_be_stopped_while_another_is_down() -> None:
    scene = Scene()
    scene.store("store:3", state="Disconnected", heartbeat_age_seconds=90.0)
    assert _state(scene, "store:2") == "at_risk"


def test_a_store_that_is_down_already_may_be_stopped_when_the_others_are_well() -> None:
    scene = Scene()
    scene.store("store:2", state="Down", heartbeat_age_seconds=4000.0)
    scene.region_states["pending-peer"] = 30
    assert _state(scene, "store:2") == "safe"


def test_no_well_store_may_be_stopped_while_regions_lack_peers() -> None:
    scene = Scene()
    scene.region_states["down-peer"] = 1
    assert _state(scene, "store:2") == "at_risk"


def test_stale_heartbeats_of_another_store_are_no_proof_of_its_health() -> None:
    scene = Scene()
    scene.store("store:3", heartbeat_age_seconds=200.0)
    assert _state(scene, "store:2") == "at_risk"


def test_what_pd_does_not_say_is_unknown_and_never_safe() -> None:
    for missing in ({"stores_known": False}, {"region_states": None}, {"max_replicas": None}):
        assert _state(Scene(), "store:2", **missing) == "unknown"
    assert _state(Scene(), "region:7") == "unknown"


def test_one_of_three_well_members_may_be_stopped_and_none_when_one_is_gone() -> None:
    assert _state(Scene(), "pd-c") == "safe"
    scene = Scene()
    scene.member("pd-b", client_port="refused", sees_leader=None)
    assert _state(scene, "pd-c") == "at_risk"


def test_a_member_that_nobody_asked_makes_it_unknown() -> None:
    scene = Scene()
    scene.member("pd-b", client_port="unknown", sees_leader=None)
    assert _state(scene, "pd-c") == "unknown"


def test_just_after_a_change_of_pd_leader_silence_is_no_proof_and_nothing_is_called_safe() -> None:
    scene = Scene()
    scene.store("store:3", state="Disconnected", heartbeat_age_seconds=200.0)
    scene.set("leading", "pd-a", 0, since=0, until=POINTS - 2)
    assert _state(scene, "store:2") == "unknown"
