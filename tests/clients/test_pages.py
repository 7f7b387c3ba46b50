"""The pages for clients: each configuration in them starts or connects, each command that no other test runs is run."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.server.mcp.test_configs import PLACEHOLDER, installed
from tests.server.mcp.test_http_program import TOKEN
from tests.server.mcp.test_http_program import program as served
from tests.server.mcp.test_stdio import ROOT, environment, program

pytestmark = pytest.mark.anyio

PAGES = sorted((ROOT / "docs" / "clients").glob("*.md"))
URL = "http://127.0.0.1:8765/mcp"
ASKED_FOR = re.compile(r"\$\{(?:input:[\w-]+|env:\w+|\w+)\}")
"""How the clients write a token that is not in the file."""
WSL = ("wsl.exe", "--")
"""What runs the rest of a command inside Linux."""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each server of each JSON block with the page it stands on."""
    for page in PAGES:
        for block in blocks(page, "json"):
            config = json.loads(block)
            servers: dict[str, dict[str, Any]] = config["servers" if page.stem == "vscode" else "mcpServers"]
            yield from ((page.stem, server) for server in servers.values())


def local() -> list[tuple[str, ...]]:
    """Return each command to start, once: pages that show the same one are many."""
    commands = [[server["command"], *server["args"]] for _, server in entries() if "command" in server]
    bare = [command[len(WSL) :] if tuple(command[: len(WSL)]) == WSL else command for command in commands]
    return sorted({tuple(command) for command in bare})


def remote() -> list[tuple[str, dict[str, Any]]]:
    return [(page, server) for page, server in entries() if "url" in server]


def test_every_client_has_a_page_that_says_how_to_see_that_it_works_and_what_else_to_do() -> None:
    assert [page.stem for page in PAGES] == ["claude-code", "claude-desktop", "cursor", "http", "vscode"]
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert "check that it works" in text or "## See that it works" in text
        assert "## When it does not connect" in text


@pytest.mark.parametrize("command", local())
async def test_each_command_in_a_configuration_starts_once_its_path_is_replaced(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    start, *flags = command

    assert start == f"{PLACEHOLDER}/.venv/bin/opsai-mcp"
    here = [flag.replace(PLACEHOLDER, str(ROOT)) for flag in flags]
    async with program(tmp_path, *here, command=(installed("opsai-mcp"),)) as client:
        assert "overview" in {tool.name for tool in (await client.list_tools()).tools}


async def test_each_configuration_over_http_connects_with_its_header_and_not_without(tmp_path: Path) -> None:
    with served(tmp_path, "--http", "127.0.0.1:0", OPSAI_HTTP_TOKEN=TOKEN) as (_, url), anyio.fail_after(60):
        connected = {page: await listed_by(url, server) for page, server in remote()}
        async with httpx2.AsyncClient(trust_env=False) as stranger:
            refused = await stranger.post(url, json={})

    assert connected.keys() == {"cursor", "http", "vscode"}
    assert all("overview" in tools for tools in connected.values())
    assert refused.status_code == 401


async def listed_by(url: str, server: dict[str, Any]) -> set[str]:
    """Return the names of the tools that a client of this configuration sees at this URL."""
    assert server["url"] == URL
    headers = {name: ASKED_FOR.sub(TOKEN, value) for name, value in server["headers"].items()}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        return {tool.name for tool in (await client.list_tools()).tools}


def test_the_commands_of_the_page_on_http_serve_and_check(tmp_path: Path) -> None:
    (block, _) = blocks(ROOT / "docs" / "clients" / "http.md", "console")
    commands = "\n".join(line.removeprefix("$ ") for line in block.splitlines()).replace("8765", str(free_port()))
    (tmp_path / "compose").symlink_to(ROOT / "compose")
    variables = environment(tmp_path)
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill %1' EXIT\n{commands}\ntrap - EXIT"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert '"name":"opsai"' in done.stdout


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
