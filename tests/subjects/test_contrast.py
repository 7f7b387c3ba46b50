"""How unusual a series is against its past and its peers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.contrast import ENDED_SCORE, UNUSUAL, Contrast, Track, best_of_each, contrasts, ratio
from opsai_subjects.subject import Signal

POINTS = 40
ROLES = {"part:a": "part", "part:b": "part", "part:c": "part", "hub:x": "hub"}
WAVE = [1.0 + 0.05 * math.sin(n) for n in range(POINTS)]
LATENCY = Signal(name="latency", promql="latency", unit="s", says="", normal="", grain=0.01)
ERRORS = Signal(name="errors", promql="errors", unit="1/s", says="", normal="", grain=1.0, absent="zero")


def track(
    entity: str | None,
    after: list[float],
    before: list[float] | None = None,
    signal: Signal = LATENCY,
    *,
    at_end: bool = True,
    **labels: str,
) -> Track:
    return Track(
        signal,
        entity,
        tuple(sorted(labels.items())),
        np.array(WAVE if before is None else before, dtype=np.float64),
        np.array(after, dtype=np.float64),
        at_end=at_end and bool(after),
    )


def scores(*tracks: Track) -> dict[str | None, float]:
    return {row.entity: row.score for row in contrasts(tracks, ROLES, POINTS) if row.kind in ("level", "new")}


def times(factor: float) -> list[float]:
    return [value * factor for value in WAVE]


def only(rows: list[Contrast]) -> Contrast:
    assert len(rows) == 1
    return rows[0]


def test_the_node_that_moved_alone_comes_first_and_its_peers_stay_usual() -> None:
    found = scores(track("part:a", WAVE), track("part:b", times(20)), track("part:c", WAVE))

    assert next(iter(found)) == "part:b"
    assert found["part:b"] > 2 * UNUSUAL
    assert found["part:a"] < 1
    assert found["part:c"] < 1


def test_a_shift_that_all_peers_share_scores_far_less_than_one_that_is_its_own() -> None:
    shared = scores(*(track(entity, times(20)) for entity in ("part:a", "part:b", "part:c")))
    own = scores(track("part:a", WAVE), track("part:b", times(20)), track("part:c", WAVE))

    assert max(shared.values()) < UNUSUAL < own["part:b"]


def test_of_two_nodes_the_one_that_moved_is_told() -> None:
    found = scores(track("part:a", WAVE), track("part:b", times(20)))

    assert found["part:b"] > UNUSUAL
    assert found["part:a"] < 1


def test_a_series_that_keeps_to_its_noise_is_usual() -> None:
    assert max(scores(track("part:a", WAVE[::-1]), track("hub:x", times(1.1))).values()) < 1


def test_a_burst_of_a_fifth_of_the_window_counts_and_a_single_spike_does_not() -> None:
    burst = only(contrasts([track(None, [9.0] * 9 + WAVE[9:])], ROLES, POINTS))
    spike = only(contrasts([track(None, [9.0, *WAVE[1:]])], ROLES, POINTS))

    assert burst.score > UNUSUAL
    assert "its highest fifth" in burst.why
    assert burst.after == 9.0
    assert spike.score < 1


def test_a_counter_that_appears_with_its_first_event_counts_from_zero_and_its_silent_peers_as_well() -> None:
    row = only(contrasts([track("part:a", [30.0] * POINTS, [], ERRORS, kind="busy")], ROLES, POINTS))

    assert (row.kind, row.before, row.after, row.peers) == ("new", 0.0, 30.0, 0.0)
    assert row.score > UNUSUAL
    assert row.why == "first seen; 30 scatters, not its 2 peers"


def test_a_gauge_without_a_past_is_new_and_weighs_half() -> None:
    tracks = [track("hub:x", [1.0] * POINTS, [])]
    new, began = sorted(contrasts(tracks, ROLES, POINTS), key=lambda row: row.kind == "began")

    assert (new.kind, new.before, new.after) == ("new", None, 1.0)
    assert began.kind == "began"
    assert new.score == pytest.approx(0.5 * scores(track("hub:x", [1.0] * POINTS, [0.0] * POINTS))["hub:x"])


def test_a_node_whose_series_all_ended_comes_first_of_all() -> None:
    gone = [track("part:a", WAVE[:4], at_end=False, shard=str(n)) for n in range(5)]
    rows = contrasts([*gone, track("part:b", times(500))], ROLES, POINTS)

    assert (rows[0].entity, rows[0].kind, rows[0].score) == ("part:a", "ended", ENDED_SCORE)
    assert (rows[0].before, rows[0].after) == (5.0, 0.0)
    assert rows[0].why == "5 of 5, the first: latency"


def test_a_flag_that_turned_is_measured_by_its_grain_and_not_by_its_level() -> None:
    flag = Signal(name="up", promql="up", unit="0/1", says="", normal="", grain=0.02)

    row = only(contrasts([track("hub:x", [0.0] * POINTS, [1.0] * POINTS, flag)], ROLES, POINTS))

    assert row.why == "50 scatters"


def test_a_difference_below_the_grain_is_none() -> None:
    tiny = [value * 1e-4 for value in WAVE]

    assert max(scores(track("part:a", [value * 50 for value in tiny], tiny)).values()) < 1


def test_one_row_for_each_metric_and_node_is_kept_the_highest() -> None:
    tracks = [track("part:a", times(factor), shard=str(factor)) for factor in (2, 30, 5)]

    best = best_of_each(contrasts(tracks, ROLES, POINTS))

    assert [row.labels for row in best] == [(("shard", "30"),)]


def test_a_tie_keeps_the_order_of_the_catalogue() -> None:
    rows = contrasts([track(None, times(3), n=str(n)) for n in (2, 0, 1)], ROLES, POINTS)

    assert [row.labels[0][1] for row in rows] == ["2", "0", "1"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (2.0, 5.0, "x2.5"),
        (1e-6, 5.0, "over x1000"),
        (5.0, 1e-6, "under x0.001"),
        (0.0, 5.0, ""),
        (None, 5.0, ""),
        (-1.0, 1.0, ""),
    ],
)
def test_a_ratio_is_capped_and_absent_where_there_is_none(before: float | None, after: float, told: str) -> None:
    assert ratio(before, after) == told


VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), max_size=60)


@given(st.lists(st.tuples(st.sampled_from([*ROLES, None]), VALUES, VALUES, st.booleans()), max_size=8))
def test_whatever_the_values_every_score_is_finite_and_the_highest_is_first(
    given_tracks: list[tuple[str | None, list[float], list[float], bool]],
) -> None:
    tracks = [
        track(entity, after, before, ERRORS if zero else LATENCY, n=str(n))
        for n, (entity, before, after, zero) in enumerate(given_tracks)
    ]
    found = [row.score for row in contrasts(tracks, ROLES, POINTS)]

    assert all(0 <= score <= ENDED_SCORE + 1 for score in found)
    assert found == sorted(found, reverse=True)
