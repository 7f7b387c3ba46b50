"""The table, the counts under it, and the requirements."""

import json
from datetime import UTC, datetime

import pytest

from opsai_lab.evaluation.cost import Cost
from opsai_lab.evaluation.grading import Graded
from opsai_lab.evaluation.naming import NamedCause
from opsai_lab.evaluation.summary import broken_requirements, summarize, why_wrong
from opsai_lab.evaluation.table import as_json, summary_text, table
from opsai_lab.truth import TrueCause, Truth

END = datetime(2026, 1, 1, tzinfo=UTC)
FAULT = Truth(
    healthy=False,
    verdict="fault",
    causes=(TrueCause(kind="tikv_down", entities=("kv-a",)),),
    injected_at=END,
    incident_end=END,
)
CALM = Truth(healthy=True, verdict="healthy", causes=(), incident_end=END)


def found(name: str, **changes: object) -> Graded:
    line = Graded(
        name=name,
        healthy=False,
        parent_tickets=1,
        sight_tickets=0,
        tickets_before_injection=0,
        detected_after_seconds=20.0,
        verdict="fault",
        verdict_right=True,
        causes=(NamedCause(kind="tikv_down", entity="store:7"),),
        entity_right=True,
        kind_right=True,
        claims=4,
        claims_held=4,
        tool_calls=5,
        reply_chars=12_345,
        seconds=2.5,
        backend="rules",
        read=Cost(calls=1, chars=3_000),
    )
    return line.model_copy(update=changes)


def calm(name: str, **changes: object) -> Graded:
    line = found(name, healthy=True, parent_tickets=0, detected_after_seconds=None, verdict="healthy", causes=())
    return line.model_copy(update=changes)


def test_a_good_set_breaks_no_requirement_and_names_nothing_wrong() -> None:
    incidents = (found("one"), found("two", detected_after_seconds=40.0), calm("three"))
    truths = {"one": FAULT, "two": FAULT, "three": CALM}

    summary = summarize(incidents, truths)

    assert broken_requirements(incidents, truths) == ()
    assert summary.wrong == ()
    assert (summary.incidents, summary.graded, summary.healthy) == (3, 3, 1)
    assert (summary.detected_after_mean_seconds, summary.detected_after_max_seconds) == (30.0, 40.0)
    assert summary.kind_right_ratio == 1.0


@pytest.mark.parametrize(
    ("line", "of", "says"),
    [
        (calm("x", tickets_before_injection=1, parent_tickets=1), CALM, "while the cluster was healthy"),
        (found("x", parent_tickets=2), FAULT, "2 parent tickets for 1 fault"),
        (found("x", parent_tickets=0), FAULT, "0 parent tickets for 1 fault"),
        (found("x", error="the recording ends early"), FAULT, "the recording ends early"),
    ],
)
def test_a_broken_ticket_requirement_is_named(line: Graded, of: Truth, says: str) -> None:
    (broken,) = broken_requirements((line,), {"x": of})

    assert says in broken
    assert says in why_wrong(line, of)


def test_a_wrong_entity_breaks_a_requirement() -> None:
    names = [f"i{n}" for n in range(12)]
    truths = dict.fromkeys(names, FAULT)
    lines = [found(name, entity_right=name not in ("i0", "i1")) for name in names]

    assert broken_requirements(lines[2:], truths) == ()
    assert broken_requirements(lines, truths) == ("the entity is wrong in i0, i1",)


def test_kinds_right_in_less_than_nine_tenths_break_a_requirement() -> None:
    names = [f"i{n}" for n in range(10)]
    truths = dict.fromkeys(names, FAULT)
    enough = [found(name, kind_right=name != "i0") for name in names]
    too_few = [found(name, kind_right=name not in ("i0", "i1")) for name in names]

    assert broken_requirements(enough, truths) == ()
    assert broken_requirements(too_few, truths) == ("the kind is right in 8 of 10, less than 90%",)


@pytest.mark.parametrize("read", [Cost(calls=3, chars=5_000), Cost(calls=1, chars=6_001), None])
def test_a_cause_that_is_dear_to_read_breaks_a_requirement(read: Cost | None) -> None:
    truths = dict.fromkeys(("one", "two", "three"), FAULT)
    cheap = found("one")

    assert broken_requirements([cheap, found("two"), found("three", read=read)], truths) == ()
    (broken,) = broken_requirements([cheap, found("two", read=read), found("three", read=read)], truths)
    assert broken.startswith("reading the right cause takes")


def test_a_wrong_cause_says_what_was_named_and_what_is_true() -> None:
    wrong = found("x", kind_right=False, causes=(NamedCause(kind="tikv_hang", entity="store:7"),))

    assert why_wrong(wrong, FAULT) == "it names tikv_hang on store:7 where tikv_down on kv-a is right"


def test_an_incident_without_truth_is_listed_and_counts_for_nothing() -> None:
    unknown = found("x", healthy=None, verdict_right=None, entity_right=None, kind_right=None)

    summary = summarize((unknown,), {})

    assert (summary.incidents, summary.graded, summary.kind_right_ratio) == (1, 0, None)
    assert broken_requirements((unknown,), {}) == ()


def test_what_reading_by_hand_costs_is_a_median_in_which_never_is_endless() -> None:
    incidents = [
        found("one", read=Cost(calls=1, chars=3_000)),
        found("two", read=Cost(calls=2, chars=5_000)),
        found("three", read=None),
    ]

    summary = summarize(incidents, dict.fromkeys(("one", "two", "three"), FAULT))

    assert (summary.read_right, summary.read_calls_median, summary.read_chars_median) == (2, 2, 5_000)
    assert "stands there in 2/3: after 2 calls and 5,000 characters" in summary_text(summary, "rules")
    assert [line.split()[-4:-2] for line in table(incidents).splitlines()[1:]] == [
        ["1", "(3000)"],
        ["2", "(5000)"],
        ["2.5", "never"],
    ]


def test_the_table_has_one_aligned_line_for_each_incident_and_no_boxes() -> None:
    text = table((found("one"), calm("a-longer-name"), found("three", error="it broke")))

    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[0].index("verdict") == lines[1].index("fault right")
    assert "could not be run" in lines[3]
    assert text.isascii()


def test_the_json_has_the_fields_of_each_incident_and_an_error_only_where_there_is_one() -> None:
    incidents = (found("one"), found("two", error="it broke"))
    written = json.loads(json.dumps(as_json(incidents, summarize(incidents, {"one": FAULT}))))

    assert list(written["incidents"][0]) == [
        *("name", "healthy", "parent_tickets", "sight_tickets", "tickets_before_injection", "detected_after_seconds"),
        *("verdict", "verdict_right", "causes", "entity_right", "kind_right", "claims", "claims_held", "tool_calls"),
        *("reply_chars", "seconds", "backend", "read"),
    ]
    assert written["incidents"][1]["error"] == "it broke"
    assert written["summary"]["wrong"] == [{"name": "two", "why": "it could not be run to its end: it broke"}]


def test_the_summary_in_words_names_what_is_not_right() -> None:
    incidents = (found("one", kind_right=False),)

    text = summary_text(summarize(incidents, {"one": FAULT}), "rules (no model)")

    assert "kind 0/1" in text
    assert "Not right: one: it names" in text
