"""A larger cluster made of a recorded one answers like the recorded one, for more stores and regions."""

import json
from pathlib import Path

from bench.scaled import CLONE, scaled, status_addresses
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.polls import Poll, key_of
from tests.subjects.recording.making import make, poll, series

STORES = [
    {
        "store": {"id": n, "address": f"kv-{n}:20160", "status_address": f"kv-{n}:20180"},
        "status": {"leader_count": 10, "region_count": 30},
    }
    for n in range(1, 121)
]
FLOWS = {"bytes-write-rate": {str(n): 1.5 for n in range(1, 121)}}


def larger(tmp_path: Path) -> Path:
    source = make(
        tmp_path / "recorded",
        polls=[
            poll(297, "/pd/api/v1/stores", json.dumps({"count": 120, "stores": STORES})),
            poll(298, "/pd/api/v1/regions/count", '{"count": 1200}'),
            poll(299, "/pd/api/v1/hotspot/stores", json.dumps(FLOWS)),
        ],
        samples=[
            series("pd_cluster_status", [10, 10], type="leader_count", store="1", address="kv-1:20160"),
            series("pd_cluster_status", [10, 10], type="leader_count", store="120", address="kv-120:20160"),
        ],
    )
    return scaled(source, tmp_path / "larger", 150, 12_000)


def answer(folder: Path, path: str) -> dict[str, object]:
    recording = open_recording(folder)
    found = recording.polls.answer("pd1", key_of(path, local=False), recording.incident.end.timestamp())
    assert isinstance(found, Poll)
    read: dict[str, object] = json.loads(recording.bodies.body(found.sha))
    return read


def test_stores_are_cloned_under_ids_and_addresses_of_their_own(tmp_path: Path) -> None:
    folder = larger(tmp_path)
    addresses = status_addresses(open_recording(folder))

    assert answer(folder, "/pd/api/v1/stores")["count"] == 150
    assert len(set(addresses)) == 150
    assert "clone-kv-1:20180" in addresses
    assert len(answer(folder, "/pd/api/v1/hotspot/stores")["bytes-write-rate"]) == 150  # type: ignore[arg-type]


def test_regions_grow_by_what_was_asked_for_and_so_does_what_each_store_holds(tmp_path: Path) -> None:
    folder = larger(tmp_path)
    stores = answer(folder, "/pd/api/v1/stores")["stores"]

    assert answer(folder, "/pd/api/v1/regions/count") == {"count": 12_000}
    assert isinstance(stores, list)
    assert stores[0]["status"] == {"leader_count": 80, "region_count": 240}


def test_the_series_of_a_cloned_store_are_cloned_and_no_others(tmp_path: Path) -> None:
    recording = open_recording(larger(tmp_path))

    found = recording.samples.series("pd_cluster_status")

    assert sorted(one.labels["store"] for one in found) == sorted(["1", "120", str(1 + CLONE)])
