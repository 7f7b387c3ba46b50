"""Fault kinds are weighed against signs as data: what fits, what is contradicted, what is over, which cause explains which."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.differential import contradictions, merge, rank, weigh
from opsai_subjects.fault import FaultKind, Sign

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
State = Literal["shown", "absent", "unknown"]


def sign(
    name: str, state: State = "shown", entity: str = "pump", *, active: bool = True, reassures: bool = False
) -> Sign:
    return Sign(id=name, entity=entity, state=state, active=active and state == "shown", says=name, reassures=reassures)


def kind(name: str = "stuck", **more: object) -> FaultKind:
    given_ = {"says": name, "on": "pumps", "must_show": ("still",), "do": "d", "because": "b", "verify": "v"} | more
    return FaultKind.model_validate({"id": name} | given_)


def by_id(*signs: Sign) -> dict[str, Sign]:
    return {one.id: one for one in signs}


def test_a_kind_fits_when_all_it_must_show_is_shown() -> None:
    found = weigh(kind(), "pump", by_id(sign("still")))
    assert found is not None
    assert (found.standing, found.active) == ("fits", True)


def test_one_of_a_group_is_enough() -> None:
    both = kind(must_show=(), one_of=(("still", "hot"),))
    assert weigh(both, "pump", by_id(sign("still", "absent"), sign("hot"))).standing == "fits"  # type: ignore[union-attr]


def test_a_needed_sign_that_is_absent_contradicts() -> None:
    found = weigh(kind(must_show=("still", "hot")), "pump", by_id(sign("still"), sign("hot", "absent")))
    assert found is not None
    assert (found.standing, [one.id for one in found.contradiction]) == ("contradicted", ["hot"])


def test_a_needed_sign_that_is_unknown_leaves_it_possible() -> None:
    found = weigh(kind(must_show=("still", "hot")), "pump", by_id(sign("still"), sign("hot", "unknown")))
    assert found is not None
    assert (found.standing, [one.id for one in found.unknown]) == ("possible", ["hot"])


def test_a_needed_sign_that_nobody_evaluated_is_missing_and_leaves_it_possible() -> None:
    found = weigh(kind(must_show=("still", "hot")), "pump", by_id(sign("still")))
    assert found is not None
    assert (found.standing, found.missing) == ("possible", ("hot",))


def test_what_must_be_known_and_is_not_leaves_it_possible() -> None:
    blind = by_id(sign("still"), sign("spins", "unknown"))
    found = weigh(kind(must_not_show=("spins",)), "pump", blind)
    assert found is not None
    assert found.standing == "fits"
    found = weigh(kind(must_not_show=("spins",), must_know=("spins",)), "pump", blind)
    assert found is not None
    assert (found.standing, [one.id for one in found.unknown]) == ("possible", ["spins"])


def test_a_sign_that_must_not_show_contradicts_while_both_go_on() -> None:
    pump = by_id(sign("still"), sign("spins"))
    assert [one.id for one in contradictions(kind(must_not_show=("spins",)), pump)] == ["spins"]


def test_what_is_over_does_not_speak_against_what_goes_on() -> None:
    pump = by_id(sign("still"), sign("spins", active=False))
    assert contradictions(kind(must_not_show=("spins",)), pump) == ()


def test_health_now_does_not_speak_against_what_is_over() -> None:
    pump = by_id(sign("still", active=False), sign("spins", reassures=True))
    found = weigh(kind(must_not_show=("spins",)), "pump", pump)
    assert found is not None
    assert (found.standing, found.active) == ("fits", False)


def test_signs_of_health_alone_make_no_candidate() -> None:
    assert weigh(kind(must_show=("spins", "still")), "pump", by_id(sign("spins", reassures=True))) is None


def test_a_cause_takes_its_consequences_on_other_entities_with_it() -> None:
    cause, consequence = kind(weight=1, explains=("dry",)), kind("dry", on="taps", must_show=("no_water",), weight=9)
    signs = [sign("still"), sign("no_water", entity="tap")]
    found = rank([cause, consequence], signs, {"pumps": ("pump",), "taps": ("tap",)})
    assert [(one.kind, one.entity) for one in found.causes] == [("stuck", "pump")]
    assert len(found.candidates) == 2


def test_two_faults_that_explain_nothing_of_each_other_are_two_causes() -> None:
    signs = [sign("still"), sign("still", entity="other")]
    found = rank([kind()], signs, {"pumps": ("pump", "other")})
    assert {one.entity for one in found.causes} == {"pump", "other"}


def test_a_collective_kind_is_one_cause_however_many_it_befalls() -> None:
    signs = [sign("still"), sign("still", entity="other")]
    assert len(rank([kind(collective=True)], signs, {"pumps": ("pump", "other")}).causes) == 1


def test_on_one_entity_the_more_specific_kind_is_the_cause() -> None:
    found = rank([kind(), kind("jammed", weight=3)], [sign("still")], {"pumps": ("pump",)})
    assert [one.kind for one in found.causes] == ["jammed"]


def test_what_goes_on_is_the_cause_and_not_what_is_over() -> None:
    signs = [sign("still", active=False), sign("still", entity="other")]
    found = rank([kind()], signs, {"pumps": ("pump", "other")})
    assert [one.entity for one in found.causes] == ["other"]


def test_a_sign_seen_earlier_and_not_now_is_over_since_its_first_sighting() -> None:
    first, second = AT - timedelta(seconds=60), AT - timedelta(seconds=30)
    (found,) = merge([sign("still", "absent")], [(second, [sign("still")]), (first, [sign("still")])])
    assert (found.state, found.active, found.since) == ("shown", False, first)


def test_a_sign_that_goes_on_keeps_its_first_sighting() -> None:
    first = AT - timedelta(seconds=60)
    (found,) = merge([sign("still")], [(first, [sign("still")])])
    assert (found.active, found.since) == (True, first)


def test_a_sign_of_health_seen_earlier_is_forgotten() -> None:
    (found,) = merge([sign("spins", "absent")], [(AT, [sign("spins", reassures=True)])])
    assert found.state == "absent"


def test_an_entity_that_is_gone_keeps_what_was_seen_of_it() -> None:
    assert [one.entity for one in merge([], [(AT, [sign("still", entity="gone")])])] == ["gone"]


STATES = st.sampled_from(["shown", "absent", "unknown"])


@given(st.lists(st.tuples(st.sampled_from("abc"), STATES, st.booleans()), max_size=6))
def test_a_fitting_candidate_has_all_it_needs_and_nothing_against_it(drawn: list[tuple[str, State, bool]]) -> None:
    signs = by_id(*(sign(name, state, active=active) for name, state, active in drawn))
    found = weigh(kind(must_show=("a",), one_of=(("b",),), must_not_show=("c",)), "pump", signs)
    if found is not None and found.standing == "fits":
        assert signs["a"].state == signs["b"].state == "shown"
        assert not found.contradiction
