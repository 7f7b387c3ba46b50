"""Each fault kind is told from all others on a scene made for it, and what is well is left alone."""

import pytest

from opsai_subjects.differential import merge, rank
from opsai_tikv.facts import groups
from opsai_tikv.faults import FAULTS
from opsai_tikv.invariants import judge
from opsai_tikv.signs import signs
from tests.tikv.deeds.every import DEEDS
from tests.tikv.scene import Scene


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_the_deed_is_the_only_cause_named(name: str) -> None:
    do, kind, entities = DEEDS[name]
    scene = Scene()
    do(scene)
    facts = scene.facts()
    causes = rank(FAULTS, signs(facts), groups(facts)).causes
    assert [cause.kind for cause in causes] == [kind]
    assert causes[0].entity in entities


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_the_deed_violates_an_invariant(name: str) -> None:
    do, _, _ = DEEDS[name]
    scene = Scene()
    do(scene)
    assert [verdict.invariant for verdict in judge(scene.facts()) if verdict.state == "violated"]


def test_a_healthy_scene_has_no_cause_and_violates_nothing() -> None:
    facts = Scene().facts()
    assert rank(FAULTS, signs(facts), groups(facts)).causes == ()
    assert [verdict for verdict in judge(facts) if verdict.state == "violated"] == []


def test_every_fault_kind_has_a_deed() -> None:
    assert {kind.id for kind in FAULTS} == {kind for _, kind, _ in DEEDS.values()}


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_what_is_over_is_named_as_over(name: str) -> None:
    do, kind, entities = DEEDS[name]
    scene = Scene()
    do(scene)
    during = scene.facts()
    after = Scene().facts()
    merged = merge(signs(after), [(during.at, signs(during))])
    causes = rank(
        FAULTS, merged, {group: (*names, *groups(during)[group]) for group, names in groups(after).items()}
    ).causes
    assert [(cause.kind, cause.active) for cause in causes] == [(kind, False)]
    assert causes[0].entity in entities
