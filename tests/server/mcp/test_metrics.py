"""What query_metrics says of how metrics moved."""

import math
from pathlib import Path

import pytest

from tests.server.mcp.bench import series, served, steady

pytestmark = pytest.mark.anyio


async def test_a_metric_is_told_as_figures_with_the_time_of_its_change(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        step = [0.01] * 60 + [0.5] * 60
        toy.metrics.samples += [
            series("toy_latency_seconds", step, instance="10.0.0.2:7000", job="toy"),
            steady("toy_latency_seconds", 0.01, instance="10.0.0.1:7000", job="toy"),
        ]
        reply = await toy.ask("query_metrics", name="part_latency")
        stored = await toy.ask("evidence", id=reply["evidence_id"], path="/series/0/max")

    moved, still = reply["series"]
    assert (reply["query"], reply["unit"], reply["says"]) == ("toy_latency_seconds", "s", "how late a part answers")
    assert (reply["matched"], reply["step_seconds"]) == (2, 15)
    assert reply["same_labels"] == {"__name__": "toy_latency_seconds", "job": "toy"}
    assert (moved["entity"], moved["labels"]) == ("part:b", {"instance": "10.0.0.2:7000"})
    assert (moved["min"], moved["max"], moved["first"], moved["last"]) == (0.01, 0.5, 0.01, 0.5)
    assert moved["change_at"] == "2026-05-01T11:55:00.000Z"
    assert moved["change_by"] == 0.49
    assert moved["shape"] == "▁▁▁▁▁▁▁▁▁▁▁▁████████████"
    assert still == {"labels": {"instance": "10.0.0.1:7000"}, "entity": "part:a", "steady": 0.01}
    assert stored["value"] == 0.5


async def test_a_gap_in_a_series_shows_in_its_shape(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        load = [1.0] * 40 + [math.nan] * 40 + [2.0] * 40
        toy.metrics.samples.append(series("toy_load", load))
        (only,) = (await toy.ask("query_metrics", query="toy_load"))["series"]

    assert len(only["shape"]) == 24
    assert only["shape"].strip("▁█") == "·" * 8


async def test_noise_is_no_change(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        wobble = [1.0 + 0.2 * math.sin(n) for n in range(120)]
        toy.metrics.samples.append(series("toy_load", wobble))
        (only,) = (await toy.ask("query_metrics", query="toy_load"))["series"]

    assert "change_at" not in only
    assert abs(only["trend_per_minute"]) < 0.01


async def test_a_slope_is_given_per_minute(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(series("toy_load", [n / 12 for n in range(120)]))
        (only,) = (await toy.ask("query_metrics", query="toy_load"))["series"]

    assert only["trend_per_minute"] == 1


async def test_points_come_only_when_asked_for(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("toy_load", 3.0))
        without = await toy.ask("query_metrics", query="toy_load", minutes=1)
        with_points = await toy.ask("query_metrics", query="toy_load", minutes=1, step_seconds=20, points=True)
        stored = await toy.ask("evidence", id=without["evidence_id"], path="/series/0/points/values/0")

    assert "points" not in without["series"][0]
    assert with_points["series"][0]["points"] == {
        "start": "2026-05-01T11:59:00.000Z",
        "step_seconds": 20,
        "values": [3, 3, 3, 3],
    }
    assert stored["value"] == 3


async def test_a_series_that_ended_says_so_and_comes_first(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [
            steady("toy_load", 3.0, instance="10.0.0.1:7000"),
            steady("toy_load", 3.0, until=120, instance="10.0.0.2:7000"),
        ]
        first, second = (await toy.ask("query_metrics", query="sum by (instance) (rate(toy_load[$range]))"))["series"]

    assert first["entity"] == "part:b"
    assert first["ended_at"] < "2026-05-01T11:53:30"
    assert "ended_at" not in second


async def test_where_all_series_began_together_the_one_that_changed_comes_first(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        late = [math.nan] * 60
        toy.metrics.samples += [
            series("toy_up", late + [1.0] * 60, instance="10.0.0.1:7000"),
            series("toy_up", late + [1.0] * 30 + [0.0] * 30, instance="10.0.0.2:7000"),
            series("toy_up", late + [1.0] * 60, instance="10.0.0.3:7000"),
        ]
        reply = await toy.ask("query_metrics", query="toy_up")

    assert "all_began_at" in reply
    assert reply["series"][0]["entity"] == "part:b"


async def test_the_rate_range_fits_the_scrape_interval(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("toy_load", 3.0))
        reply = await toy.ask("query_metrics", query="rate(toy_load[$range])")

    assert reply["query"] == "rate(toy_load[60s])"


async def test_more_series_than_are_shown_are_counted_and_said(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [steady("toy_load", float(n), part=str(n)) for n in range(50)]
        reply = await toy.ask("query_metrics", query="toy_load")
        stored = await toy.store.evidence(reply["evidence_id"])

    assert (len(reply["series"]), reply["matched"]) == (20, 50)
    assert reply["shown"]["series"].startswith("20 of 50; those that moved most first; narrow with label matchers")
    assert isinstance(stored.value, dict)
    assert isinstance(stored.value["series"], list)
    assert len(stored.value["series"]) == 50


async def test_the_engines_warnings_are_shown(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.warnings = ("partial answer: store-3 did not reply",)
        toy.metrics.samples.append(steady("toy_load", 3.0))
        reply = await toy.ask("query_metrics", query="toy_load")

    assert reply["warnings"] == ["partial answer: store-3 did not reply"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("toy_nosuch", "No series of toy_nosuch has a sample in this window: no such metric here, or not then."),
        ('toy_load{part="z"}', 'toy_load has 1 series in this window, and none matches {part="z"}.'),
        ("toy_load > 100", "a comparison that is never true"),
        ('{part=~"z.*"}', 'No series of {part=~"z.*"} has a sample'),
    ],
)
async def test_an_empty_answer_says_why(tmp_path: Path, query: str, why: str) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("toy_load", 3.0, part="a"))
        reply = await toy.ask("query_metrics", query=query)

    assert reply["series"] == []
    assert why in " ".join(reply["empty_because"])


async def test_a_named_metric_that_was_given_as_a_query_is_pointed_out(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("query_metrics", query="part_latency")

    assert reply["empty_because"][0] == "part_latency is a named metric: give it as name, not as query."


async def test_an_empty_answer_names_the_targets_that_do_not_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("up", 0.0, job="toy", instance="10.0.0.2:7000"))
        reply = await toy.ask("query_metrics", query="toy_load")

    assert any("did not answer their last scrape" in why and "10.0.0.2:7000" in why for why in reply["empty_because"])


async def test_numbers_that_json_does_not_have_are_strings(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [steady("toy_load", math.inf, part="a"), steady("toy_big", 2.0**60)]
        infinite = await toy.ask("query_metrics", query="toy_load")
        big = await toy.ask("query_metrics", query="toy_big")

    assert infinite["series"][0]["last"] == "+Inf"
    assert infinite["series"][0]["note"] == "no finite value"
    assert big["series"][0]["steady"] == "1152921504606846976"


async def test_the_rate_range_is_four_scrapes_as_the_adapter_measured_them(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.scrape_seconds = 30
        toy.metrics.samples.append(steady("toy_load", 3.0))
        reply = await toy.ask("query_metrics", query="rate(toy_load[$range])", minutes=1)

    assert reply["query"] == "rate(toy_load[120s])"
    assert reply["step_seconds"] == 30


async def test_series_of_another_cluster_are_left_out_and_counted(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [steady("toy_load", 3.0, instance=f"10.0.0.{n}:7000") for n in (1, 2, 7, 8)]
        some = await toy.ask("query_metrics", query="toy_load")
        none = await toy.ask("query_metrics", query='toy_load{instance="10.0.0.7:7000"}')

    assert some["matched"] == 2
    assert some["left_out"].startswith(
        "2 series name nodes that are none of this cluster: instance 10.0.0.7:7000, instance 10.0.0.8:7000. If"
    )
    assert "`matchers`" in some["left_out"]
    assert none["left_out"].startswith("1 series name")


async def test_a_partial_answer_says_that_what_is_absent_may_exist(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.partial = True
        toy.metrics.samples.append(steady("toy_load", 3.0))
        reply = await toy.ask("query_metrics", query="toy_load")

    assert reply["partial"].startswith("Some of the data could not be read")


async def test_a_query_for_another_cluster_finds_nothing_and_says_why(tmp_path: Path) -> None:
    async with served(tmp_path, matchers={"tidb_cluster": "prod-7"}) as toy:
        toy.metrics.samples.append(steady("toy_load", 3.0, tidb_cluster="prod-8"))
        toy.metrics.samples.append(steady("toy_load", 3.0, tidb_cluster="prod-7"))
        other = await toy.ask("query_metrics", query='toy_load{tidb_cluster="prod-8"}')
        none = await toy.ask("query_metrics", query="no_such_metric")
        some = await toy.ask("query_metrics", query="toy_load")

    assert other["matched"] == 0
    assert other["empty_because"][0] == (
        'The query asks for tidb_cluster="prod-8", and this cluster is tidb_cluster="prod-7" (`matchers`): no series is both.'
    )
    assert none["empty_because"][0] == 'Only series with tidb_cluster="prod-7" are looked at (`matchers`).'
    assert some["matched"] == 1
