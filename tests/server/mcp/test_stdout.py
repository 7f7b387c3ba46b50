"""Over stdio, stdout carries lines of JSON-RPC and nothing else, whoever prints and whatever the client sends."""

import json
import sys
from pathlib import Path

import pytest

from tests.server.mcp.test_stdio import AMBER, PROGRAM, environment
from tests.server.program import ran

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"}}
BEGIN = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}).encode() + b"\n"
LISTED = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}).encode() + b"\n"
REPLAY = ("--replay", str(AMBER), "--at", "start")
PRINTING = """
import os, sys, warnings
import opsai_tikv.pd.client as client
from opsai_server import mcp_cli
old = client.Pd.views
async def views(self):
    print("an adapter prints")
    os.write(1, b"a library writes\\n")
    warnings.warn("a warning")
    return await old(self)
client.Pd.views = views
real = mcp_cli.open_desks
def open_desks(*args):
    print("opening")
    return real(*args)
mcp_cli.open_desks = open_desks
sys.argv[0] = "opsai-mcp"
mcp_cli.main()
"""


def messages(stdout: bytes) -> list[dict[str, object]]:
    """Return the messages on stdout; a line that is none fails."""
    found = [json.loads(line) for line in stdout.decode().splitlines()]
    assert all(one["jsonrpc"] == "2.0" for one in found)
    return found


def test_whoever_prints_prints_to_stderr(tmp_path: Path) -> None:
    call = {"name": "topology", "arguments": {}}
    asked = json.dumps({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": call}).encode() + b"\n"
    done = ran(
        (sys.executable, "-c", PRINTING, *REPLAY, "--debug"),
        environment(tmp_path),
        tmp_path,
        BEGIN + asked,
        answers=2,
    )

    assert [one["id"] for one in messages(done.stdout)] == [1, 3]
    for said in (b"an adapter prints", b"a library writes", b"a warning", b"opening"):
        assert said in done.stderr


BROKEN = {
    "half a message": b'{"jsonrpc":"2.0","id":9,"method":"tools/li\n',
    "no JSON": b"hello\n\n\x00\n",
    "wrong UTF-8": b'{"jsonrpc":"2.0","id":9,"method":"\xff\xfe"}\n',
    "no object": b"[1,2]\nnull\n7\n",
    "deep": b"[" * 100_000 + b"\n",
    "a huge line": b'{"jsonrpc":"2.0","id":9,"method":"' + b"x" * 4_000_000 + b'"}\n',
    "huge numbers": b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"method":"ping"}\n',
}


def test_whatever_a_client_sends_it_goes_on_and_says_nothing_but_messages(tmp_path: Path) -> None:
    asked = BEGIN + b"".join(BROKEN.values()) + LISTED
    done = ran((*PROGRAM, *REPLAY), environment(tmp_path), tmp_path, asked, answers=2, last=2)

    found = messages(done.stdout)
    assert [one["id"] for one in found if one.get("id") in (1, 2)] == [1, 2]
    assert "tools" in str(found[-1]["result"])
    assert b"Traceback" not in done.stdout
    assert done.code == 0


@pytest.mark.parametrize(
    "flags", [("--replay", "/nowhere"), ("--at", "start"), ("--config", "/nowhere.toml"), ("--endpoint", "ftp://x")]
)
def test_an_error_at_the_start_leaves_stdout_empty(tmp_path: Path, flags: tuple[str, ...]) -> None:
    done = ran((*PROGRAM, *flags), environment(tmp_path), tmp_path, BEGIN, answers=0)

    assert (done.stdout, done.code) == (b"", 1)
    assert done.stderr.startswith(b"opsai-mcp: ")
    assert b"Traceback" not in done.stderr
