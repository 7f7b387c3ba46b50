"""How a series changes over a window: rate, delta, irate, deriv and their kin."""

import math

import pytest

from tests.subjects.promql.series import engine, shown


def value(text: str, query: str, at: float, **options: bool) -> float:
    (values,) = shown(engine(text, **options).instant(query, at)).values()
    return values[0]


def test_a_steady_counter_has_its_own_rate() -> None:
    assert value("n 0+5x60", "rate(n[1m])", 300) == pytest.approx(0.5)
    assert value("n 0+5x60", "increase(n[1m])", 300) == pytest.approx(30.0)


def test_a_counter_is_extrapolated_to_the_ends_of_the_window_when_it_fills_it() -> None:
    # Samples at 250 ... 300 seen: 50 s of 60 s, and the gap before is no longer than a step.
    assert value("n 0+5x60", "increase(n[1m])", 305) == pytest.approx(30.0)


def test_a_counter_that_begins_inside_the_window_is_extrapolated_by_half_a_step_only() -> None:
    assert value("n _ _ _ 100+5x6", "increase(n[2m])", 90) == pytest.approx(30 * 65 / 60)


def test_a_counter_is_not_extrapolated_below_zero() -> None:
    assert value("n _ _ _ 2+5x6", "increase(n[2m])", 90) == pytest.approx(30 * (60 + 4) / 60)
    assert value("n _ _ _ 0+5x6", "increase(n[2m])", 90) == pytest.approx(30.0)


def test_in_version_2_the_zero_point_counts_before_half_a_step_does() -> None:
    # Zero lies 10 s before the first sample: further than half a step.
    assert value("n _ _ _ 5+5x6", "increase(n[2m])", 90) == pytest.approx(30 * 65 / 60)
    assert value("n _ _ _ 5+5x6", "increase(n[2m])", 90, left_open=False) == pytest.approx(30 * 70 / 60)


def test_a_counter_reset_is_mended() -> None:
    assert value("n 90 95 100 5 10 15 20", "increase(n[1m])", 60) == pytest.approx(25 * 60 / 50)
    assert value("n 90 95 100 5 10 15 20", "resets(n[1m])", 60) == 1.0


def test_one_sample_has_no_rate() -> None:
    held = engine("n 1")
    for function in ("rate", "increase", "delta", "irate", "idelta", "deriv"):
        assert held.instant(f"{function}(n[1m])", 30).series == ()
    assert shown(held.instant("changes(n[1m])", 30)) == {"": [0.0]}


def test_a_window_as_long_as_the_step_holds_one_sample_and_no_rate() -> None:
    assert engine("n 0+5x60").instant("rate(n[10s])", 300).series == ()


def test_in_version_2_such_a_window_holds_two() -> None:
    assert value("n 0+5x60", "rate(n[10s])", 300, left_open=False) == pytest.approx(0.5)


def test_a_gauge_may_fall_and_is_extrapolated_without_a_floor() -> None:
    assert value("n 100-5x60", "delta(n[1m])", 300) == pytest.approx(-30.0)
    assert value("n _ _ _ 1-1x6", "delta(n[2m])", 90) == pytest.approx(-6 * 65 / 60)


def test_irate_and_idelta_look_at_the_last_two_samples_only() -> None:
    text = "n 0 10 20 25"
    assert value(text, "irate(n[1m])", 30) == 0.5
    assert value(text, "idelta(n[1m])", 30) == 5.0
    assert value("n 0 10 20 5", "irate(n[1m])", 30) == 0.5
    assert value("n 0 10 20 5", "idelta(n[1m])", 30) == -15.0


def test_changes_counts_new_values_and_nan_is_one_value() -> None:
    assert value("n 1 1 2 2 1", "changes(n[1m])", 45) == 2.0
    assert value("n 1 NaN NaN 1", "changes(n[1m])", 45) == 2.0


def test_deriv_fits_a_line_and_a_constant_has_no_slope() -> None:
    assert value("n 0+3x60", "deriv(n[1m])", 300) == pytest.approx(0.3)
    assert value("n 0.1x60", "deriv(n[1m])", 300) == 0.0
    assert math.isnan(value("n Inf Inf Inf", "deriv(n[1m])", 30))


def test_predict_linear_goes_on_from_the_step_whatever_the_offset() -> None:
    assert value("n 0+1x60", "predict_linear(n[1m], 100)", 300) == pytest.approx(40.0)
    assert value("n 0+1x60", "predict_linear(n[1m] offset 1m, 100)", 300) == pytest.approx(40.0)


def test_predict_linear_of_a_fixed_window_moves_with_each_step() -> None:
    reply = engine("n 0+1x60").range("predict_linear(n[1m] @ 100, 0)", 200, 220, 10)
    assert shown(reply)[""] == pytest.approx([20.0, 21.0, 22.0])


def test_nan_and_infinity_take_part_as_numbers() -> None:
    assert math.isnan(value("n 1 NaN 3 NaN", "rate(n[1m])", 35))
    assert value("n 1 NaN 3 4", "increase(n[40s])", 30) == pytest.approx(3 * 40 / 30)
    assert value("n 1 2 Inf", "increase(n[1m])", 25) == math.inf


def test_staleness_markers_inside_a_window_are_skipped() -> None:
    assert value("n 0 10 stale 30 40 50 60", "rate(n[1m])", 60) == pytest.approx(1.0)


def test_rates_drop_the_name() -> None:
    assert list(shown(engine('n{a="b"} 0+1x60').instant("rate(n[1m])", 100))) == ["a=b"]


def test_a_rate_of_what_is_not_named_as_a_counter_is_remarked_on() -> None:
    held = engine("n 0+1x60\nn_total 0+1x60")
    assert held.instant("rate(n_total[1m])", 100).warnings == ()
    (remark,) = held.instant("rate(n[1m])", 100).warnings
    assert remark.startswith("PromQL info: metric might not be a counter")
    assert '"n"' in remark
