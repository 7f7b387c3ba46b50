"""Quantiles of classic histograms."""

import math

import pytest

from tests.subjects.promql.series import engine, shown

TEXT = """
h_bucket{le="0.1"} 10
h_bucket{le="0.5"} 30
h_bucket{le="1"} 40
h_bucket{le="+Inf"} 50
"""


def quantile(text: str, q: str) -> float:
    (values,) = shown(engine(text).instant(f"histogram_quantile({q}, h_bucket)", 0)).values()
    return values[0]


@pytest.mark.parametrize(("q", "expected"), [("0.2", 0.1), ("0.1", 0.05), ("0.4", 0.3), ("0.7", 0.75), ("0", 0.0)])
def test_a_quantile_is_interpolated_inside_its_bucket(q: str, expected: float) -> None:
    assert quantile(TEXT, q) == pytest.approx(expected)


def test_a_quantile_in_the_last_bucket_is_the_last_finite_bound() -> None:
    assert quantile(TEXT, "0.99") == 1.0


def test_a_quantile_in_a_lowest_bucket_that_ends_below_zero_is_its_bound() -> None:
    assert quantile('h_bucket{le="-1"} 5\nh_bucket{le="+Inf"} 10', "0.2") == -1.0


def test_a_histogram_without_observations_or_without_its_last_bucket_has_no_quantile() -> None:
    assert math.isnan(quantile('h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 0', "0.5"))
    assert math.isnan(quantile('h_bucket{le="1"} 1\nh_bucket{le="2"} 2', "0.5"))
    assert math.isnan(quantile('h_bucket{le="+Inf"} 2', "0.5"))


def test_a_quantile_outside_0_and_1_is_infinite_and_remarked_on() -> None:
    for q, expected in (("-0.1", -math.inf), ("1.1", math.inf)):
        reply = engine(TEXT).instant(f"histogram_quantile({q}, h_bucket)", 0)
        assert shown(reply) == {"": [expected]}
        assert reply.warnings == (f"PromQL warning: quantile value should be between 0 and 1, got {q}",)


def test_counts_that_fall_are_lifted_and_remarked_on() -> None:
    text = 'h_bucket{le="1"} 10\nh_bucket{le="2"} 5\nh_bucket{le="4"} 20\nh_bucket{le="+Inf"} 20'
    reply = engine(text).instant("histogram_quantile(0.75, h_bucket)", 0)
    assert shown(reply) == {"": [pytest.approx(3.0)]}
    (remark,) = reply.warnings
    assert remark.startswith("PromQL info: input to histogram_quantile needed to be fixed for monotonicity")


def test_counts_that_differ_by_rounding_only_are_taken_as_equal_without_a_remark() -> None:
    text = 'h_bucket{le="1"} 1\nh_bucket{le="2"} 0.9999999999999999\nh_bucket{le="+Inf"} 1'
    reply = engine(text).instant("histogram_quantile(1, h_bucket)", 0)
    assert shown(reply) == {"": [1.0]}
    assert reply.warnings == ()


def test_bounds_are_compared_as_numbers() -> None:
    text = 'h_bucket{le="1"} 2\nh_bucket{le="1.0"} 3\nh_bucket{le="1e1"} 10\nh_bucket{le="+Inf"} 10'
    assert quantile(text, "0.25") == pytest.approx(0.5)


def test_a_bucket_without_a_bound_is_left_out_and_remarked_on() -> None:
    reply = engine(f'{TEXT}\nh_bucket{{le="much"}} 7\nh_bucket 7').instant("histogram_quantile(0.4, h_bucket)", 0)
    assert shown(reply) == {"": [pytest.approx(0.3)]}
    assert len(reply.warnings) == 2
    assert any('malformed value of "much"' in remark for remark in reply.warnings)


def test_histograms_are_told_apart_by_all_other_labels() -> None:
    text = "\n".join(f'h_bucket{{le="{le}",i="{i}"}} {n}' for i, n in (("a", 4), ("b", 8)) for le in ("1", "2", "+Inf"))
    assert shown(engine(text).instant("histogram_quantile(0.5, h_bucket)", 0)) == {"i=a": [0.5], "i=b": [0.5]}


def test_a_bucket_that_is_missing_for_a_while_changes_only_those_steps() -> None:
    text = """
    h_bucket{le="1"} 2x6
    h_bucket{le="2"} 6 stale _ _ 6 6 6
    h_bucket{le="+Inf"} 10x6
    """
    reply = engine(text).range("histogram_quantile(0.5, h_bucket)", 0, 50, 10)
    assert shown(reply) == {"": [1.75, 1.0, 1.0, 1.0, 1.75, 1.75]}


def test_the_quantile_may_change_with_each_step() -> None:
    reply = engine(TEXT).range("histogram_quantile(time() / 100, h_bucket)", 20, 40, 20)
    assert shown(reply) == {"": [pytest.approx(0.1), pytest.approx(0.3)]}


def test_a_nan_among_the_counts_gives_what_the_rest_allows() -> None:
    assert quantile('h_bucket{le="1"} NaN\nh_bucket{le="2"} NaN\nh_bucket{le="+Inf"} NaN', "0.5") == 2.0
