"""How a series moved."""

import numpy as np
import pytest

from opsai_subjects.movement import Floats, change_of_level, slope_per_minute


def times(count: int) -> Floats:
    return 1000.0 + 15.0 * np.arange(count, dtype=np.float64)


def test_a_step_is_dated_by_the_first_point_of_the_new_level() -> None:
    change = change_of_level(times(40), np.array([1.0] * 25 + [9.0] * 15))

    assert change is not None
    assert (change.at, change.before, change.after) == (1000.0 + 25 * 15, 1.0, 9.0)


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_change_of_level(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(10.0, 2.0, 40)

    assert change_of_level(times(40), noise) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_step_well_above_the_noise_is_found_near_where_it_is(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0.0, 1.0, 40)
    change = change_of_level(times(40), noise + np.array([10.0] * 20 + [20.0] * 20))

    assert change is not None
    assert abs(change.at - (1000.0 + 20 * 15)) <= 15


@pytest.mark.parametrize("values", [[5.0] * 40, [1.0, 9.0] * 2, [1.0] * 39 + [9.0], [1000.0] * 20 + [1001.0] * 20])
def test_what_is_flat_short_brief_or_tiny_is_no_change(values: list[float]) -> None:
    assert change_of_level(times(len(values)), np.array(values)) is None


def test_a_few_spikes_do_not_tilt_the_slope() -> None:
    values = np.arange(40, dtype=np.float64)
    values[[7, 21]] = 1e6

    assert slope_per_minute(times(40), values) == pytest.approx(4.0)


def test_the_slope_of_a_long_series_is_taken_from_evenly_chosen_points() -> None:
    assert slope_per_minute(times(5000), np.arange(5000, dtype=np.float64)) == pytest.approx(4.0)


def test_two_points_have_no_trend() -> None:
    assert slope_per_minute(times(2), np.array([1.0, 2.0])) is None
