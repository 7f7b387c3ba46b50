"""The real clients are the ones asked for, on a Node that is new enough for each."""

import json
import subprocess

import pytest

from tests.clients.installed import NODE, PYTHON_PACKAGES, ROOT, node_package, node_program

pytestmark = pytest.mark.clients

NEWEST_NEED = (22, 19)
"""The most that one of them asks for: the inspector, in `engines` of its package.json."""


def test_each_npm_package_is_there_in_its_exact_version() -> None:
    asked = json.loads((ROOT / "tests" / "clients" / "package.json").read_text(encoding="utf-8"))["dependencies"]

    there = {
        name: json.loads((node_package(name) / "package.json").read_text(encoding="utf-8"))["version"] for name in asked
    }

    assert there == {name: version.rpartition("@")[2] for name, version in asked.items()}


def test_node_is_new_enough_for_all_of_them() -> None:
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout

    assert tuple(int(part) for part in said.strip().removeprefix("v").split(".")) >= NEWEST_NEED


def test_two_versions_of_one_package_are_told_apart() -> None:
    said = [
        subprocess.run([*node_program(name), "--version"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("@modelcontextprotocol/conformance", "conformance-next")
    ]

    assert said == ["0.1.16", "0.2.0-alpha.12"]


def test_claude_code_is_there_beside_the_environment() -> None:
    program = PYTHON_PACKAGES / "claude_agent_sdk" / "_bundled" / "claude"

    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout

    assert said.endswith("(Claude Code)\n")
