"""The view in a host built on the official bridge, in Chromium, over the server's own HTTP: what a person sees and does there."""

import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.clients.view.staging import PICTURES, driven

pytestmark = [pytest.mark.clients, pytest.mark.chromium, pytest.mark.xdist_group("view")]

Seen = dict[str, Any]
LEAST_BYTES = 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("view")


@pytest.fixture(scope="module")
def seen(folder: Path) -> Seen:
    found = anyio.run(driven, folder)
    PICTURES.mkdir(exist_ok=True)
    for picture in folder.glob("*.png"):
        shutil.copy(picture, PICTURES)
    return found


def test_the_host_finds_the_page_by_the_tool_and_it_introduces_itself(seen: Seen) -> None:
    first = seen["overview"]["first"]

    assert first["resource"]["mimeType"] == "text/html;profile=mcp-app"
    assert first["resource"]["uri"].startswith("ui://opsai/")
    assert not any(first["resource"]["meta"]["ui"]["csp"].values())
    assert first["app"]["app"]["name"] == "opsai"


def test_it_draws_the_reply_it_is_handed_without_asking_for_anything(seen: Seen) -> None:
    first = seen["overview"]["first"]
    reply = first["reply"]

    assert first["calls"] == []
    assert first["standing"].startswith("Something is violated")
    assert reply["cluster"] in first["standing"]
    assert first["causes"][0] == "tikv_downon tikv3fits"
    assert len(first["violated"]) == len(reply["violated"])
    assert all(row["says"] in text for row, text in zip(reply["violated"], first["violated"], strict=True))
    assert reply["tickets"][0]["headline"] in first["tickets"][0]


def test_what_is_unknown_is_counted_named_and_looks_like_neither_held_nor_violated(seen: Seen) -> None:
    first = seen["overview"]["first"]
    counts = first["reply"]["summary"]["verdicts"]

    assert first["keys"] == [f"{counts[state]} {state}" for state in ("violated", "unknown", "held")]
    assert first["reply"]["unknown"][0]["why"] in first["unknown"][0]
    assert "gradient" in first["looks"]["unknown"]
    assert len(set(first["looks"].values())) == 3


def test_refresh_asks_the_tool_again_and_redraws(seen: Seen) -> None:
    assert seen["overview"]["refreshed"]["calls"] == ["overview"]
    assert seen["overview"]["refreshed"]["focused"] == "refresh"
    assert seen["overview"]["refreshed"]["causes"] == seen["overview"]["first"]["causes"]


def test_a_ticket_opens_its_timeline_by_the_keyboard_with_a_lane_for_each_entity(seen: Seen) -> None:
    incident = seen["overview"]["incident"]

    assert any(lane.startswith("tikv3") for lane in incident["lanes"])
    assert incident["symptoms"] >= 4
    assert incident["marks"] >= 5
    assert any("store_up violated" in row for row in incident["listed"])


def test_the_metrics_that_the_cause_names_are_drawn_as_lines(seen: Seen) -> None:
    charts = {chart["metric"]: chart["lines"] for chart in seen["overview"]["incident"]["charts"]}

    assert {"up", "leaders"} <= set(charts)
    assert all(lines and max(lines) > 50 for lines in charts.values())


def test_zooming_reads_the_narrower_window_and_keeps_the_charts(seen: Seen) -> None:
    zoomed = seen["overview"]["zoomed"]
    whole, narrower = zoomed["whole"], zoomed["narrower"]

    assert whole["start"] < narrower["start"] < narrower["end"] < whole["end"]
    assert zoomed["focused"] == "Zoom in"
    assert zoomed["charts"] == len(seen["overview"]["incident"]["charts"])


def test_a_timeline_is_drawn_from_the_reply_alone_where_the_host_passes_no_calls_on(seen: Seen) -> None:
    silent, reply = seen["timeline"]["silent"], seen["timeline"]["reply"]

    assert silent["calls"] == []
    assert silent["buttons"] == ["Full screen"]
    assert len(silent["listed"]) == len(reply["events"])
    assert silent["symptoms"] > 0


def test_events_that_a_reply_leaves_out_are_read_and_until_then_their_time_is_hatched(seen: Seen) -> None:
    silent, handed, reply = seen["timeline"]["silent"], seen["timeline"]["handed"], seen["timeline"]["reply"]
    left_out = reply["shown"]["events"]

    assert silent["hatched"] == 1
    assert left_out.startswith(f"{len(silent['listed'])} of ")
    assert handed["hatched"] == 0
    assert len(handed["listed"]) > len(silent["listed"])
    assert handed["charts"] != []


def test_hostile_text_is_shown_and_does_nothing(seen: Seen) -> None:
    inert = seen["inert"]

    assert inert["shown"] > 30
    assert inert["charts"] > 0
    assert (inert["hit"], inert["made"], inert["dialogs"]) == (False, 0, 0)


def test_dark_and_light_follow_the_host_and_a_narrow_page_does_not_run_over(seen: Seen) -> None:
    dark = seen["dark"]

    assert (dark["paper"], dark["then"]) == ("rgb(25, 25, 24)", "rgb(255, 255, 255)")
    assert dark["overflow"] == 0
    assert seen["overview"]["overflow"] == 0


def test_of_several_clusters_one_is_chosen_and_each_call_names_it(seen: Seen) -> None:
    choosing = seen["choosing"]
    calls = choosing["calls"]

    assert choosing["listed"] == choosing["again"] == ["east", "west"]
    assert "west" in choosing["standing"]
    assert calls[0] == {"name": "overview", "arguments": {"cluster": "west"}}
    assert {call["name"] for call in calls[1:-1]} >= {"timeline", "differential", "topology", "compare_windows"}
    assert all(call["arguments"]["cluster"] == "west" for call in calls[:-1])
    assert calls[-1] == {"name": "overview", "arguments": {}}


def test_what_a_tool_refuses_is_said_and_what_was_drawn_stays(seen: Seen) -> None:
    refused = seen["refused"]

    assert refused["said"].startswith("Not read: the engine is gone <img src=x")
    assert (refused["failed"], refused["kept"]) == (1, True)
    asked = [call["arguments"] for call in refused["calls"] if call["name"] == "timeline"]
    assert {(one["cluster"], one["entity"]) for one in asked} == {("east", "b")}


def test_no_request_leaves_and_the_browser_complains_of_nothing(seen: Seen) -> None:
    runs = (
        seen["overview"], seen["dark"], seen["inert"], seen["choosing"], seen["refused"], *(seen["timeline"][one] for one in ("handed", "silent"))
    )  # fmt: skip

    assert [run["requests"] for run in runs] == [[]] * len(runs)
    assert [run["console"] for run in runs] == [[]] * len(runs)


@pytest.mark.usefixtures("seen")
def test_pictures_of_it_are_left_to_be_looked_at() -> None:
    for name in ("view-light.png", "view-dark.png"):
        picture = (PICTURES / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > LEAST_BYTES
