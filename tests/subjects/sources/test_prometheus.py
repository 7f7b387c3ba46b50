"""What is read of a Prometheus-compatible engine's answers, and what is said when they are none."""

import json
import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import QueryInvalid, SourceError, SourceMalformed, SourceRefused, SourceTimedOut
from opsai_subjects.model import MetricsReply, Series, Window
from opsai_subjects.sources.prometheus import PATHS, Prometheus, read_reply
from opsai_subjects.sources.web import WebReply, open_web
from tests.subjects.sources.loopback import bytes_of, http, loopback, never

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 1, 12, 0, 0, 500_000, UTC)


class Noon:
    def now(self) -> datetime:
        return AT


def success(kind: str, result: Any, **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


async def asked(status: int, body: bytes, promql: str = "up") -> MetricsReply:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body)

    async with open_web(Access(), WebLimits(), allow=PATHS, transport=httpx.MockTransport(answer)) as web:
        return await Prometheus("http://metrics:9090", web, Noon()).instant(promql)


async def test_an_instant_query_is_asked_at_the_clocks_now_and_a_range_over_its_window() -> None:
    urls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, content=success("vector", []))

    async with open_web(
        Access(), WebLimits(), allow=("/prom" + PATHS[0], "/prom" + PATHS[1]), transport=httpx.MockTransport(answer)
    ) as web:
        source = Prometheus("http://metrics:9090/prom/", web, Noon())
        await source.instant('up{job="tikv"}')
        await source.instant("up", datetime.fromtimestamp(60, UTC))
        await source.range("up", Window(start=datetime.fromtimestamp(0, UTC), end=AT), 15)

    assert urls == [
        "http://metrics:9090/prom/api/v1/query?query=up%7Bjob%3D%22tikv%22%7D&time=1772366400.500",
        "http://metrics:9090/prom/api/v1/query?query=up&time=60.000",
        "http://metrics:9090/prom/api/v1/query_range?query=up&start=0.000&end=1772366400.500&step=15",
    ]


async def test_a_vector_is_read_with_the_values_that_json_has_no_numbers_for() -> None:
    result = [{"metric": {"i": str(n)}, "value": [1.5, text]} for n, text in enumerate(("1e3", "+Inf", "-Inf", "NaN"))]
    reply = await asked(200, success("vector", result))

    assert [series.labels for series in reply.series] == [{"i": "0"}, {"i": "1"}, {"i": "2"}, {"i": "3"}]
    assert [series.last for series in reply.series][:3] == [1000.0, math.inf, -math.inf]
    assert math.isnan(reply.series[3].last)


async def test_a_matrix_a_scalar_and_a_string_are_read() -> None:
    matrix = await asked(200, success("matrix", [{"metric": {"a": "b"}, "values": [[1, "2"], [16.25, "3"]]}]))
    scalar = await asked(200, success("scalar", [1, "0.5"]))
    string = await asked(200, success("string", [1, "words\x1b"]))

    assert matrix == MetricsReply("matrix", (Series({"a": "b"}, ((1.0, 2.0), (16.25, 3.0))),))
    assert scalar == MetricsReply("scalar", (Series({}, ((1.0, 0.5),)),))
    assert string == MetricsReply("string", (), (), "words�")


async def test_a_native_histogram_is_no_value_of_ours_and_no_error() -> None:
    vector = await asked(200, success("vector", [{"metric": {}, "histogram": [1, {"count": "3"}]}]))
    matrix = await asked(200, success("matrix", [{"metric": {"a": "b"}, "histograms": [[1, {"count": "3"}]]}]))

    assert vector.series == ()
    assert matrix.series == (Series({"a": "b"}, ()),)


async def test_a_partial_answer_keeps_what_the_engine_says_of_it() -> None:
    body = success(
        "vector",
        [],
        warnings=["store 10.0.0.1:10901: context deadline exceeded"],
        infos=["metric might not be a counter"],
    )
    reply = await asked(200, body)

    assert reply.warnings == ("store 10.0.0.1:10901: context deadline exceeded", "metric might not be a counter")


@pytest.mark.parametrize(
    ("more", "partial"),
    [
        ({}, False),
        ({"warnings": ["No StoreAPIs matched for this query"]}, True),
        ({"warnings": ["PromQL warning: quantile value should be between 0 and 1, got 2"]}, False),
        ({"infos": ["PromQL info: metric might not be a counter"]}, False),
        ({"isPartial": True}, True),
        ({"isPartial": False}, False),
    ],
)
async def test_an_answer_is_partial_when_the_engine_says_that_something_did_not_answer(
    more: dict[str, Any], partial: bool
) -> None:
    reply = await asked(200, success("vector", [], **more))

    assert reply.partial == partial
    assert bool(reply.warnings) == (more not in ({}, {"isPartial": False}))


