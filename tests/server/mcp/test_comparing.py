"""What compare_windows says of a window against its baseline."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsai_server.tools.catalogue_round import FAILURES_THAT_SILENCE, CatalogueRound
from opsai_subjects.errors import QueryInvalid, SourceTimedOut
from opsai_subjects.model import MetricsReply, Series, Window
from tests.server.mcp.bench import Served, series, served, steady
from tests.server.toy import NOON

pytestmark = pytest.mark.anyio
CALM = [0.01, 0.011] * 30
LATE = [0.5, 0.51] * 30


def latencies(toy: Served, **by_address: list[float]) -> None:
    toy.metrics.samples += [
        series("toy_latency_seconds", values, instance=f"10.0.0.{place}:7000", job="toy")
        for place, values in enumerate(by_address.values(), start=1)
    ]


async def test_the_part_that_grew_late_alone_is_first_with_its_levels_and_those_of_its_peers(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM * 2, b=CALM + LATE, c=CALM * 2)
        reply = await toy.ask("compare_windows", minutes=5)
        claimed = await toy.ask("evidence", id=reply["evidence_id"], path=f"{reply['rows'][0]['path']}/score")

    first = reply["rows"][0]
    assert (first["metric"], first["entity"], first["unit"]) == ("part_latency", "part:b", "s")
    assert first["before"] == pytest.approx(0.01, rel=0.1)
    assert first["after"] == pytest.approx(0.5, rel=0.1)
    assert first["peers"] == pytest.approx(0.01, rel=0.1)
    assert (first["ratio"], first["why"].endswith("not its 2 peers")) == ("x48.6", True)
    assert first["score"] > reply["unusual_from"] == 3
    assert claimed["value"] == pytest.approx(first["score"], abs=0.05)
    assert reply["baseline"] == {"start": "2026-05-01T11:50:00.000Z", "end": "2026-05-01T11:55:00.000Z"}
    assert (reply["metrics"], reply["series"], reply["unusual"]) == (1, 3, 1)


async def test_a_calm_cluster_is_said_to_have_nothing_unusual(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM * 2, b=CALM * 2, c=CALM * 2)
        reply = await toy.ask("compare_windows", minutes=5)

    assert reply["says"] == "Nothing unusual: no score reaches 3. The highest are shown."
    assert reply["unusual"] == 0
    assert all(row["score"] < 1 for row in reply["rows"])


async def test_a_part_whose_series_ended_is_told_as_one_row(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM * 2, b=CALM[:20], c=CALM * 2)
        reply = await toy.ask("compare_windows", minutes=4)

    first = reply["rows"][0]
    assert (first["metric"], first["entity"], first["score"]) == ("series that ended", "part:b", 10)


@pytest.mark.parametrize(
    ("baseline", "start"),
    [("hour_ago", "10:58"), ("2026-05-01T11:51:00Z", "11:51")],
)
async def test_the_baseline_may_be_an_earlier_window_of_the_same_length(
    tmp_path: Path, baseline: str, start: str
) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM + LATE)
        reply = await toy.ask("compare_windows", minutes=2, baseline=baseline)

    assert reply["baseline"]["start"] == f"2026-05-01T{start}:00.000Z"


async def test_a_baseline_that_is_not_adjacent_is_read_by_a_query_of_its_own(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM + LATE)
        reply = await toy.ask("compare_windows", minutes=2, baseline="2026-05-01T11:51:00Z")

    (row,) = reply["rows"]
    assert (row["before"], row["after"]) == (pytest.approx(0.01, rel=0.2), pytest.approx(0.5, rel=0.1))


async def test_a_baseline_without_samples_is_said(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM + LATE)
        reply = await toy.ask("compare_windows", minutes=2, baseline="yesterday")

    assert reply["says"].startswith("No metric has samples in the baseline")


async def test_a_window_without_samples_is_said(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("compare_windows", minutes=2)

    assert reply["says"].startswith("No metric has samples in the window")
    assert reply["without_series"] == 1
    assert reply["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"baseline": "monday"}, "it is not a time"),
        ({"baseline": "2026-05-01T11:55:00Z"}, "it would overlap the window"),
        ({"baseline": "hour_ago", "minutes": 90}, "the window is longer than that"),
        ({"topic": "gears"}, "There is no topic of metrics 'gears'"),
    ],
)
async def test_what_cannot_be_compared_is_refused_with_its_reason(
    tmp_path: Path, arguments: dict[str, object], why: str
) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("toy_latency_seconds", 0.01))
        told = await toy.fail("compare_windows", **arguments)

    assert why in told


async def test_series_of_another_cluster_are_left_out_and_counted(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        latencies(toy, a=CALM * 2, b=CALM * 2, c=CALM * 2, stranger=CALM + LATE)
        reply = await toy.ask("compare_windows", minutes=5)

    assert reply["left_out"].startswith("1 series name nodes that are none of this cluster: instance 10.0.0.4:7000.")
    assert (reply["series"], reply["unusual"]) == (3, 0)


async def test_a_partial_answer_is_said_since_what_is_not_there_may_exist(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.partial = True
        latencies(toy, a=CALM * 2)
        reply = await toy.ask("compare_windows", minutes=5)

    assert reply["partial"].startswith("Of 1 metrics a part could not be read")


async def test_without_a_metrics_engine_it_says_what_to_set(tmp_path: Path) -> None:
    async with served(tmp_path, metrics=False) as toy:
        told = await toy.fail("compare_windows")

    assert "has no metrics engine. Set `prometheus`" in told


@dataclass
class Engine:
    """An engine that answers, refuses or is silent, query by query."""

    silent: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    about: str = "http://127.0.0.1:9"
    asked: list[str] = field(default_factory=list[str])

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        raise NotImplementedError

    async def version(self) -> str:
        return ""

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        self.asked.append(promql)
        if promql in self.silent:
            raise SourceTimedOut(promql, self.about, "no answer within 10 s")
        if promql in self.refused:
            raise QueryInvalid(promql, "parse error")
        return MetricsReply("matrix", (Series({"q": promql}, ((0.0, 1.0),)),))


QUERIES = {f"m{n}": f"q{n}" for n in range(300)}
SPAN = Window(start=NOON - timedelta(minutes=5), end=NOON)


async def test_an_engine_that_hangs_is_given_up_soon_and_every_metric_left_is_told() -> None:
    engine = Engine(silent=frozenset(QUERIES.values()))
    round_ = CatalogueRound(engine)

    await round_.read(QUERIES, [SPAN], 10.0)

    assert FAILURES_THAT_SILENCE <= len(engine.asked) <= 16
    assert len(round_.unread) == 300
    assert round_.found == {}
    assert {entry.why for entry in round_.unread} == {
        "no answer within 10 s",
        "not asked: it had just not answered (no answer within 10 s)",
    }


async def test_a_query_that_fails_by_itself_leaves_the_others_read() -> None:
    engine = Engine(silent=frozenset({"q7"}), refused=frozenset({"q11", "q12", "q13", "q14"}))
    round_ = CatalogueRound(engine)

    await round_.read(QUERIES, [SPAN, SPAN], 10.0)

    assert sorted(entry.asked for entry in round_.unread) == ["m11", "m12", "m13", "m14", "m7"]
    assert len(round_.found) == 295
    assert len(engine.asked) == 2 * 295 + 5
