"""Arithmetic, comparison, set operators, and how two vectors are joined."""

import math

import pytest

from opsai_subjects.errors import QueryInvalid
from tests.subjects.promql.series import engine, shown

TEXT = """
used{pod="1",node="x"} 2
used{pod="2",node="x"} 3
used{pod="3",node="y"} 8
size{node="x",zone="z1"} 10
size{node="y",zone="z2"} 16
"""
TWINS = 'a{k="v"} 1 2 stale\nb{k="v"} _ stale 3'


def answer(query: str, text: str = TEXT, at: float = 0.0) -> dict[str, list[float]]:
    return shown(engine(text).instant(query, at))


def scalar(query: str) -> float:
    reply = engine("up 1").instant(query, 0)
    assert reply.kind == "scalar"
    return reply.series[0].last


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1 + 2 * 3 ^ 2", 19),
        ("2 ^ 3 ^ 2", 512),
        ("-1 ^ 2", -1),
        ("10 % 4", 2),
        ("-7 % 3", -1),
        ("7 / 2", 3.5),
        ("1 / 0", math.inf),
        ("2 == bool 2", 1),
        ("2 < bool 1", 0),
        ("1 - -1", 2),
        ("(1 + 2) * 3", 9),
    ],
)
def test_scalars_are_reckoned_with_the_usual_precedence(query: str, expected: float) -> None:
    assert scalar(query) == expected


def test_zero_by_zero_is_not_a_number() -> None:
    assert math.isnan(scalar("0 / 0"))
    assert math.isnan(scalar("5 % 0"))


def test_arithmetic_with_a_scalar_drops_the_name_on_either_side() -> None:
    assert answer("size * 2") == {"node=x,zone=z1": [20.0], "node=y,zone=z2": [32.0]}
    assert answer("20 - size") == {"node=x,zone=z1": [10.0], "node=y,zone=z2": [4.0]}
    assert answer("-size") == {"node=x,zone=z1": [-10.0], "node=y,zone=z2": [-16.0]}


def test_a_comparison_keeps_elements_as_they_are_and_with_bool_judges_them() -> None:
    assert answer("size > 12") == {"__name__=size,node=y,zone=z2": [16.0]}
    assert answer("12 < size") == {"__name__=size,node=y,zone=z2": [16.0]}
    assert answer("size > bool 12") == {"node=x,zone=z1": [0.0], "node=y,zone=z2": [1.0]}
    assert answer("size != size") == {}


def test_vectors_are_joined_by_all_labels_but_the_name() -> None:
    text = 'a{x="1"} 5\na{x="2"} 6\nb{x="1"} 2\nb{x="3"} 1'
    assert answer("a - b", text) == {"x=1": [3.0]}
    assert answer("a > b", text) == {"__name__=a,x=1": [5.0]}
    assert answer("a > bool b", text) == {"x=1": [1.0]}
    assert answer("a atan2 b", text) == {"x=1": [pytest.approx(math.atan2(5, 2))]}


def test_vectors_can_be_joined_on_some_labels_or_on_all_but_some() -> None:
    assert answer("sum by (node) (used) / on (node) size") == {"node=x": [0.5], "node=y": [0.5]}
    assert answer("sum by (node) (used) / ignoring (zone) size") == {"node=x": [0.5], "node=y": [0.5]}
    assert answer("sum(used) + on () sum(size)") == {"": [39.0]}


def test_many_are_joined_with_one_and_take_its_labels_over() -> None:
    assert answer("used / on (node) group_left (zone) size") == {
        "node=x,pod=1,zone=z1": [0.2],
        "node=x,pod=2,zone=z1": [0.3],
        "node=y,pod=3,zone=z2": [0.5],
    }
    assert answer("size - on (node) group_right used") == {
        "node=x,pod=1": [8.0],
        "node=x,pod=2": [7.0],
        "node=y,pod=3": [8.0],
    }


def test_a_label_taken_over_that_is_missing_there_is_removed() -> None:
    text = 'many{k="1",v="old"} 2\none{k="1"} 3'
    assert answer("many * on (k) group_left (v) one", text) == {"k=1": [6.0]}


def test_a_comparison_with_group_right_keeps_the_left_value() -> None:
    text = 'one{k="1"} 5\nmany{k="1",i="a"} 3\nmany{k="1",i="b"} 7'
    assert answer("one > on (k) group_right many", text) == {"__name__=many,i=a,k=1": [5.0]}


def test_two_elements_of_the_one_side_are_refused_in_prometheus_words() -> None:
    with pytest.raises(QueryInvalid) as refused:
        answer("sum by (node) (used) / on (node) used")
    assert refused.value.reason == (
        'found duplicate series for the match group {node="x"} on the right hand-side of the operation: '
        '[{__name__="used", node="x", pod="1"}, {__name__="used", node="x", pod="2"}]'
        ";many-to-many matching not allowed: matching labels must be unique on one side"
    )
    with pytest.raises(QueryInvalid, match="on the left hand-side of the operation"):
        answer("used / on (node) group_right size")


