"""What an MCP client feels: how long the first `tools/list` takes, and how large definitions and replies are."""

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.stdio import Talk, talk
from bench.table import Row

RUNS = 5
CHARS_PER_TOKEN = 4
"""A rule of thumb for English and JSON; the real count differs by model."""


def cold_start(recording: Path, folder: Path) -> Row:
    """Measure from starting the program to the answer of the first `tools/list`, in a new process each time."""
    took: list[float] = []
    for run in range(RUNS):
        began = time.perf_counter()
        with talk("--replay", recording, "--at", "end", "--store", folder / f"cold-{run}.sqlite") as session:
            session.greet()
            session.ask("tools/list")
            took.append(time.perf_counter() - began)
    spread = f"median of {RUNS}; {min(took):.2f} to {max(took):.2f} s"
    return Row("opsai-mcp: start to first tools/list", f"{statistics.median(took):.2f} s", spread)


def sizes(recording: Path, store: Path, ticket: str | None) -> Iterator[Row]:
    """Measure the definitions and one ordinary reply of each tool, at the moment the store's watcher stopped."""
    with talk("--replay", recording, "--at", "end", "--store", store) as session:
        session.greet()
        tools = session.ask("tools/list")["tools"]
        yield _size(f"definitions of {len(tools)} tools", json.dumps(tools, separators=(",", ":")))
        for tool in tools:
            if arguments := _arguments(tool["name"], session, ticket):
                yield _size(f"reply of {tool['name']}", _text(session, tool["name"], arguments[0]))


def _arguments(tool: str, session: Talk, ticket: str | None) -> list[dict[str, Any]]:
    """Return ordinary arguments for one call, or nothing for a tool that is not called here."""
    if tool == "submit_diagnosis":
        return []
    if tool == "query_metrics":
        return [{"query": "up"}]
    if tool == "evidence":
        overview = json.loads(_text(session, "overview", {}))
        return [{"id": overview["evidence_id"]}]
    if tool == "tickets" and ticket:
        return [{"id": ticket}]
    return [{}]


def _text(session: Talk, tool: str, arguments: dict[str, Any]) -> str:
    result = session.ask("tools/call", {"name": tool, "arguments": arguments})
    return "".join(block.get("text", "") for block in result["content"])


def _size(what: str, text: str) -> Row:
    return Row(
        what, f"{len(text):,} chars", f"about {len(text) // CHARS_PER_TOKEN:,} tokens ({CHARS_PER_TOKEN} chars each)"
    )
