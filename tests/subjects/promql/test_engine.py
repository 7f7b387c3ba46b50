"""What a caller of the engine sees: kinds of results, limits, errors, and that no text breaks it."""

import contextlib
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import Series
from tests.subjects.promql.series import engine, shown

UP = 'up{job="a"} 1 0 1\nup{job="b"} 0 1 0'


def reason(query: str, text: str = UP) -> str:
    with pytest.raises(QueryInvalid) as refused:
        engine(text).instant(query, 10)
    assert refused.value.query == query
    return refused.value.reason


def test_a_vector_is_answered_with_one_point_each_at_the_moment_asked() -> None:
    reply = engine(UP).instant("up", 25)
    assert reply.kind == "vector"
    assert reply.series == (
        Series({"__name__": "up", "job": "a"}, ((25.0, 1.0),)),
        Series({"__name__": "up", "job": "b"}, ((25.0, 0.0),)),
    )


def test_scalars_and_strings_are_answered_as_such() -> None:
    reply = engine(UP).instant("1 + 1", 25)
    assert (reply.kind, reply.series) == ("scalar", (Series({}, ((25.0, 2.0),)),))
    reply = engine(UP).instant('"two\\nlines \\u00e9"', 25)
    assert (reply.kind, reply.text, reply.series) == ("string", "two\nlines é", ())


def test_a_raw_string_is_taken_as_it_stands() -> None:
    assert engine(UP).instant(r"`a\n\d`", 25).text == r"a\n\d"
    assert engine(UP).instant(r"""`say "it"`""", 25).text == 'say "it"'
    held = engine('n{path="/a.b"} 1\nn{path="/axb"} 2')
    assert shown(held.instant(r"n{path=~`/a\.\w`}", 0)) == {"__name__=n,path=/a.b": [1.0]}


def test_a_range_is_answered_with_series_sorted_by_their_labels() -> None:
    held = engine('n{z="1"} 1 1\nn{a="1"} 2 2')
    reply = held.range("sort_desc(n)", 0, 10, 10)
    assert reply.kind == "matrix"
    assert list(shown(reply)) == ["__name__=n,a=1", "__name__=n,z=1"]
    assert held.range("42", 0, 10, 5).series == (Series({}, ((0.0, 42.0), (5.0, 42.0), (10.0, 42.0))),)


def test_a_range_ends_at_the_last_step_that_fits() -> None:
    assert [t for t, _ in engine(UP).range("vector(1)", 1, 10, 4).series[0].points] == [1.0, 5.0, 9.0]


@pytest.mark.parametrize(
    ("start", "end", "step", "words"),
    [
        (10, 9, 1, "end timestamp must not be before start time"),
        (0, 10, 0, "zero or negative query resolution step widths are not accepted. Try a positive integer"),
        (0, 10, -5, "zero or negative query resolution step widths are not accepted. Try a positive integer"),
        (
            0,
            11_001,
            1,
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
    ],
)
def test_a_range_that_cannot_be_is_refused_in_prometheus_words(start: int, end: int, step: int, words: str) -> None:
    with pytest.raises(QueryInvalid) as refused:
        engine(UP).range("up", start, end, step)
    assert refused.value.reason == words


def test_the_most_points_that_fit_are_answered() -> None:
    assert len(engine(UP).range("vector(1)", 0, 11_000, 1).series[0].points) == 11_001


@pytest.mark.parametrize(("query", "kind"), [("up[1m]", "range vector"), ('"text"', "string")])
def test_only_vectors_and_scalars_have_a_value_at_each_step(query: str, kind: str) -> None:
    with pytest.raises(QueryInvalid) as refused:
        engine(UP).range(query, 0, 10, 1)
    assert refused.value.reason == (
        f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector'
    )


def test_more_samples_than_allowed_are_refused_in_prometheus_words() -> None:
    words = "query processing would load too many samples into memory in query execution"
    held = engine("n 1x100", max_samples=50)
    assert shown(held.instant("sum_over_time(n[5m])", 1000)) == {"": [30.0]}
    for ask in (
        lambda: held.instant("sum_over_time(n[10m])", 1000),
        lambda: held.range("n", 0, 1000, 10),
        lambda: held.instant("sum_over_time(vector(1)[10m:1s])", 1000),
    ):
        with pytest.raises(QueryInvalid) as refused:
            ask()
        assert refused.value.reason == words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sum(up", "parse error: unclosed left parenthesis"),
        ("rate(up)", 'parse error: expected type range vector in call to function "rate", got instant vector'),
        ("nonsense(up)", 'parse error: unknown function with name "nonsense"'),
        ("1 > 2", "parse error: comparisons between scalars must use BOOL modifier"),
        ('up{job=~"("}', "parse error: error parsing regexp: missing closing )"),
        ('up{job=~"[a"}', "parse error: error parsing regexp: missing closing ]: `[a`"),
        ("{}", "parse error: vector selector must contain at least one non-empty matcher"),
        ('up{a="b" or c="d"}', "parse error: 'or' between label matchers is not PromQL"),
    ],
)
def test_a_query_that_does_not_parse_is_refused_in_prometheus_words(query: str, words: str) -> None:
    assert reason(query) == words


