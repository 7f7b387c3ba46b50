"""The bundle for Claude Desktop, and the entry for a registry: made from the checkout, valid, and it starts once unpacked."""

import hashlib
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from packaging.utils import canonicalize_name

from scripts.mcpb import REGISTRY_ENTRY, lay_out, pack, registry_entry
from tests.clients.installed import CLIENTS, NODE, UV, node_package, node_program
from tests.server.mcp.test_stdio import AMBER
from tests.server.mcp.test_surface import TIKV, definitions

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 240
"""Of the first start of all: uv fetches what it needs."""
EXPAND = """
import { getMcpConfigForManifest } from "%s";
const [manifest, extensionPath, userConfig] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(await getMcpConfigForManifest(
  { manifest, extensionPath, userConfig, systemDirs: {}, pathSeparator: "/" })));
"""
"""What a host does with a manifest, by the library that the format's own authors give hosts for it."""


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    lay_out(folder)
    return folder


@pytest.fixture(scope="module")
def bundle(laid_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    packed = tmp_path_factory.mktemp("dist") / "opsai.mcpb"
    pack(laid_out, packed)
    return packed


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


async def test_the_manifest_names_the_tools_and_the_version_of_the_code(laid_out: Path) -> None:
    manifest = read(laid_out / "manifest.json")

    assert [tool["name"] for tool in manifest["tools"]] == list(await definitions(TIKV))
    assert all(tool["description"].endswith(".") for tool in manifest["tools"])
    assert manifest["version"] == version("opsai")


def test_the_same_sources_make_the_same_bundle(laid_out: Path, bundle: Path, tmp_path: Path) -> None:
    pack(laid_out, tmp_path / "again.mcpb")

    assert (tmp_path / "again.mcpb").read_bytes() == bundle.read_bytes()
    assert bundle.stat().st_size < 3_000_000


def test_every_library_is_pinned_and_nothing_has_our_own_name_to_fetch(laid_out: Path) -> None:
    text = (laid_out / "pyproject.toml").read_text(encoding="utf-8")
    pins = {canonicalize_name(name) for name in re.findall(r'"([\w.-]+)==', text)}
    wanted = {canonicalize_name(name) for name in re.findall(r'"([\w.-]+)(?:\[\w+\])?>=', text)}

    assert "opsai" not in pins | wanted
    assert {"mcp", "hatchling"} <= wanted <= pins


@pytest.mark.clients
async def test_it_is_valid_and_unpacked_it_starts_as_the_host_starts_it(bundle: Path, tmp_path: Path) -> None:
    mcpb = node_program("@anthropic-ai/mcpb")
    unpacked = tmp_path / "unpacked"
    said = [
        run(*mcpb, "unpack", str(bundle), str(unpacked)),
        run(*mcpb, "validate", str(unpacked / "manifest.json")),
        run(*mcpb, "pack", str(unpacked), str(tmp_path / "by-its-own-tool.mcpb")),
    ]
    manifest = read(unpacked / "manifest.json")
    library = (node_package("@anthropic-ai/mcpb") / "dist" / "index.js").as_uri()
    given = json.dumps([manifest, str(unpacked), {"recording": str(AMBER)}])
    start = json.loads(run(str(NODE), "--input-type=module", "-e", EXPAND % library, given))
    async with started(start, tmp_path) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        overview = (await client.call_tool("overview", {})).structured_content

    assert "Manifest schema validation passes!" in said[1]
    assert (start["command"], start["args"]) == ("uv", ["run", "--directory", str(unpacked), "opsai-mcp"])
    assert start["env"]["OPSAI_ENDPOINT"] == ""  # left empty in the form
    assert listed == [tool["name"] for tool in manifest["tools"]]
    assert overview is not None
    assert overview["causes"][0]["kind"] == "tikv_down"


def started(start: dict[str, Any], folder: Path) -> Any:
    """Start what a host would, with uv on PATH and a place for what it fetches that the next run finds again."""
    environment = {
        "HOME": str(folder),
        "PATH": os.pathsep.join((str(UV.parent), os.environ["PATH"])),
        "UV_SYSTEM_CERTS": "true",
        "UV_CACHE_DIR": str(CLIENTS / "uv"),
        "UV_PYTHON": sys.executable,
        **start["env"],
    }
    parameters = StdioServerParameters(command=start["command"], args=start["args"], env=environment, cwd=folder)
    return Client(stdio_client(parameters), read_timeout_seconds=PATIENCE_SECONDS)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_registry_s_entry_fits_its_schema_and_names_the_bundle_as_it_is(bundle: Path) -> None:
    url = "https://opsai.example/opsai.mcpb"
    entry = registry_entry(bundle, url)
    (package,) = entry["packages"]

    assert entry["version"] == version("opsai")
    assert entry["$schema"] == "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert 1 <= len(entry["description"]) <= 100
    assert {"packages": [package], **read(REGISTRY_ENTRY)} == entry
    assert (package["registryType"], package["identifier"], package["transport"]) == ("mcpb", url, {"type": "stdio"})
    assert package["fileSha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert {one["name"] for one in package["environmentVariables"]} >= {"OPSAI_ENDPOINT", "OPSAI_PROMETHEUS"}
