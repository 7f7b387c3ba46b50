"""Subqueries: an expression's own values over a range."""

import pytest

from opsai_subjects.errors import QueryInvalid
from tests.subjects.promql.series import engine, shown

TEXT = "n 0+1x100"


def test_a_subquery_is_evaluated_at_multiples_of_its_step_whatever_the_moment_asked() -> None:
    reply = engine(TEXT).instant("n[1m:20s]", 107)
    assert [one.points for one in reply.series] == [((60.0, 6.0), (80.0, 8.0), (100.0, 10.0))]


def test_a_subquery_leaves_out_a_step_at_its_very_beginning() -> None:
    reply = engine(TEXT).instant("n[1m:20s]", 120)
    assert [t for t, _ in reply.series[0].points] == [80.0, 100.0, 120.0]


def test_in_version_2_it_includes_that_step() -> None:
    reply = engine(TEXT, left_open=False).instant("n[1m:20s]", 120)
    assert [t for t, _ in reply.series[0].points] == [60.0, 80.0, 100.0, 120.0]


def test_a_subquery_without_a_step_takes_one_a_minute() -> None:
    assert shown(engine(TEXT).instant("count_over_time(n[5m:])", 600)) == {"": [5.0]}
    assert shown(engine(TEXT, subquery_step_seconds=30.0).instant("count_over_time(n[5m:])", 600)) == {"": [10.0]}


def test_functions_of_windows_work_on_subqueries_as_on_samples() -> None:
    held = engine(TEXT)
    assert shown(held.instant("max_over_time(rate(n[1m])[5m:30s])", 600)) == {"": [pytest.approx(0.1)]}
    assert shown(held.instant("sum_over_time((n > 50)[1m:10s])", 520)) == {"": [51.0 + 52.0]}
    assert shown(held.instant("count_over_time(vector(1)[1m:10s])", 60)) == {"": [6.0]}


def test_a_subquery_can_be_moved_and_fixed() -> None:
    held = engine(TEXT)
    assert shown(held.instant("max_over_time(n[1m:10s] offset 2m)", 600)) == {"": [48.0]}
    assert shown(held.range("max_over_time(n[1m:10s] @ 100)", 500, 520, 10)) == {"": [10.0, 10.0, 10.0]}
    assert shown(held.range("max_over_time(n[1m:10s] @ end() offset 20s)", 500, 520, 20)) == {"": [50.0, 50.0]}


def test_start_and_end_inside_a_subquery_are_those_of_the_whole_query() -> None:
    assert shown(engine(TEXT).range("max_over_time((n @ end())[1m:10s])", 300, 320, 10)) == {"": [32.0, 32.0, 32.0]}


def test_subqueries_nest() -> None:
    reply = engine(TEXT).instant("max_over_time(min_over_time(n[1m:10s])[2m:30s])", 600)
    assert shown(reply) == {"": [55.0]}


def test_a_subquery_shorter_than_its_step_may_hold_nothing() -> None:
    assert engine(TEXT).instant("count_over_time(n[10s:1m])", 590).series == ()


def test_a_subquery_of_too_many_steps_is_refused_before_it_is_tried() -> None:
    with pytest.raises(QueryInvalid, match="query processing would load too many samples into memory"):
        engine(TEXT).instant("max_over_time(n[10y:1s])", 600)
