"""Replies of a large and sick cluster: whole within the cap, and what is left out is said and can be read."""

import json
from pathlib import Path
from typing import Any

import pytest

from opsai_server.tools.shaping import HARD_CHARS
from tests.server.mcp.bench import Served, line, series, served, text_of
from tests.server.toy import ToyPart

pytestmark = pytest.mark.anyio

PARTS = 800
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("overview", {}),
    ("topology", {}),
    ("check_invariants", {"state": "all"}),
    ("differential", {}),
    ("query_metrics", {"query": "toy_load", "points": True, "limit": 100}),
    ("search_logs", {"limit": 200}),
    ("search_logs", {"templates": True}),
    ("timeline", {}),
    ("tickets", {}),
    ("tickets", {"id": "T-1"}),
    ("knowledge", {}),
]


async def sick(toy: Served) -> None:
    toy.world.parts = {f"part-with-a-rather-long-name-{n}": ToyPart(up=False) for n in range(PARTS)}
    toy.metrics.samples += [series("toy_load", [n * k for k in range(120)], part=str(n)) for n in range(PARTS)]
    toy.logs.lines += [line("a", n / 10, f"{'word ' * 150}{'x' * (n % 97)} failed", "ERROR") for n in range(3000)]
    await toy.watch(0, 30)


async def test_no_reply_of_a_large_sick_cluster_is_over_the_cap(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await sick(toy)
        sizes: dict[str, int] = {}
        for tool, arguments in CALLS:
            text = text_of(await toy.client.call_tool(tool, arguments))
            reply = json.loads(text)
            sizes[f"{tool} {arguments}"] = len(text)
            assert "shown" in reply or tool == "knowledge" or "id" in arguments, tool
            if reply["evidence_id"]:
                whole = await toy.ask("evidence", id=reply["evidence_id"])
                sizes[f"evidence of {tool} {arguments}"] = len(json.dumps(whole))

    assert max(sizes.values()) <= HARD_CHARS, sizes


async def test_everything_of_a_large_evidence_can_be_read_page_by_page(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await sick(toy)
        evidence_id = (await toy.ask("check_invariants"))["evidence_id"]
        top = await toy.ask("evidence", id=evidence_id)
        found: dict[str, Any] = {}
        offset = 0
        while True:
            page = await toy.ask("evidence", id=evidence_id, path="/verdicts/part_up", offset=offset)
            found |= page["value"]
            offset = len(found)
            if page["page"].endswith("the end"):
                break

    assert top["value"]["verdicts"]["path"] == "/verdicts"
    assert top["value"]["verdicts"]["keys"] == ["part_up", "part_roomy", "part_fast", "part_seen"]
    assert len(found) == PARTS
    assert all(verdict["state"] == "violated" for verdict in found.values())
