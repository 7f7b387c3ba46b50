"""The program itself: a real process on a shipped recording, spoken to over stdio."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.server.mcp.bench import text_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
AMBER = ROOT / "compose" / "incidents" / "amber-heron"
PROGRAM = (sys.executable, "-m", "opsai_server.mcp_cli")
PATIENCE_SECONDS = 120


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user's is touched."""
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "TMPDIR": str(home),
        "PATH": os.environ["PATH"],
    }


@asynccontextmanager
async def program(
    home: Path, *flags: str, command: tuple[str, ...] = PROGRAM, mode: str = "auto"
) -> AsyncGenerator[Client]:
    """Start the program under the SDK's own stdio client."""
    parameters = StdioServerParameters(command=command[0], args=[*command[1:], *flags], env=environment(home), cwd=home)
    with (home / "stderr.txt").open("w") as stderr, anyio.fail_after(PATIENCE_SECONDS):
        async with Client(stdio_client(parameters, errlog=stderr), mode=mode) as client:
            yield client


@contextmanager
def process(home: Path, *flags: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the program with pipes of our own."""
    with (
        (home / "stderr.txt").open("w") as stderr,
        subprocess.Popen(
            [*PROGRAM, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=home,
            env=environment(home),
        ) as started,
    ):
        try:
            yield started
        finally:
            started.kill()


def send(started: "subprocess.Popen[str]", method: str, ident: int | None = None, **params: Any) -> None:
    assert started.stdin is not None
    message = {"jsonrpc": "2.0", "method": method, "params": params, **({} if ident is None else {"id": ident})}
    started.stdin.write(json.dumps(message) + "\n")
    started.stdin.flush()


def begin(started: "subprocess.Popen[str]") -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"}}
    send(started, "initialize", 1, **hello)
    send(started, "notifications/initialized")


async def ask(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def test_a_recording_without_a_moment_stands_a_minute_after_its_first_ticket(tmp_path: Path) -> None:
    async with program(tmp_path, "--replay", str(AMBER)) as client:
        overview = await ask(client, "overview")
        ticket = await ask(client, "tickets", id="T-1")
        differential = await ask(client, "differential", ticket="T-1")

    raised = ticket["ticket"]["raised_at"]
    assert overview["cluster"] == "lab"
    assert overview["watcher"]["says"].startswith("This is a recording (amber-heron,")
    assert "The watcher was played over it" in overview["watcher"]["says"]
    assert (seconds(overview["at"]) - seconds(raised)) == 60
    assert differential["causes"]


async def test_a_moment_given_is_now_and_the_watcher_has_looked_until_then(tmp_path: Path) -> None:
    async with program(tmp_path, "--replay", str(AMBER), "--at", "+75s", mode="legacy") as client:
        overview = await ask(client, "overview")

    assert overview["at"] == "2026-11-23T23:05:28.194Z"
    assert overview["watcher"]["last_at"] == "2026-11-23T23:05:13.194Z"
    assert overview["tickets"] == []


async def test_a_store_that_is_given_is_used_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "mine.sqlite"
    async with program(tmp_path, "--replay", str(AMBER), "--at", "end", "--store", str(store)) as client:
        overview = await ask(client, "overview")
    async with program(tmp_path, "--replay", str(AMBER), "--at", "+90s", "--store", str(store)) as client:
        again = await ask(client, "overview")
        kept = await ask(client, "evidence", id="E-1", path="/summary/subject")

    assert overview["watcher"]["last_at"] is None
    assert (overview["evidence_id"], again["evidence_id"]) == ("E-1", "E-2")
    assert kept["value"] == "tikv"
    assert store.stat().st_mode & 0o077 == 0


def test_stdout_carries_json_rpc_and_nothing_else(tmp_path: Path) -> None:
    with process(tmp_path, "--replay", str(AMBER), "--at", "start") as started:
        begin(started)
        send(started, "tools/list", 2)
        send(started, "tools/call", 3, name="overview", arguments={})
        send(started, "tools/call", 4, name="query_metrics", arguments={"query": "rate(("})
        assert started.stdout is not None
        lines = [started.stdout.readline() for _ in range(4)]
        assert started.stdin is not None
        started.stdin.close()
        rest = started.stdout.read()
        code = started.wait(PATIENCE_SECONDS)

    messages = [json.loads(line) for line in lines]
    assert {message["id"] for message in messages} == {1, 2, 3, 4}
    assert all(message["jsonrpc"] == "2.0" for message in messages)
    assert (rest, code) == ("", 0)
    assert "tool_call tool=overview" in (tmp_path / "stderr.txt").read_text()


@pytest.mark.parametrize("how", ["end of stdin", "SIGTERM", "SIGINT"])
def test_it_ends_in_order_and_leaves_nothing_behind(tmp_path: Path, how: str) -> None:
    with process(tmp_path, "--replay", str(AMBER), "--at", "start") as started:
        begin(started)
        send(started, "tools/call", 2, name="tickets", arguments={})
        assert started.stdout is not None
        assert started.stdin is not None
        answers = [json.loads(started.stdout.readline()) for _ in range(2)]
        during = [path.name for path in tmp_path.iterdir() if path.is_dir()]
        if how == "end of stdin":
            started.stdin.close()
        else:
            started.send_signal(getattr(signal, how))
        code = started.wait(30)

    assert [answer["id"] for answer in answers] == [1, 2]
    assert [name[:6] for name in during] == ["opsai-"]
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["stderr.txt"]
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text()


def test_it_ends_in_order_while_it_still_plays_the_recording(tmp_path: Path) -> None:
    with process(tmp_path, "--replay", str(AMBER)) as started:
        begin(started)
        send(started, "tools/call", 2, name="overview", arguments={})
        assert started.stdout is not None
        answer = json.loads(started.stdout.readline())
        started.terminate()
        code = started.wait(30)

    assert (answer["id"], code) == (1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["stderr.txt"]
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text()


def test_a_file_as_stdin_is_read_to_its_end(tmp_path: Path) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "file", "version": "1"}}
    with tempfile.TemporaryFile("w+", dir=tmp_path) as script:
        script.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}) + "\n")
        script.seek(0)
        done = subprocess.run(
            [*PROGRAM, "--replay", str(AMBER), "--at", "start"],
            stdin=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            env=environment(tmp_path),
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == 1


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
