"""Scrapes become series as a Prometheus stores them."""

import json
from typing import Any

from opsai_subjects.recording.stitching import Stitched


def stitched(scrapes: int, **series: dict[int, float]) -> dict[str, dict[str, Any]]:
    """Put together series given as {scrape: value}, at one scrape a second."""
    made = Stitched()
    for scrape in range(scrapes):
        made.scrape(1000 * scrape)
        for name, values in series.items():
            if scrape in values:
                made.sample((("__name__", name),), {"__name__": name}, 1000 * scrape, values[scrape])
    lines = [json.loads(line) for line in made.lines()]
    return {line["metric"]["__name__"]: {"t": line["t"], "v": line["v"]} for line in lines}


def test_a_series_that_is_missed_ends_at_that_scrape_and_may_begin_again() -> None:
    found = stitched(6, up=dict.fromkeys(range(6), 1.0), a={0: 1.0, 1: 2.0, 4: 3.5})

    assert found["a"] == {"t": [0, 1000, 1000, 2000, 1000], "v": [1, 2, "stale", 3.5, "stale"]}
    assert "stale" not in found["up"]["v"]


def test_histograms_without_an_observation_are_left_out_and_counters_at_zero_are_not() -> None:
    zero = {0: 0.0, 1: 0.0}
    found = stitched(
        2, h_bucket=zero, h_count=zero, h_sum=zero, used_bucket={0: 1.0, 1: 1.0}, used_sum=zero, x_count=zero
    )

    assert sorted(found) == ["used_bucket", "x_count"]


def test_numbers_that_json_lacks_are_words() -> None:
    found = stitched(3, a={0: float("nan"), 1: float("inf"), 2: float("-inf")})

    assert found["a"]["v"] == ["NaN", "+Inf", "-Inf"]
