"""Selectors: which series, which sample, which window."""

from collections.abc import Sequence

import numpy as np
import pytest

from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.samples import STALE_NAN, Matcher, MemorySamples, Selection, Stored
from tests.subjects.promql.series import engine, shown, stored

PODS = """
up{job="api",pod="a-1"} 1x60
up{job="api",pod="a-2"} 2x60
up{job="web"} 3x60
down{job="api"} 4x60
"""


def found(query: str, at: float = 100.0) -> list[float]:
    return sorted(value for values in shown(engine(PODS).instant(query, at)).values() for value in values)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ('up{job="api"}', [1, 2]),
        ('up{job!="api"}', [3]),
        ('up{pod=~"a-."}', [1, 2]),
        ('up{pod!~"a-2"}', [1, 3]),
        ('up{job="api",pod!="a-1"}', [2]),
    ],
)
def test_each_of_the_four_matchers_chooses_by_its_own_rule(query: str, values: list[float]) -> None:
    assert found(query) == values


def test_a_regular_expression_must_match_the_whole_value() -> None:
    assert found('up{pod=~"a"}') == []
    assert found('up{pod=~"-1"}') == []
    assert found('up{pod=~"a-1|a"}') == [1]


def test_a_missing_label_is_an_empty_one() -> None:
    assert found('up{pod=""}') == [3]
    assert found('up{pod!=""}') == [1, 2]
    assert found('up{pod=~"a-1|"}') == [1, 3]
    assert found('up{zone=""}') == [1, 2, 3]


def test_the_name_may_have_any_matcher_and_several() -> None:
    assert found('{__name__="down"}') == [4]
    assert found('{__name__=~"up|down",job="api"}') == [1, 2, 4]
    assert found('{__name__=~".*",__name__!="up",job="api"}') == [4]
    assert found('{job="web"}') == [3]


def test_a_sample_is_found_for_less_than_five_minutes() -> None:
    held = engine("up 7")
    assert shown(held.instant("up", 299.999)) == {"__name__=up": [7.0]}
    assert held.instant("up", 300).series == ()


def test_in_version_2_a_sample_is_found_for_five_minutes_and_not_longer() -> None:
    held = engine("up 7", left_open=False)
    assert shown(held.instant("up", 300)) == {"__name__=up": [7.0]}
    assert held.instant("up", 300.001).series == ()


def test_the_lookback_can_be_set() -> None:
    assert engine("up 7", lookback_seconds=20.0).instant("up", 20).series == ()


def test_a_staleness_marker_ends_a_series_at_once_and_a_sample_begins_it_again() -> None:
    held = engine("up 1 1 stale 1")
    answers = [bool(held.instant("up", at).series) for at in (10, 19, 20, 29, 30)]
    assert answers == [True, True, False, False, True]


def test_a_nan_that_is_no_marker_is_a_value() -> None:
    assert np.isnan(shown(engine("up NaN").instant("up", 1))["__name__=up"][0])


def test_an_offset_looks_back_and_a_negative_one_ahead() -> None:
    held = engine("n 0+1x60")
    assert shown(held.instant("n offset 30s", 100)) == {"__name__=n": [7.0]}
    assert shown(held.instant("n offset -30s", 100)) == {"__name__=n": [13.0]}


def test_at_fixes_the_moment_whatever_the_step() -> None:
    held = engine("n 0+1x60")
    assert shown(held.range("n @ 50", 100, 120, 10)) == {"__name__=n": [5.0, 5.0, 5.0]}
    assert shown(held.range("n @ start()", 100, 120, 10)) == {"__name__=n": [10.0, 10.0, 10.0]}
    assert shown(held.range("n @ end() offset 10s", 100, 120, 10)) == {"__name__=n": [11.0, 11.0, 11.0]}
    assert shown(held.range("sum_over_time(n[20s] @ 50)", 100, 110, 10)) == {"": [9.0, 9.0]}


