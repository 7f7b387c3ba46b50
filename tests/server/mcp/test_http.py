"""The MCP server over HTTP: real clients of both protocol eras on real sockets, what is kept of calls, and how it ends."""

import logging
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import MCPError

from opsai_subjects.model import MetricsReply, Window
from tests.server.mcp.bench import ERAS, ToyMetrics, served, text_of
from tests.server.mcp.sites import JSON, LOCKED, TOKEN, client, says, site
from tests.server.toy import ToyWorld

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_finds_over_http_what_it_finds_in_memory(tmp_path: Path, mode: str) -> None:
    (tmp_path / "memory").mkdir()
    async with served(tmp_path / "memory", mode=mode) as memory:
        expected = (await memory.client.list_tools()).tools
        told = await memory.ask("topology")
    async with site(tmp_path) as it, client(it.url, mode) as one:
        listed = (await one.list_tools()).tools
        result = await one.call_tool("topology", {})
        wrong = await one.call_tool("topology", {"colour": "red"})
        page = await one.read_resource((await one.list_resources()).resources[0].uri)

    assert listed == expected
    assert result.structured_content == told
    assert wrong.is_error
    assert page.contents


@pytest.mark.parametrize("mode", ERAS)
async def test_with_the_token_a_client_is_served_and_without_it_it_is_told_what_to_send(
    tmp_path: Path, mode: str
) -> None:
    async with site(tmp_path, LOCKED) as it:
        async with client(it.url, mode, TOKEN) as one:
            result = await one.call_tool("overview", {})
        with pytest.raises(ExceptionGroup) as raised:
            async with client(it.url, mode) as one:
                await one.list_tools()

    assert not result.is_error
    assert raised.group_contains(MCPError, match="A token is needed: send Authorization: Bearer TOKEN")


async def test_sessions_are_counted_while_they_are_open_and_are_not_more_than_allowed(tmp_path: Path) -> None:
    async with site(tmp_path, max_sessions=1) as it:
        async with client(it.url, "legacy"):
            during = await it.metric("opsai_mcp_sessions_open")
            with pytest.raises(ExceptionGroup) as raised:
                async with client(it.url, "legacy"):
                    pass
        after = await it.metric("opsai_mcp_sessions_open")

    assert (during, after) == (1, 0)
    assert raised.group_contains(MCPError, match="Too many open sessions")


