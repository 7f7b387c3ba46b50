"""Functions of values, labels, order and time."""

import math

import pytest

from opsai_subjects.errors import QueryInvalid
from tests.subjects.promql.series import engine, shown

TEXT = """
n{host="a.b:80",job="x"} 1.25
n{host="c.d:81",job="x"} -2.5
"""


def answer(query: str, text: str = TEXT, at: float = 0.0) -> dict[str, list[float]]:
    return shown(engine(text).instant(query, at))


def each(function: str, text: str) -> list[float]:
    (values,) = answer(function.replace("#", "n"), f"n {text}").values()
    return values


@pytest.mark.parametrize(
    ("query", "value", "expected"),
    [
        ("abs(#)", "-2", 2.0),
        ("ceil(#)", "1.2", 2.0),
        ("floor(#)", "-1.2", -2.0),
        ("round(#)", "2.5", 3.0),
        ("round(#)", "-2.5", -2.0),
        ("round(#, 0.5)", "1.3", 1.5),
        ("round(#, 5)", "12.5", 15.0),
        ("exp(#)", "1", math.e),
        ("ln(#)", "0", -math.inf),
        ("log2(#)", "8", 3.0),
        ("log10(#)", "1000", 3.0),
        ("sqrt(#)", "9", 3.0),
        ("sgn(#)", "-7", -1.0),
        ("sgn(#)", "0", 0.0),
        ("clamp(#, 0, 5)", "7", 5.0),
        ("clamp_min(#, 0)", "-7", 0.0),
        ("clamp_max(#, 0)", "7", 0.0),
        ("clamp_min(#, Inf)", "NaN", math.inf),
        ("deg(#)", "0", 0.0),
        ("cos(#)", "0", 1.0),
        ("atan(#)", "1", math.pi / 4),
    ],
)
def test_a_function_of_values_does_its_sum(query: str, value: str, expected: float) -> None:
    assert each(query, value) == [pytest.approx(expected)]


def test_what_has_no_value_is_not_a_number() -> None:
    assert math.isnan(each("ln(#)", "-1")[0])
    assert math.isnan(each("sqrt(#)", "-1")[0])
    assert math.isnan(each("clamp_min(#, 0)", "NaN")[0])


def test_clamping_between_bounds_that_are_the_wrong_way_round_gives_nothing() -> None:
    assert answer("clamp(n, 5, 0)") == {}


def test_time_is_the_steps_own_and_a_timestamp_the_samples() -> None:
    held = engine("n 1 2 3")
    assert held.instant("time()", 12.5).series[0].points == ((12.5, 12.5),)
    assert shown(held.instant("timestamp(n)", 25)) == {"": [20.0]}
    assert shown(held.instant("timestamp(n offset 10s)", 25)) == {"": [10.0]}
    assert shown(held.instant("timestamp(n + 0)", 25)) == {"": [25.0]}
    assert shown(held.range("time() - timestamp(n)", 0, 15, 5)) == {"": [0.0, 5.0, 0.0, 5.0]}


def test_scalars_and_vectors_turn_into_each_other() -> None:
    assert answer("vector(3)") == {"": [3.0]}
    assert engine("n 4").instant("scalar(n) + 1", 0).series[0].last == 5.0
    assert math.isnan(engine(TEXT).instant("scalar(n)", 0).series[0].last)
    assert math.isnan(engine(TEXT).instant("scalar(nothing)", 0).series[0].last)
    assert engine(TEXT).instant("pi()", 0).series[0].last == math.pi


def test_absence_is_told_with_the_labels_that_were_asked_for() -> None:
    assert answer("absent(n)") == {}
    assert answer('absent(gone{a="b",c!="d",e=~"f"})') == {"a=b": [1.0]}
    assert answer('absent(gone{a="b",a="c"})') == {"": [1.0]}
    assert answer('absent(sum(gone{a="b"}))') == {"": [1.0]}
    assert shown(engine("n 1 stale _ 1").range("absent(n)", 0, 30, 10)) == {"": [1.0, 1.0]}


def test_sorting_orders_by_value_with_nan_last() -> None:
    text = 'n{i="1"} 2\nn{i="2"} NaN\nn{i="3"} 1\nn{i="4"} 3'
    assert [name[-1] for name in answer("sort(n)", text)] == ["3", "1", "4", "2"]
    assert [name[-1] for name in answer("sort_desc(n)", text)] == ["4", "1", "3", "2"]


