"""What is sent back to be corrected, and what its author reads."""

import pytest

from opsai_server.tickets.diagnosis import Action, Alternative, CorrelatedMetric
from opsai_subjects.fault import Touches
from opsai_subjects.subject import Risk
from tests.server.concluding.case import DOWN, accepted, cause, down_world, refused, submission
from tests.server.toy import ToyWorld

pytestmark = pytest.mark.anyio


def action(do: str, touches: Touches = "nothing", entity: str = "") -> Action:
    return Action(do=do, because="It helps.", verify="It is well.", touches=touches, entity=entity)


async def test_a_fault_without_a_claim_is_sent_back() -> None:
    assert await refused(down_world(), submission(causes=[cause()], claims=[])) == (
        "The verdict is fault and nothing supports it: give claims that cite evidence ids.",
    )


async def test_a_fault_without_a_cause_is_sent_back() -> None:
    (says,) = await refused(down_world(), submission())
    assert says == "The verdict is fault and root_causes is empty: name the cause, or let the verdict be inconclusive."


async def test_a_healthy_verdict_that_names_a_cause_is_sent_back() -> None:
    (says,) = await refused(down_world(), submission("healthy", causes=[cause()]))
    assert says.startswith("The verdict is healthy and root_causes is not empty")


async def test_nobody_calls_healthy_what_is_mostly_unknown() -> None:
    blind = ToyWorld()
    for part in blind.parts.values():
        part.seen = False
    (says,) = await refused(blind, submission("healthy", claims=[]))
    assert says.startswith("The verdict is healthy and most of it is not known to be: ")
    assert says.endswith("Let the verdict be inconclusive.")
    assert (await accepted(blind, submission("inconclusive", claims=[]))).confidence == "inconclusive"


async def test_evidence_that_is_missing_is_named_wherever_it_is_cited() -> None:
    claim = DOWN.model_copy(update={"evidence_id": "E-98"})
    metric = CorrelatedMetric(metric="up", entity="part:a", says="It fell.", evidence_id="E-99")
    other = Alternative(
        kind="toy_full", entity="part:a", against="-", claims=(DOWN.model_copy(update={"evidence_id": "E-97"}),)
    )
    handed_in = submission(causes=[cause()], claims=[claim]).model_copy(
        update={"correlated_metrics": (metric,), "alternatives": (other,)}
    )
    says = await refused(down_world(), handed_in)
    assert [text.split(":")[0] for text in says] == [f"There is no evidence 'E-{number}'" for number in (98, 97, 99)]


async def test_an_unknown_kind_or_entity_is_answered_with_the_known_ones() -> None:
    says = await refused(down_world(), submission(causes=[cause("toy_sad"), cause(entity="part:z")]))
    assert says == (
        "There is no fault kind 'toy_sad'. Known: toy_down, toy_full, toy_slow.",
        "There is no entity 'part:z'. Known: part:a, part:b, part:c, load.",
    )


async def test_restarting_what_is_safe_to_stop_is_accepted() -> None:
    handed_in = submission(causes=[cause()], action=action("Restart part:a.", "restart", "part:a"))
    assert (await accepted(down_world(), handed_in)).submission.action.touches == "restart"


@pytest.mark.parametrize(
    ("risk", "says"),
    [
        (Risk(state="at_risk", says="2 regions have one peer left"), "would put a quorum at risk now: 2 regions have"),
        (Risk(state="unknown", says="nobody could count"), "is not known to be safe now: nobody could count"),
    ],
)
@pytest.mark.parametrize("touches", ["restart", "stop", "remove"])
async def test_laying_hands_on_a_part_while_a_quorum_is_not_known_to_be_safe_is_sent_back(
    risk: Risk, says: str, touches: Touches
) -> None:
    handed_in = submission(causes=[cause()], action=action("Do it.", touches, "a"))
    (text,) = await refused(down_world(), handed_in, risk=risk)
    assert f"To {touches} part:a {says}" in text


async def test_an_action_that_names_another_part_in_its_words_answers_for_that_one_too() -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    handed_in = submission(causes=[cause()], action=action("Restart part:b.", "restart", "part:a"))
    (text,) = await refused(world, handed_in)
    assert "To restart part:b would put a quorum at risk now: another part is down already" in text


async def test_laying_hands_on_two_parts_at_once_is_sent_back() -> None:
    handed_in = submission(causes=[cause()], action=action("Restart part:a and part:b.", "restart", "part:a"))
    says = await refused(down_world(), handed_in, risk=Risk(state="safe", says="-"))
    assert says == (
        "The action lays hands on part:a, part:b at once: recommend one, and the next after it is well again.",
    )


async def test_a_restart_of_nobody_knows_what_is_sent_back() -> None:
    (says,) = await refused(down_world(), submission(causes=[cause()], action=action("Do it.", "restart")))
    assert "its entity '' is none that is known: name one of part:a, part:b, part:c, load." in says


async def test_words_that_say_more_than_touches_are_sent_back() -> None:
    handed_in = submission(causes=[cause()], action=action("Look at it. Then restart part:a."))
    (says,) = await refused(down_world(), handed_in)
    assert says.startswith("The action says 'restart' ('Then restart part:a') and touches says 'nothing'")


async def test_the_adapters_own_recommendation_answers_for_its_own_words() -> None:
    handed_in = submission(
        causes=[cause("toy_full", "part:a")], claims=[DOWN], action=action("Give it more room.", "resources", "part:a")
    )
    await accepted(down_world(), handed_in)
