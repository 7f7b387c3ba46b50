"""Aggregations over labels."""

import math

import pytest

from opsai_subjects.errors import QueryInvalid
from tests.subjects.promql.series import engine, shown

TEXT = """
n{job="a",pod="1"} 1
n{job="a",pod="2"} 3
n{job="b",pod="1"} 8
"""


def answer(query: str, text: str = TEXT) -> dict[str, list[float]]:
    return shown(engine(text).instant(query, 0))


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("sum", {"job=a": [4], "job=b": [8]}),
        ("avg", {"job=a": [2], "job=b": [8]}),
        ("min", {"job=a": [1], "job=b": [8]}),
        ("max", {"job=a": [3], "job=b": [8]}),
        ("count", {"job=a": [2], "job=b": [1]}),
        ("group", {"job=a": [1], "job=b": [1]}),
        ("stdvar", {"job=a": [1], "job=b": [0]}),
        ("stddev", {"job=a": [1], "job=b": [0]}),
    ],
)
def test_a_group_is_made_one(op: str, expected: dict[str, list[float]]) -> None:
    assert answer(f"{op} by (job) (n)") == expected
    assert answer(f"{op} without (pod) (n)") == expected


def test_groups_are_made_of_the_labels_named_or_of_all_but_them() -> None:
    assert answer("sum(n)") == {"": [12.0]}
    assert answer("sum by (job, nothing) (n)") == {"job=a": [4.0], "job=b": [8.0]}
    assert answer("sum without () (n)") == {"job=a,pod=1": [1.0], "job=a,pod=2": [3.0], "job=b,pod=1": [8.0]}
    assert answer("sum by (__name__) (n)") == {"__name__=n": [12.0]}


def test_a_group_has_a_value_only_at_steps_where_one_of_its_own_has() -> None:
    reply = engine('n{i="1"} 1 stale _ 4\nn{i="2"} _ _ 3 stale').range("sum(n)", 0, 30, 10)
    assert [one.points for one in reply.series] == [((0.0, 1.0), (20.0, 3.0), (30.0, 4.0))]


def test_the_largest_and_smallest_keep_their_labels_and_come_in_order() -> None:
    assert list(answer("topk(2, n)").items()) == [("__name__=n,job=b,pod=1", [8.0]), ("__name__=n,job=a,pod=2", [3.0])]
    assert list(answer("bottomk(2, n)").items()) == [
        ("__name__=n,job=a,pod=1", [1.0]),
        ("__name__=n,job=a,pod=2", [3.0]),
    ]
    assert list(answer("topk by (job) (1, n)")) == ["__name__=n,job=a,pod=2", "__name__=n,job=b,pod=1"]
    assert len(answer("topk(1000000, n)")) == 3
    assert answer("topk(0, n)") == {}
    assert answer("topk(-3, n)") == {}


def test_the_largest_are_chosen_anew_at_each_step() -> None:
    reply = engine('n{i="1"} 1 5 1\nn{i="2"} 3 3 3').range("topk(1, n)", 0, 20, 10)
    assert {one.labels["i"]: [t for t, _ in one.points] for one in reply.series} == {"1": [10.0], "2": [0.0, 20.0]}


def test_nan_is_chosen_last_and_taken_for_an_extreme_only_when_alone() -> None:
    text = 'n{i="1"} NaN\nn{i="2"} 3\nn{i="3"} 1'
    assert list(answer("topk(2, n)", text)) == ["__name__=n,i=2", "__name__=n,i=3"]
    assert list(answer("bottomk(2, n)", text)) == ["__name__=n,i=3", "__name__=n,i=2"]
    assert answer("max(n)", text) == {"": [3.0]}
    assert answer("min(n)", text) == {"": [1.0]}
    assert math.isnan(answer("sum(n)", text)[""][0])
    assert math.isnan(answer('max(n{i="1"})', text)[""][0])


def test_how_many_are_chosen_must_be_a_number() -> None:
    for k, words in (("NaN", "Parameter value is NaN"), ("Inf", r"Scalar value \+Inf overflows int64")):
        with pytest.raises(QueryInvalid, match=words):
            answer(f"topk({k}, n)")


@pytest.mark.parametrize(
    ("q", "expected"), [("0", 1.0), ("0.5", 3.0), ("0.75", 5.5), ("1", 8.0), ("-1", -math.inf), ("7", math.inf)]
)
def test_a_quantile_lies_between_its_neighbours_by_weight(q: str, expected: float) -> None:
    assert answer(f"quantile({q}, n)") == {"": [expected]}


def test_values_are_counted_under_a_label_of_their_own() -> None:
    text = 'n{i="1"} 0.5\nn{i="2"} 0.5\nn{i="3"} 1e21\nn{i="4"} -Inf\nn{i="5"} NaN'
    expected = {"v=0.5": [2.0], "v=1000000000000000000000": [1.0], "v=-Inf": [1.0], "v=NaN": [1.0]}
    assert answer('count_values("v", n)', text) == expected
    assert answer('count_values by (i) ("i", n{i="1"})', text) == {"i=0.5": [1.0]}
    with pytest.raises(QueryInvalid, match="invalid label name"):
        answer('count_values("", n)')


def test_sums_across_series_keep_what_cancels() -> None:
    assert answer("sum(n)", 'n{i="1"} 1e100\nn{i="2"} 1\nn{i="3"} -1e100') == {"": [1.0]}


def test_a_mean_of_huge_values_does_not_overflow() -> None:
    assert answer("avg(n)", 'n{i="1"} 1.5e308\nn{i="2"} 1.5e308') == {"": [pytest.approx(1.5e308)]}
    assert answer("avg(n)", 'n{i="1"} Inf\nn{i="2"} 1') == {"": [math.inf]}


def test_equal_values_have_no_deviation_and_infinite_ones_none_that_is_known() -> None:
    assert answer("stddev(n)", "\n".join(f'n{{i="{i}"}} 0.1' for i in range(7))) == {"": [0.0]}
    assert math.isnan(answer("stdvar(n)", "n Inf")[""][0])


def test_aggregating_nothing_gives_nothing() -> None:
    for query in ("sum(x)", "topk(1, x)", "quantile(0.5, x)", 'count_values("v", x)', "stddev by (a) (x)"):
        assert answer(query) == {}
        assert engine(TEXT).range(query, 0, 100, 10).series == ()


def test_aggregations_that_are_not_known_here_are_refused_by_name() -> None:
    with pytest.raises(QueryInvalid, match="limitk"):
        answer("limitk(2, n)")
