"""The replay's Prometheus API, asked with the ordinary source and with plain HTTP as Grafana would."""

import json
import math
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from opsai_subjects.errors import QueryInvalid, RecordingCorrupt
from opsai_subjects.model import MetricsReply, MetricsSource, Window, utc
from opsai_subjects.opening import ReplayCluster, open_replay
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.parameters import BadParameter, Parameters
from opsai_subjects.recording.prometheus_api import prometheus_api
from tests.subjects.recording.making import START, make, packed, series
from tests.subjects.recording.opened import Replay

pytestmark = pytest.mark.anyio
SAMPLES = (
    series("up", [1, 1, "stale"], job="pd", instance="10.0.0.1:2379"),
    series("up", [1, 1, 0], job="tikv", instance="10.0.0.2:20180"),
    series("odd", ["NaN", "+Inf", "-Inf"]),
    series("late", [1], first=60),
    series("tiny", [1e-7, 123456789012345678, 0.1]),
)


@asynccontextmanager
async def at(folder: Path, seconds: float) -> AsyncGenerator[tuple[ReplayCluster, httpx.AsyncClient]]:
    async with open_replay(folder) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=seconds))
        assert cluster.settings.prometheus is not None
        async with httpx.AsyncClient(base_url=cluster.settings.prometheus, trust_env=False) as client:
            yield cluster, client


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return make(tmp_path / "made", samples=SAMPLES)


def metrics(cluster: ReplayCluster) -> MetricsSource:
    assert cluster.subject.sources.metrics is not None
    return cluster.subject.sources.metrics


def shown(reply: MetricsReply) -> dict[str, list[tuple[float, float]]]:
    return {one.labels.get("job", ""): [(t - START, v) for t, v in one.points] for one in reply.series}


async def test_a_query_is_answered_as_of_the_clock_and_sees_nothing_of_later(made: Path) -> None:
    async with at(made, 6) as (cluster, _):
        source = metrics(cluster)
        early = await source.instant("up")
        count = await source.instant("count_over_time(up[1m])")
        ahead = await source.instant("late", utc(START + 90))
        whole = await source.range("up", Window(start=utc(START), end=utc(START + 20)), 5)
        cluster.clock.set(utc(START + 11))
        later = await source.instant("up")

    assert shown(early) == {"pd": [(6, 1)], "tikv": [(6, 1)]}
    assert shown(count) == {"pd": [(6, 2)], "tikv": [(6, 2)]}
    assert ahead.series == ()
    assert shown(whole)["tikv"] == [(0, 1), (5, 1), (10, 1), (15, 1), (20, 1)]
    assert shown(later) == {"tikv": [(11, 0)]}


async def test_values_that_json_has_no_numbers_for_come_through(made: Path) -> None:
    async with at(made, 60) as (cluster, client):
        odd = await metrics(cluster).range("odd", Window(start=utc(START), end=utc(START + 10)), 5)
        raw = (await client.get("/api/v1/query", params={"query": "tiny[2m]"})).json()

    ((_, nan), (_, plus), (_, minus)) = odd.series[0].points
    assert math.isnan(nan)
    assert (plus, minus) == (math.inf, -math.inf)
    assert [value for _, value in raw["data"]["result"][0]["values"]] == ["0.0000001", "123456789012345680", "0.1"]


