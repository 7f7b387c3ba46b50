"""What becomes of those who are told when the server ends, and of the server when one of them does not read."""

import json
import signal
from pathlib import Path

import anyio
import httpx
import pytest

from tests.server.changes.audience import TICKETS, Another, Ear, over_http, told
from tests.server.mcp.sites import site
from tests.server.mcp.test_http_program import program, said

pytestmark = pytest.mark.anyio

ACCEPT = "application/json, text/event-stream"


async def test_a_stream_ends_in_order_with_the_server(tmp_path: Path) -> None:
    with program(tmp_path, "--http", "127.0.0.1:0") as (started, url):
        with anyio.fail_after(20):
            async with over_http(url, "auto") as one, one.listen(resources_list_changed=True) as subscription:
                started.send_signal(signal.SIGTERM)
                events = [event async for event in subscription]
            code = await anyio.to_thread.run_sync(started.wait, 10)

    assert (events, code) == ([], 0)
    assert "Traceback" not in said(tmp_path)


async def send(client: httpx.AsyncClient, method: str, ident: int | None = None, **params: object) -> httpx.Response:
    message = {"jsonrpc": "2.0", "method": method, "params": params, **({} if ident is None else {"id": ident})}
    reply = await client.post("/mcp", content=json.dumps(message), headers={"content-type": "application/json"})
    assert reply.is_success, reply.text
    return reply


async def test_a_session_that_leaves_its_stream_unread_is_answered_and_others_are_told(
    tmp_path: Path, other: Another
) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "deaf", "version": "1"}}
    async with site(tmp_path) as it:
        await other.opens(tmp_path / "opsai.sqlite")
        it.plain.headers["accept"] = ACCEPT
        begun = await send(it.plain, "initialize", 1, **hello)
        it.plain.headers["mcp-session-id"] = begun.headers["mcp-session-id"]
        await send(it.plain, "notifications/initialized")
        async with (
            it.plain.stream("GET", "/mcp") as unread,
            over_http(it.url, "auto") as another,
            told(another, Ear()) as heard,
        ):
            for part in ("a", "b", "c"):
                await other.does(f"break {part}")
                assert await heard.next() == TICKETS
            answered = await send(it.plain, "tools/call", 2, name="tickets", arguments={})
            status = unread.status_code

    assert status == 200
    assert '"T-3"' in answered.text.replace("\\", "")