def test_a_window_leaves_out_a_sample_at_its_very_beginning() -> None:
    assert shown(engine("n 0+1x60").instant("count_over_time(n[30s])", 100)) == {"": [3.0]}


def test_in_version_2_a_window_includes_a_sample_at_its_very_beginning() -> None:
    assert shown(engine("n 0+1x60", left_open=False).instant("count_over_time(n[30s])", 100)) == {"": [4.0]}


def test_a_range_vector_is_answered_with_its_samples_at_their_own_times_and_without_markers() -> None:
    reply = engine("n 1 2 stale 4").instant("n[1m]", 35)
    assert reply.kind == "matrix"
    assert [one.points for one in reply.series] == [((0.0, 1.0), (10.0, 2.0), (30.0, 4.0))]


def test_a_selector_over_a_range_has_points_only_where_there_is_a_sample() -> None:
    reply = engine("n 1 stale _ 4").range("n", 0, 30, 10)
    assert [one.points for one in reply.series] == [((0.0, 1.0), (30.0, 4.0))]


def test_a_metric_that_does_not_exist_is_an_empty_answer() -> None:
    assert engine(PODS).instant("nothing", 100).series == ()
    assert engine(PODS).range("rate(nothing[1m])", 100, 200, 10).series == ()


def test_selected_series_are_sorted_by_their_labels() -> None:
    held = engine('n{b="2"} 1\nn{a="9"} 2\nn{b="1"} 3')
    assert list(shown(held.instant("n", 0))) == ["__name__=n,a=9", "__name__=n,b=1", "__name__=n,b=2"]


def test_any_holder_of_samples_will_do() -> None:
    class Plain:
        def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Stored]:
            assert (start, end) == (-200.0, 100.0)
            return [stored("up 1x20")] if matchers[0].matches("up") else []

    assert shown(Engine(Plain()).instant("up", 100)) == {"__name__=up": [1.0]}


def test_a_selection_is_a_sequence_of_series_cut_to_its_stretch() -> None:
    held = MemorySamples([stored("n 0+1x60"), stored('n{a="b"} 5 stale')])
    chosen = held.select([Matcher("__name__", "=", "n")], 10.0, 30.0)
    assert isinstance(chosen, Selection)
    assert [dict(one.labels) for one in chosen] == [{"__name__": "n"}, {"__name__": "n", "a": "b"}]
    assert chosen[0].t.tolist() == [10.0, 20.0, 30.0]
    assert chosen[0].v.tolist() == [1.0, 2.0, 3.0]
    assert chosen[-1].v.view(np.uint64).tolist() == [np.array([STALE_NAN]).view(np.uint64)[0]]
    assert [one.t.tolist() for one in chosen[:1]] == [[10.0, 20.0, 30.0]]


def test_what_lies_outside_a_selections_stretch_is_not_evaluated() -> None:
    whole = MemorySamples([stored("n 0+1x60")])

    class UntilNow:
        def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Stored]:
            return whole.select(matchers, start, min(end, 55.0))

    held = Engine(UntilNow())
    assert shown(held.instant("n", 100)) == {"__name__=n": [5.0]}
    assert shown(held.instant("n @ end() offset -1m", 40)) == {"__name__=n": [5.0]}
    assert shown(held.instant("count_over_time(n[1m])", 100)) == {"": [1.0]}
    assert shown(held.range("last_over_time(n[30s])", 40, 100, 20)) == {"__name__=n": [4.0, 5.0]}


def test_series_of_a_metric_are_loaded_once_and_only_when_needed() -> None:
    loaded: list[str] = []

    def load(name: str) -> list[Stored]:
        loaded.append(name)
        return [stored(f"{name} 1x20")]

    held = MemorySamples.lazily(["a", "b", "c"], load)
    queries = Engine(held)
    queries.instant("a + on () b", 50)
    queries.instant("a", 50)
    queries.instant('{__name__=~"a|b"}', 50)
    assert sorted(loaded) == ["a", "b"]
    assert held.names() == ("a", "b", "c")