async def test_a_scalar_a_string_and_a_bad_query_are_answered_as_prometheus_does(made: Path) -> None:
    async with at(made, 6) as (cluster, client):
        source = metrics(cluster)
        scalar, string = await source.instant("1 + 1"), await source.instant('"words"')
        with pytest.raises(QueryInvalid, match=r"The query 'up\{' is refused: .*parse error"):
            await source.instant("up{")
        raw = await client.get("/api/v1/query", params={"query": "rate(up)"})

    assert (scalar.kind, scalar.series[0].last, string.kind, string.text) == ("scalar", 2.0, "string", "words")
    assert raw.status_code == 400
    assert {**raw.json(), "error": ""} == {"status": "error", "errorType": "bad_data", "error": ""}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (
            "query_range?query=up&start=x&end=1&step=1",
            'invalid parameter "start": cannot parse "x" to a valid timestamp',
        ),
        ("query_range?query=up&start=1&step=1", 'invalid parameter "end": cannot parse "" to a valid timestamp'),
        (
            "query_range?query=up&start=NaN&end=1&step=1",
            'invalid parameter "start": cannot parse "NaN" to a valid timestamp',
        ),
        (
            "query_range?query=up&start=2&end=1&step=1",
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        ("query_range?query=up&start=1&end=2&step=y", 'invalid parameter "step": cannot parse "y" to a valid duration'),
        (
            "query_range?query=up&start=1&end=2&step=0",
            'invalid parameter "step": zero or negative query resolution step',
        ),
        (
            "query_range?query=up&start=0&end=20000&step=1",
            "exceeded maximum resolution of 11,000 points per timeseries.",
        ),
        ("query?query=up&time=2026-03-01T12:00:00", 'invalid parameter "time": cannot parse "2026-03-01T12:00:00"'),
        ("series", "no match[] parameter provided"),
        ("series?match[]=sum(up)", 'invalid parameter "match[]": "sum(up)" is no series selector'),
        ("series?match[]=up{", 'invalid parameter "match[]": '),
    ],
)
async def test_a_parameter_that_cannot_be_meant_is_refused_in_prometheus_words(
    made: Path, path: str, error: str
) -> None:
    async with at(made, 6) as (_, client):
        reply = await client.get(f"/api/v1/{path}")

    assert reply.status_code == 400
    assert reply.json()["errorType"] == "bad_data"
    assert reply.json()["error"].startswith(error)


async def test_times_and_steps_are_read_in_each_way_that_prometheus_reads_them(made: Path) -> None:
    async with at(made, 60) as (_, client):
        texts = [
            (await client.get("/api/v1/query", params={"query": "vector(time())", "time": time})).text
            for time in (str(START + 1.5), "2026-03-01T12:00:01.5Z", "2026-03-01T14:00:01.5+02:00")
        ]
        window = {"query": "up", "start": str(START), "end": str(START + 120)}
        steps = [
            len(
                (await client.get("/api/v1/query_range", params={**window, "step": step})).json()["data"]["result"][1][
                    "values"
                ]
            )
            for step in ("60", "1m", "60000ms", "0h1m0s")
        ]

    assert len(set(texts)) == 1
    assert steps == [3, 3, 3, 3]


async def test_grafana_may_post_its_query(made: Path) -> None:
    async with at(made, 6) as (_, client):
        posted = await client.post("/api/v1/query", data={"query": 'up{job="pd"}'})
        got = await client.get("/api/v1/query", params={"query": 'up{job="pd"}'})

    assert posted.json() == got.json()
    assert posted.json()["data"]["result"][0]["metric"]["job"] == "pd"


async def test_labels_values_and_series_are_those_seen_so_far(made: Path) -> None:
    async def data(client: httpx.AsyncClient, path: str) -> Any:
        return (await client.get(f"/api/v1/{path}")).json()["data"]

    async with at(made, 6) as (cluster, client):
        names = await data(client, "labels")
        metrics_now = await data(client, "label/__name__/values")
        jobs = await data(client, "label/job/values?match[]=up{instance=~'10.0.0.2.*'}")
        found = await data(client, "series?match[]=up&match[]={job='pd'}")
        cluster.clock.set(utc(START + 61))
        metrics_later = await data(client, "label/__name__/values")

    assert names == ["__name__", "instance", "job"]
    assert metrics_now == ["odd", "tiny", "up"]
    assert metrics_later == ["late", "odd", "tiny", "up"]
    assert jobs == ["tikv"]
    assert sorted(one["job"] for one in found) == ["pd", "tikv"]


