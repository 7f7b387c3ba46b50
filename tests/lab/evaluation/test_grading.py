"""Grading compares by meaning, one to one."""

from datetime import UTC, datetime, timedelta

import pytest

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.grading import Graded, Investigated, Watched, grade, united, verdict_of
from opsai_lab.evaluation.naming import NamedCause, entities_match, kinds_match
from opsai_lab.truth import TrueCause, Truth
from opsai_server.tickets.diagnosis import Action, CheckedClaim, Claim, Diagnosis, Outcome, RootCause, Submission
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.invariant import Grade

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALIASES = Aliases(
    {
        "kv-a": "kv-a",
        "192.0.2.1:20160": "kv-a",
        "192.0.2.1:20180": "kv-a",
        "store:7": "kv-a",
        "kv-b": "kv-b",
        "192.0.2.2:20160": "kv-b",
        "192.0.2.2:20180": "kv-b",
        "store:8": "kv-b",
        "pd-a": "pd-a",
        "192.0.2.9:2379": "pd-a",
        "member-nine": "pd-a",
    }
)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def truth(*causes: TrueCause, verdict: str = "fault", injected: float = 60.0) -> Truth:
    return Truth(
        healthy=not causes, verdict=verdict, causes=causes, injected_at=at(injected), incident_end=at(injected + 120)
    )


def diagnosis(verdict: Outcome, *causes: tuple[str, str], held: tuple[bool, ...] = ()) -> Diagnosis:
    claim = Claim(says="a fact", evidence_id="E-1", path="/x", op="exists")
    return Diagnosis(
        id="D-1",
        ticket=None,
        cluster="c",
        at=BEGIN,
        by="somebody",
        submission=Submission(
            verdict=verdict,
            summary="seen",
            root_causes=tuple(RootCause(kind=kind, entity=entity, explanation="so") for kind, entity in causes),
            action=Action(do="wait", because="so", verify="look", touches="nothing"),
        ),
        checked=tuple(CheckedClaim(claim=claim, held=held_one) for held_one in held),
        confidence="likely",
        confidence_because=(),
        not_seen=(),
    )


def ticket(raised: float, *, of_grade: Grade = "cause", parent: str | None = None) -> Ticket:
    return Ticket(
        id=f"T-{raised:.0f}",
        cluster="c",
        invariant="something_holds",
        entity="store:7",
        grade=of_grade,
        severity="critical",
        status="created",
        title="it does not",
        headline="it does not",
        parent=parent,
        violated_at=at(raised - 5),
        raised_at=at(raised),
        last_violated_at=at(raised),
        last_says="it does not",
    )


def graded(of: Truth | None, tickets: tuple[Ticket, ...], *diagnoses: Diagnosis) -> Graded:
    done = Investigated(diagnoses=diagnoses, tool_calls=3, reply_chars=900, seconds=1.234, backend="rules")
    return grade("an-incident", of, ALIASES, Watched(tickets=tickets), done)


@pytest.mark.parametrize(
    ("true", "named"),
    [
        ("kv-a", "store:7"),
        ("kv-a", "192.0.2.1:20160"),
        ("kv-a", "192.0.2.1:20180"),
        ("pd-a", "member-nine"),
        ("pd-a", "192.0.2.9:2379"),
        ("config:schedule.leader-schedule-limit", "config:leader-schedule-limit"),
        ("region", "region:17"),
        ("link:kv-a-pd-a", "link:member-nine-store:7"),
        ("load", "load"),
    ],
)
def test_one_entity_under_two_names_is_the_same(true: str, named: str) -> None:
    assert ALIASES.same(true, named)


@pytest.mark.parametrize(
    ("true", "named"),
    [
        ("kv-a", "store:8"),
        ("kv-a", "pd-a"),
        ("config:schedule.leader-schedule-limit", "config:schedule.region-schedule-limit"),
        ("region:17", "region"),
        ("region:17", "region:18"),
        ("link:kv-a-pd-a", "link:kv-b-pd-a"),
    ],
)
def test_two_entities_are_not_the_same(true: str, named: str) -> None:
    assert not ALIASES.same(true, named)


