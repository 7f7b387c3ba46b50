"""Pack the server as a bundle for Claude Desktop (MCPB, manifest 0.4): `make mcpb` writes dist/opsai-VERSION.mcpb.

Tools and version come from the code, the form that a user fills in from the plugin for Claude Code. What it needs of others
is installed by uv at the user's, in the versions of constraints.txt; nothing is fetched under opsai's own name.
"""

import argparse
import hashlib
import json
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import tomli_w

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_subjects.registry import subject_kind
from scripts.transcripts import FIRST_SENTENCE

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "plugins" / "opsai" / ".claude-plugin" / "plugin.json"
REGISTRY_ENTRY = ROOT / "server.json"
PROGRAM = "opsai-mcp"
SHOWN = "tikv"
"""The system whose tools the manifest lists; of another there may be fewer."""
ROOMS = ("subjects", "server")
"""The folders whose packages go in: what looks at a cluster, and what serves. No agent, no bench."""
OF_THE_OTHERS = ("anthropic", "python-on-whales")
"""Libraries that only the rooms left out use, by the import contracts of pyproject.toml."""
PACKED_AT = (2026, 1, 1, 0, 0, 0)
"""Of each file in the bundle: the same sources make the same bundle, byte for byte."""
Json = dict[str, Any]


def main() -> None:
    """Write the bundle, and with --url the entry for a registry that names it."""
    parser = argparse.ArgumentParser(description="Pack the server as a bundle for Claude Desktop.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder to write to")
    parser.add_argument("--url", help="where the bundle will be found: writes server.json for an MCP registry too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder))
        bundle = given.out / f"opsai-{_project()['version']}.mcpb"
        pack(Path(folder), bundle)
    print(bundle)
    if given.url:
        entry = given.out / "server.json"
        entry.write_text(_text(registry_entry(bundle, given.url)), encoding="utf-8")
        print(entry)


def lay_out(folder: Path) -> None:
    """Write what a bundle holds into a folder: manifest, project file, packages."""
    (folder / "manifest.json").write_text(_text(manifest()), encoding="utf-8")
    (folder / "pyproject.toml").write_text(tomli_w.dumps(project_file()), encoding="utf-8")
    for package in _packages():
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def pack(folder: Path, bundle: Path) -> None:
    """Write the bundle of a folder that is laid out."""
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), PACKED_AT)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def manifest() -> Json:
    """Return the manifest: what Claude Desktop shows, asks for and starts."""
    plugin, project = _plugin(), _project()
    return {
        "manifest_version": "0.4",
        "name": "opsai",
        "display_name": "opsai",
        "version": project["version"],
        "description": plugin["description"],
        "author": plugin["author"],
        "keywords": plugin["keywords"],
        "server": {
            "type": "uv",
            "entry_point": "server/opsai_server/mcp_cli.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--directory", "${__dirname}", PROGRAM],
                "env": plugin["mcpServers"]["opsai"]["env"],
            },
        },
        "user_config": {name: option for name, option in plugin["userConfig"].items() if name != "program"},
        "tools": list(_tools()),
        "prompts_generated": True,
        "compatibility": {
            "platforms": ["darwin", "linux"],
            "runtimes": {"python": project["requires-python"]},
        },
    }


def project_file() -> Json:
    """Return the project file of the bundle: our own, less what is not in it, with every version pinned."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = _project()
    kept = ("name", "version", "description", "requires-python", "classifiers")
    pins = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
    return {
        "build-system": whole["build-system"],
        "project": {
            **{name: project[name] for name in kept},
            "dependencies": [one for one in project["dependencies"] if not one.startswith(OF_THE_OTHERS)],
            "scripts": {PROGRAM: project["scripts"][PROGRAM]},
            "entry-points": {"opsai.subjects": project["entry-points"]["opsai.subjects"]},
        },
        "tool": {
            "hatch": {"build": {"targets": {"wheel": {"packages": _packages()}}}},
            "uv": {"constraint-dependencies": pins, "build-constraint-dependencies": pins},
        },
    }


def registry_entry(bundle: Path, url: str) -> Json:
    """Return the entry for an MCP registry: the one of the checkout, with the bundle as it is found at that URL."""
    entry: Json = json.loads(REGISTRY_ENTRY.read_text(encoding="utf-8"))
    plugin = _plugin()
    variables = [
        {"name": variable, "description": plugin["userConfig"][value[len("${user_config.") : -1]]["description"]}
        for variable, value in plugin["mcpServers"]["opsai"]["env"].items()
    ]
    package = {
        "registryType": "mcpb",
        "identifier": url,
        "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
        "transport": {"type": "stdio"},
        "environmentVariables": variables,
    }
    return {**entry, "packages": [package]}


def _plugin() -> Json:
    plugin: Json = json.loads(PLUGIN.read_text(encoding="utf-8"))
    return plugin


def _tools() -> Iterator[Json]:
    for tool in anyio.run(assemble(Desks({"cluster": subject_kind(SHOWN)})).list_tools):
        said = FIRST_SENTENCE.match(tool.description or "")
        yield {"name": tool.name, "description": said[1] if said else tool.description}


def _packages() -> list[str]:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages: list[str] = whole["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return [package for package in packages if package.split("/")[0] in ROOMS]


def _project() -> Json:
    project: Json = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
