"""MCP's inspector lists all that opsai has and calls each tool, over stdio and HTTP, in both eras of the protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp.server import MCPServer

from opsai_server.entrance import Policy
from opsai_server.http_app import serving
from opsai_server.listening import Address
from opsai_server.tools.desks import Desks
from opsai_subjects.registry import subject_kind
from tests.clients.claude_code import PROGRAMS
from tests.clients.inspector import (
    NOT_LET_IN,
    NOT_PORTABLE,
    TOOL_FAILED,
    Inspected,
    Inspector,
    Question,
    calling,
    listing,
)
from tests.server.mcp.sites import site
from tests.server.mcp.test_http_program import AMBER, TOKEN, program

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.clients,
]

ERAS = ("legacy", "modern")
LISTS = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}
"""What can be listed, and the field of the answer that holds it."""
TICKETED = "+150s"
"""By then the recording's first ticket is raised."""
ASKED: dict[str, dict[str, Any]] = {
    "overview": {},
    "topology": {"role": "tikv"},
    "check_invariants": {"state": "violated"},
    "differential": {"ticket": "T-1"},
    "query_metrics": {"name": "leaders", "minutes": 3, "points": True},
    "compare_windows": {"minutes": 1, "topic": "raft"},
    "search_logs": {"levels": ["WARN", "ERROR"], "contains": ["store"], "limit": 3},
    "timeline": {"minutes": 5},
    "tickets": {"id": "T-1"},
    "evidence": {"id": "E-1"},
    "knowledge": {"words": "store_up"},
    "regions": {"check": "pending-peer"},
    "scheduling": {},
    "latency": {"path": "write", "minutes": 2},
    "submit_diagnosis": {
        "ticket": "T-1",
        "verdict": "inconclusive",
        "summary": "A store is not reached. Whether its process or its network is gone was not looked at.",
        "action": {
            "do": "Look whether the process of store:1 runs.",
            "because": "It tells the two apart.",
            "verify": "One of them is named.",
            "touches": "nothing",
        },
    },
}
"""A sensible call of each tool, about the recording's first ticket. E-1 is what the watcher that was played raised it on."""


READ = {
    "tickets": "opsai://tickets",
    "ticket": "opsai://tickets/T-1",
    "incident": "opsai://incidents/T-1",
    "diagnosis": "opsai://diagnoses/D-1",
    "evidence": "opsai://evidence/E-1",
    "knowledge": "opsai://knowledge/store_up",
}
"""A URI of each template. D-1 is what the call of submit_diagnosis hands in."""
PROMPTED: dict[str, tuple[str, ...]] = {
    "investigate_ticket": ("ticket=T-1",),
    "health_check": (),
    "compare_windows": ("start=2026-11-23T23:05:30Z",),
    "post_mortem": ("ticket=T-1",),
}
"""Arguments of each prompt."""


def in_both(methods: Mapping[str, str]) -> dict[str, Question]:
    return {f"{method} {era}": listing(method, era) for method in methods for era in ERAS}


def calls_from(first: int) -> dict[str, Question]:
    """Return a call of each tool, the eras taking turns."""
    return {tool: calling(tool, given, ERAS[(first + turn) % 2]) for turn, (tool, given) in enumerate(ASKED.items())}


def reads() -> dict[str, Question]:
    """Return a read of each template and each prompt, the eras taking turns."""
    questions: list[tuple[str, Question]] = [
        *((name, ("resources/read", "--uri", uri)) for name, uri in READ.items()),
        *(
            (name, ("prompts/get", "--prompt-name", name, *(("--prompt-args", *given) if given else ())))
            for name, given in PROMPTED.items()
        ),
    ]
    return {name: (*asked, "--protocol-era", ERAS[turn % 2]) for turn, (name, asked) in enumerate(questions)}


def assert_listed(answers: Mapping[str, Inspected]) -> None:
    for method, field in LISTS.items():
        old, new = (answers[f"{method} {era}"] for era in ERAS)
        listed = [one["name"] for one in old.result[field]]
        assert listed == [one["name"] for one in new.result[field]], method
        assert listed, method
    assert sorted(ASKED) == sorted(one["name"] for one in answers["tools/list legacy"].result["tools"])


def assert_called(answers: Mapping[str, Inspected]) -> None:
    for tool in ASKED:
        result = answers[tool].result
        assert not result["isError"], (tool, result)
        assert result["structuredContent"]["cluster"] == "lab", tool
        # What an operator knows is no evidence of this cluster.
        assert bool(result["structuredContent"]["evidence_id"]) == (tool != "knowledge"), tool


