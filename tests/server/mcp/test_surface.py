"""What a client sees before it asks anything: the definitions, by snapshot, and what they cost."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult, Tool

from opsai_server.app import assemble
from opsai_server.instructions import instructions
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_subjects.registry import subject_kind
from opsai_subjects.subject import SubjectKind
from tests.server.mcp.bench import ERAS, served
from tests.server.toy import ToyKind

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).parent / "snapshots"
BUDGET = SNAPSHOTS / "budget.json"
UPDATE = "OPSAI_UPDATE_SNAPSHOTS"
"""Set to 1 it writes the snapshots instead of comparing: then read the diff."""
HARD_CHARS = 17_500
MOST_TOOLS = 15
RATCHET = 1.05
TIKV = subject_kind("tikv")

NAMES = [
    "overview",
    "topology",
    "check_invariants",
    "differential",
    "query_metrics",
    "compare_windows",
    "search_logs",
    "timeline",
    "tickets",
    "evidence",
    "knowledge",
    "submit_diagnosis",
]


async def definitions(kind: SubjectKind | None = None) -> dict[str, dict[str, Any]]:
    tools = await assemble(Desks({"toy": kind or ToyKind()})).list_tools()
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


async def test_each_tool_is_as_its_snapshot_says_to_whoever_runs_tikv() -> None:
    found = await definitions(TIKV)

    if os.environ.get(UPDATE) == "1":
        for name, definition in found.items():
            text = json.dumps(definition, indent=1, ensure_ascii=False) + "\n"
            (SNAPSHOTS / f"{name}.json").write_text(text, encoding="utf-8")
    kept = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SNAPSHOTS.glob("*.json") if path != BUDGET
    }

    assert sorted(found) == sorted(kept)
    assert found == kept, f"definitions changed: run with {UPDATE}=1 and read the diff"


async def test_the_definitions_stay_within_their_budget_and_grow_by_a_twentieth_only_when_it_is_agreed() -> None:
    chars = {name: len(compact(definition)) for name, definition in (await definitions(TIKV)).items()}
    total = sum(chars.values())

    if os.environ.get(UPDATE) == "1":
        BUDGET.write_text(json.dumps({"total": total, **chars}, indent=1) + "\n", encoding="utf-8")
    agreed = json.loads(BUDGET.read_text(encoding="utf-8"))["total"]

    assert len(chars) <= MOST_TOOLS
    assert total <= HARD_CHARS
    assert total <= RATCHET * agreed, f"{total} characters, {agreed} were agreed: run with {UPDATE}=1 if it is worth it"


@pytest.mark.parametrize("kind", [ToyKind(), subject_kind("etcd"), TIKV], ids=lambda kind: kind.name)
async def test_every_kind_has_the_common_questions_its_own_and_the_conclusion_in_that_order(kind: SubjectKind) -> None:
    own = [probe.__name__ for probe in kind.probes]

    assert list(await definitions(kind)) == [*NAMES[:-1], *own, NAMES[-1]]


async def test_every_hint_is_explicit_and_only_the_conclusion_writes() -> None:
    found = await definitions()
    hints = {name: definition["annotations"] for name, definition in found.items()}

    assert [name for name, hint in hints.items() if not hint["readOnlyHint"]] == ["submit_diagnosis"]
    assert all(hint["destructiveHint"] is False and hint["openWorldHint"] is False for hint in hints.values())
    assert hints["submit_diagnosis"]["idempotentHint"] is False


async def test_no_schema_says_what_goes_without_saying() -> None:
    text = compact(await definitions())

    assert '"title"' not in text
    assert '{"type":"null"}' not in text
    assert '"default":null' not in text


@pytest.mark.parametrize("mode", ERAS)
async def test_both_protocol_eras_list_the_same_tools_and_instructions(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        tools: list[Tool] = (await toy.client.list_tools()).tools

        assert [tool.name for tool in tools] == NAMES
        assert toy.client.instructions == instructions({"toy": ToyKind()})


def test_the_instructions_hold_what_the_adapter_says_of_its_system_and_stay_short() -> None:
    short = instructions({"toy": ToyKind(about="A toy\n of three parts.")})
    long = instructions({"toy": ToyKind(about="x" * 9000)})

    assert "A toy of three parts." in short
    assert len(long) < 3500
    assert "characters more" in long


async def test_tools_are_listed_while_a_recording_is_still_played_and_calls_wait_for_it(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        desks = Desks({"toy": ToyKind()})
        answers: list[CallToolResult] = []
        async with Client(assemble(desks)) as client, anyio.create_task_group() as group:

            async def call() -> None:
                answers.append(await client.call_tool("overview", {}))

            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            tools = (await client.list_tools()).tools
            before = list(answers)
            desks.set(Desk(toy.cluster, toy.store, toy.settings))

    assert [tool.name for tool in tools] == NAMES
    assert before == []
    assert [answer.is_error for answer in answers] == [False]
