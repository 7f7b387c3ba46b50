"""How replies are cut: never silently, never over the cap."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsai_server.tools.shaping import HARD_CHARS, compact, plain, render
from opsai_subjects.model import Unread, Window
from opsai_subjects.reply import Own, Rows, Whole, unread_rows

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**60), "-1152921504606846976"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (0.1 + 0.2, 0.3),
        (87.0, 87),
        (123456789.123, 123456789),
        (0.000123456789, 0.000123457),
        (1e300, str(int(1e300))),
        (-0.0, 0),
        (True, True),
        (NOON, "2026-05-01T12:00:00.000Z"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-05-01T12:00:00.000Z"),
        (("a", 1), ["a", 1]),
        ({1: "a\x00b"}, {"1": "a\ufffdb"}),
        (Own("two\nlines"), "two\nlines"),
        ("two\nlines", "two lines"),
        (Window(start=NOON, end=NOON), {"start": "2026-05-01T12:00:00.000Z", "end": "2026-05-01T12:00:00.000Z"}),
    ],
)
def test_values_become_plain_json(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_what_has_no_place_in_json_is_an_error_and_no_text() -> None:
    with pytest.raises(TypeError, match="set has no place in a reply"):
        plain({1, 2})


def test_a_list_that_shows_a_part_says_so() -> None:
    reply = render({"cluster": "c"}, {"a": {"rows": Rows([1, 2], 9, "narrow with x")}, "b": Rows([3], 1, "")})

    assert reply == {"cluster": "c", "shown": {"a.rows": "2 of 9; narrow with x"}, "a": {"rows": [1, 2]}, "b": [3]}


def test_a_reply_over_the_cap_loses_the_end_of_its_longest_list_and_says_so() -> None:
    long = Rows([{"text": "x" * 1000} for _ in range(200)], 200, "narrow with y")
    reply = render({"cluster": "c"}, {"long": long, "short": Rows(list(range(10)), 10, "")})

    assert len(compact(reply)) <= HARD_CHARS
    assert reply["shown"] == {"long": "25 of 200; narrow with y"}
    assert reply["short"] == list(range(10))


def test_a_reply_that_no_list_can_shorten_says_where_to_read_it() -> None:
    reply = render({"cluster": "c", "evidence_id": "E-3"}, {"value": Whole("x" * 50_000)})

    assert reply["shown"] == (
        "nothing: the reply is over 40000 characters; read it in parts with evidence(id='E-3', path=…)"
    )


def test_a_long_text_is_cut_with_the_cut_said_unless_it_is_shown_whole() -> None:
    reply = render({}, {"cut": "x" * 2500, "whole": Whole("y" * 2500)})

    assert str(reply["cut"]).endswith("x… (500 characters more)")
    assert reply["whole"] == "y" * 2500


def test_what_one_source_left_open_for_one_reason_is_one_row() -> None:
    down = [
        Unread(source="prometheus", asked=f"query {n}", why=f"Asked it for query {n}: no connection", advice="look")
        for n in range(90)
    ]
    lone = Unread(source="logs:a", asked="/a.log", why="no such file")
    reply = render({}, unread_rows((*down, lone)))

    assert reply["unread"] == [
        {
            "source": "prometheus",
            "asked": "90 questions, the first: query 0",
            "why": "Asked it for …: no connection",
            "advice": "look",
        },
        {"source": "logs:a", "asked": "/a.log", "why": "no such file"},
    ]
