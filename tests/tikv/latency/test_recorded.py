"""Recorded clusters: the stage that is slow and its store are named, and a healthy path is told to be one."""

import pytest

from tests.subjects.recording.opened import INCIDENTS
from tests.tikv.incidents.told import FOLDERS
from tests.tikv.latency.asking import of_recording, shown, verdicts

pytestmark = pytest.mark.anyio


async def test_a_slow_disk_is_the_fsync_of_its_store_and_no_client_feels_it_once_the_leaders_have_left() -> None:
    answer = await of_recording("drift-crane")
    write = verdicts(answer)["write"]
    assert (write["where"], write["stage"], write["entities"]) == ("tikv", "fsync", ["store:4"])
    assert write["since"][:16] == "2026-11-23T23:17"
    assert "the disk" in write["says"]
    assert "store:4 (tikv2) completes no writes any more" in write["says"]
    assert verdicts(answer)["read"]["where"] == "nothing grew"


async def test_a_hot_spot_is_told_with_the_load_of_the_store_that_carries_it() -> None:
    write = verdicts(await of_recording("hazel-kite"))["write"]
    assert (write["where"], write["entities"], write["short_of_cpu"]) == ("tikv", ["store:5"], True)
    assert "Load: store:5 takes 259 writes/s, before 30." in write["says"]


@pytest.mark.parametrize(("name", "store"), [("amber-heron", "store:1 (tikv3)"), ("ebony-tern", "store:4 (tikv2)")])
async def test_a_store_that_gives_no_samples_any_more_is_unknown_and_not_well(name: str, store: str) -> None:
    for path, verdict in verdicts(await of_recording(name)).items():
        assert (path, verdict["where"]) == (path, "unknown")
        assert verdict["says"].startswith(f"Unknown: no samples of {store} any more")


async def test_clients_that_cannot_begin_a_transaction_leave_nothing_to_time() -> None:
    for verdict in verdicts(await of_recording("lunar-toad")).values():
        assert verdict["where"] == "unknown"
        assert "without PD no transaction begins" in verdict["says"]


@pytest.mark.parametrize("name", ["birch-lynx", "frost-hare", "grove-stoat"])
async def test_a_path_that_is_as_quick_as_before_is_told_to_be(name: str) -> None:
    assert {verdict["where"] for verdict in verdicts(await of_recording(name)).values()} == {"nothing grew"}


async def test_leaders_that_moved_away_are_no_slowness() -> None:
    write = verdicts(await of_recording("ivory-vole"))["write"]
    assert write["where"] == "nothing grew"
    assert "store:5 (tikv1) completes no writes any more: its leaders moved away" in write["says"]


async def test_one_store_and_one_path_can_be_asked_for_by_any_of_its_names() -> None:
    for name in ("store:4", "tikv2", "4"):
        answer = await of_recording("drift-crane", store=name, path="write")
        write = verdicts(answer)["write"]
        assert (list(verdicts(answer)), write["stage"]) == (["write"], "fsync")
    other = verdicts(await of_recording("drift-crane", store="store:5"))
    assert other["write"]["where"] == "nothing grew"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_no_reply_is_over_four_thousand_characters(folder) -> None:
    assert folder.parent == INCIDENTS
    assert len(shown(await of_recording(folder.name))) <= 4_000
