"""A cluster without a Prometheus, scraped by opsai itself, is judged as one with a Prometheus."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from anyio.abc import ByteStream
from pydantic import JsonValue

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.model import Clock, ScrapeTarget
from opsai_subjects.opening import ReplayCluster, open_cluster, open_replay
from opsai_subjects.promql.scoping import named
from opsai_subjects.sources.scrape import PATHS, Scraper
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Facts, Subject
from opsai_tikv.kind import KIND
from opsai_tikv.scraped import METRICS
from tests.subjects.recording.opened import INCIDENTS
from tests.subjects.sources.exposed import exposed, serving
from tests.subjects.sources.loopback import http, loopback
from tests.tikv.cluster import STORES, healthy, subject
from tests.tikv.pd.fake import ADDRESSES, URLS

pytestmark = pytest.mark.anyio

LAGS = {"pd_clock_true"}
"""What is served is up to one scrape older than the moment it is served at, so PD's clock seems behind."""


@asynccontextmanager
async def scraper(clock: Clock, targets: tuple[ScrapeTarget, ...]) -> AsyncGenerator[Scraper]:
    async def discover() -> tuple[ScrapeTarget, ...]:
        return targets

    async with open_web(Access(), WebLimits(), allow=PATHS) as web:
        made = Scraper(web, clock, METRICS, interval_seconds=5, read_seconds=4)
        await made.find(discover)
        yield made


def verdicts(subject: Subject, facts: Facts) -> Mapping[tuple[str, str], str]:
    judged = {(one.invariant, one.entity): one.state for one in subject.judge(facts)}
    return {key: state for key, state in judged.items() if key[0] not in LAGS}


async def scraped_for(cluster: ReplayCluster, seconds: int, made: Scraper) -> None:
    start = cluster.recording.incident.start
    for since in range(5, seconds + 1, 5):
        cluster.clock.set(start + timedelta(seconds=since))
        await made.round()


async def test_a_recorded_hang_is_judged_by_own_scrapes_as_by_prometheus() -> None:
    async with open_replay(INCIDENTS / "ebony-tern") as cluster:
        nodes = exposed(cluster.recording, named(METRICS))
        async with serving(nodes, cluster.clock) as targets, scraper(cluster.clock, targets) as made:
            await scraped_for(cluster, 170, made)
            sources = replace(cluster.subject.sources, metrics=made)
            own = KIND.open(cluster.name, cluster.settings, sources)
            by_scrapes = verdicts(own, await own.facts())
            sights = {sight.source: sight for sight in await own.check()}
            state = made.state
        by_prometheus = verdicts(cluster.subject, await cluster.subject.facts())

    assert "violated" in by_prometheus.values()
    assert by_scrapes == by_prometheus
    assert [instance for instance, _ in state.failed] == ["10.77.0.22:20180"]
    assert sights["scraping"].state == "partial"
    assert "every 5 s it reads /metrics of 6 nodes itself" in sights["scraping"].says


async def test_after_one_scrape_gauges_are_known_and_rates_are_unknown_never_zero() -> None:
    async with open_replay(INCIDENTS / "birch-lynx", "end") as cluster:
        nodes = exposed(cluster.recording, lambda name: name.startswith(("tikv_raftstore_region", "tikv_critical")))
        async with serving(nodes, cluster.clock) as targets, scraper(cluster.clock, targets) as made:
            own = KIND.open(cluster.name, cluster.settings, replace(cluster.subject.sources, metrics=made))
            facts = await own.facts()

    regions, errors = facts.tracks.of("regions", "store:4"), facts.tracks.of("critical_errors", "store:4")
    assert regions is not None
    assert regions.now is not None
    assert errors is None or errors.now is None


async def test_members_and_stores_are_scraped_where_prometheus_would_scrape_them() -> None:
    async with subject(healthy()) as found:
        targets = await found.scrape_targets()

    assert {(one.job, one.instance) for one in targets} == {
        *(("pd", address) for address in ADDRESSES.values()),
        *(("tikv", f"{host}:20180") for host in STORES.values()),
    }
    assert {one.base for one in targets if one.job == "tikv"} == {f"http://{host}:20180" for host in STORES.values()}


def test_what_signals_read_is_kept_and_no_more() -> None:
    wants = named(METRICS)

    assert all(wants(name) for name in ("tikv_grpc_msg_duration_seconds_bucket", "pd_regions_status", "up"))
    assert not any(
        wants(name) for name in ("promhttp_metric_handler_requests_total", "tikv_nothing", "http_requests_total")
    )


async def test_with_pd_alone_a_cluster_scrapes_itself_in_the_background() -> None:
    pd = healthy()

    async def answer(stream: ByteStream) -> None:
        path = served.paths[-1].partition("?")[0]
        found = b"tikv_raftstore_leader_missing 0\n" if path == "/metrics" else json.dumps(told(path)).encode()
        await stream.send(http(200, found))

    def told(path: str) -> JsonValue:
        reply = pd(httpx.Request("GET", f"{URLS[0]}{path}", headers={"PD-Allow-follower-handle": "true"}))
        return json.loads(reply.content)

    async with loopback(answer) as served:
        here = served.url.removeprefix("http://")
        addresses = dict.fromkeys((*ADDRESSES.values(), *(f"{host}:20180" for host in STORES.values())), here)
        settings = ClusterSettings(endpoints=URLS, addresses=addresses)
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            metrics = cluster.subject.sources.metrics
            assert metrics is not None
            up = await metrics.instant("up")

    assert {(one.labels["job"], one.labels["instance"], one.last) for one in up.series} == {
        *(("pd", address, 1.0) for address in ADDRESSES.values()),
        *(("tikv", f"{host}:20180", 1.0) for host in STORES.values()),
    }
    assert served.paths.count("/metrics") == 6
