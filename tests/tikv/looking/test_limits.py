"""One figure for each limit: what is stated is what is judged by, and what a cluster sets holds there alone."""

from functools import cache

import pytest

from opsai_tikv.facts import TikvFacts
from opsai_tikv.invariants import INVARIANTS, judge
from opsai_tikv.limits import LIMITS
from opsai_tikv.seen import Look
from opsai_tikv.signs import signs
from tests.tikv.deeds.every import DEEDS
from tests.tikv.invariants.cases import CASES
from tests.tikv.scene import Scene


def test_each_limit_is_that_of_an_invariant_which_states_it_with_its_unit() -> None:
    stated = {one.id: one.limit for one in INVARIANTS if one.limit is not None}

    assert stated == dict(LIMITS)
    assert [one.id for one in INVARIANTS if one.limit is not None and not one.unit] == []


def test_what_holds_is_shown_beside_the_limit_it_is_held_to() -> None:
    shown = {verdict.invariant: verdict.limit for verdict in judge(Scene().facts()) if verdict.state == "held"}

    assert {name: limit for name, limit in shown.items() if name in LIMITS} == {
        name: limit for name, limit in LIMITS.items() if name in shown
    }


@pytest.mark.parametrize(
    ("kind", "invariant", "limit"),
    [
        ("tikv_disk_slow", "store_disk_fast", 3600.0),
        ("pd_disk_slow", "pd_disk_fast", 3600.0),
        ("tikv_disk_low", "store_space_left", 0.0),
        ("tikv_busy", "store_takes_requests", 1e9),
        ("leader_skew", "leaders_spread", 100.0),
    ],
)
def test_a_limit_that_is_set_is_what_a_cluster_is_judged_by(kind: str, invariant: str, limit: float) -> None:
    do = next(do for do, of, _ in DEEDS.values() if of == kind)
    scene = Scene()
    do(scene)
    facts = scene.facts()

    assert invariant in {one.invariant for one in judge(facts) if one.state == "violated"}
    assert invariant not in {one.invariant for one in judge(facts, {invariant: limit}) if one.state == "violated"}
    assert {one.limit for one in judge(facts, {invariant: limit}) if one.invariant == invariant} == {limit}


@cache
def breaking() -> dict[str, list[TikvFacts]]:
    """Return the facts that violate each invariant, of all deeds and cases."""
    found: dict[str, list[TikvFacts]] = {}
    for do in (*(do for do, _, _ in DEEDS.values()), *(case.breaks for case in CASES)):
        scene = Scene()
        do(scene)
        facts = scene.facts()
        for name in {one.invariant for one in judge(facts) if one.state == "violated"}:
            found.setdefault(name, []).append(facts)
    return found


@pytest.mark.parametrize("invariant", sorted(LIMITS))
def test_each_limit_is_one_that_judging_goes_by(invariant: str) -> None:
    def still(facts: TikvFacts, limit: float) -> bool:
        verdicts = judge(facts, {invariant: limit})
        return any(one.invariant == invariant and one.state == "violated" for one in verdicts)

    assert any(not still(facts, limit) for facts in breaking()[invariant] for limit in (0.0, 1e18))


def test_the_signs_of_the_differential_go_by_the_same_limit() -> None:
    scene = Scene()
    scene.set("slow_score", "store:2", 60)
    facts = scene.facts()

    def shown(limits: dict[str, float]) -> set[str]:
        return {one.entity for one in signs(facts, limits) if one.id == "slow_score_high" and one.state == "shown"}

    assert shown({}) == set()
    assert shown({"store_not_slow": 50.0}) == {"store:2"}


def test_a_limit_of_no_invariant_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        Look(Scene().facts()).limit("store_pretty")