def test_sorting_by_label_takes_digits_as_numbers() -> None:
    text = 'n{i="v10"} 1\nn{i="v9"} 2\nn{i="v1"} 3'
    assert [name[-2:] for name in answer("sort_by_label(n, 'i')", text)] == ["v1", "v9", "10"]
    assert [name[-2:] for name in answer("sort_by_label_desc(n, 'i')", text)] == ["10", "v9", "v1"]


def test_sorting_over_a_range_is_remarked_on_for_results_come_by_label() -> None:
    (remark,) = engine(TEXT).range("sort(n)", 0, 10, 10).warnings
    assert "sort is ineffective for range queries" in remark


def test_a_label_is_set_from_a_match_on_another() -> None:
    assert list(answer('label_replace(n, "port", "p$2", "host", "(.*):(.*)")')) == [
        "__name__=n,host=a.b:80,job=x,port=p80",
        "__name__=n,host=c.d:81,job=x,port=p81",
    ]
    assert list(answer('label_replace(n{job="x",host=~"a.*"}, "job", "${1}_$name$$", "host", "(?P<name>.)(.*)")')) == [
        "__name__=n,host=a.b:80,job=a_a$"
    ]


def test_a_label_is_left_where_nothing_matches_and_removed_where_the_new_value_is_empty() -> None:
    assert list(answer('label_replace(n, "job", "y", "host", "a")')) == list(answer("n"))
    assert [name.split(",job")[1:] for name in answer('label_replace(n, "job", "$9", "host", ".*")')] == [[], []]
    assert next(iter(answer('label_replace(n, "new", "y", "missing", "")'))).endswith("new=y")


def test_labels_that_make_two_series_the_same_are_refused() -> None:
    with pytest.raises(QueryInvalid, match="vector cannot contain metrics with the same labelset"):
        answer('label_replace(n, "host", "same", "host", ".*")')


def test_labels_are_joined_in_the_order_given() -> None:
    assert list(answer('label_join(n, "all", "/", "job", "missing", "host")')) == [
        "__name__=n,all=x//a.b:80,host=a.b:80,job=x",
        "__name__=n,all=x//c.d:81,host=c.d:81,job=x",
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('label_replace(n, "a", "$1", "host", "(")', r"invalid regular expression in label_replace\(\): \("),
        ('label_replace(n, "", "$1", "host", ".*")', r"invalid destination label name in label_replace\(\)"),
        ('label_join(n, "", "-", "host")', r"invalid destination label name in label_join\(\)"),
        ('label_join(n, "a", "-", "")', r"invalid source label name in label_join\(\)"),
    ],
)
def test_labels_that_cannot_be_made_are_refused_in_prometheus_words(query: str, words: str) -> None:
    with pytest.raises(QueryInvalid, match=words):
        answer(query)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("year", 2024),
        ("month", 2),
        ("day_of_month", 29),
        ("day_of_year", 60),
        ("day_of_week", 4),
        ("days_in_month", 29),
        ("hour", 12),
        ("minute", 14),
    ],
)
def test_calendar_functions_read_a_time_in_utc_or_the_steps_own(function: str, expected: int) -> None:
    leap_day = 1_709_208_896.9  # 2024-02-29T12:14:56.9Z
    assert answer(f"{function}(vector({leap_day}))") == {"": [expected]}
    assert answer(f"{function}()", at=leap_day) == {"": [expected]}


def test_calendar_functions_know_times_before_1970_and_none_for_no_number() -> None:
    assert answer("year(vector(-1))") == {"": [1969.0]}
    assert answer("day_of_week(vector(-86400))") == {"": [3.0]}
    assert math.isnan(answer("hour(vector(NaN))")[""][0])
    assert math.isnan(answer("year(vector(Inf))")[""][0])


@pytest.mark.parametrize("name", ["info", "histogram_count", "holt_winters", "nonsense", "start"])
def test_a_function_that_is_not_known_here_is_refused_by_name(name: str) -> None:
    call = f"{name}()" if name == "start" else f"{name}(n)"
    with pytest.raises(QueryInvalid, match=name):
        answer(call)
