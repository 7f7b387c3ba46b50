"""One figure of each window: the `*_over_time` functions."""

import math

import pytest

from tests.subjects.promql.series import engine, shown

TEXT = "n 4 1 3 2 10"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("avg", 4.0),
        ("sum", 20.0),
        ("min", 1.0),
        ("max", 10.0),
        ("count", 5.0),
        ("present", 1.0),
        ("stdvar", 10.0),
        ("stddev", math.sqrt(10)),
        ("mad", 1.0),
    ],
)
def test_a_window_has_one_figure_without_the_name(function: str, expected: float) -> None:
    reply = engine(TEXT).instant(f"{function}_over_time(n[1m])", 45)
    assert shown(reply) == {"": [pytest.approx(expected)]}


def test_the_newest_and_the_oldest_sample_keep_their_series_name() -> None:
    held = engine('n{a="b"} 4 1 3 stale')
    assert shown(held.instant("last_over_time(n[1m])", 45)) == {"__name__=n,a=b": [3.0]}
    assert shown(held.instant("first_over_time(n[1m])", 45)) == {"__name__=n,a=b": [4.0]}


@pytest.mark.parametrize(
    ("q", "expected"),
    [("0", 1.0), ("0.5", 3.0), ("0.25", 2.0), ("0.9", 7.6), ("1", 10.0), ("-1", -math.inf), ("2", math.inf)],
)
def test_a_quantile_lies_between_its_neighbours_by_weight(q: str, expected: float) -> None:
    assert shown(engine(TEXT).instant(f"quantile_over_time({q}, n[1m])", 45)) == {"": [pytest.approx(expected)]}


def test_a_quantile_outside_0_and_1_is_remarked_on() -> None:
    reply = engine(TEXT).instant("quantile_over_time(1.5, n[1m])", 45)
    assert reply.warnings == ("PromQL warning: quantile value should be between 0 and 1, got 1.5",)


def test_nan_sorts_lowest_and_never_is_the_extreme_of_other_values() -> None:
    held = engine("n NaN 5 1 NaN")
    assert shown(held.instant("max_over_time(n[1m])", 35)) == {"": [5.0]}
    assert shown(held.instant("min_over_time(n[1m])", 35)) == {"": [1.0]}
    assert shown(held.instant("quantile_over_time(1, n[1m])", 35)) == {"": [5.0]}
    assert math.isnan(shown(held.instant("quantile_over_time(0, n[1m])", 35))[""][0])
    assert math.isnan(shown(held.instant("mad_over_time(n[1m])", 35))[""][0])
    assert math.isnan(shown(engine("n NaN NaN").instant("max_over_time(n[1m])", 15))[""][0])


def test_sums_are_compensated_and_means_do_not_overflow() -> None:
    assert shown(engine("n 1e100 1 -1e100").instant("sum_over_time(n[1m])", 25)) == {"": [1.0]}
    assert shown(engine("n 1e308 1e308 1e308").instant("avg_over_time(n[1m])", 25)) == {"": [pytest.approx(1e308)]}
    assert shown(engine("n Inf 1").instant("avg_over_time(n[1m])", 15)) == {"": [math.inf]}


def test_equal_values_have_no_deviation_at_all() -> None:
    assert shown(engine("n 0.1x60").instant("stddev_over_time(n[5m])", 300)) == {"": [0.0]}


def test_absence_over_a_window_is_told_with_the_labels_that_were_asked_for() -> None:
    held = engine('n{a="b"} 1 _ _ _ _ _ _ _ _ 1')
    assert held.instant('absent_over_time(n{a="b"}[1m])', 20).series == ()
    assert shown(held.instant('absent_over_time(n{a="b",c=~"d"}[1m])', 20)) == {"a=b": [1.0]}
    assert shown(held.instant('absent_over_time(n{a="b"}[20s])', 40)) == {"a=b": [1.0]}
    points = held.range("absent_over_time(n[20s])", 0, 100, 20).series[0].points
    assert [t for t, _ in points] == [20.0, 40.0, 60.0, 80.0]


def test_windows_move_with_the_steps() -> None:
    assert shown(engine("n 0+1x60").range("sum_over_time(n[30s])", 30, 60, 10)) == {"": [6.0, 9.0, 12.0, 15.0]}
