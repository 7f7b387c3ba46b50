"""How far a diagnosis is confirmed: by evidence, never by words."""

import pytest

from opsai_server.tickets.diagnosis import Alternative, Claim
from opsai_subjects.model import Unread
from tests.server.concluding.case import (
    DOWN,
    NOTHING,
    WRONG,
    accepted,
    cause,
    down_world,
    submission,
)
from tests.server.toy import KIND, ToyWorld

pytestmark = pytest.mark.anyio


async def test_a_fault_is_confirmed_when_all_claims_hold_it_fits_and_its_rivals_are_ruled_out() -> None:
    found = await accepted(down_world(), submission(causes=[cause()]))
    assert (found.confidence, found.confidence_because, found.not_seen) == ("confirmed", (), ())
    assert [one.held for one in found.checked] == [True]


async def test_one_claim_that_does_not_hold_makes_it_likely_and_is_named() -> None:
    found = await accepted(down_world(), submission(causes=[cause()], claims=[DOWN, WRONG]))
    assert found.confidence == "likely"
    assert found.confidence_because == ("a claim does not hold: part:a is full (there stands 'absent')",)


async def test_fewer_than_half_of_the_claims_make_it_inconclusive() -> None:
    found = await accepted(down_world(), submission(causes=[cause()], claims=[DOWN, WRONG, WRONG]))
    assert found.confidence == "inconclusive"
    assert found.confidence_because[0] == "only 1 of 3 claims hold"


async def test_a_claim_of_an_alternative_counts_too() -> None:
    other = Alternative(kind="toy_full", entity="part:a", against="It has room.", claims=(WRONG,))
    handed_in = submission(causes=[cause()]).model_copy(update={"alternatives": (other,)})
    found = await accepted(down_world(), handed_in)
    assert (found.confidence, [one.held for one in found.checked]) == ("likely", [True, False])


async def test_a_cause_that_the_facts_contradict_is_inconclusive() -> None:
    found = await accepted(down_world(), submission(causes=[cause("toy_full")]))
    assert found.confidence == "inconclusive"
    assert found.confidence_because == ("toy_full on part:a is contradicted: full is not shown (it is 20% full)",)


async def test_a_rival_that_nobody_could_rule_out_keeps_it_likely_and_is_among_what_was_not_seen() -> None:
    kinds = tuple(
        kind.model_copy(update={"must_show": ("blocked",)}) if kind.id == "toy_full" else kind for kind in KIND.faults
    )
    found = await accepted(down_world(), submission(causes=[cause()]), kinds=kinds)
    assert found.confidence == "likely"
    assert found.confidence_because == ("its rival toy_full is not ruled out on part:a",)
    assert found.not_seen == ("blocked on part:a: not evaluated",)


async def test_a_rival_of_another_kind_of_entity_needs_no_ruling_out() -> None:
    kinds = tuple(kind.model_copy(update={"on": "load"}) if kind.id == "toy_full" else kind for kind in KIND.faults)
    found = await accepted(down_world(), submission(causes=[cause()]), kinds=kinds)
    assert found.confidence == "confirmed"


async def test_a_must_show_that_is_unknown_keeps_it_likely() -> None:
    kinds = tuple(
        kind.model_copy(update={"must_show": ("gone", "cold")}) if kind.id == "toy_down" else kind
        for kind in KIND.faults
    )
    found = await accepted(down_world(), submission(causes=[cause()]), kinds=kinds)
    assert found.confidence == "likely"
    assert "toy_down on part:a is possible: cold unknown" in found.confidence_because


async def test_a_cause_on_the_wrong_part_is_never_more_than_inconclusive() -> None:
    found = await accepted(down_world(), submission(causes=[cause(entity="part:b")]))
    assert found.confidence == "inconclusive"


async def test_a_cause_that_is_left_out_keeps_it_likely_and_is_named() -> None:
    world = down_world()
    world.parts["c"].full_ratio = 0.95
    found = await accepted(world, submission(causes=[cause()]))
    assert found.confidence == "likely"
    assert found.confidence_because == ("the differential has toy_full on part:c as a cause too",)


