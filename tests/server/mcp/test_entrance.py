"""Who is not let in to the MCP server over HTTP, and what each is told."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing, suppress
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from opsai_server.entrance import Policy
from opsai_server.listening import Address, Room, listening
from tests.server.mcp.sites import JSON, LOCKED, TOKEN, says, site

pytestmark = pytest.mark.anyio


async def test_any_other_token_is_401_with_a_challenge(tmp_path: Path) -> None:
    wrong = ("Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN)
    async with site(tmp_path, LOCKED) as it:
        missing = await it.post()
        refused = [await it.post(authorization=one) for one in wrong]
        let_in = [await it.post(authorization=one) for one in (f"Bearer {TOKEN}", f"bearer  {TOKEN}")]

    assert (missing.status_code, missing.headers["www-authenticate"]) == (401, 'Bearer realm="opsai"')
    assert says(missing) == "A token is needed: send Authorization: Bearer TOKEN."
    assert {(reply.status_code, reply.headers["www-authenticate"], says(reply)) for reply in refused} == {
        (401, 'Bearer realm="opsai", error="invalid_token"', "This is not the token of this server.")
    }
    assert [reply.status_code for reply in let_in] == [400, 400]  # let in, and no request of the protocol


async def test_without_the_token_health_is_one_word_and_there_are_no_metrics(tmp_path: Path) -> None:
    shown = f"Bearer {TOKEN}"
    async with site(tmp_path, LOCKED) as it:
        health = await it.get("/healthz")
        metrics = await it.get("/metrics")
        told = [await it.get(path, authorization=shown) for path in ("/healthz", "/metrics")]

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (metrics.status_code, says(metrics)) == (401, "A token is needed: send Authorization: Bearer TOKEN.")
    assert [reply.status_code for reply in told] == [200, 200]
    assert told[0].json()["clusters"] == [{"name": "toy", "subject": "toy"}]


async def test_where_no_token_is_set_health_and_metrics_tell_all_and_there_is_nothing_else(tmp_path: Path) -> None:
    async with site(tmp_path) as it:
        health = await it.get("/healthz")
        metrics = await it.get("/metrics")
        elsewhere = [
            await it.get(path) for path in ("/", "/.well-known/oauth-protected-resource/mcp", "/mcp/", "//mcp")
        ]

    assert health.json()["clusters"] == [{"name": "toy", "subject": "toy"}]
    assert (health.status_code, metrics.status_code) == (200, 200)
    assert [reply.status_code for reply in elsewhere] == [404] * 4
    assert {says(reply) for reply in elsewhere} == {
        "There is nothing here. MCP is at /mcp; GET /healthz and GET /metrics answer too."
    }


HOSTS = {
    "127.0.0.1:8765": 400,  # let in, and no request of the protocol
    "LOCALHOST": 400,
    "[::1]:1": 400,
    "192.0.2.7": 400,
    "opsai.example:443": 400,
    "exact.example:8443": 400,
    "exact.example": 421,
    "evil.example": 421,
    "localhost.evil.example": 421,
    "127.0.0.1.evil.example": 421,
    "evil.example@localhost": 421,
    "opsai.example.evil.example": 421,
    "": 421,
}


async def test_a_name_that_is_not_allowed_is_no_host_of_ours(tmp_path: Path) -> None:
    async with site(tmp_path, Policy(token=None, hosts=("opsai.example", "exact.example:8443"))) as it:
        replies = {host: await it.post(host=host) for host in HOSTS}

    assert {host: reply.status_code for host, reply in replies.items()} == HOSTS
    assert "This server is not known as 'evil.example'. Start it with --allow-host" in says(replies["evil.example"])


ORIGINS = {
    "http://127.0.0.1:6274": 400,
    "https://localhost": 400,
    "https://opsai.example": 400,
    "https://opsai.example:8443": 400,
    "http://evil.example": 403,
    "http://192.0.2.7": 403,
    "https://opsai.example.evil.example": 403,
    "file://localhost": 403,
    "null": 403,
    "": 403,
}


@pytest.mark.parametrize("loopback", [True, False])
async def test_a_page_of_another_origin_may_not_ask(tmp_path: Path, loopback: bool) -> None:
    async with site(tmp_path, Policy(token=None, hosts=("opsai.example",), loopback=loopback)) as it:
        replies = {origin: await it.post(origin=origin) for origin in ORIGINS}
        at_metrics = await it.get("/metrics", origin="http://evil.example")

    of_this_machine = {} if loopback else {"http://127.0.0.1:6274": 403, "https://localhost": 403}
    assert {origin: reply.status_code for origin, reply in replies.items()} == ORIGINS | of_this_machine
    assert says(replies["null"]) == "Pages of 'null' may not ask this server."
    assert at_metrics.status_code == 403


async def test_a_page_that_the_server_is_called_by_may_ask(tmp_path: Path) -> None:
    async with site(tmp_path, Policy(token=None, loopback=False)) as it:
        reply = await it.post(host="192.0.2.7:8765", origin="http://192.0.2.7:8765")

    assert reply.status_code == 400


async def test_a_request_over_the_limit_is_refused_and_one_at_the_limit_is_read(tmp_path: Path) -> None:
    async with site(tmp_path, Policy(token=None, max_body_bytes=2000)) as it:
        at_limit = await it.post(b" " * 1998 + b"{}")
        over = await it.post(b" " * 2001)
        endless = await it.plain.post("/mcp", content=chunks(), headers=JSON)

    assert at_limit.status_code == 400
    assert [reply.status_code for reply in (over, endless)] == [413, 413]
    assert says(over) == "A request has at most 2000 bytes."


async def chunks() -> AsyncGenerator[bytes]:
    for _ in range(100):
        yield b" " * 1000


async def test_a_request_that_does_not_come_whole_is_given_up(tmp_path: Path) -> None:
    async with site(tmp_path, Policy(token=None, body_seconds=0.05)) as it:
        host, port = it.url.removeprefix("http://").removesuffix("/mcp").split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(
                b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            reply = await stream.receive()

    assert reply.startswith(b"HTTP/1.1 408 ")


async def test_what_a_form_of_a_page_can_send_is_no_request(tmp_path: Path) -> None:
    kinds = ("text/plain", "application/jsonp", "application/x-www-form-urlencoded", "multipart/form-data")
    async with site(tmp_path) as it:
        replies = [await it.post(content_type=kind) for kind in kinds]

    assert {(reply.status_code, says(reply)) for reply in replies} == {
        (415, "A request is JSON: send Content-Type: application/json.")
    }


async def test_who_asks_too_often_is_told_when_to_ask_again(tmp_path: Path) -> None:
    async with site(tmp_path, Policy(token=None, requests_per_second=0.5)) as it:
        first, second = await it.post(), await it.post()

    assert (first.status_code, second.status_code) == (400, 429)
    assert second.headers["retry-after"] in ("1", "2")
    assert says(second) == "More than 0.5 requests a second. Ask less often."


async def test_whatever_is_asked_the_answer_is_json_with_a_sentence(tmp_path: Path) -> None:
    asked = (
        ("GET", "/mcp", 400),
        ("PUT", "/mcp", 405),
        ("DELETE", "/mcp", 400),
        ("OPTIONS", "/mcp", 405),
        ("POST", "/mcp", 400),
        ("POST", "/healthz", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/elsewhere", 404),
    )
    async with site(tmp_path) as it:
        replies = [await it.plain.request(method, path, headers=JSON) for method, path, _ in asked]

    assert [reply.status_code for reply in replies] == [status for _, _, status in asked]
    assert all(reply.json()["error"]["message"] for reply in replies)


async def test_a_fault_of_ours_tells_nothing_of_its_inside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with site(tmp_path) as it:
        with closing(sqlite3.connect(tmp_path / "opsai.sqlite", isolation_level=None)) as other:
            other.execute("DROP TABLE heartbeats")
        reply = await it.get("/healthz")

    assert reply.status_code == 500
    assert (
        reply.json()["error"]["message"]
        == "A fault of opsai, in its log with the traceback. It is none of the cluster's."
    )
    assert "no such table: heartbeats" in caplog.text


async def test_a_connection_that_does_not_say_what_it_wants_is_closed(tmp_path: Path) -> None:
    told: list[bytes] = []

    async def until_closed(port: int, *parts: bytes) -> None:
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                for part in parts:
                    await stream.send(part)
                    told.append(await stream.receive())
                await stream.receive()

    whole = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with anyio.fail_after(10):
        async with listening(answering, Address("127.0.0.1", 0), "--http", Room(head_seconds=0.2)) as url:
            port = int(url.rpartition(":")[2])
            async with anyio.create_task_group() as group:
                group.start_soon(until_closed, port)
                group.start_soon(until_closed, port, b"GET /x HTTP/1.1\r\nHost: loc")
                group.start_soon(until_closed, port, whole, b"GET /x HT")

    assert len(told) == 1
    assert told[0].endswith(b"hello")


async def test_one_connection_more_than_there_is_room_for_is_closed_and_the_others_stay(tmp_path: Path) -> None:
    with anyio.fail_after(10):
        async with (
            listening(answering, Address("127.0.0.1", 0), "--http", Room(most=2)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as first,
            httpx.AsyncClient(base_url=url, trust_env=False) as second,
            httpx.AsyncClient(base_url=url, trust_env=False) as third,
        ):
            kept = [(await one.get("/x")).text for one in (first, second)]
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await third.get("/x")
            again = [(await one.get("/x")).text for one in (first, second)]

    assert (kept, again) == (["hello"] * 2, ["hello"] * 2)


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)
