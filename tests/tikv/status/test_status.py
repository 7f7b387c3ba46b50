"""How a store's status port meets a question: never a failure, always a value."""

from collections.abc import Callable

import httpx
import pytest

from opsai_tikv.gathering.status import StatusPort
from tests.tikv.pd.fake import broken, late, opened, refused

pytestmark = pytest.mark.anyio


def answering(status: int, text: str = "") -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, text=text)


@pytest.mark.parametrize(("failure", "outcome"), [(refused, "refused"), (late, "timed_out"), (broken, "disconnected")])
async def test_a_port_that_does_not_answer_tells_how(
    failure: Callable[[httpx.Request], Exception], outcome: str
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise failure(request)

    async with opened(fail) as web:
        probe = await StatusPort(web, "10.1.0.21:20180").alive()

    assert (probe.outcome, probe.status) == (outcome, None)
    assert probe.says


async def test_no_route_is_no_refusal() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 113] No route to host", request=request)

    async with opened(fail) as web:
        assert (await StatusPort(web, "10.1.0.21:20180").alive()).outcome == "unroutable"


async def test_a_port_that_answers_is_alive_whatever_it_answers() -> None:
    async with opened(answering(200)) as web:
        assert (await StatusPort(web, "10.1.0.21:20180").alive()).outcome == "answered"
    async with opened(answering(500, "oops")) as web:
        probe = await StatusPort(web, "10.1.0.21:20180").alive()
    assert (probe.outcome, probe.status) == ("answered", 500)


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_ready_is_an_answer_with_its_status(status: int) -> None:
    async with opened(answering(status)) as web:
        probe = await StatusPort(web, "10.1.0.21:20180").ready()

    assert (probe.outcome, probe.status) == ("answered", status)


async def test_settings_are_flat_and_only_those_asked_for() -> None:
    body = '{"raftstore": {"store-pool-size": 2, "hibernate-regions": true}, "server": {"grpc-concurrency": 5}}'
    async with opened(answering(200, body)) as web:
        port = StatusPort(web, "10.1.0.21:20180")
        assert await port.config(("raftstore.store-pool-size", "no-such")) == {"raftstore.store-pool-size": 2}
        assert (await port.config() or {})["server.grpc-concurrency"] == 5


@pytest.mark.parametrize("answer", [answering(200, "<html>"), answering(200, "[]"), answering(404)])
async def test_settings_that_cannot_be_read_are_none(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    async with opened(answer) as web:
        assert await StatusPort(web, "10.1.0.21:20180").config() is None


async def test_the_port_is_dialled_where_it_is_reachable_and_by_tls_where_the_cluster_has_it() -> None:
    dialled: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        dialled.append(f"{request.url.scheme}://{request.url.host}:{request.url.port}")
        return httpx.Response(200)

    async with opened(note) as web:
        await StatusPort(web, "10.1.0.21:20180", {"10.1.0.21:20180": "127.0.0.1:4000"}).alive()
        await StatusPort(web, "10.1.0.21:20180", tls=True).alive()
        await StatusPort(web, "10.1.0.21:20180", {"10.1.0.21:20180": "http://gate:80"}, tls=True).alive()

    assert dialled[:2] == ["http://127.0.0.1:4000", "https://10.1.0.21:20180"]
    assert dialled[2].startswith("http://gate")
