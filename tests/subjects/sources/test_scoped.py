"""A shared engine is asked for one cluster's series only."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr, ValidationError

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import Window
from opsai_subjects.opening import open_cluster
from tests.subjects.sources.loopback import Loopback, bytes_of, http, loopback

pytestmark = pytest.mark.anyio
EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
VERSION = json.dumps({"status": "success", "data": {"version": "3.4.0"}}).encode()
WINDOW = Window(start=datetime.fromtimestamp(0, UTC), end=datetime.fromtimestamp(60, UTC))


def queries(served: Loopback) -> list[str]:
    return [parse_qs(urlsplit(path).query)["query"][0] for path in served.paths]


async def test_every_question_is_narrowed_by_the_matchers_of_the_settings() -> None:
    async with loopback(bytes_of(http(200, EMPTY))) as served:
        settings = ClusterSettings(prometheus=served.url, matchers={"tidb_cluster": "prod-7", "zone": "=~a|b"})
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            metrics = cluster.subject.sources.metrics
            assert metrics is not None
            await metrics.instant("sum(up)")
            await metrics.range('up{tidb_cluster="other"}', WINDOW, 15)
            with pytest.raises(QueryInvalid, match="narrowed"):
                await metrics.instant("up{")

    assert queries(served) == [
        'sum(up{tidb_cluster="prod-7",zone=~"a|b"})',
        'up{tidb_cluster="other",tidb_cluster="prod-7",zone=~"a|b"}',
    ]


async def test_without_matchers_a_query_is_asked_word_for_word() -> None:
    async with (
        loopback(bytes_of(http(200, EMPTY))) as served,
        open_cluster("prod", ClusterSettings(prometheus=served.url), WebLimits()) as cluster,
    ):
        assert cluster.subject.sources.metrics is not None
        await cluster.subject.sources.metrics.instant("sum (  up )")

    assert queries(served) == ["sum (  up )"]


async def test_the_engine_behind_it_still_says_who_it_is() -> None:
    async with loopback(bytes_of(http(200, VERSION))) as served:
        settings = ClusterSettings(prometheus=served.url, matchers={"a": "b"})
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            assert cluster.subject.sources.metrics is not None
            assert await cluster.subject.sources.metrics.version() == "3.4.0"


@pytest.mark.parametrize(
    ("matchers", "says"),
    [
        ({"__name__": "up"}, "is not the name of a label"),
        ({"a-b": "x"}, "is not the name of a label"),
        ({"a": ""}, "an empty value"),
        ({"a": "=~"}, "an empty value"),
        ({"a": "=~.*"}, "matches the empty text"),
        ({"a": "=~("}, "missing closing"),
    ],
)
def test_a_matcher_that_would_not_narrow_is_refused(matchers: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ClusterSettings(matchers=matchers)


@pytest.mark.parametrize(
    ("access", "line"),
    [
        (Access(username="eve", password=SecretStr("hunter2")), "authorization: Basic ZXZlOmh1bnRlcjI="),
        (Access(bearer_token=SecretStr("t0ken")), "authorization: Bearer t0ken"),
        (Access(headers={"X-Scope-OrgID": SecretStr("team-a")}), "x-scope-orgid: team-a"),
    ],
)
async def test_the_engine_is_entered_with_its_own_credentials_and_pd_without_them(access: Access, line: str) -> None:
    async with loopback(bytes_of(http(200, EMPTY))) as served:
        settings = ClusterSettings(endpoints=(served.url,), prometheus=served.url, prometheus_access=access)
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            assert cluster.subject.sources.metrics is not None
            await cluster.subject.sources.metrics.instant("up")
            await cluster.subject.sources.web.get(f"{served.url}/pd/api/v1/members", of="pd")

    of_engine, of_pd = (head.lower().splitlines() for head in served.heads)
    assert line.lower() in of_engine
    assert line.lower() not in of_pd
