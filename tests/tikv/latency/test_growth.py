"""A stage is compared with its own past: doubled and clear of its noise it grew, whatever else the points are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_tikv.latency.growth import Course, Growth, growth
from opsai_tikv.latency.spoken import spoken

PAST = slice(0, 10)
POINTS = 30
WILD = st.lists(st.one_of(st.just(math.nan), st.floats(0, 1e6), st.just(math.inf)), min_size=POINTS, max_size=POINTS)


def course(means: list[float], counts: list[float] | None = None) -> Course:
    parts = {"mean": np.array(means), "count": np.array(counts if counts is not None else [10.0] * len(means))}
    return Course(parts, np.isfinite(parts["count"]))


def grown(means: list[float], counts: list[float] | None = None) -> Growth:
    return growth(course(means, counts), PAST, floor=0.001)


@given(WILD, WILD)
def test_no_points_raise_and_a_rise_is_never_below_zero(means: list[float], counts: list[float]) -> None:
    assert grown(means, counts).rise() >= 0


@given(st.floats(1e-6, 10), st.floats(0.75, 1.5))
def test_a_level_that_changes_by_half_did_not_grow(level: float, factor: float) -> None:
    assert grown([level] * 10 + [level * factor] * 20).state == "steady"


@given(st.floats(0.001, 10), st.floats(2.5, 1000))
def test_a_level_that_more_than_doubles_grew_from_its_first_high_point_on(level: float, factor: float) -> None:
    found = grown([level] * 14 + [level * factor] * 16)
    assert (found.state, found.since, found.until) == ("grew", 14, None)
    assert found.rise() == pytest.approx(level * (factor - 1))


def test_a_rise_within_the_noise_of_the_past_is_none() -> None:
    noisy = [0.01, 0.05, 0.012, 0.06, 0.011, 0.055, 0.01, 0.05, 0.012, 0.06]
    assert grown(noisy + [0.09] * 20).state == "steady"


def test_a_single_high_point_is_no_level() -> None:
    assert grown([0.01] * 15 + [5.0] + [0.01] * 14).state == "steady"


def test_a_gap_of_one_low_point_does_not_end_a_stretch() -> None:
    found = grown([0.01] * 12 + [0.5] * 4 + [0.01] + [0.5] * 4 + [0.01] * 9)
    assert (found.state, found.since, found.until) == ("over", 12, 20)


def test_completions_that_ended_while_samples_go_on_are_stopped_and_no_samples_are_silent() -> None:
    none = [math.nan] * 15
    assert grown([0.01] * 15 + none, [10.0] * 15 + [0.0] * 15).state == "stopped"
    assert grown([0.01] * 15 + none, [10.0] * 15 + none).state == "silent"
    assert grown([math.nan] * 30, [0.0] * 30).state == "idle"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (1.234, "1.2 s"), (0.487, "487 ms"), (0.0023, "2.3 ms"), (0.0000655, "0.066 ms"), (0.0999, "100 ms")],
)
def test_times_are_said_as_people_say_them(seconds: float | None, text: str) -> None:
    assert spoken(seconds) == text