def test_a_cause_too_many_or_too_few_is_not_right() -> None:
    true = (TrueCause(kind="tikv_down", entities=("kv-a",)),)
    one, other = NamedCause(kind="tikv_down", entity="store:7"), NamedCause(kind="tikv_hang", entity="kv-b")

    assert kinds_match(true, (one,))
    assert entities_match(true, (one,), ALIASES)
    for named in ((), (one, other)):
        assert not kinds_match(true, named)
        assert not entities_match(true, named, ALIASES)


def test_entities_pair_up_one_to_one_in_any_order() -> None:
    true = (TrueCause(kind="x", entities=("kv-a", "kv-b")), TrueCause(kind="x", entities=("kv-a",)))
    b, a = NamedCause(kind="x", entity="kv-b"), NamedCause(kind="x", entity="kv-a")

    assert entities_match(true, (a, b), ALIASES)
    assert not entities_match(true, (b, b), ALIASES)


def test_the_same_cause_in_two_diagnoses_and_two_spellings_counts_once() -> None:
    first = diagnosis("fault", ("tikv_down", "store:7"))
    second = diagnosis("fault", ("tikv_down", "kv-a"), ("tikv_down", "kv-b"))

    assert united((first, second), ALIASES) == (
        NamedCause(kind="tikv_down", entity="store:7"),
        NamedCause(kind="tikv_down", entity="kv-b"),
    )


def test_a_finer_kind_counts_as_its_word_in_the_vocabulary() -> None:
    assert united((diagnosis("fault", ("tikv_down/panic", "kv-a")),), Aliases({}))[0].kind == "tikv_down"


def test_of_several_verdicts_a_fault_outweighs_what_is_over() -> None:
    assert verdict_of((diagnosis("healthy"), diagnosis("recovered"), diagnosis("fault"))) == "fault"
    assert verdict_of((diagnosis("healthy"), diagnosis("recovered"))) == "recovered"
    assert verdict_of(()) is None


def test_a_found_fault_is_right_in_all_and_its_delay_counts_from_the_injection() -> None:
    line = graded(
        truth(TrueCause(kind="tikv_down", entities=("kv-a",))),
        (ticket(72.5), ticket(80, parent="T-72"), ticket(30, of_grade="sight")),
        diagnosis("fault", ("tikv_down", "store:7"), held=(True, True, False)),
    )

    assert (line.parent_tickets, line.sight_tickets, line.tickets_before_injection) == (1, 1, 0)
    assert line.detected_after_seconds == 12.5
    assert (line.verdict_right, line.entity_right, line.kind_right) == (True, True, True)
    assert (line.claims, line.claims_held, line.tool_calls, line.reply_chars) == (3, 2, 3, 900)


def test_a_ticket_in_a_healthy_minute_counts_as_one_and_detects_nothing() -> None:
    line = graded(truth(TrueCause(kind="tikv_down", entities=("kv-a",))), (ticket(40),), diagnosis("healthy"))

    assert line.tickets_before_injection == 1
    assert line.detected_after_seconds is None
    assert (line.verdict_right, line.entity_right, line.kind_right) == (False, False, False)


def test_in_a_healthy_recording_every_ticket_came_while_healthy() -> None:
    line = graded(truth(verdict="healthy"), (ticket(300),), diagnosis("healthy"))

    assert line.tickets_before_injection == 1
    assert (line.verdict_right, line.entity_right, line.kind_right) == (True, True, True)


def test_a_suspect_in_a_healthy_recording_is_wrong() -> None:
    line = graded(truth(verdict="healthy"), (), diagnosis("healthy", ("tikv_cpu", "kv-b")))

    assert (line.entity_right, line.kind_right) == (False, False)


def test_what_is_over_wants_to_be_called_recovered() -> None:
    over = truth(TrueCause(kind="tikv_hang", entities=("kv-a",)), verdict="recovered")

    assert graded(over, (), diagnosis("recovered", ("tikv_hang", "kv-a"))).verdict_right is True
    assert graded(over, (), diagnosis("fault", ("tikv_hang", "kv-a"))).verdict_right is False


def test_without_a_truth_the_line_says_what_was_found_and_grades_nothing() -> None:
    line = graded(None, (ticket(80),), diagnosis("fault", ("tikv_down", "kv-a")))

    assert line.causes == (NamedCause(kind="tikv_down", entity="kv-a"),)
    assert (line.healthy, line.verdict_right, line.entity_right, line.kind_right) == (None, None, None, None)
    assert (line.tickets_before_injection, line.detected_after_seconds) == (None, None)
