"""How lines become entries, which of them a query means, and what stays of a message when all that varies is masked."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogQuery, ParsedLine, utc
from opsai_subjects.sources.logs import MAX_ENTRY_CHARS, Entry, Harvest, Joiner, Sieve, template
from tests.subjects.sources.toy import parse, window


def joined(*lines: str) -> list[str]:
    joiner = Joiner(parse)
    ended = [joiner.feed(line) for line in lines]
    return [entry.text for entry in (*ended, joiner.flush()) if entry is not None]


def test_lines_that_begin_no_entry_continue_the_one_before() -> None:
    assert joined("    lost beginning", "1.0 ERROR panic", "  at a", "", "  at b", "2.0 INFO on") == [
        "1.0 ERROR panic\n  at a\n  at b",
        "2.0 INFO on",
    ]


def test_an_entry_that_goes_on_and_on_is_cut_and_says_so() -> None:
    (text,) = joined("1.0 ERROR panic", *["x" * 1000] * 100)

    assert len(text) < MAX_ENTRY_CHARS + 50
    assert text.endswith("x … (cut)")


@pytest.mark.parametrize(
    ("conditions", "meant"),
    [
        ({}, ["1.0 INFO region 4", "2.0 WARN slow store=4", "3.0 ERROR gone"]),
        ({"contains": ("slow", "gone")}, ["2.0 WARN slow store=4", "3.0 ERROR gone"]),
        ({"contains": ("Slow",)}, []),
        ({"regex": r"region \d|store=\d"}, ["1.0 INFO region 4", "2.0 WARN slow store=4"]),
        ({"levels": ("error", "WARN"), "contains": ("o",)}, ["2.0 WARN slow store=4", "3.0 ERROR gone"]),
    ],
)
def test_every_condition_that_is_given_must_hold(conditions: dict[str, object], meant: list[str]) -> None:
    sieve = Sieve(LogQuery(window(1, 3), **conditions))  # type: ignore[arg-type]
    lines = ("0.9 INFO before", "1.0 INFO region 4", "2.0 WARN slow store=4", "3.0 ERROR gone", "3.1 INFO after")
    entries = [Entry(parsed, line) for line in lines if (parsed := parse(line)) is not None]

    assert [entry.text for entry in entries if sieve.admits(entry)] == meant


@pytest.mark.parametrize(
    ("regex", "says"),
    [
        ("region (", "unclosed group"),
        ("*", "repetition operator missing expression"),
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"((\w{90}){90}){90}", "Compiled regex exceeds size limit of 10485760 bytes"),
    ],
)
def test_a_regular_expression_that_cannot_be_used_is_refused_with_the_reason(regex: str, says: str) -> None:
    with pytest.raises(QueryInvalid) as refused:
        Sieve(LogQuery(window(0, 1), regex=regex))

    assert str(refused.value) == (
        f"The query {regex!r} is refused: not a regular expression as RE2 and Rust know them: {says}; or use contains"
    )


@pytest.mark.parametrize("regex", [".*" * 200 + "Z", r"(\w+\s?)*Z", "((a+))+Z", r"(a|a)*(a|a)*(a|aa)+Z"])
def test_no_regular_expression_takes_for_ever(regex: str) -> None:
    sieve = Sieve(LogQuery(window(0, 1), regex=regex))
    parsed = parse("1.0 INFO a")
    assert parsed is not None

    assert not sieve.admits(Entry(parsed, "a" * 16_000))
    assert sieve.admits(Entry(parsed, "a" * 16_000 + "Z"))


def test_what_came_from_a_log_is_stripped_of_control_characters() -> None:
    harvest = Harvest(10, newest_first=False)
    hostile = "m\x1b[31m\u202e"
    harvest.add("n", Entry(ParsedLine(utc(1), "IN\x00FO", "", hostile, {"k\x07": hostile}), f"1.0 {hostile}\n\ttail"))
    (line,) = harvest.lines()

    assert (line.level, line.message, line.fields) == ("IN�FO", "m�[31m", {"k�": "m�[31m"})
    assert line.text == "1.0 m�[31m  tail"


@given(st.lists(st.integers(0, 20)), st.integers(0, 8), st.booleans())
def test_the_oldest_or_the_newest_are_kept_in_order_and_all_are_counted(
    at: list[int], limit: int, newest: bool
) -> None:
    harvest = Harvest(limit, newest_first=newest)
    for number, second in enumerate(at):
        harvest.add("n", Entry(ParsedLine(utc(second), "INFO", "", str(number), {}), str(number)))
    expected = sorted(at, reverse=newest)[:limit]

    assert [line.at.timestamp() for line in harvest.lines()] == expected
    assert harvest.matched == len(at)


@pytest.mark.parametrize(
    ("messages", "shape"),
    [
        (
            ["region 45 becomes leader at term 8", "region 7 becomes leader at term 12"],
            "region <n> becomes leader at term <n>",
        ),
        (["connect to 10.0.0.1:20160 failed", "connect to 10.0.0.12:20180 failed"], "connect to <addr> failed"),
        (["dial tikv-1.tikv:20160", "dial store-12:20160", "dial localhost:2379", "dial [::1]:2379"], "dial <addr>"),
        (["took 1.5s", "took 2m3.25s", "took 310µs", "took 12ms", "took 8"], "took <n>"),
        (["lost 1.5 MiB", "lost 20 MiB"], "lost <n> MiB"),
        (["key 7480000000000000FF5F of region", "key 748000000000000A of region"], "key <hex> of region"),
        (["at 0x7f3a", "at 0x0"], "at <hex>"),
        (["id 9d3b1c62-77aa-4c1e-8a10-2f0e5a1b9c3d"], "id <hex>"),
        (['start "t\\"a" end "x"', 'start "7480" end ""'], "start <text> end <text>"),
        (["since 2026-03-01T12:00:00.123Z ago", "since 2024/01/17 15:21:13.728 +08:00 ago"], "since <time> ago"),
        (["drift -5 of +3", "drift 4 of 1e-9"], "drift <n> of <n>"),
        (["no leader", "no leader"], "no leader"),
        (["version v8.5.1", "version v9.0.0"], "version v<n>"),
    ],
)
def test_messages_of_one_kind_have_one_template(messages: list[str], shape: str) -> None:
    assert {template(message) for message in messages} == {shape}


@given(st.text(max_size=300))
def test_no_number_survives_in_a_template(message: str) -> None:
    shape = template(message)

    assert re.search(r"[0-9]", shape) is None


def test_a_huge_message_has_a_short_template_soon() -> None:
    assert len(template('"\\' * 100_000)) <= 1_000
    assert len(template("a-" * 100_000)) <= 1_000
