"""MCP's inspector on the command line: one process for each thing that it asks a server, a few at a time."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from tests.clients.installed import node_program

Question = tuple[str, ...]
"""A method of the protocol, and flags."""
AT_ONCE = 2
WITHIN_SECONDS = 100
PATIENT = ("--connect-timeout", "60000")
"""It waits 15 s for a server otherwise, which a program that starts on a busy machine may need."""
TOOL_FAILED = 5
"""How it exits where a tool says that it failed."""
NOT_PORTABLE = 6
"""How it exits where a schema is none that every client can take, with --strict."""
NOT_LET_IN = 3


def command() -> list[str]:
    """Return the command that starts it. Called by tests only: where the clients are not installed, they are skipped."""
    return [*node_program("@modelcontextprotocol/inspector", "mcp-inspector"), "--cli"]


@dataclass(frozen=True)
class Inspected:
    """What one process of it said."""

    code: int
    said: str
    complained: str

    @property
    def result(self) -> Mapping[str, Any]:
        """The server's answer. Fails where there was none, or a schema in it was found wanting, whatever the exit code says."""
        assert self.code == 0, (self.code, self.said, self.complained)
        printed = json.loads(self.said)
        assert "schemaFindings" not in printed, printed["schemaFindings"]
        assert isinstance(printed["result"], dict), self.said
        return printed["result"]

    @property
    def apps(self) -> list[dict[str, Any]]:
        """What `--app-info` printed: a line for each tool."""
        assert self.code == 0, (self.code, self.said, self.complained)
        return [json.loads(line) for line in self.said.splitlines()]


@dataclass(frozen=True)
class Inspector:
    """The inspector with a home of its own, for one server: a command, or a URL and what goes with it."""

    home: Path
    target: tuple[str, ...]

    async def ask(self, method: str, *flags: str) -> Inspected:
        """Ask one thing."""
        with anyio.fail_after(WITHIN_SECONDS):
            done = await anyio.run_process(
                [*command(), *self.target, "--method", method, "--format", "json", *PATIENT, *flags],
                check=False,
                cwd=self.home,
                env={"PATH": os.environ["PATH"], "HOME": str(self.home), "TMPDIR": str(self.home)},
            )
        return Inspected(done.returncode, done.stdout.decode(), done.stderr.decode())

    async def each(self, questions: Mapping[str, Question]) -> dict[str, Inspected]:
        """Ask many things; return the answers by the same names."""
        limit = anyio.CapacityLimiter(AT_ONCE)
        answers: dict[str, Inspected] = {}

        async def answer(name: str, question: Question) -> None:
            async with limit:
                answers[name] = await self.ask(*question)

        async with anyio.create_task_group() as group:
            for name, question in questions.items():
                group.start_soon(answer, name, question)
        return answers


def calling(tool: str, arguments: Mapping[str, Any], era: str) -> Question:
    """Return the question that calls a tool in one era of the protocol."""
    return "tools/call", "--protocol-era", era, "--tool-name", tool, "--tool-args-json", json.dumps(arguments)


def listing(method: str, era: str) -> Question:
    """Return the question that lists something; of tools it says all that some client could not take."""
    return method, "--protocol-era", era, *(("--strict",) if method == "tools/list" else ())
