"""`opsai-mcp --http` as it is run: where it says it is, what it takes to start, and how it ends."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.server.mcp.bench import text_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
AMBER = ROOT / "compose" / "incidents" / "amber-heron"
TOKEN = "canary.d41d8cd98f00b204~e9800998ecf8427e"


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "TMPDIR": str(home),
        "PATH": os.environ["PATH"],
        **more,
    }


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "opsai_server.mcp_cli", "--replay", str(AMBER), "--at", "start", *flags]


@contextmanager
def program(home: Path, *flags: str, **more: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start the program; yield it with the URL that it prints."""
    with (
        (home / "stderr.txt").open("w") as stderr,
        subprocess.Popen(
            command(*flags), stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=home, env=environment(home, **more)
        ) as started,
    ):
        try:
            assert started.stdout is not None
            line = started.stdout.readline()
            found = re.fullmatch(r"Serving MCP at (\S+) \((with|without) a token\)\. Ctrl-C ends it\.\n", line)
            assert found is not None, (line, said(home))
            yield started, found[1]
        finally:
            started.kill()


def said(home: Path) -> str:
    return (home / "stderr.txt").read_text(encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("host", "signalled"), [("127.0.0.1", signal.SIGTERM), ("[::1]", signal.SIGINT)])
async def test_a_signal_ends_it_in_order_with_a_client_still_there(
    tmp_path: Path, host: str, signalled: signal.Signals
) -> None:
    with program(tmp_path, "--http", f"{host}:0") as (started, url):
        async with (
            httpx2.AsyncClient(trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http, terminate_on_close=False), mode="legacy") as one,
        ):
            shown = await one.call_tool("overview", {})
            during = names(tmp_path)
            started.send_signal(signalled)
            code = await anyio.to_thread.run_sync(started.wait, 10)

    stderr = said(tmp_path)
    assert url.startswith(f"http://{host}:")
    assert '"cluster":"lab"' in text_of(shown)
    assert (code, [name[:6] for name in during]) == (0, ["opsai-", "stderr"])
    assert names(tmp_path) == ["stderr.txt"]
    assert "tool_call tool=overview cluster='lab' session=" in stderr
    assert "Traceback" not in stderr


async def test_at_an_address_that_others_reach_it_serves_with_the_token_of_the_environment_and_says_it_nowhere(
    tmp_path: Path,
) -> None:
    flags = ("--http", "0.0.0.0:0", "--allow-host", "opsai.example")
    with program(tmp_path, *flags, OPSAI_HTTP_TOKEN=TOKEN) as (started, url):
        local = url.replace("0.0.0.0", "127.0.0.1")
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": "opsai.example"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
            async with Client(streamable_http_client(local, http_client=http)) as one:
                shown = await one.call_tool("check_invariants", {})
            refused = await http.post(local, content="{}", headers={"Authorization": "Bearer no"})
        started.terminate()
        assert started.stdout is not None
        stdout = started.stdout.read()
        code = started.wait(30)

    assert not shown.is_error
    assert (refused.status_code, code) == (401, 0)
    assert TOKEN not in said(tmp_path) + stdout + text_of(shown) + refused.text


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (
            ("--http", "0.0.0.0:0"),
            "Whoever reaches 0.0.0.0 could ask this server anything: it takes a bearer token there.",
        ),
        (("--http", "203.0.113.7:1", "--token-file", "good"), "it is no address of this machine"),
        (("--allow-host", "x"), "--token-file and --allow-host are for callers over HTTP. Give --http HOST:PORT too."),
    ],
)
def test_it_does_not_start_unsafely_and_says_what_would_do(tmp_path: Path, flags: tuple[str, ...], says: str) -> None:
    (tmp_path / "good").write_text(f"{TOKEN}\n", encoding="utf-8")
    (tmp_path / "good").chmod(0o600)

    done = subprocess.run(
        command(*flags),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env=environment(tmp_path),
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("opsai-mcp: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