async def test_a_bad_query_keeps_the_engines_own_words() -> None:
    words = 'invalid parameter "query": 1:8: parse error: unclosed left parenthesis'
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": words}).encode()
    with pytest.raises(QueryInvalid) as refused:
        await asked(400, body, "sum(up")

    assert (refused.value.query, refused.value.reason) == ("sum(up", f"“{words}”")
    assert str(refused.value) == f"The query 'sum(up' is refused: “{words}”"


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (503, "timeout", "query timed out in expression evaluation"),
        (422, "execution", "query processing would load too many samples into memory in query execution"),
        (500, "internal", "unexpected"),
    ],
)
async def test_an_engine_that_cannot_evaluate_refuses_with_its_reason(status: int, kind: str, error: str) -> None:
    body = json.dumps({"status": "error", "errorType": kind, "error": error}).encode()
    with pytest.raises(SourceRefused) as refused:
        await asked(status, body)

    assert str(refused.value).startswith(
        f"Asked http://metrics:9090 for query up: HTTP {status}: “{kind}: {error}”. Try: "
    )


async def test_a_gateway_in_front_that_has_no_engine_behind_it_refuses_with_its_page() -> None:
    with pytest.raises(SourceRefused, match="HTTP 503: “<html>no healthy upstream"):
        await asked(503, b"<html>no healthy upstream</html>")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, b"<html>sign in</html>", "HTTP 200, HTML where JSON should be: “<html>sign in"),
        (400, b"<html>bad gateway</html>", "HTTP 400, HTML where JSON should be"),
        (200, success("vector", [])[:-9], "HTTP 200, what is not JSON"),
        (200, b"[]", "not what Prometheus answers (no 'status' where it should be): “[]”"),
        (200, b'{"status":"success"}', "no 'data' where it should be"),
        (200, success("streams", []), "resultType 'streams'"),
        (200, success("vector", {}), "a result that is no list"),
        (200, success("vector", [{"value": [1, "1"]}]), "no 'metric' where it should be"),
        (200, success("vector", [{"metric": [], "value": [1, "1"]}]), "a metric that is no object of labels"),
        (200, success("vector", [{"metric": {}, "value": [1, 1]}]), 'a point [1, 1] that is no [time, "value"]'),
        (200, success("vector", [{"metric": {}, "value": [1, "x"]}]), "a point [1, 'x'] that is no [time, \"value\"]"),
        (200, success("matrix", [{"metric": {}, "values": "x"}]), "values that are no list"),
        (200, success("scalar", []), "a point []"),
        (200, success("string", [1, 1]), "a string result that is no [time, text]"),
        (200, success("vector", [], warnings="x"), "warnings that is no list"),
    ],
)
async def test_what_is_no_answer_of_prometheus_is_malformed(status: int, body: bytes, says: str) -> None:
    with pytest.raises(SourceMalformed, match=re.escape(says)) as failed:
        await asked(status, body)

    assert str(failed.value).startswith("Asked http://metrics:9090 for query up: ")


async def test_an_engine_that_hangs_and_one_that_is_another_server_are_told_apart() -> None:
    limits = WebLimits(connect_seconds=1, read_seconds=0.05)
    async with loopback(never) as served, open_web(Access(), limits, allow=PATHS) as web:
        with pytest.raises(SourceTimedOut, match=f"Asked {served.url} for query up: no whole answer within"):
            await Prometheus(served.url, web, Noon()).instant("up")
    async with (
        loopback(bytes_of(http(404, b"404 page not found"))) as served,
        open_web(Access(), limits, allow=PATHS) as web,
    ):
        with pytest.raises(
            SourceRefused, match=r"HTTP 404: “404 page not found”\. Try: check the address and its path"
        ):
            await Prometheus(served.url, web, Noon()).instant("up")


async def test_the_engine_says_its_version_and_a_password_in_its_url_is_not_shown() -> None:
    body = json.dumps({"status": "success", "data": {"version": "3.4.0"}}).encode()
    async with loopback(bytes_of(http(200, body))) as served, open_web(Access(), WebLimits(), allow=PATHS) as web:
        source = Prometheus(served.url.replace("//", "//eve:hunter2@"), web, Noon())

        assert await source.version() == "3.4.0"
        assert source.about == served.url


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "data", "result", "metric", "value", "values", "error"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
ENVELOPES = st.builds(
    lambda kind, result, more: {"status": "success", "data": {"resultType": kind, "result": result}, **more},
    st.sampled_from(["vector", "matrix", "scalar", "string"]),
    st.lists(st.dictionaries(st.sampled_from(["metric", "value", "values"]), JSON, max_size=3), max_size=3) | JSON,
    st.dictionaries(st.sampled_from(["warnings", "infos", "status"]), JSON, max_size=1),
)


@given(st.sampled_from([200, 400, 422, 500, 503]), JSON | ENVELOPES)
def test_any_json_is_read_or_refused_with_an_error_for_the_reader(status: int, body: Any) -> None:
    reply = WebReply(status, json.dumps(body).encode(), "", 0.0, asked="query up", of="prometheus")
    with suppress(SourceError, QueryInvalid):
        assert read_reply(reply, "up").kind in ("vector", "matrix", "scalar", "string")
