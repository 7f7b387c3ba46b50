"""What is asked in turn where many calls are measured: every tool of a TiKV server that reads, as an investigation asks it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.types import TextContent

from bench.table import Row
from opsai_server.surface import of_reply

Question = tuple[str, Mapping[str, Any]]
MIX: tuple[Question, ...] = (
    ("overview", {}),
    ("topology", {}),
    ("check_invariants", {}),
    ("differential", {}),
    ("query_metrics", {"query": "up"}),
    ("query_metrics", {"name": "leaders", "points": True}),
    ("compare_windows", {"topic": "raft"}),
    ("search_logs", {"levels": ["WARN", "ERROR"]}),
    ("search_logs", {"templates": True, "minutes": 2}),
    ("timeline", {}),
    ("tickets", {}),
    ("evidence", {"id": "E-1"}),
    ("knowledge", {"words": "disk"}),
    ("regions", {}),
    ("regions", {"check": "hot"}),
    ("scheduling", {}),
    ("latency", {"minutes": 2}),
)


def percentile(values: Sequence[float], ratio: float) -> float:
    """Return the value that so large a part of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * ratio))]


def milliseconds(seconds: float) -> str:
    """Write a time as the tables show it."""
    return f"{seconds * 1000:,.0f} ms"


@dataclass
class Tally:
    """What came of many calls."""

    cluster: str
    took_seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    wrong: Counter[str] = field(default_factory=Counter[str])
    """What was not as it should be, in words, with how often."""

    @property
    def answered(self) -> int:
        """How many calls were answered, rightly or not."""
        return sum(map(len, self.took_seconds.values()))

    @property
    def every(self) -> list[float]:
        """The times of all calls."""
        return [one for times in self.took_seconds.values() for one in times]

    async def ask(self, client: Client, question: Question) -> None:
        """Ask, and note how long it took and what is wrong with the reply. Raises what the client raises."""
        tool, arguments = question
        began = time.perf_counter()
        result = await client.call_tool(tool, dict(arguments))
        self.took_seconds.setdefault(tool, []).append(time.perf_counter() - began)
        text = "".join(part.text for part in result.content if isinstance(part, TextContent))
        if result.is_error:
            self.wrong[f"{tool} is refused: {text[:200]}"] += 1
        else:
            self.wrong.update(of_reply(tool, self.cluster, result.structured_content, text))

    def rows(self) -> list[Row]:
        """Return how long each tool took."""
        return [
            Row(
                f"  {tool}",
                milliseconds(percentile(times, 0.5)),
                f"p95 {milliseconds(percentile(times, 0.95))}, {len(times):,} calls",
            )
            for tool, times in sorted(self.took_seconds.items())
        ]


async def put(client: Client) -> None:
    """Ask for what is to become E-1, which the mix reads."""
    await client.call_tool("overview", {})
