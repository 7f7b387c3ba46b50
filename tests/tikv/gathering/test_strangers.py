"""A Prometheus that serves several clusters, one that answers in part, and how often it scrapes."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from opsai_subjects.model import MetricsReply, Window
from opsai_subjects.opening import open_replay
from opsai_subjects.promql.samples import Stored
from tests.subjects.recording.opened import INCIDENTS
from tests.tikv.cluster import STORES, healthy, subject
from tests.tikv.eyes import MemoryMetrics, stored
from tests.tikv.pd.fake import ADDRESSES

pytestmark = pytest.mark.anyio
HERE = [(f"{host}:20180", "tikv") for host in STORES.values()] + [(address, "pd") for address in ADDRESSES.values()]
THERE = [("10.9.0.1:20180", "tikv"), ("10.9.0.2:2379", "pd")]


def shared(every_seconds: float = 15.0, samples: int = 60) -> list[Stored]:
    ours = [
        stored("up", [1.0] * samples, every_seconds, instance=instance, job=job, tidb_cluster="prod-7", region="eu")
        for instance, job in HERE
    ]
    return [*ours, *others(every_seconds, samples)]


def others(every_seconds: float = 15.0, samples: int = 60) -> list[Stored]:
    return [
        stored("up", [1.0] * samples, every_seconds, instance=instance, job=job, tidb_cluster="dev", region="eu")
        for instance, job in THERE
    ]


def heartbeats(instance: str, rate: float) -> Stored:
    values = [15.0 * rate * n for n in range(60)]
    return stored(
        "pd_scheduler_region_heartbeat", values, instance=instance, job="pd", store="4", type="report", status="ok"
    )


class Partial(MemoryMetrics):
    """An engine of which a part does not answer."""

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        return replace(await super().range(promql, window, step_seconds), warnings=("store-3: gone",), partial=True)


async def test_series_of_another_cluster_are_left_out_of_every_sum_and_named() -> None:
    own = [*shared(), heartbeats(ADDRESSES["pd-a"], 2.0)]
    engine = MemoryMetrics([*own, heartbeats(THERE[1][0], 1000.0)])
    async with subject(healthy(), metrics=engine) as found:
        facts = await found.facts()
        alone = MemoryMetrics(own)
    (note,) = [entry for entry in facts.unread if entry.source == "prometheus targets"]
    async with subject(healthy(), metrics=alone) as found:
        expected = (await found.facts()).tracks.of("region_heartbeats", "store:4")

    assert facts.tracks.of("region_heartbeats", "store:4") == expected
    assert expected is not None
    assert note.asked == "2 of 8"
    assert "10.9.0.1:20180, 10.9.0.2:2379 are no member or store of this cluster" in note.why
    assert 'matchers = { tidb_cluster = "prod-7" }' in note.advice


async def test_check_says_that_there_are_several_clusters_and_what_to_set() -> None:
    async with subject(healthy(), metrics=MemoryMetrics(shared())) as found:
        sights = {sight.source: sight for sight in await found.check()}

    assert sights["prometheus targets"].state == "partial"
    assert 'matchers = { tidb_cluster = "prod-7" }' in sights["prometheus targets"].advice


async def test_an_engine_of_this_cluster_alone_is_asked_for_its_queries_as_they_are() -> None:
    engine = MemoryMetrics([one for one in shared() if one.labels["tidb_cluster"] == "prod-7"])
    async with subject(healthy(), metrics=engine) as found:
        facts = await found.facts()
        sources = {sight.source for sight in await found.check()}

    assert not [entry for entry in facts.unread if entry.source == "prometheus targets"]
    assert "prometheus targets" not in sources
    assert not [query for query in engine.asked if "instance=~" in query]


async def test_which_series_are_strangers_is_told_by_what_they_name() -> None:
    async with subject(healthy(), metrics=MemoryMetrics(shared())) as found:
        stranger = found.foreign(await found.facts(), frozenset({"tikv_store_size_bytes"}))
        of_hosts = found.foreign(await found.facts(), frozenset({"node_load1"}))

    assert stranger({"instance": "10.9.0.1:20180"}) == "instance 10.9.0.1:20180"
    assert stranger({"instance": "10.1.0.22:20180", "store": "4"}) == ""
    assert stranger({"store": "97"}) == "store 97"
    assert stranger({"store_id": "97", "instance": "10.1.0.22:20180"}) == "store_id 97"
    assert stranger({"address": "10.9.0.1:20160"}) == "address 10.9.0.1:20160"
    assert stranger({"address": "10.1.0.22:20160", "type": "region_count"}) == ""
    assert of_hosts({"instance": "10.9.0.1:9100"}) == ""
    assert of_hosts({"instance": "10.9.0.1:20180", "job": "tikv"}) == "instance 10.9.0.1:20180"


async def test_while_pd_does_not_answer_nobody_is_a_stranger() -> None:
    async with subject(healthy(), metrics=MemoryMetrics(shared()), urls=("http://10.1.0.99:2379",)) as found:
        facts = await found.facts()
        stranger = found.foreign(facts, frozenset({"tikv_store_size_bytes"}))

    assert stranger({"instance": "10.9.0.1:20180", "job": "tikv"}) == ""
    assert not [entry for entry in facts.unread if entry.source == "prometheus targets"]


async def test_a_pod_is_known_by_the_name_that_its_address_begins_with() -> None:
    pd = healthy()
    members = {"instance": "kv-0", "job": "basic-tikv"}
    pd.answers["/pd/api/v1/stores"] = _store_at("kv-0.kv-peer.ns.svc")
    async with subject(pd, metrics=MemoryMetrics([stored("up", [1.0] * 60, **members)])) as found:
        facts = await found.facts()

    up = facts.tracks.of("up", "store:4")
    assert up is not None
    assert up.now == 1


def _store_at(host: str) -> dict[str, JsonValue]:
    meta: dict[str, JsonValue] = {
        "id": 4,
        "address": f"{host}:20160",
        "status_address": "0.0.0.0:20180",
        "state_name": "Up",
    }
    return {"count": 1, "stores": [{"store": meta, "status": {}}]}


async def test_a_partial_answer_makes_what_is_absent_unknown_and_never_zero() -> None:
    series = [one for one in shared() if one.labels["tidb_cluster"] == "prod-7"]
    async with subject(healthy(), metrics=MemoryMetrics(series)) as found:
        whole = await found.facts()
    async with subject(healthy(), metrics=Partial(series[1:])) as found:
        part = await found.facts()
        verdicts = {(one.invariant, one.entity): one.state for one in found.judge(part)}

    zero = whole.tracks.of("critical_errors", "store:4")
    assert zero is not None
    assert zero.now == 0
    assert part.tracks.of("critical_errors", "store:4") is None
    assert not part.tracks.known("critical_errors")
    assert "violated" not in {state for (name, _), state in verdicts.items() if name.startswith("source")}
    assert any("a partial answer: store-3: gone" in entry.why for entry in part.unread)


async def test_a_rate_is_zero_only_where_its_whole_range_was_scraped() -> None:
    downs = [1.0] * 20 + [0.0] * 4 + [1.0] * 36
    series = [stored("up", downs, instance=instance, job=job) for instance, job in HERE]
    async with subject(healthy(), metrics=MemoryMetrics(series)) as found:
        facts = await found.facts()
    track = facts.tracks.of("critical_errors", "store:1")
    assert track is not None
    count, unknown = len(track.points), [index for index, point in enumerate(track.points) if point is None]
    # From the first failure to a range after the last, and nowhere else: 60 s are four scrapes of 15 s.
    first = 20 - (60 - count)
    assert unknown == list(range(first, first + 4 + 3))


@pytest.mark.parametrize(("every", "range_text"), [(5.0, "30s"), (15.0, "60s"), (30.0, "120s"), (60.0, "240s")])
async def test_rates_are_taken_over_four_scrapes_as_measured(every: float, range_text: str) -> None:
    engine = MemoryMetrics(shared(every)[: len(HERE)])
    async with subject(healthy(), metrics=engine) as found:
        await found.facts()
        assert await found.scrape_seconds() == every

    assert any(f"[{range_text}]" in query for query in engine.asked)
    assert sum(query.startswith("up{") for query in engine.asked) == 1


async def test_a_range_that_is_set_holds_and_one_that_is_too_short_is_said() -> None:
    engine = MemoryMetrics(shared(30.0)[: len(HERE)])
    async with subject(healthy(), metrics=engine, rate_seconds=45) as found:
        await found.facts()
        sights = {sight.source: sight for sight in await found.check()}

    assert any("[45s]" in query for query in engine.asked)
    assert "holds 1.5 scrapes" in sights["prometheus rates"].says
    assert "at least 120" in sights["prometheus rates"].advice


async def test_an_engine_scraped_so_seldom_that_five_minutes_tell_nothing_is_looked_at_for_longer() -> None:
    engine = MemoryMetrics(shared(240.0))
    async with subject(healthy(), metrics=engine) as found:
        assert await found.scrape_seconds() == 240


async def test_a_recording_has_no_strangers() -> None:
    async with open_replay(INCIDENTS / "drift-crane", "end") as cluster:
        facts = await cluster.subject.facts()
        metrics = cluster.subject.sources.metrics
        assert metrics is not None
        interval = await cluster.subject.scrape_seconds()
        stranger = cluster.subject.foreign(facts, frozenset({"tikv_x"}))
        reply = await metrics.instant(
            "count by (job, instance, store, store_id, address) ({__name__=~'up|pd_.*|tikv_server_.*'})"
        )

    assert {stranger(series.labels) for series in reply.series} == {""}
    assert not [entry for entry in facts.unread if entry.source == "prometheus targets"]
    assert interval == cluster.recording.incident.scrape_interval_seconds
