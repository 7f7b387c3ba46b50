"""A look compares a node with its peers and with its own past, point by point."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_tikv.gathering.tracking import Finder, track
from opsai_tikv.seen import Look
from tests.tikv.scene import ONSET, POINTS, STORES, Scene


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=3, max_size=3))
def test_the_peers_median_leaves_the_node_itself_out(values: list[float | None]) -> None:
    scene = Scene()
    for store, value in zip(STORES, values, strict=True):
        scene.set("fsync_p99", store, value)
    look = Look(scene.facts())
    for store in STORES:
        others = [value for other, value in zip(STORES, values, strict=True) if other != store and value is not None]
        found = look.peer_median("fsync_p99", store)
        assert found == pytest.approx(median(others)) if others else found is None


def test_a_single_high_point_is_noise() -> None:
    scene = Scene()
    scene.set("fsync_p99", "store:2", 9.0, ONSET, ONSET + 1)
    assert Look(scene.facts()).over("fsync_p99", "store:2", floor=0.1, factor=2).state == "absent"


def test_what_all_nodes_have_together_is_nobodys_fault() -> None:
    scene = Scene()
    for store in STORES:
        scene.set("fsync_p99", store, 9.0)
    look = Look(scene.facts())
    assert {look.over("fsync_p99", store, floor=0.1, factor=2).state for store in STORES} == {"absent"}


def test_what_was_always_so_is_no_change() -> None:
    scene = Scene()
    scene.set("fsync_p99", "store:2", 9.0, 0)
    assert Look(scene.facts()).over("fsync_p99", "store:2", floor=0.1, factor=2, own=2).state == "absent"


def test_what_ended_is_shown_and_not_active_with_its_beginning() -> None:
    scene = Scene()
    scene.set("fsync_p99", "store:2", 9.0, ONSET, ONSET + 4)
    look = Look(scene.facts())
    seen = look.over("fsync_p99", "store:2", floor=0.1, factor=2)
    assert (seen.state, seen.active, seen.since) == ("shown", False, look.moment(ONSET))


def test_no_samples_are_unknown_and_an_unanswered_query_too() -> None:
    scene = Scene()
    scene.set("fsync_p99", "store:2", None, 0)
    look = Look(scene.facts())
    assert look.over("fsync_p99", "store:2", floor=0.1).state == "unknown"
    assert look.over("nobody_asked", "store:2", floor=0.1).state == "unknown"


def test_a_fall_needs_a_height_to_fall_from() -> None:
    scene = Scene()
    scene.set("requests", "store:2", 0.0, 0, 3)
    assert Look(scene.facts()).fell("requests", "store:2", ratio=0.1).state == "absent"
    scene.set("requests", "store:2", 0.0)
    assert Look(scene.facts()).fell("requests", "store:2", ratio=0.1).state == "shown"


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=POINTS))
def test_a_track_knows_its_last_point_and_its_past(points: list[float | None]) -> None:
    found = track(points)
    present = [point for point in points if point is not None]
    assert found.now == (points[-1] if points else None)
    assert found.peak == (max(present) if present else None)
    assert (found.before is None) == (not present)


def test_a_series_is_found_by_status_address_by_name_and_by_a_host_with_one_node() -> None:
    finder = Finder(Scene().facts().nodes)
    assert finder.by_instance("10.0.0.2:20180", "tikv") == "store:2"
    assert finder.by_instance("kv2", "tikv") == "store:2"
    assert finder.by_instance("10.0.0.2:9999", "tikv") == "store:2"
    assert finder.by_instance("10.0.0.2:20180", "pd") is None
    assert finder.by_instance("10.9.9.9:20180", "tikv") is None
    assert (finder.by_store("2"), finder.by_store("99")) == ("store:2", None)
