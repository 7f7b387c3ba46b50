"""Who led PD is told by Prometheus, else by the other members' logs, else by nobody."""

from opsai_subjects.differential import rank
from opsai_tikv.facts import groups
from opsai_tikv.faults import FAULTS
from opsai_tikv.invariants import judge
from opsai_tikv.signs import signs
from tests.tikv.scene import MEMBERS, Scene


def _gone(entity: str, *, lost_by: tuple[str, ...] = (), logs: bool = True) -> Scene:
    """Let a member's process be gone where Prometheus has nothing of PD and another member leads."""
    scene = Scene()
    for name in ("leading", "etcd_leading", "up", "scrape_seconds"):
        for member in MEMBERS:
            scene.set(name, member, None, 0)
    ident = int(scene.members[entity].member_id)
    for member in MEMBERS:
        scene.member(member, is_leader=member == "pd-b", sees_leader="pd-b")
        if not logs:
            del scene.logs[member]
    scene.leader = "pd-b"
    scene.member(entity, client_port="refused", sees_leader=None, is_leader=False, health=False)
    for member in lost_by:
        scene.log(member, "etcd_leader_lost", sample=f"raft.node: b0b lost leader {ident:x} at term 3")
    return scene


def _causes(scene: Scene) -> list[tuple[str, str]]:
    facts = scene.facts()
    return [(cause.kind, cause.entity) for cause in rank(FAULTS, signs(facts), groups(facts)).causes]


def test_whom_the_others_lost_as_their_leader_had_led() -> None:
    assert _causes(_gone("pd-a", lost_by=("pd-b", "pd-c"))) == [("pd_leader_down", "pd-a")]


def test_where_the_others_lost_no_leader_a_follower_is_gone() -> None:
    assert _causes(_gone("pd-a")) == [("pd_follower_down", "pd-a")]


def test_a_loss_of_another_leader_does_not_speak_of_this_one() -> None:
    scene = _gone("pd-c")
    scene.log("pd-b", "etcd_leader_lost", sample="raft.node: b0b lost leader 1 at term 3")
    assert _causes(scene) == [("pd_follower_down", "pd-c")]


def test_without_logs_and_prometheus_nobody_knows_who_led() -> None:
    scene = _gone("pd-a", logs=False)
    assert _causes(scene) == []
    states = {sign.id: sign.state for sign in signs(scene.facts()) if sign.entity == "pd-a"}
    assert {states[name] for name in ("was_leader", "led_lately")} == {"unknown"}


def _leaving(scene: Scene) -> str:
    verdicts = judge(scene.facts())
    return next(v.state for v in verdicts if (v.invariant, v.entity) == ("store_leaves", "store:2"))


def test_a_store_that_leaves_is_not_called_stuck_where_no_metric_counts_its_regions() -> None:
    scene = Scene()
    scene.store("store:2", state="Offline")
    assert _leaving(scene) == "violated"  # its regions are counted, and stay

    scene.set("regions", "store:2", None, 0)
    assert _leaving(scene) == "unknown"
    scene.store("store:2", heartbeat_age_seconds=300.0)
    assert _leaving(scene) == "violated"  # whoever is silent hands over nothing
