"""Claude Code itself, started as a user starts it: a home of its own, no login, nothing of the tester's."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from tests.clients.installed import PYTHON_PACKAGES

PROGRAM = PYTHON_PACKAGES / "claude_agent_sdk" / "_bundled" / "claude"
PROGRAMS = Path(sys.executable).parent
PATIENCE_SECONDS = 120
QUIET = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
PATIENT = {"MCP_CONNECTION_NONBLOCKING": "0", "MCP_CONNECT_TIMEOUT_MS": "60000", "MCP_TIMEOUT": "60000"}
"""It waits five seconds for a server, then goes on without: on a machine with too much to do that would be chance."""
KEY = "stub-key"


@dataclass(frozen=True)
class Run:
    """One run of the program that has ended."""

    code: int
    said: str
    complained: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--output-format stream-json` printed."""
        return [json.loads(line) for line in self.said.splitlines()]

    @property
    def begun(self) -> dict[str, Any]:
        """The first event: the tools and servers that the session has."""
        return next(event for event in self.events if event.get("subtype") == "init")

    @property
    def ended(self) -> dict[str, Any]:
        """The last event: how the session ended."""
        return next(event for event in self.events if event["type"] == "result")


@dataclass(frozen=True)
class ClaudeCode:
    """The program with a home, in a working folder."""

    home: Path
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further variables of its environment."""

    async def run(self, *arguments: str) -> Run:
        """Run it to its end."""
        environment = {
            "PATH": os.pathsep.join((str(PROGRAMS), "/usr/local/bin", "/usr/bin", "/bin")),
            "HOME": str(self.home),
            **QUIET,
            **PATIENT,
            **self.settings,
        }
        with anyio.fail_after(PATIENCE_SECONDS):
            done = await anyio.run_process(
                [str(PROGRAM), *arguments], env=environment, cwd=self.folder, check=False, input=b""
            )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    async def ask(self, url: str, prompt: str, *arguments: str, allowed: str) -> Run:
        """Run one whole session against a stand-in for the Messages API at this URL."""
        at_stand_in = ClaudeCode(
            self.home, self.folder, {**self.settings, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY}
        )
        printed = ("--output-format", "stream-json", "--verbose")
        return await at_stand_in.run("-p", prompt, "--allowedTools", allowed, *printed, *arguments)


def claude_code(folder: Path) -> ClaudeCode:
    """Return the program with a new home and a new working folder in this one."""
    home, project = folder / "home", folder / "project"
    home.mkdir()
    project.mkdir()
    return ClaudeCode(home, project)
