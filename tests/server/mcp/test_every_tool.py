"""What holds of every tool of every kind of system, however it is asked."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ImageContent, TextContent

from opsai_lab.recordings import find
from opsai_server.app import Deps, assemble, build
from opsai_server.surface import of_definition, of_refusal, of_reply
from opsai_server.tickets.store import open_store
from opsai_server.tools.desks import Desks
from opsai_server.watcher import play
from opsai_subjects.config import Settings, WatchSettings
from opsai_subjects.opening import open_replay
from opsai_subjects.registry import subject_kind
from opsai_subjects.subject import SubjectKind
from tests.server.mcp.bench import line, series, served, steady, text_of
from tests.server.toy import ToyKind

pytestmark = pytest.mark.anyio

KINDS = [ToyKind(), subject_kind("etcd"), subject_kind("tikv")]
HEALTHY: dict[str, Any] = {
    "verdict": "healthy",
    "summary": "All is well.",
    "action": {"do": "Nothing.", "because": "It is well.", "verify": "It stays.", "touches": "nothing"},
    "claims": [
        {"says": "Looked.", "evidence_id": "E-1", "path": "/nosuch", "op": "absent"},
    ],
}
TOY_QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("overview", {}),
    ("topology", {}),
    ("topology", {"nodes": ["b"], "offset": 1}),
    ("check_invariants", {"state": "all"}),
    ("differential", {}),
    ("differential", {"ticket": "T-1", "kind": "toy_down"}),
    ("query_metrics", {"query": "toy_latency_seconds", "points": True, "chart": True}),
    ("query_metrics", {"query": "nosuch"}),
    ("compare_windows", {"minutes": 2}),
    ("search_logs", {"limit": 2}),
    ("search_logs", {"templates": True, "minutes": 2}),
    ("timeline", {}),
    ("tickets", {}),
    ("tickets", {"id": "T-1"}),
    ("evidence", {"id": "E-1"}),
    ("knowledge", {}),
    ("knowledge", {"words": "toy_down"}),
    ("submit_diagnosis", HEALTHY),
]
TIKV_QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("overview", {}),
    ("topology", {}),
    ("check_invariants", {"state": "all"}),
    ("differential", {"ticket": "T-1"}),
    ("query_metrics", {"name": "leaders", "points": True}),
    ("compare_windows", {"topic": "raft"}),
    ("search_logs", {"levels": ["WARN", "ERROR"]}),
    ("search_logs", {"templates": True}),
    ("timeline", {"minutes": 60}),
    ("tickets", {}),
    ("tickets", {"id": "T-1"}),
    ("evidence", {"id": "E-1"}),
    ("knowledge", {"words": "disk"}),
    ("regions", {}),
    ("regions", {"check": "hot"}),
    ("regions", {"check": "down-peer"}),
    ("regions", {"region": "2"}),
    ("regions", {"stop": "store:1"}),
    ("scheduling", {}),
    ("latency", {"path": "write", "minutes": 2}),
    ("submit_diagnosis", HEALTHY),
]
WITHOUT_EXAMPLE = {"end", "baseline", "summary"}
"""A time as `start` shows one, words that are listed, and prose."""


async def definitions(kind: SubjectKind) -> dict[str, dict[str, Any]]:
    tools = await assemble(Desks({"one": kind})).list_tools()
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_definition_says_what_it_returns_what_to_use_instead_and_what_each_argument_is(
    kind: SubjectKind,
) -> None:
    tools = await definitions(kind)

    assert [says for one in tools.values() for says in of_definition(one, tools)] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_argument_that_is_a_text_of_its_own_form_shows_one(kind: SubjectKind) -> None:
    unshown = [
        f"{name}.{argument}"
        for name, one in (await definitions(kind)).items()
        for argument, part in one["inputSchema"]["properties"].items()
        if argument not in WITHOUT_EXAMPLE and is_text(part) and "'" not in part["description"]
    ]

    assert unshown == []


def is_text(part: dict[str, Any]) -> bool:
    inner = part.get("items", part)
    return inner.get("type") == "string" and "enum" not in inner


@asynccontextmanager
async def toy(folder: Path) -> AsyncGenerator[Client]:
    async with served(folder) as one:
        one.metrics.samples = [
            series("toy_latency_seconds", [0.1] * 100 + [0.1 + n for n in range(20)], part="a"),
            *(steady("toy_latency_seconds", 0.1, part=part) for part in "bc"),
        ]
        one.logs.lines = [line("b", seconds, f"cog {seconds} slipped", "WARN") for seconds in range(20)]
        one.world.parts["b"].up = False
        await one.watch(10, 30, 30)
        yield one.client


@asynccontextmanager
async def tikv(folder: Path) -> AsyncGenerator[Client]:
    settings = Settings(store=folder / "opsai.sqlite")
    async with open_replay(find("amber-heron")) as cluster, open_store(settings.store) as store:
        until = cluster.recording.incident.end
        await play(cluster, store, WatchSettings(), start=until - timedelta(seconds=60), until=until)
        async with Client(build(Deps(cluster, store, settings))) as client:
            yield client


@pytest.mark.parametrize(
    ("scene", "name", "questions"),
    [(toy, "toy", TOY_QUESTIONS), (tikv, "lab", TIKV_QUESTIONS)],
    ids=["toy", "tikv"],
)
async def test_each_reply_names_its_cluster_its_moment_and_its_evidence_and_what_it_leaves_out(
    tmp_path: Path, scene: Callable[[Path], Any], name: str, questions: list[tuple[str, dict[str, Any]]]
) -> None:
    async with scene(tmp_path) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        answered = [(tool, await client.call_tool(tool, arguments)) for tool, arguments in questions]

    assert set(tools) == {tool for tool, _ in questions}
    for tool, result in answered:
        assert not result.is_error, (tool, text_of(result))
        assert of_reply(tool, name, result.structured_content, text_of(result)) == []
        assert {type(part) for part in result.content} <= {TextContent, ImageContent}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_tool_refuses_an_argument_that_it_does_not_have_and_names_those_it_has(kind: SubjectKind) -> None:
    async with Client(assemble(Desks({"one": kind}))) as client:
        tools = (await client.list_tools()).tools
        refused = [(tool, await client.call_tool(tool.name, {"deeply": True})) for tool in tools]

    for tool, result in refused:
        assert result.is_error
        assert of_refusal(tool.name, tool.input_schema["properties"], "deeply", text_of(result)) == []
