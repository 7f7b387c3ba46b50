"""Claude Code as a client: it connects, and a whole session of it ends with the ticket diagnosed."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import serving
from tests.clients.claude_code import PROGRAMS, claude_code
from tests.clients.reader import Heard, Reader
from tests.server.mcp.test_http_program import TOKEN, program
from tests.server.mcp.test_stdio import AMBER, ROOT

pytestmark = [pytest.mark.anyio, pytest.mark.clients]

OPSAI_MCP = str(PROGRAMS / "opsai-mcp")
COURSE = ["overview", "check_invariants", "differential", "submit_diagnosis"]


def looked_up(heard: Heard) -> dict[str, Any]:
    """The course where tools are told by name only: load one, call it."""
    if not heard.results:
        return {"calls": [{"name": "ToolSearch", "input": {"query": "select:mcp__opsai-http__overview"}}]}
    if "overview" not in heard.replies:
        return {"calls": [{"name": "mcp__opsai-http__overview", "input": {}}]}
    return {"text": f"{heard.replies['overview']['summary']['nodes']} nodes"}


async def test_added_by_its_own_command_it_connects_over_stdio_and_over_http_with_a_token_only(tmp_path: Path) -> None:
    claude = claude_code(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "served").mkdir()
    shown = f"Authorization: Bearer {TOKEN}"
    reader = Reader(course=looked_up)
    with program(tmp_path / "served", "--http", "127.0.0.1:0", "--token-file", str(tmp_path / "token")) as (_, url):
        added = [
            await claude.run("mcp", "add", "opsai-stdio", "--", OPSAI_MCP, "--replay", str(AMBER), "--at", "start"),
            await claude.run("mcp", "add", "--transport", "http", "opsai-http", url, "--header", shown),
            await claude.run("mcp", "add", "--transport", "http", "no-token", url),
        ]
        listed = await claude.run("mcp", "list")
        async with serving(reader) as api:
            run = await claude.ask(api, "How many nodes?", allowed="mcp__opsai-http")

    assert [done.code for done in added] == [0, 0, 0]
    states = {line.partition(":")[0]: line.rpartition(" - ")[2] for line in listed.said.splitlines() if " - " in line}
    assert states["opsai-stdio"] == "✔ Connected"
    assert states["opsai-http"] == "✔ Connected"
    assert "Connected" not in states["no-token"]
    assert TOKEN not in listed.said
    assert run.ended["result"] == "3 nodes"
    assert {f"mcp__{name}__overview" for name in ("opsai-stdio", "opsai-http")} <= set(reader.heard[0].text.split())


def read_up(heard: Heard) -> dict[str, Any]:
    """The course: read a ticket by its URI, with Claude Code's own tool for resources, and look."""
    done = [name for name, _ in heard.results]
    if "ToolSearch" not in done:
        return {"calls": [{"name": "ToolSearch", "input": {"query": "select:ReadMcpResourceTool"}}]}
    if "ReadMcpResourceTool" not in done:
        what = {"server": "opsai-recording", "uri": "opsai://tickets/T-1"}
        return {"calls": [{"name": "ReadMcpResourceTool", "input": what}]}
    return {"text": "seen"} if heard.replies else heard.call("overview")


async def test_the_checkout_s_own_configuration_is_offered_and_works(tmp_path: Path) -> None:
    claude = claude_code(tmp_path)
    (claude.folder / ".venv" / "bin").mkdir(parents=True)
    (claude.folder / ".venv" / "bin" / "opsai-mcp").symlink_to(OPSAI_MCP)  # as `make demo` leaves it
    for name in (".mcp.json", "compose"):
        (claude.folder / name).symlink_to(ROOT / name)
    reader = Reader(course=read_up)
    listed = await claude.run("mcp", "list")
    async with serving(reader) as url:
        run = await claude.ask(url, "How is it?", allowed="mcp__opsai-recording")

    assert "opsai-recording: .venv/bin/opsai-mcp" in listed.said
    assert "Pending approval" in listed.said
    assert run.ended["result"] == "seen"
    assert reader.heard[-1].replies["overview"]["causes"][0]["kind"] == "tikv_down"
    (ticket,) = (block["content"] for name, block in reader.heard[-1].results if name == "ReadMcpResourceTool")
    assert json.loads(json.loads(ticket)["contents"][0]["text"])["ticket"]["status"] == "created"


async def test_a_whole_session_of_it_ends_with_the_ticket_diagnosed(tmp_path: Path) -> None:
    claude = claude_code(tmp_path)
    store, wire = tmp_path / "opsai.sqlite", tmp_path / "wire.jsonl"
    config = tmp_path / "mcp.json"
    config.write_text(
        json.dumps({"mcpServers": {"opsai": tapped(wire, "--replay", str(AMBER), "--store", str(store))}})
    )
    reader = Reader()
    async with serving(reader) as url:
        run = await claude.ask(
            url,
            "/mcp__opsai__investigate_ticket T-1",
            "--mcp-config",
            str(config),
            "--strict-mcp-config",
            allowed="mcp__opsai",
        )

    assert run.ended["subtype"] == "success", run
    assert run.ended["result"] == "T-1 is diagnosed: confirmed."
    assert run.begun["mcp_servers"][0]["status"] == "connected"
    assert [name for name, _ in reader.heard[-1].results] == [f"mcp__opsai__{tool}" for tool in COURSE]
    assert ticket_in(store)["status"] == "diagnosed"
    sent = [json.loads(line) for line in wire.read_text().splitlines()]
    assert_all_reached_the_model(sent, reader.heard[-1])


def tapped(wire: Path, *flags: str) -> dict[str, Any]:
    """Return the entry of the server with all that it sends kept in a file too."""
    return {
        "type": "stdio",
        "command": "sh",
        "args": ["-c", '"$@" | tee "$0"', str(wire), OPSAI_MCP, *flags],
        "alwaysLoad": True,
    }


def ticket_in(store: Path) -> dict[str, Any]:
    """Return the oldest ticket as `opsai tickets list` reads it back."""
    done = subprocess.run(
        [PROGRAMS / "opsai", "tickets", "list", "--json", "--store", str(store)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(store.parent)},
        cwd=store.parent,
    )
    return next(ticket for ticket in json.loads(done.stdout)["tickets"] if ticket["id"] == "T-1")


def assert_all_reached_the_model(sent: list[dict[str, Any]], heard: Heard) -> None:
    """Every tool, the instructions and every reply: as the server sent them, whole."""
    results = [message["result"] for message in sent if "result" in message]
    tools = next(result["tools"] for result in results if "tools" in result)
    instructions = next(result["instructions"] for result in results if "instructions" in result)
    (prompt,) = (result["messages"] for result in results if "messages" in result)
    replies = [result["structuredContent"] for result in results if "structuredContent" in result]

    assert list(heard.tools) == sorted(tool["name"] for tool in tools)
    for tool in tools:
        reached = heard.tools[tool["name"]]
        assert reached.keys() == {"name", "description", "input_schema"}, "deferred: only its name was told"
        assert reached["description"] == tool["description"]
        assert json.dumps(reached["input_schema"]) == json.dumps(tool["inputSchema"]).replace(r"\u2026", "...")
    assert instructions in heard.text
    for content in (message["content"] for message in prompt):  # the task in words, and the ticket that it attaches
        assert content.get("resource", content)["text"] in heard.text
    assert [json.loads(block["content"]) for _, block in heard.results] == replies
    assert not any(block.get("is_error") for _, block in heard.results)
