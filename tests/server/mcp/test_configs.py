"""The configurations that are printed for clients start as they stand."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server.mcp.test_stdio import ROOT, program

pytestmark = pytest.mark.anyio

DESKTOP = ROOT / "claude_desktop_config.example.json"
CHECKOUT = ROOT / ".mcp.json"
PLUGIN = ROOT / "plugins" / "opsai" / ".claude-plugin" / "plugin.json"
PLACEHOLDER = "/PATH/TO/opsai"


def entries(file: Path) -> dict[str, dict[str, Any]]:
    servers: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["mcpServers"]
    return servers


SEVERAL = """
[clusters.prod]
endpoints = ["http://127.0.0.1:1"]

[clusters.meta]
subject = "etcd"
endpoints = ["http://127.0.0.1:2"]
"""


@pytest.mark.parametrize("name", entries(DESKTOP))
async def test_each_entry_for_claude_desktop_starts_after_one_path_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "opsai.toml").write_text(SEVERAL)
    entry = entries(DESKTOP)[name]
    own_file = [part.replace(f"{PLACEHOLDER}/opsai.toml", str(tmp_path / "opsai.toml")) for part in entry["args"]]
    flags = [part.replace(PLACEHOLDER, str(ROOT)) for part in own_file]

    assert (
        entry["command"] == f"{PLACEHOLDER}/.venv/bin/opsai-mcp"
    )  # where `make` puts it: nothing else need be installed
    async with program(tmp_path, *flags, command=(installed("opsai-mcp"),)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {"overview", "regions", "submit_diagnosis"} <= tools.keys()
    several = tools["overview"].input_schema["properties"].get("cluster", {})
    assert several.get("enum", []) == (["prod", "meta"] if name == "opsai-clusters" else [])


async def test_the_checkouts_own_entry_opens_a_shipped_recording(tmp_path: Path) -> None:
    (entry,) = entries(CHECKOUT).values()

    assert entry["command"] == ".venv/bin/opsai-mcp"
    flags = [str(ROOT / flag) if flag.startswith("compose/") else flag for flag in entry["args"]]
    async with program(tmp_path, *flags, command=(installed("opsai-mcp"),)) as client:
        reply = (await client.call_tool("overview", {})).structured_content
    assert reply is not None
    assert reply["cluster"] == "lab"


def test_no_configuration_fetches_a_program_of_that_name_from_an_index() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (DESKTOP, CHECKOUT, PLUGIN))

    assert "uvx" not in text
    assert "pip" not in text


def installed(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found is not None, f"{name} is not installed beside {sys.executable}"
    return found
