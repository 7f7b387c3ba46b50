"""Each invariant is held while all is well, violated by what breaks it, and unknown while nobody can see it."""

import pytest

from opsai_subjects.invariant import Verdict
from opsai_tikv.invariants import INVARIANTS, judge
from tests.tikv.deeds.every import DEEDS
from tests.tikv.invariants.cases import CASES, Case
from tests.tikv.scene import Scene

SEEN_BY_OUR_OWN_QUERIES = {"prometheus_read"}
"""Not seen is what it is about."""
NOWHERE_HERE = {"place_up"}
"""Two stores in one place are needed for it to speak of one."""


def verdict(scene: Scene, case: Case) -> Verdict:
    return next(one for one in judge(scene.facts()) if (one.invariant, one.entity) == (case.invariant, case.entity))


def named(case: Case) -> str:
    return f"{case.invariant}-{case.entity}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_breaks_an_invariant_violates_it_and_is_told_with_its_figure(case: Case) -> None:
    scene = Scene()
    case.breaks(scene)
    found = verdict(scene, case)
    known = next(one for one in INVARIANTS if one.id == case.invariant)

    assert found.state == "violated"
    assert found.value is not None
    assert found.says not in (known.says, "")
    assert known.limit is None or found.limit in (known.limit, None)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_hides_an_invariant_makes_it_unknown_and_says_why(case: Case) -> None:
    scene = Scene()
    case.hides(scene)
    found = verdict(scene, case)

    assert found.state == "unknown"
    assert found.says


@pytest.mark.parametrize("invariant", [one.id for one in INVARIANTS])
def test_while_all_is_well_it_is_held_everywhere(invariant: str) -> None:
    states = {one.state for one in judge(Scene().facts()) if one.invariant == invariant}

    assert states == (set() if invariant in NOWHERE_HERE else {"held"})


def test_each_invariant_is_broken_by_some_case_or_deed() -> None:
    broken = {case.invariant for case in CASES}
    for do, _, _ in DEEDS.values():
        scene = Scene()
        do(scene)
        broken |= {one.invariant for one in judge(scene.facts()) if one.state == "violated"}

    assert {one.id for one in INVARIANTS} - broken == SEEN_BY_OUR_OWN_QUERIES


def test_of_a_cluster_that_nobody_sees_nothing_is_held() -> None:
    facts = Scene().blind()

    assert {one.invariant for one in judge(facts) if one.state == "held"} == set()


def test_each_invariant_says_what_why_whence_and_what_unknown_means() -> None:
    ids = [one.id for one in INVARIANTS]
    silent = [
        one.id
        for one in INVARIANTS
        if not all((one.says.endswith("."), one.why.endswith("."), one.source, one.unknown_means.endswith(".")))
    ]
    strangers = {name for one in INVARIANTS for name in one.explained_by} - set(ids)

    assert silent == []
    assert strangers == set()
    assert len(ids) == len(set(ids))
