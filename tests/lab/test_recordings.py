"""The shipped recordings, and what is known of them."""

import json
from pathlib import Path

import pytest

from opsai_lab.evaluation.node_names import read_aliases
from opsai_lab.recordings import DEMO, find, recordings_in, shipped_folder
from opsai_lab.truth import read_truth
from opsai_subjects.errors import RecordingCorrupt, UnknownName


def test_a_choice_of_kinds_ships_and_each_says_what_was_done() -> None:
    truths = [read_truth(recording) for recording in recordings_in(shipped_folder())]

    kinds = {cause.kind for truth in truths if truth for cause in truth.causes}
    assert None not in truths
    assert {"tikv_down", "tikv_disk_slow", "tikv_pd_partition", "pd_leader_down", "pd_scheduler"} <= kinds
    assert any(kind.startswith("hotspot") for kind in kinds)
    assert any(truth.healthy for truth in truths if truth)


def test_a_recording_is_found_by_its_name_and_by_its_folder(tmp_path: Path) -> None:
    assert find(DEMO) == shipped_folder() / DEMO
    assert find(str(tmp_path)) == tmp_path
    with pytest.raises(UnknownName, match=DEMO):
        find("no-such-bird")


def test_a_folder_of_recordings_and_a_recording_both_name_recordings(tmp_path: Path) -> None:
    assert recordings_in(find(DEMO)) == (find(DEMO),)
    assert recordings_in(tmp_path) == ()
    assert recordings_in(tmp_path / "missing") == ()


@pytest.mark.anyio
async def test_ids_addresses_and_pd_names_of_a_real_recording_lead_to_its_nodes() -> None:
    aliases = await read_aliases(find(DEMO))

    assert aliases.same("tikv3", "store:1")
    assert aliases.same("pd1", "pd-10.77.0.11-2379")
    assert aliases.same("tikv3", "10.77.0.23:20180")
    assert not aliases.same("tikv1", "store:1")


def test_a_recording_without_a_truth_has_none(tmp_path: Path) -> None:
    assert read_truth(tmp_path) is None


@pytest.mark.parametrize("text", ['{"healthy": true', "[]", json.dumps({"healthy": False, "verdict": "fault"})])
def test_a_truth_of_another_shape_is_said_to_be_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(text, encoding="utf-8")

    with pytest.raises(RecordingCorrupt, match="not a truth that can be graded by"):
        read_truth(tmp_path)
