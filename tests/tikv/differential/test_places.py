"""Stores that share a place: gone together they are one cause, and as many copies are lost as places are."""

from opsai_subjects.differential import rank
from opsai_subjects.fault import Candidate
from opsai_tikv.facts import groups, places, same_entity
from opsai_tikv.faults import FAULTS
from opsai_tikv.invariants import INVARIANTS, judge
from opsai_tikv.signs import signs
from tests.server.watching.looking import Looks
from tests.tikv.deeds.register import gone
from tests.tikv.scene import Scene


def _zones(*lost: str) -> Scene:
    scene = Scene()
    scene.zones("z1", "z2", "z3")
    for store in lost:
        gone(scene, store)
    return scene


def _causes(scene: Scene) -> tuple[Candidate, ...]:
    facts = scene.facts()
    return rank(FAULTS, signs(facts), groups(facts)).causes


def _violated(scene: Scene) -> set[tuple[str, str]]:
    return {(verdict.invariant, verdict.entity) for verdict in judge(scene.facts()) if verdict.state == "violated"}


def test_a_zone_whose_stores_are_all_gone_is_one_cause() -> None:
    scene = _zones("store:2", "store:5")
    assert [(cause.kind, cause.entity) for cause in _causes(scene)] == [("place_down", "place:zone=z2")]
    assert ("place_up", "place:zone=z2") in _violated(scene)
    assert ("stores_within_replicas", "cluster") not in _violated(scene), "each region has one copy in that zone"


def test_one_store_of_a_zone_is_a_store_that_is_down() -> None:
    scene = _zones("store:5")
    assert [(cause.kind, cause.entity) for cause in _causes(scene)] == [("tikv_down", "store:5")]
    assert "place_up" not in {invariant for invariant, _ in _violated(scene)}


def test_stores_of_two_zones_lost_may_cost_a_majority() -> None:
    scene = _zones("store:2", "store:3")
    assert [cause.kind for cause in _causes(scene)] == ["tikv_quorum_loss"]


def test_a_machine_with_two_stores_and_no_labels_may_hold_two_copies() -> None:
    scene = Scene()
    scene.store("store:3", address="10.0.0.2:20161")
    for store in ("store:2", "store:3"):
        gone(scene, store)
    assert list(places(scene.facts())) == ["place:host=10.0.0.2"]
    assert ("place_up", "place:host=10.0.0.2") in _violated(scene)
    assert [cause.kind for cause in _causes(scene)] == ["tikv_quorum_loss"], (
        "what matters most is what cannot be served"
    )


def test_zones_fewer_than_copies_do_not_keep_copies_apart() -> None:
    scene = _zones("store:2", "store:5")
    for store in scene.stores:
        scene.store(store, labels={"zone": "z2" if store in ("store:2", "store:5") else "z1"})
    assert [cause.kind for cause in _causes(scene)] == ["tikv_quorum_loss"]


def test_a_place_that_holds_every_store_is_none() -> None:
    scene = Scene()
    scene.zones("z1", "z2", "z3")
    for store in scene.stores:
        scene.store(store, labels={"zone": "z1"})
    assert places(scene.facts()) == {}


def test_a_place_is_an_entity_that_can_be_asked_for() -> None:
    assert same_entity(_zones().facts(), "place:zone=z2") == "place:zone=z2"


def test_labels_on_one_machine_alone_are_all_there_is_to_tell_stores_apart() -> None:
    scene = Scene()
    scene.zones("z1", "z2", "z3")
    for store in scene.stores:
        scene.store(store, address=f"127.0.0.1:{20160 + int(store[-1])}")
    assert _causes(scene) == ()


def test_a_zone_that_goes_is_one_incident_however_many_stores_it_had() -> None:
    verdicts = {
        (verdict.invariant, verdict.entity): verdict.state for verdict in judge(_zones("store:2", "store:5").facts())
    }
    looks = Looks(invariants=INVARIANTS)
    looks.repeat(4, verdicts)
    parents = [ticket for ticket in looks.tickets.values() if ticket.parent is None]
    assert [(ticket.invariant, ticket.entity) for ticket in parents] == [("place_up", "place:zone=z2")]
    assert {"store:2", "store:5"} <= {ticket.entity for ticket in looks.tickets.values() if ticket.parent}


def test_a_zone_that_goes_store_by_store_ends_as_one_incident() -> None:
    looks = Looks(invariants=INVARIANTS)
    for lost in (("store:2",), ("store:2", "store:5")):
        verdicts = {(verdict.invariant, verdict.entity): verdict.state for verdict in judge(_zones(*lost).facts())}
        looks.repeat(3, verdicts)
    parents = [ticket for ticket in looks.tickets.values() if ticket.parent is None]
    assert [ticket.headline for ticket in parents] == ["place_up is violated on place:zone=z2"]