async def test_calls_are_counted_by_tool_and_outcome_and_one_line_of_audit_each_names_no_argument(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "canary-in-an-argument"
    caplog.set_level(logging.INFO, "opsai_server.calls")
    async with site(tmp_path) as it:
        async with client(it.url, "legacy") as one:
            await one.call_tool("knowledge", {"words": secret})
            await one.call_tool("tickets", {"id": "T-999"})
            await one.call_tool("tickets", {"colour": secret})
            await one.call_tool(f"no-such-{secret}", {})
        counted = [
            await it.metric(f'opsai_mcp_tool_calls_total{{outcome="{outcome}",tool="{tool}"}}')
            for tool, outcome in (("knowledge", "answered"), ("tickets", "refused"), ("unknown", "refused"))
        ]
        chars = await it.metric('opsai_mcp_reply_chars_count{tool="knowledge"}')
        seconds = await it.metric('opsai_mcp_tool_seconds_count{tool="tickets"}')

    lines = [record.getMessage() for record in caplog.records if record.name == "opsai_server.calls"]
    assert (counted, chars, seconds) == ([1, 2, 1], 1, 1)
    assert [re.sub(r"(session|took_seconds|chars)=[\w.]+", r"\1=…", line) for line in lines] == [
        f"tool_call tool={tool} cluster='toy' session=… peer=127.0.0.1 client='mcp' chars=… took_seconds=… outcome={outcome}"
        for tool, outcome in (
            ("knowledge", "answered"),
            ("tickets", "refused"),
            ("tickets", "refused"),
            ("unknown", "refused"),
        )
    ]
    assert not any(secret in line for line in lines)


async def test_a_fault_of_ours_is_counted_as_failed_and_its_text_stays_in_the_log(tmp_path: Path) -> None:
    async with site(tmp_path) as it:
        world = it.desk.cluster.clock
        assert isinstance(world, ToyWorld)
        world.broken = ValueError("canary of the inside")
        async with client(it.url) as one:
            result = await one.call_tool("overview", {})
        failed = await it.metric('opsai_mcp_tool_calls_total{outcome="failed",tool="overview"}')

    assert result.is_error
    assert "canary" not in text_of(result)
    assert failed == 1


async def test_neither_the_token_nor_a_wrong_one_is_logged_or_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "canary-of-another-server"
    async with site(tmp_path, LOCKED) as it:
        async with client(it.url, token=TOKEN) as one:
            shown = text_of(await one.call_tool("overview", {}))
        replies = [
            await it.post(authorization=f"Bearer {wrong}"),
            await it.post(authorization=f"Bearer {TOKEN}", host="evil.example"),
            await it.get("/metrics"),
            await it.get("/healthz"),
        ]

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    told = "\n".join([shown, *(reply.text + str(reply.headers) for reply in replies), *ours])
    assert TOKEN not in told
    assert wrong not in told


async def test_while_a_recording_is_played_tools_are_listed_and_health_says_starting(tmp_path: Path) -> None:
    async with site(tmp_path, ready=False) as it:
        before = await it.get("/healthz")
        async with client(it.url) as one:
            tools = (await one.list_tools()).tools
        it.desks.set(it.desk)
        after = await it.get("/healthz")

    assert (before.status_code, before.json()["status"]) == (503, "starting")
    assert tools
    assert (after.status_code, after.json()["status"]) == (200, "ok")


async def test_health_is_bad_when_the_store_cannot_be_read(tmp_path: Path) -> None:
    async with site(tmp_path) as it:
        path = tmp_path / "opsai.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as other:  # so that nobody's cache is good any more
            other.execute("CREATE TABLE more (x)")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as damaged:
            damaged.seek(4096)
            damaged.write(b"\xff" * (path.stat().st_size - 4096))
        reply = await it.get("/healthz")

    assert (reply.status_code, reply.json()["status"]) == (503, "failing")
    assert reply.json()["says"] == "The store of tickets cannot be read (StoreCorrupt): see the log of opsai-mcp."


class Held(ToyMetrics):
    """Metrics that answer only when they are let."""

    def __init__(self) -> None:
        super().__init__([], ToyWorld())
        self.asked = anyio.Event()
        self.let = anyio.Event()

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        self.asked.set()
        await self.let.wait()
        return await super().range(promql, window, step_seconds)


@pytest.mark.parametrize("mode", ERAS)
async def test_a_call_that_runs_is_answered_before_it_stops_and_no_more_is_let_in(tmp_path: Path, mode: str) -> None:
    held = Held()
    answers: list[bool | None] = []
    refused: list[httpx.Response] = []

    async def ask(url: str) -> None:
        async with client(url, mode) as one:
            await one.list_tools()  # which the client would do after its first call, when nobody is there any more
            answers.append((await one.call_tool("query_metrics", {"query": "up"})).is_error)

    async def let_go(plain: httpx.AsyncClient, url: str) -> None:
        while (reply := await plain.post(url, content="{}", headers=JSON)).status_code != 503:
            pass
        refused.append(reply)
        held.let.set()

    async with (
        httpx.AsyncClient(trust_env=False) as plain,
        anyio.create_task_group() as group,
        site(tmp_path, metrics=held) as it,
    ):
        group.start_soon(ask, it.url)
        await held.asked.wait()
        group.start_soon(let_go, plain, it.url)

    assert answers == [False]
    assert refused[0].headers["retry-after"] == "2"
    assert says(refused[0]).startswith("The server is starting or stopping.")


async def test_a_socket_is_closed_when_it_stops(tmp_path: Path) -> None:
    async with site(tmp_path) as it:
        port = int(it.url.removesuffix("/mcp").rpartition(":")[2])

    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))
