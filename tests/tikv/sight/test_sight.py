"""What `opsai check` says of each source, and what it advises to set."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from opsai_subjects.model import LogPage, LogQuery, LogSource, MetricsSource, Unread
from opsai_subjects.promql.samples import Stored
from opsai_subjects.sources.combined import CombinedLogs
from opsai_subjects.subject import Sight
from opsai_tikv.pd.client import V1
from tests.tikv.cluster import STORES, healthy, store, subject
from tests.tikv.eyes import AT, DeafMetrics, MemoryLogs, MemoryMetrics, said, stored
from tests.tikv.pd.fake import ADDRESSES, URLS, FakePd, late, member, members, refused

pytestmark = pytest.mark.anyio
INSTANCES = [(f"{host}:20180", "tikv") for host in STORES.values()] + [
    (address, "pd") for address in ADDRESSES.values()
]


def ups(instances: Sequence[tuple[str, str]] = INSTANCES, every_seconds: float = 15.0) -> list[Stored]:
    return [stored("up", [1.0] * 30, every_seconds, instance=instance, job=job) for instance, job in instances]


def all_logs() -> MemoryLogs:
    return MemoryLogs({name: [said(-3, "alive")] for name in ("kv1", "kv2", "kv3", "pda", "pdb", "pdc")})


async def seen(
    pd: FakePd | None = None,
    *,
    metrics: MetricsSource | None = None,
    logs: LogSource | None = None,
    dead: dict[str, str] | None = None,
    urls: tuple[str, ...] = URLS,
) -> dict[str, Sight]:
    async with subject(pd or healthy(), metrics=metrics, logs=logs, dead=dead, urls=urls) as found:
        sights = await found.check()
    assert len({sight.source for sight in sights}) == len(sights)
    return {sight.source: sight for sight in sights}


async def test_when_everything_can_be_seen_every_line_says_so_and_by_whom() -> None:
    sights = await seen(metrics=MemoryMetrics(ups()), logs=all_logs())

    assert {sight.state for sight in sights.values()} == {"ok"}
    assert {sight.advice for sight in sights.values()} == {""}
    assert sights["pd:pda"].identity == "pd-a v8.5.4"
    assert sights["cluster"].identity == "7388103445672349876"
    assert sights["pd leader"].says == "pda says itself that it leads"
    assert sights["status:kv1"].identity == "store:1 8.5.4"
    assert sights["prometheus"].says == (
        "it has targets for 6 of 6 nodes, scraped every 15 s: rates are taken over 60s"
    )
    assert "3 s old" in sights["logs:kv1"].says


async def test_a_member_that_is_gone_is_blind_and_says_what_to_set() -> None:
    pd = healthy()
    pd.silent = {"pd-b": refused}
    sights = await seen(pd, metrics=MemoryMetrics(ups()), logs=all_logs())

    assert sights["pd:pdb"].state == "blind"
    assert "10.1.0.2:2379 does not answer (refused)" in sights["pd:pdb"].says
    assert "`addresses`" in sights["pd:pdb"].advice


async def test_a_password_in_the_url_of_a_member_is_not_shown() -> None:
    pd = healthy()
    pd.silent = {"pd-a": refused}
    urls = ("http://eve:hunter2@10.1.0.1:2379",)
    async with subject(pd, metrics=MemoryMetrics(ups()), urls=urls) as found:
        told = f"{await found.check()}{await found.topology()}{await found.facts()}"

    assert "10.1.0.1:2379" in told
    assert "hunter2" not in told


async def test_a_member_without_etcd_quorum_is_seen_in_part_and_no_leader_can_be_asked() -> None:
    pd = FakePd(
        silent={"pd-a": refused, "pd-b": late},
        only={("pd-c", f"{V1}/members"): late, ("pd-c", f"{V1}/leader"): member("pd-a")},
    )
    sights = await seen(pd, metrics=MemoryMetrics(ups()), logs=all_logs())

    assert sights["pd:pdc"].state == "partial"
    assert "etcd may have no quorum" in sights["pd:pdc"].advice
    assert sights["pd leader"].state == "blind"
    assert "they name pd-a, which cannot be asked from here" in sights["pd leader"].says
    assert sights["stores"].state == "blind"


async def test_what_answers_and_is_no_pd_is_told_apart_from_a_pd_without_quorum() -> None:
    pd = healthy()
    for question in ("status", "members", "leader"):
        pd.only[("pd-b", f"{V1}/{question}")] = (404, "<html>nothing here</html>")
    sights = await seen(pd, metrics=MemoryMetrics(ups()), logs=all_logs())

    assert sights["pd:pdb"].state == "partial"
    assert "see whether this is the client URL of a PD member" in sights["pd:pdb"].advice


async def test_urls_of_different_clusters_are_found_out() -> None:
    pd = healthy()
    other = {**members("pd-c"), "header": {"cluster_id": 5}}
    pd.only[("pd-c", f"{V1}/members")] = other
    sights = await seen(pd, metrics=MemoryMetrics(ups()), logs=all_logs())

    assert sights["cluster"].state == "blind"
    assert "different clusters: 7388103445672349876 (2), 5 (1)" in sights["cluster"].says


async def test_no_pd_url_is_one_line_that_says_what_to_give() -> None:
    sights = await seen(urls=())

    assert sights["pd"].state == "blind"
    assert sights["pd"].advice.startswith("give --endpoint URL")


@pytest.mark.parametrize(("how", "word"), [("refused", "refused"), ("late", "timed out")])
async def test_a_status_port_that_does_not_answer_is_blind_though_pd_holds_the_store_for_up(
    how: str, word: str
) -> None:
    sights = await seen(metrics=MemoryMetrics(ups()), logs=all_logs(), dead={"4": how})

    assert sights["status:kv2"].state == "blind"
    assert word in sights["status:kv2"].says
    assert "For PD it is Up" in sights["status:kv2"].says
    assert "`addresses`" in sights["status:kv2"].advice


async def test_a_store_that_pd_does_not_hear_from_either_is_no_matter_of_addresses() -> None:
    stores = {"stores": [store("4", state_name="Disconnected", heard=90)]}
    sights = await seen(healthy(**{f"{V1}/stores": stores}), dead={"4": "refused"})

    assert sights["status:kv2"].advice == "PD does not hear from it either: see whether the process runs"


async def test_many_stores_are_told_by_how_they_met_us() -> None:
    stores = {
        "stores": [store(str(number), address=f"10.2.0.{number}:20160") for number in range(10, 50)] + [store("1")]
    }
    async with subject(healthy(**{f"{V1}/stores": stores})) as found:
        told = [sight for sight in await found.check() if sight.source == "stores"]

    assert told[0].says == "1 of 41 status ports answer"
    assert told[0].state == "partial"
    assert len(told) == 2
    assert "40 do not answer (refused)" in told[1].says
    assert "and 20 more" in told[1].says


async def test_a_clock_behind_pd_s_is_found_out() -> None:
    stores = {"stores": [store("1", heard=-30)]}
    sights = await seen(healthy(**{f"{V1}/stores": stores}))

    assert sights["clock"].state == "partial"
    assert "30 s into our future" in sights["clock"].says


async def test_a_clock_ahead_of_pd_s_is_found_out() -> None:
    stores = {"stores": [store(number, heard=400) for number in STORES]}
    sights = await seen(healthy(**{f"{V1}/stores": stores}))

    assert "ahead of PD's" in sights["clock"].says
    assert "NTP" in sights["clock"].advice


async def test_no_metrics_engine_is_blind() -> None:
    sights = await seen()
    assert (sights["prometheus"].state, "--prometheus URL" in sights["prometheus"].advice) == ("blind", True)


async def test_a_metrics_engine_that_does_not_answer_is_blind_in_its_own_words() -> None:
    sights = await seen(metrics=DeafMetrics())
    assert sights["prometheus"].state == "blind"
    assert "no whole answer within 10 s" in sights["prometheus"].says


async def test_a_metrics_engine_of_something_else_is_blind() -> None:
    sights = await seen(metrics=MemoryMetrics([stored("up", [1.0] * 9, instance="a:1", job="node")]))
    assert sights["prometheus"].state == "blind"
    assert "no target whose job is named after tikv or pd" in sights["prometheus"].says


async def test_nodes_that_are_not_scraped_are_named() -> None:
    sights = await seen(metrics=MemoryMetrics(ups(INSTANCES[1:])))

    assert sights["prometheus"].state == "partial"
    assert "targets for 5 of 6 nodes" in sights["prometheus"].says
    assert "none for kv1" in sights["prometheus"].says


async def test_a_target_that_cannot_be_scraped_is_named() -> None:
    series = [*ups(INSTANCES[1:]), stored("up", [0.0] * 9, instance=INSTANCES[0][0], job="tikv")]
    sights = await seen(metrics=MemoryMetrics(series))

    assert "it cannot scrape kv1" in sights["prometheus"].says


async def test_an_engine_whose_clock_is_ahead_is_found_out() -> None:
    series = [
        stored("up", [1.0] * 30, instance=instance, job=job, end=AT + timedelta(seconds=20))
        for instance, job in INSTANCES
    ]
    sights = await seen(metrics=MemoryMetrics(series))

    assert sights["prometheus clock"].state == "partial"
    assert "20 s in our future" in sights["prometheus clock"].says


async def test_an_engine_that_stopped_scraping_is_found_out() -> None:
    series = [
        stored("up", [1.0] * 30, instance=instance, job=job, end=AT - timedelta(seconds=150))
        for instance, job in INSTANCES
    ]
    sights = await seen(metrics=MemoryMetrics(series))

    assert sights["prometheus clock"].state == "partial"
    assert "150 s old" in sights["prometheus clock"].says


async def test_logs_are_told_by_whose_they_are_whether_they_can_be_read_and_how_old() -> None:
    logs = MemoryLogs(
        {
            "10.1.0.21:20160": [said(-3, "alive")],
            "pd-a": [said(-7, "alive")],
            "kv2": [],
            "kv3": [said(40, "from a clock ahead")],
            "stranger": [said(-1, "alive")],
            "pdb": [],
        },
        unread={"pdb": "permission denied"},
    )
    sights = await seen(metrics=MemoryMetrics(ups()), logs=logs)

    assert (sights["logs:10.1.0.21:20160"].state, sights["logs:10.1.0.21:20160"].identity) == ("ok", "store:1")
    assert sights["logs:pd-a"].identity == "pd-a"
    assert "no line of the last hour" in sights["logs:kv2"].says
    assert "40 s into our future" in sights["logs:kv3"].says
    assert "the log of no node" in sights["logs:stranger"].says
    assert (sights["logs:pdb"].state, sights["logs:pdb"].says) == ("blind", "its log: permission denied")
    assert sights["logs"].says == "there is no log of pdc"


async def test_no_logs_say_what_stays_unknown() -> None:
    sights = await seen(metrics=MemoryMetrics(ups()))
    assert (sights["logs"].state, "orderly stops" in sights["logs"].says) == ("partial", True)


async def test_a_log_that_is_one_of_several_says_where_it_is_read() -> None:
    several = CombinedLogs({"files": MemoryLogs({"kv1": [said(-3, "alive")]}), "loki": MemoryLogs({"kv2": []})})
    sights = await seen(metrics=MemoryMetrics(ups()), logs=several)

    assert sights["logs:kv1"].says.startswith("files: its newest line is 3 s old")
    assert sights["logs:kv2"].says.startswith("loki: it can be read, but has no line of the last hour")


class Mute(MemoryLogs):
    """Logs that cannot be asked even whose they are."""

    async def nodes(self) -> tuple[str, ...]:
        return ()

    async def search(self, query: LogQuery) -> LogPage:
        return LogPage((), 0, (Unread(source="loki", asked="labels", why="no connection", advice="look"),))


async def test_a_source_of_logs_that_knows_nobody_says_why() -> None:
    sights = await seen(metrics=MemoryMetrics(ups()), logs=Mute({}))

    assert sights["logs"].state == "blind"
    assert (sights["logs"].says, sights["logs"].advice) == ("labels: no connection", "look")


async def test_one_of_several_sources_that_cannot_be_asked_is_blind_beside_the_others() -> None:
    several = CombinedLogs({"files": MemoryLogs({"kv1": [said(-3, "alive")]}), "loki": Mute({})})
    sights = await seen(metrics=MemoryMetrics(ups()), logs=several)

    assert sights["logs:kv1"].state == "ok"
    assert (sights["loki"].state, sights["loki"].says) == ("blind", "labels: no connection")


async def test_a_log_that_is_read_in_part_is_judged_by_what_was_read() -> None:
    class Cut(MemoryLogs):
        async def search(self, query: LogQuery) -> LogPage:
            page = await super().search(query)
            return replace(page, unread=(Unread(source="logs:kv1", asked="before", why="gone"),))

    sights = await seen(metrics=MemoryMetrics(ups()), logs=Cut({"kv1": [said(-3, "alive")]}))

    assert sights["logs:kv1"].state == "ok"
