"""Scraping without a Prometheus: what is kept, what is refused, and what a node that hangs does to the others."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import OpsaiError, SettingsInvalid, SourceTooLarge, SourceUnreachable
from opsai_subjects.model import ScrapeTarget, Window
from opsai_subjects.opening import open_cluster
from opsai_subjects.sources.scrape import MOST_TARGETS, PATHS, Scraper
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.loopback import Answer, bytes_of, http, loopback, never

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
WANTED = frozenset({"a_total", "b", "=~c_.*"})


@dataclass
class Clock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Scraping:
    scraper: Scraper
    clock: Clock

    async def rounds(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.later(15)
            await self.scraper.round()

    async def now(self, promql: str) -> dict[str, float]:
        reply = await self.scraper.instant(promql)
        return {one.labels.get("instance", ""): one.last for one in reply.series}


@asynccontextmanager
async def scraping(*urls: str, read_seconds: float = 10.0) -> AsyncGenerator[Scraping]:
    clock = Clock()

    async def discover() -> tuple[ScrapeTarget, ...]:
        return tuple(ScrapeTarget("tikv", f"n{number}", url) for number, url in enumerate(urls))

    async with open_web(Access(), WebLimits(), allow=PATHS) as web:
        scraper = Scraper(web, clock, WANTED, interval_seconds=15, read_seconds=read_seconds)
        await scraper.find(discover)
        yield Scraping(scraper, clock)


def telling(*texts: str) -> Answer:
    """Answer one text after the other, the last one for ever; an empty one is a failure."""
    left = list(texts)

    async def answer(stream: anyio.abc.ByteStream) -> None:
        text = left.pop(0) if len(left) > 1 else left[0]
        await stream.send(http(200, text.encode()) if text else http(503))

    return answer


async def test_what_is_wanted_is_kept_with_the_labels_that_prometheus_would_give_it() -> None:
    text = '# TYPE a_total counter\na_total{x="1 } \\"y",instance="own"} 3 1700000000000\nb NaN\nc_bucket{le="+Inf"} 7\nd 1\n'
    async with loopback(telling(text)) as served, scraping(served.url) as found:
        series = (await found.scraper.instant('{__name__=~".+"}')).series

    by_name = {one.labels.pop("__name__"): one for one in series}
    assert by_name["a_total"].labels == {"x": '1 } "y', "exported_instance": "own", "instance": "n0", "job": "tikv"}
    assert by_name["a_total"].points == ((NOON.timestamp(), 3.0),)
    assert math.isnan(by_name["b"].last)
    assert set(by_name) == {"a_total", "b", "c_bucket", "up", "scrape_duration_seconds"}
    assert served.paths == ["/metrics"]


async def test_a_rate_is_unknown_before_two_scrapes() -> None:
    async with loopback(telling("a_total 3\n", "a_total 18\n")) as served, scraping(served.url) as found:
        before = await found.now("rate(a_total[1m])")
        await found.rounds()
        after = await found.now("increase(a_total[15s]) or rate(a_total[1m])")

    assert before == {}
    assert after["n0"] > 0


async def test_a_series_that_is_missing_ends_and_so_do_all_when_a_scrape_fails() -> None:
    async with loopback(telling("a_total 3\nb 1\n", "b 1\n", "")) as served, scraping(served.url) as found:
        await found.rounds()
        missing, other = await found.now("a_total"), await found.now("b")
        await found.rounds()
        failed, up = await found.now("b"), await found.now("up")
        state = found.scraper.state

    assert (missing, other) == ({}, {"n0": 1.0})
    assert (failed, up) == ({}, {"n0": 0.0})
    ((instance, why),) = state.failed
    assert (instance, "HTTP 503" in why) == ("n0", True)


@pytest.mark.parametrize(
    "text",
    ["<html>sign in</html>\n", "a_total x\n", "a_total{x=1} 3\n", "b{, =\\}{} 1\n", "a_total 1_000\n", "# no\n"],
)
async def test_what_is_no_text_of_metrics_is_a_failed_scrape(text: str) -> None:
    async with loopback(telling(text)) as served, scraping(served.url) as found:
        assert await found.now("up") == {"n0": 0.0}
        assert "no metrics in text format" in found.scraper.state.failed[0][1]


async def test_a_node_that_hangs_holds_up_nobody() -> None:
    async with (
        loopback(never) as hung,
        loopback(telling("b 1\n")) as well,
        scraping(hung.url, well.url, read_seconds=0.1) as found,
    ):
        await found.rounds()
        assert await found.now("up") == {"n0": 0.0, "n1": 1.0}
        assert await found.now("b") == {"n1": 1.0}


async def test_a_node_whose_address_is_none_holds_up_nobody() -> None:
    async with loopback(telling("b 1\n")) as well, scraping("http://n0:99999", well.url) as found:
        await found.rounds()
        assert await found.now("up") == {"n0": 0.0, "n1": 1.0}
        assert "is not an http:" in found.scraper.state.failed[0][1]


async def test_only_a_quarter_of_an_hour_is_kept_and_series_that_are_gone_are_let_go() -> None:
    texts = [f'b{{n="{number}"}} 1\n' for number in range(100)]
    async with loopback(telling(*texts)) as served, scraping(served.url) as found:
        await found.rounds(90)
        reply = await found.scraper.range("b", Window.last(3600, found.clock.now()), 15)
        old = await found.scraper.instant("count_over_time(up[1h])")

    assert len(reply.series) == 61
    assert old.series[0].last == 61
    assert found.scraper.state.series < 150
    assert "Scraped from here since 12:00:00Z" in reply.warnings[0]


async def test_a_clock_that_is_set_back_begins_anew() -> None:
    async with loopback(telling("b 1\n")) as served, scraping(served.url) as found:
        await found.rounds(4)
        found.clock.later(-3600)
        await found.rounds(2)
        assert await found.now("count_over_time(b[2h])") == {"n0": 2.0}


async def test_a_metric_that_is_not_kept_is_named() -> None:
    async with loopback(telling("b 1\n")) as served, scraping(served.url) as found:
        reply = await found.scraper.instant("b + on () d")

    assert "Not kept: d. Without a Prometheus only what opsai itself looks at is." in reply.warnings


async def test_more_targets_than_a_few_are_refused_with_what_to_use_instead() -> None:
    async with scraping(*["http://127.0.0.1:9"] * (MOST_TARGETS + 1)) as found:
        with pytest.raises(SourceTooLarge, match=r"13 targets, and at most 12 are scraped\. Try: set `prometheus`"):
            await found.now("up")


async def test_while_nobody_says_whom_to_scrape_a_query_says_why() -> None:
    async def discover() -> tuple[ScrapeTarget, ...]:
        raise SourceUnreachable("members", "pd", "connection refused")

    async with open_web(Access(), WebLimits(), allow=PATHS) as web:
        scraper = Scraper(web, Clock(), WANTED, interval_seconds=15, read_seconds=10)
        await scraper.find(discover)
        with pytest.raises(SourceUnreachable, match="connection refused"):
            await scraper.instant("up")


async def test_targets_stay_known_while_pd_is_away() -> None:
    async def away() -> tuple[ScrapeTarget, ...]:
        raise SourceUnreachable("members", "pd", "connection refused")

    async with loopback(telling("b 1\n")) as served, scraping(served.url) as found:
        await found.scraper.find(away)
        await found.rounds()
        assert await found.now("b") == {"n0": 1.0}


async def opened_with(settings: ClusterSettings) -> Sequence[object]:
    async with open_cluster("prod", settings, WebLimits()) as cluster:
        return [type(cluster.subject.sources.metrics).__name__]


async def test_a_cluster_with_pd_and_no_prometheus_is_scraped_unless_that_is_off() -> None:
    async with loopback(bytes_of(http(500))) as served:
        assert await opened_with(ClusterSettings(endpoints=(served.url,))) == ["Scraper"]
        assert await opened_with(ClusterSettings(endpoints=(served.url,), scrape=False)) == ["NoneType"]
        assert await opened_with(ClusterSettings(endpoints=(served.url,), prometheus=served.url)) == ["Prometheus"]


async def test_an_error_while_it_scrapes_comes_out_as_it_is() -> None:
    async with loopback(bytes_of(http(500))) as served:
        with pytest.raises(OpsaiError, match="as it is"):
            async with open_cluster("prod", ClusterSettings(endpoints=(served.url,)), WebLimits()):
                raise SettingsInvalid("as it is")
