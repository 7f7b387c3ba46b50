"""What may be wrong where no kind fits for want of sight."""

from opsai_server.tools.judged import by_id
from opsai_server.tools.unsettled import unsettled
from opsai_subjects.fault import Candidate, Differential
from opsai_subjects.invariant import Verdict
from tests.server.toy_knowledge import PART_FAST, PART_ROOMY, PART_UP

RULES = by_id((PART_UP, PART_ROOMY, PART_FAST))


def broken(invariant: str, entity: str) -> Verdict:
    return Verdict(invariant=invariant, entity=entity, state="violated", says="it is so")


def candidate(kind: str, entity: str, standing: str = "possible") -> Candidate:
    return Candidate.model_validate(
        {
            "kind": kind,
            "entity": entity,
            "standing": standing,
            "active": True,
            "score": 0.5,
            "support": (),
            "contradiction": (),
            "unknown": (),
        }
    )


def names(found: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(one.kind, one.entity) for one in found]


def test_each_entity_with_a_broken_rule_and_no_fitting_kind_has_its_best_possible_one() -> None:
    candidates = (
        candidate("toy_full", "part:c", "fits"),
        candidate("toy_down", "part:a"),
        candidate("toy_hung", "part:a"),
        candidate("toy_down", "part:b"),
        candidate("toy_down", "part:c"),
    )
    verdicts = [broken("part_up", "part:a"), broken("part_up", "part:c")]

    assert names(unsettled(Differential(candidates=candidates, causes=()), verdicts, RULES)) == [("toy_down", "part:a")]


def test_a_victim_and_a_mere_symptom_are_left_out() -> None:
    candidates = (candidate("toy_full", "part:b"), candidate("toy_slow", "part:c"))
    verdicts = [broken("part_up", "part:a"), broken("part_roomy", "part:b"), broken("part_fast", "part:c")]

    assert unsettled(Differential(candidates=candidates, causes=()), verdicts, RULES) == ()
    assert names(unsettled(Differential(candidates=candidates, causes=()), verdicts[1:], RULES)) == [
        ("toy_full", "part:b")
    ]