async def test_a_consequence_named_as_a_cause_too_keeps_it_likely() -> None:
    world = down_world()
    world.parts["b"].latency_seconds = 2
    found = await accepted(world, submission(causes=[cause(), cause("toy_slow", "part:b")]))
    assert found.confidence == "likely"
    assert "the differential does not have toy_slow on part:b as a cause" in found.confidence_because


async def test_of_a_kind_that_befalls_several_at_once_any_of_them_is_the_cause() -> None:
    world = down_world()
    world.parts["b"].up = False
    kinds = tuple(kind.model_copy(update={"collective": True}) for kind in KIND.faults)
    found = await accepted(world, submission(causes=[cause(entity="part:b")]), kinds=kinds)
    assert found.confidence == "confirmed"


async def test_a_fault_that_is_over_is_recovered_and_a_recovered_one_that_goes_on_is_a_fault() -> None:
    assert (
        await accepted(down_world(), submission("recovered", causes=[cause()]), over=True)
    ).confidence == "confirmed"
    gone = await accepted(down_world(), submission("fault", causes=[cause()]), over=True)
    assert gone.confidence_because == ("toy_down on part:a is over, and the verdict is fault",)
    still = await accepted(down_world(), submission("recovered", causes=[cause()]))
    assert still.confidence_because == ("toy_down on part:a is still so, and the verdict is recovered",)


async def test_healthy_is_confirmed_only_when_nothing_is_violated_unknown_or_suspected() -> None:
    healthy = submission("healthy", claims=[], action=NOTHING)
    assert (await accepted(ToyWorld(), healthy)).confidence == "confirmed"

    blind = ToyWorld()
    blind.parts["b"].seen = False
    unknown = await accepted(blind, healthy)
    assert unknown.confidence == "likely"
    assert "2 verdicts are unknown: part_up on part:b" in unknown.confidence_because[0]
    assert "status:part:b: /status: connection refused" in unknown.not_seen

    was = await accepted(down_world(), healthy, over=True)
    assert (was.confidence, was.confidence_because) == ("likely", ("toy_down fitted part:a a short time ago",))

    ill = await accepted(down_world(), healthy)
    assert ill.confidence == "inconclusive"
    assert "not healthy: toy_down fits part:a now" in ill.confidence_because


async def test_what_says_itself_that_it_is_inconclusive_is() -> None:
    found = await accepted(down_world(), submission("inconclusive", causes=[cause()]))
    assert found.confidence == "inconclusive"


async def test_what_could_not_be_read_is_listed_whether_the_submission_says_so_or_not() -> None:
    unread = tuple(Unread(source=f"logs:{number}", asked="a file", why="no such file") for number in range(100))
    found = await accepted(down_world(), submission(causes=[cause()]), unread=unread)
    assert found.not_seen[0] == "logs:0: a file: no such file"
    assert found.not_seen[-1] == "and 40 more"


async def test_the_same_part_by_another_name_is_written_as_the_cluster_knows_it_and_once() -> None:
    found = await accepted(down_world(), submission(causes=[cause(entity="a"), cause(entity="10.0.0.1:7000")]))
    assert [one.entity for one in found.submission.root_causes] == ["part:a"]
    assert found.confidence == "confirmed"


@pytest.mark.parametrize(
    "prose", ["I am absolutely certain; confidence: confirmed.", "確実", '"confidence": "confirmed"']
)
async def test_words_raise_nothing(prose: str) -> None:
    claim = Claim(says=prose, evidence_id="E-1", path=WRONG.path, op="==", value="shown")
    root = cause().model_copy(update={"explanation": prose})
    handed_in = submission(causes=[root], claims=[DOWN, claim]).model_copy(update={"summary": prose})
    assert (await accepted(down_world(), handed_in)).confidence == "likely"
