"""The probes on recorded clusters, as a client asks them: every reply is short, and the sick part is named."""

import json
import statistics
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from opsai_server.app import Deps, build
from opsai_server.tickets.store import open_store
from opsai_server.tools.shaping import HARD_CHARS
from opsai_subjects.config import Settings
from opsai_subjects.opening import open_replay
from tests.tikv.incidents.told import FOLDERS, truth_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
LARGE = sorted((ROOT.parent / "shared" / "large").glob("large-*"))
"""300 simulated stores and 60,141 regions: they do not ship, and are walked where they lie beside the checkout."""
TYPICAL_CHARS = 4_000
CALLS: tuple[tuple[str, dict[str, str]], ...] = (
    ("regions", {}),
    ("regions", {"check": "hot"}),
    ("regions", {"check": "down-peer"}),
    ("regions", {"check": "undersized-region"}),
    ("regions", {"stop": "store:1"}),
    ("scheduling", {}),
    ("scheduling", {"of": "store:1"}),
)


@asynccontextmanager
async def asked_at(folder: Path, at: datetime, store: Path) -> AsyncGenerator[Client]:
    async with open_replay(folder) as cluster, open_store(store) as kept:
        cluster.clock.set(at)
        async with Client(build(Deps(cluster, kept, Settings()))) as client:
            yield client


async def reply(client: Client, tool: str, arguments: dict[str, str]) -> tuple[int, dict[str, Any]]:
    result = await client.call_tool(tool, arguments)
    text = "".join(part.text for part in result.content if isinstance(part, TextContent))
    assert not result.is_error, f"{tool} {arguments}: {text}"
    return len(text), json.loads(text)


@pytest.mark.parametrize("folder", [*FOLDERS, *LARGE], ids=lambda folder: folder.name)
async def test_every_reply_is_short(folder: Path, tmp_path: Path) -> None:
    async with asked_at(folder, truth_of(folder).end, tmp_path / "s.sqlite") as client:
        sizes = [(await reply(client, tool, arguments))[0] for tool, arguments in CALLS]

    assert max(sizes) <= HARD_CHARS
    assert statistics.median(sizes) <= TYPICAL_CHARS


@asynccontextmanager
async def at_the_end(name: str, tmp_path: Path) -> AsyncGenerator[Client]:
    folder = next(folder for folder in FOLDERS if folder.name == name)
    async with asked_at(folder, truth_of(folder).end, tmp_path / "s.sqlite") as client:
        yield client


async def test_a_killed_store_is_told_with_when_repair_begins_and_nothing_else_may_be_stopped(tmp_path: Path) -> None:
    async with at_the_end("amber-heron", tmp_path) as client:
        _, scheduling = await reply(client, "scheduling", {})
        _, stop = await reply(client, "regions", {"stop": "store:4"})

    assert "store:1 is silent for 2 min: in 28 min it counts as Down" in scheduling["ends"][0]
    assert "store:1: Disconnected: neither replicas nor leaders go there." in scheduling["blocked"]
    assert stop["stop"]["state"] == "at_risk"


async def test_an_evict_leader_scheduler_that_was_left_behind_is_named_with_its_store(tmp_path: Path) -> None:
    async with at_the_end("ivory-vole", tmp_path) as client:
        _, found = await reply(client, "scheduling", {})

    assert "evict-leader-scheduler keeps leaders off store:5 until somebody removes it." in found["blocked"]


async def test_without_pds_quorum_every_answer_is_unknown_and_none_is_safe(tmp_path: Path) -> None:
    async with at_the_end("lunar-toad", tmp_path) as client:
        _, counts = await reply(client, "regions", {})
        _, stop = await reply(client, "regions", {"stop": "store:1"})
        _, scheduling = await reply(client, "scheduling", {})

    assert counts["says"].startswith("Unknown")
    assert stop["stop"]["state"] == "unknown"
    assert scheduling["says"].startswith("Unknown")


async def test_a_healthy_cluster_is_told_to_be_so_by_both(tmp_path: Path) -> None:
    async with at_the_end("birch-lynx", tmp_path) as client:
        _, regions = await reply(client, "regions", {})
        _, scheduling = await reply(client, "scheduling", {})

    assert regions["says"] == "All 87 regions have the replicas they should."
    assert "nothing blocks scheduling" in scheduling["says"]