def test_where_the_parser_has_no_words_the_usual_causes_are_named() -> None:
    assert reason("up == ").endswith("an operator, comma, keyword or operand is missing or out of place")


def test_a_chain_too_long_for_the_native_parser_is_refused_before_it_gets_there() -> None:
    for query in (
        "+".join(["up"] * 5000),
        "(" * 5000 + "up" + ")" * 5000,
        "-" * 5000 + "up",
        " or ".join(["up"] * 5000),
    ):
        assert reason(query) == "the query has more than 300 operators and parentheses"
    wide = " or ".join(f'up{{job="{i}",a!="-+-",b=~"(x|y)*"}}' for i in range(200))
    assert engine(UP).instant(wide, 10).series == ()


def test_a_query_that_nests_too_deeply_is_refused() -> None:
    assert reason("max_over_time(" * 280 + "up" + "[5m:1m])" * 280) == "the query nests too deeply"
    assert shown(engine(UP).instant("abs(" * 50 + "up" + ")" * 50, 10)) == {"job=a": [0.0], "job=b": [1.0]}


def test_operators_inside_strings_and_comments_are_not_counted() -> None:
    query = f"""up{{job="a"}} or vector(5) # {"+" * 500}"""
    assert shown(engine(UP).instant(query, 10)) == {"__name__=up,job=a": [0.0], "": [5.0]}
    assert engine(UP).instant(f'"{"(" * 500}"', 10).text == "(" * 500


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(st.sampled_from("up{}[]()\"'`\\=~!<>+-*/%^:,.@ 0123456789smhxe#\n\x00é"), max_size=40))
@example("up{job='")
@example("`")
@example("\x00")
def test_any_text_is_answered_or_refused(query: str) -> None:
    held = engine(UP)
    with contextlib.suppress(QueryInvalid):
        assert held.instant(query, 10).kind in ("vector", "matrix", "scalar", "string")


def test_warnings_are_told_once_each_and_sorted() -> None:
    reply = engine("a 1x20\nb 1x20").range("rate(b[1m]) + on () rate(a[1m])", 60, 100, 10)
    assert [words.rpartition(" ")[2] for words in reply.warnings] == ['"a"', '"b"']


def test_the_same_query_at_another_moment_is_evaluated_anew() -> None:
    held = engine("n 0+1x60")
    assert [shown(held.instant("sum(n)", at))[""] for at in (0, 100, 50)] == [[0.0], [10.0], [5.0]]


def test_moments_are_told_apart_to_the_millisecond() -> None:
    held = engine("n 1 2", step=0.001)
    assert [shown(held.instant("n", at))["__name__=n"] for at in (0.0, 0.0004, 0.001)] == [[1.0], [1.0], [2.0]]


def test_infinite_and_missing_numbers_stay_what_they_are() -> None:
    values = shown(engine("n NaN Inf -Inf").instant("n[1m]", 30))["__name__=n"]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]