def test_several_matches_of_a_one_to_one_join_are_refused_in_prometheus_words() -> None:
    with pytest.raises(QueryInvalid) as refused:
        answer("used / on (node) size")
    assert refused.value.reason == (
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    )


def test_results_that_would_have_the_same_labels_are_refused_in_prometheus_words() -> None:
    text = 'many{k="1",i="a"} 3\nmany{k="1",i="b"} 7\none{k="1",i="c"} 1'
    with pytest.raises(QueryInvalid) as refused:
        answer("many * on (k) group_left (i) one", text)
    assert refused.value.reason == "multiple matches for labels: grouping labels must ensure unique matches"


def test_elements_that_a_comparison_drops_do_not_count_as_matches() -> None:
    assert answer("used > on (node) size / 4", TEXT) == {"node=x": [3.0], "node=y": [8.0]}


def test_a_clash_counts_only_at_steps_where_both_exist_and_the_other_side_too() -> None:
    text = 'one{k="v",i="1"} 1 stale\none{k="v",i="2"} _ 2\nmany{k="v"} 5 5'
    assert shown(engine(text).range("many * on (k) one", 0, 10, 10)) == {"k=v": [5.0, 10.0]}
    clashing = 'one{k="v",i="1"} 1 1\none{k="v",i="2"} _ 2\nmany{k="v"} 5 stale'
    assert shown(engine(clashing).range("many * on (k) one", 0, 10, 10)) == {"k=v": [5.0]}


def test_set_operators_choose_elements_by_whether_the_other_side_has_such() -> None:
    text = 'a{x="1"} 1\na{x="2"} 2\nb{x="2"} 20\nb{x="3"} 30'
    assert answer("a and b", text) == {"__name__=a,x=2": [2.0]}
    assert answer("a unless b", text) == {"__name__=a,x=1": [1.0]}
    assert answer("a or b", text) == {"__name__=a,x=1": [1.0], "__name__=a,x=2": [2.0], "__name__=b,x=3": [30.0]}
    assert answer("a and on () b", text) == {"__name__=a,x=1": [1.0], "__name__=a,x=2": [2.0]}
    assert answer("a unless ignoring (x) b", text) == {}
    assert answer("nothing or a and a > 1", text) == {"__name__=a,x=2": [2.0]}


def test_set_operators_choose_anew_at_each_step() -> None:
    held = engine("a 1 1 stale 1\nb _ 2 2 stale")
    assert [t for t, _ in held.range("a and b", 0, 30, 10).series[0].points] == [10.0]
    assert [t for t, _ in held.range("a unless b", 0, 30, 10).series[0].points] == [0.0, 30.0]
    assert shown(held.range("a or b", 0, 30, 10)) == {"__name__=a": [1.0, 1.0, 1.0], "__name__=b": [2.0]}


def test_series_that_become_the_same_are_one_where_they_take_turns() -> None:
    held = engine(TWINS)
    assert shown(held.range('{__name__=~"a|b"} + 1', 0, 20, 10)) == {"k=v": [2.0, 3.0, 4.0]}
    assert shown(held.range('-{__name__=~"a|b"}', 0, 20, 10)) == {"k=v": [-1.0, -2.0, -3.0]}
    assert shown(held.range("sum(a) or sum(b)", 0, 20, 10)) == {"": [1.0, 2.0, 3.0]}


def test_series_that_would_be_the_same_at_once_are_refused_in_prometheus_words() -> None:
    held = engine('a{k="v"} 1x20\nb{k="v"} 1x20')
    for query in (
        '{__name__=~"a|b"} + 1',
        'abs({__name__=~"a|b"})',
        'rate({__name__=~"a|b"}[1m])',
        '-{__name__=~"a|b"}',
    ):
        with pytest.raises(QueryInvalid) as refused:
            held.instant(query, 100)
        assert refused.value.reason == "vector cannot contain metrics with the same labelset"


def test_a_range_function_refuses_twins_even_when_they_take_turns() -> None:
    held = engine('a{k="v"} 1 1 1 stale\nb{k="v"} _ _ _ _ _ _ _ _ _ _ 1 1 1')
    with pytest.raises(QueryInvalid, match="same labelset"):
        held.range('rate({__name__=~"a|b"}[30s])', 0, 130, 10)


def test_the_modifier_fill_is_refused_by_name() -> None:
    with pytest.raises(QueryInvalid, match="'fill'"):
        answer("used + fill (0) size")
