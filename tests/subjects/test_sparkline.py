"""How a series is drawn in one line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.sparkline import BARS, GAP, WIDTH, sparkline


def drawn(values: list[float], width: int = WIDTH) -> str:
    return sparkline(np.arange(len(values), dtype=np.float64), np.array(values), 0.0, float(len(values)), width)


def test_a_rise_is_drawn_from_the_lowest_bar_to_the_highest() -> None:
    assert drawn([float(n) for n in range(8)], 8) == BARS


def test_a_short_peak_stays_in_a_long_series() -> None:
    assert drawn([1.0] * 500 + [9.0] + [1.0] * 499).count("█") == 1


@pytest.mark.parametrize(("value", "bar"), [(0.0, "▁"), (7.0, "▅")])
def test_a_series_that_stands_still_is_low_when_it_is_zero_and_in_the_middle_when_it_is_not(
    value: float, bar: str
) -> None:
    assert drawn([value] * 24) == bar * 24


def test_a_part_without_finite_values_is_a_gap() -> None:
    assert drawn([1.0, float("nan"), float("inf"), 2.0], 4) == f"▁{GAP}{GAP}█"
    assert drawn([], 3) == GAP * 3


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=200), st.integers(1, 60))
def test_whatever_the_values_it_is_as_wide_as_asked(values: list[float], width: int) -> None:
    line = drawn(values, width)

    assert len(line) == width
    assert set(line) <= {*BARS, GAP}