async def test_it_says_that_it_is_well_and_what_it_is(made: Path) -> None:
    async with at(made, 6) as (_, client):
        replies = {
            path: (await client.get(path)).text
            for path in ("/-/healthy", "/-/ready", "/api/v1/status/buildinfo", "/api/v1/metadata")
        }
        unknown = await client.get("/api/v1/admin/tsdb/delete_series")

    assert replies["/-/healthy"] == "Prometheus Server is Healthy.\n"
    assert replies["/-/ready"] == "Prometheus Server is Ready.\n"
    assert json.loads(replies["/api/v1/status/buildinfo"])["data"]["version"] == "recording test-made"
    assert json.loads(replies["/api/v1/metadata"]) == {"status": "success", "data": {}}
    assert unknown.status_code == 404


async def test_a_series_that_cannot_be_read_is_a_corrupt_recording_and_not_an_empty_answer(made: Path) -> None:
    (made / "metrics.jsonl.gz").write_bytes(packed([series("up", [1]), series("odd", ["old"])]))
    async with at(made, 6) as (cluster, _):
        assert len((await metrics(cluster).instant("up")).series) == 1
        with pytest.raises(RecordingCorrupt, match=r"metrics\.jsonl\.gz, line 2: a value that is neither a number nor"):
            await metrics(cluster).instant("odd")


async def test_a_stores_own_metrics_end_where_its_process_ended(replay: Replay) -> None:
    async with replay("amber-heron", 95) as cluster:
        before = await metrics(cluster).instant('up{job="tikv"}')
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=120))
        after = await metrics(cluster).instant('up{job="tikv"}')
        rate = await metrics(cluster).instant('rate(process_cpu_seconds_total{job="tikv"}[1m])')
        gone = await metrics(cluster).instant('process_start_time_seconds{job="tikv"}')

    assert {one.labels["instance"]: one.last for one in before.series} == {
        f"10.77.0.2{n}:20180": 1.0 for n in (1, 2, 3)
    }
    assert {one.labels["instance"]: one.last for one in after.series}["10.77.0.23:20180"] == 0.0
    assert len(rate.series) == 3
    assert {one.labels["instance"] for one in gone.series} == {"10.77.0.21:20180", "10.77.0.22:20180"}


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{0,4}[smhdwy.eE+-]{0,3}", fullmatch=True))
def test_any_text_is_a_time_and_a_step_or_a_bad_parameter(text: str) -> None:
    parameters = Parameters([("time", text), ("step", text)])
    for read in (lambda: parameters.time("time"), parameters.step):
        with suppress(BadParameter):
            assert math.isfinite(read())


class Halting:
    """A clock that halts the thread that asks it, until it is let go on: so an evaluation can be met in its midst."""

    def __init__(self) -> None:
        self.asked = 0
        self.halted = threading.Event()
        self.on = threading.Event()

    def now(self) -> datetime:
        self.asked += 1
        if threading.current_thread() is not threading.main_thread():
            self.halted.set()
            self.on.wait(5)
        return utc(START + 5)


async def test_a_query_whose_asker_has_gone_is_not_evaluated_to_its_end_and_the_next_is(made: Path) -> None:
    clock = Halting()
    app = prometheus_api(open_recording(made), clock)
    sent: list[Message] = []
    there = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if there:
            return there.pop()
        await anyio.to_thread.run_sync(clock.halted.wait, 5)
        group.start_soon(let_go)
        return {"type": "http.disconnect"}

    async def let_go() -> None:
        await anyio.wait_all_tasks_blocked()
        clock.on.set()

    async def send(message: Message) -> None:
        sent.append(message)

    query = b"query=" + quote(" + ".join(["up"] * 50)).encode()
    scope = {"type": "http", "method": "GET", "path": "/api/v1/query", "query_string": query, "headers": []}
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            await app(scope, receive, send)
    asked = clock.asked
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://made") as client:
        after = await client.get("/api/v1/query", params={"query": "up"})

    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [499]
    assert asked < 10
    assert after.json()["status"] == "success"