async def test_over_stdio_it_lists_everything_and_each_tool_answers(tmp_path: Path) -> None:
    store = str(tmp_path / "opsai.sqlite")
    inspector = Inspector(tmp_path, (str(PROGRAMS / "opsai-mcp"), "--replay", str(AMBER), "--store", store))

    # The first plays the watcher over the recording, and leaves to the others what it raised.
    first = await inspector.ask(*calling("tickets", {}, "legacy"))
    answers = await inspector.each(in_both(LISTS) | calls_from(0))

    assert [ticket["id"] for ticket in first.result["structuredContent"]["tickets"]] == ["T-1"]
    assert_listed(answers)
    assert_called(answers)
    assert not [line for one in answers.values() for line in one.complained.splitlines() if " ERROR " in line]


async def test_over_http_it_lists_everything_each_tool_answers_and_all_can_be_read(tmp_path: Path) -> None:
    with program(tmp_path, "--http", "127.0.0.1:0", "--at", TICKETED) as (_, url):
        inspector = Inspector(tmp_path, (url, "--transport", "http"))
        answers = await inspector.each(in_both(LISTS) | calls_from(1))
        read = await inspector.each(reads())

    assert_listed(answers)
    assert_called(answers)
    assert [*READ] == [one["name"] for one in answers["resources/templates/list legacy"].result["resourceTemplates"]]
    assert [*PROMPTED] == [one["name"] for one in answers["prompts/list legacy"].result["prompts"]]
    for name, uri in READ.items():
        (content,) = read[name].result["contents"]
        assert content["uri"] == uri
        assert content["text"], uri
    for name in PROMPTED:
        assert read[name].result["messages"][0]["content"]["text"], name


async def test_over_http_with_a_token_it_is_let_in_with_the_token_only(tmp_path: Path) -> None:
    with program(tmp_path, "--http", "0.0.0.0:0", OPSAI_HTTP_TOKEN=TOKEN) as (_, url):
        local = url.replace("0.0.0.0", "127.0.0.1")
        stranger = Inspector(tmp_path, (local, "--transport", "http", "--stored-auth-only"))
        known = Inspector(tmp_path, (*stranger.target, "--header", f"Authorization: Bearer {TOKEN}"))
        let_in = await known.each(in_both(LISTS) | {"topology": calling("topology", {}, "modern")})
        shown = await known.ask("tools/list", "--app-info", "--advertise-apps")
        turned_away = await stranger.each({era: listing("tools/list", era) for era in ERAS})

    assert_listed(let_in)
    assert let_in["topology"].result["structuredContent"]["cluster"] == "lab"
    assert [app["toolName"] for app in shown.apps if app["hasApp"]] == ["overview", "timeline"]
    assert len(shown.apps) == len(ASKED)
    assert [one.code for one in turned_away.values()] == [NOT_LET_IN, NOT_LET_IN]
    assert not any(TOKEN in one.said + one.complained for one in (*let_in.values(), *turned_away.values()))


async def test_it_takes_the_tools_of_a_server_of_several_clusters_of_two_kinds(tmp_path: Path) -> None:
    desks = Desks({"east": subject_kind("tikv"), "west": subject_kind("tikv"), "registry": subject_kind("etcd")})
    async with serving(desks, Address("127.0.0.1", 0), Policy(token=None), max_sessions=9) as url:
        listed = await Inspector(tmp_path, (url, "--transport", "http")).ask(*listing("tools/list", "modern"))

    tools = listed.result["tools"]
    assert {tool["name"] for tool in tools} >= ASKED.keys()
    assert all("cluster" in tool["inputSchema"]["properties"] for tool in tools)


async def test_it_says_so_where_a_call_fails_or_a_schema_is_not_portable(tmp_path: Path) -> None:
    async with site(tmp_path, fixtures=add_unportable) as served:
        inspector = Inspector(tmp_path, (served.url, "--transport", "http"))
        failed = await inspector.ask(*calling("overview", {"nonsense": 1}, "modern"))
        strange = await inspector.ask(*listing("tools/list", "legacy"))

    assert failed.code == TOOL_FAILED
    assert "unknown argument 'nonsense'. Arguments of overview: none." in failed.said
    assert strange.code == NOT_PORTABLE
    assert 'tool "unportable"' in strange.complained


def add_unportable(server: MCPServer[Any]) -> None:
    """Add a tool with an argument that no schema describes."""

    def unportable(anything: str) -> str:
        return anything

    server.add_tool(unportable, description="Take anything.")
    tool = server._tool_manager.get_tool("unportable")
    assert tool is not None
    tool.parameters["properties"]["anything"] = True
