"""Tickets and diagnoses as a person reads them."""

from datetime import UTC, datetime, timedelta

from opsai_lab.layout import WIDTH, columns, filled
from opsai_lab.report import diagnosis_text, ticket_table, ticket_text
from opsai_server.tickets.diagnosis import (
    Action,
    Alternative,
    CheckedClaim,
    Claim,
    CorrelatedMetric,
    Diagnosis,
    RootCause,
    Submission,
)
from opsai_server.tickets.ticket import Ticket, Transition

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def claim(says: str, value: str = "violated") -> Claim:
    return Claim(says=says, evidence_id="E-3", path="/verdicts/x/store:7/state", op="==", value=value)


def diagnosis() -> Diagnosis:
    own, of_rival = claim("store:7 is out of reach"), claim("store:7 still answers", "held")
    return Diagnosis(
        id="D-1",
        ticket="T-1",
        cluster="c",
        at=AT,
        by="rules (no model)",
        submission=Submission(
            verdict="fault",
            summary="A store is gone. " * 12,
            root_causes=(RootCause(kind="tikv_down", entity="store:7", explanation="its process ended"),),
            claims=(own,),
            correlated_metrics=(CorrelatedMetric(metric="up", entity="store:7", says="1 to 0", evidence_id="E-4"),),
            alternatives=(Alternative(kind="tikv_hang", entity="store:7", against="refused", claims=(of_rival,)),),
            action=Action(do="Start it", because="it is down", verify="it is Up", touches="restart"),
        ),
        checked=(
            CheckedClaim(claim=own, held=True, found="violated"),
            CheckedClaim(claim=of_rival, held=False, found="violated", why="'violated' is not 'held'"),
        ),
        confidence="likely",
        confidence_because=("tikv_hang still stands",),
        not_seen=("logs of kv-a",),
    )


def ticket(ident: str, **changes: object) -> Ticket:
    made = Ticket(
        id=ident,
        cluster="c",
        invariant="store_reachable",
        entity="store:7",
        grade="cause",
        severity="critical",
        status="created",
        title=f"the title of {ident}",
        headline=f"the headline of {ident}",
        violated_at=AT,
        raised_at=AT + timedelta(seconds=20),
        last_violated_at=AT + timedelta(seconds=50),
        last_says="it does not answer\x1b[31m",
        history=(Transition(at=AT, step="created", says=f"{ident} was raised"),),
    )
    return made.model_copy(update=changes)


def test_what_joined_a_ticket_stands_under_it() -> None:
    text = ticket_table((ticket("T-3"), ticket("T-2", parent="T-1"), ticket("T-1")))

    assert [line.split()[0] for line in text.splitlines()] == ["ticket", "T-3", "T-1", "T-2"]
    assert text.splitlines()[3].startswith("  T-2")


def test_a_ticket_in_full_tells_its_history_and_what_to_do_next() -> None:
    text = ticket_text((ticket("T-1"), ticket("T-2", parent="T-1")))

    assert "T-1  the headline of T-1" in text
    assert "T-2 was raised" in text
    assert "Not diagnosed. Next: opsai-agent investigate T-1" in text
    assert "\x1b" not in text


def test_a_diagnosed_ticket_shows_every_claim_with_where_it_was_looked_up() -> None:
    text = ticket_text((ticket("T-1", diagnosis=diagnosis(), status="diagnosed"),))

    assert "D-1 of T-1: fault, likely, by rules (no model)" in text
    assert "1 of 2 hold" in text
    assert "holds   store:7 is out of reach [E-3 /verdicts/x/store:7/state == 'violated']" in text
    assert "FAILED  store:7 still answers" in text
    for part in ("Observed", "Root cause", "Moved with it", "Considered instead", "Not seen", "What to do"):
        assert f"\n{part}\n" in text
    assert "Start it (touches: restart)" in text


def test_prose_is_filled_to_one_width_and_no_line_is_longer() -> None:
    assert max(map(len, diagnosis_text(diagnosis()).splitlines())) <= WIDTH


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert columns([("a", "1"), ("bbb", "22")], right=(1,)) == "a     1\nbbb  22"
    assert columns([]) == ""


def test_filled_prose_hangs_under_its_first_word() -> None:
    lines = filled("word " * 40, first="  12:00:00  ").splitlines()

    assert lines[0].startswith("  12:00:00  word")
    assert lines[1].startswith(" " * 12 + "word")
