"""A port tells a node that is gone from one that hangs, from one nobody leads to and from one nobody asked."""

import pytest

from opsai_tikv.signs import signs
from tests.tikv.scene import Scene

STORE = ("process_gone", "status_silent", "status_answers")
MEMBER = ("member_refused", "member_silent", "member_answers")
STATES = {
    "answered": ("absent", "absent", "shown"),
    "error": ("absent", "absent", "shown"),
    "refused": ("shown", "absent", "absent"),
    "timed_out": ("absent", "shown", "absent"),
    "unroutable": ("absent", "shown", "absent"),
    "unresolved": ("unknown", "unknown", "unknown"),
    "unknown": ("unknown", "unknown", "unknown"),
}
"""What each outcome shows where Prometheus has no target: that nothing listens, that it is silent, that it answers."""


def _states(scene: Scene, entity: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    found = {sign.id: sign.state for sign in signs(scene.facts()) if sign.entity == entity}
    return tuple(found[one] for one in ids)


def _untargeted(entity: str) -> Scene:
    scene = Scene()
    for name in ("up", "scrape_seconds"):
        scene.set(name, entity, None, 0)
    return scene


@pytest.mark.parametrize("port", STATES)
def test_a_stores_status_port_shows_what_its_outcome_means(port: str) -> None:
    scene = _untargeted("store:2")
    scene.store("store:2", status_port=port)
    assert _states(scene, "store:2", STORE) == STATES[port]


@pytest.mark.parametrize("port", STATES)
def test_a_members_client_port_shows_what_its_outcome_means(port: str) -> None:
    scene = _untargeted("pd-c")
    scene.member("pd-c", client_port=port)
    assert _states(scene, "pd-c", MEMBER) == STATES[port]


@pytest.mark.parametrize("port", ["unresolved", "unknown"])
@pytest.mark.parametrize(
    ("up", "seconds", "states"),
    [
        (1.0, 0.01, ("absent", "absent", "shown")),
        (0.0, 0.001, ("shown", "absent", "absent")),
        (0.0, 10.0, ("absent", "shown", "absent")),
    ],
)
def test_prometheus_answers_for_a_port_that_could_not_be_asked(
    port: str, up: float, seconds: float, states: tuple[str, ...]
) -> None:
    scene = Scene()
    scene.store("store:2", status_port=port)
    scene.set("up", "store:2", up)
    scene.set("scrape_seconds", "store:2", seconds)
    assert _states(scene, "store:2", STORE) == states
