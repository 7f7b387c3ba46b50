"""The program as a user runs it: real opsai-mcp over stdio, on a recording that ships."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from opsai_agent.session import open_session
from tests.agent.conftest import lines_of, serving
from tests.agent.stub import Stub

pytestmark = pytest.mark.anyio
RECORDING = Path(__file__).parents[2] / "compose" / "incidents" / "amber-heron"
PROGRAM = (sys.executable, "-m", "opsai_agent.cli")
KEY = "sk-ant-stub-0123456789"


async def agent(environment: Mapping[str, str], *arguments: str | Path) -> CompletedProcess[bytes]:
    """Run the program to its end."""
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    with anyio.fail_after(120):
        return await anyio.run_process(command, env=environment, check=False)


def keyed(environment: dict[str, str], url: str, key: str = KEY) -> dict[str, str]:
    return {**environment, "ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": url}


async def test_a_person_sees_each_call_then_the_diagnosis_and_what_to_do_next(environment: dict[str, str]) -> None:
    done = await agent(environment, "investigate", "--replay", RECORDING)

    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert text.startswith("ANTHROPIC_API_KEY is not set: investigating by rules (no model).\noverview")
    assert "D-1: fault, confirmed\nby rules (no model)\n" in text
    assert "tikv_down on store:1" in text
    assert "FAILED" not in text
    assert text.rstrip().endswith("Next: opsai tickets list")
    assert not set(text) & set("│┃╭╮─━\x1b"), "a pipe gets plain text"
    assert done.stderr == b""


async def test_a_program_gets_one_json_object_and_the_calls_go_to_stderr(environment: dict[str, str]) -> None:
    done = await agent(environment, "investigate", "--replay", RECORDING, "--json", "--backend", "rules")

    found = json.loads(done.stdout)
    assert found["verdict"] == "fault"
    assert found["causes"] == [{"kind": "tikv_down", "entity": "store:1"}]
    assert found["claims"] == found["claims_held"] > 5
    assert found["backend"] == "rules (no model)"
    assert found["tool_calls"] == len(done.stderr.decode().splitlines()) - 1
    assert found["usd"] == 0


async def test_claude_investigates_the_same_recording_over_the_stand_in_service(environment: dict[str, str]) -> None:
    stub = Stub(key=KEY)
    async with serving(stub) as url:
        done = await agent(keyed(environment, url), "investigate", "--replay", RECORDING, "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["backend"] == "claude-opus-5-5"
    assert found["causes"] == [{"kind": "tikv_down", "entity": "store:1"}]
    assert found["diagnosis"]["confidence"] == "confirmed"
    assert found["tokens"]["cache_read"] == 3000 * len(stub.requests)
    assert found["usd"] == pytest.approx(len(stub.requests) * (200 * 4 + 1000 * 5 + 3000 * 0.2 + 150 * 20) / 1e6)
    assert KEY.encode() not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "key", "says"),
    [
        (["--backend", "claude"], None, "There is no key for Claude: ANTHROPIC_API_KEY is not set."),
        ([], "sk-ant-wrong-0123456", "HTTP 401: invalid x-api-key (request req_stub). The key in ANTHROPIC_API_KEY"),
    ],
)
async def test_what_the_model_refuses_is_one_line_and_exit_1(
    environment: dict[str, str], arguments: list[str], key: str | None, says: str
) -> None:
    async with serving(Stub(key=KEY)) as url:
        given = environment if key is None else keyed(environment, url, key)
        done = await agent(given, "investigate", "--replay", RECORDING, "--json", *arguments)

    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 1
    assert done.stdout == b""
    assert last.startswith("opsai-agent: ")
    assert says in last


async def test_an_unknown_ticket_is_said_before_anything_is_investigated(environment: dict[str, str]) -> None:
    done = await agent(environment, "investigate", "T-99", "--replay", RECORDING)

    assert done.returncode == 1
    assert done.stderr.decode().startswith("opsai-agent: There is no ticket 'T-99'. Known: T-")
    assert done.stderr.count(b"\n") == 1


async def test_a_folder_that_is_no_recording_is_said_in_the_servers_words(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = await agent(environment, "investigate", "--replay", tmp_path)

    assert done.returncode == 1
    assert b"opsai-agent: opsai-mcp ended before it answered. Its last words: opsai-mcp: " in done.stderr


async def test_a_wrong_flag_is_a_usage_error(environment: dict[str, str]) -> None:
    done = await agent(environment, "investigate", "--max-steps", "0")

    assert done.returncode == 2
    assert b"Invalid value for '--max-steps'" in done.stderr


async def test_an_investigation_that_was_killed_can_be_run_again(environment: dict[str, str], tmp_path: Path) -> None:
    store, first = tmp_path / "store.sqlite", tmp_path / "first.jsonl"
    look = {"calls": [{"name": "overview", "input": {}}, {"name": "differential", "input": {"ticket": "T-1"}}]}
    stub = Stub([look, {"waits": True}])
    where = ("--replay", str(RECORDING), "--store", str(store))
    async with serving(stub) as url:
        command = [*PROGRAM, "investigate", "T-1", *where, "--transcript", str(first)]
        async with await anyio.open_process(command, env=keyed(environment, url)) as process:
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    group.start_soon(must_not_end, process)
                    await stub.waiting.wait()
                    group.cancel_scope.cancel()
            os.kill(process.pid, signal.SIGKILL)
    lines = lines_of(first)
    assert [line["event"] for line in lines] == ["begin", "turn", "call", "call"]
    assert await ticket(environment, where) == ("created", None)

    done = await agent(environment, "investigate", "T-1", *where, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["diagnosis"]["id"] == "D-1"
    assert await ticket(environment, where) == ("diagnosed", "D-1")


async def test_follow_takes_what_is_undiagnosed_and_only_once(environment: dict[str, str], tmp_path: Path) -> None:
    where = ("--replay", str(RECORDING), "--store", str(tmp_path / "store.sqlite"))

    first = await agent(environment, "follow", "--once", *where)
    second = await agent(environment, "follow", "--once", *where)

    assert "Ticket T-1\n" in first.stdout.decode()
    assert "D-1 of ticket T-1: fault, confirmed" in first.stdout.decode()
    assert "Next: opsai tickets show T-1" in first.stdout.decode()
    assert second.stdout.decode().endswith("No undiagnosed open ticket.\n")
    assert first.returncode == second.returncode == 0


async def must_not_end(process: Process) -> None:
    code = await process.wait()
    pytest.fail(f"the program ended by itself, with {code}")


async def ticket(environment: dict[str, str], where: tuple[str, ...]) -> tuple[str, Any]:
    """Return the first ticket's status and its diagnosis' id, asked of the server."""
    async with open_session(where, by="a test", environment=environment) as session:
        found = (await session.call("tickets", {"id": "T-1"})).structured
        listed = (await session.call("tickets", {"status": "all"})).structured
    assert found is not None
    assert listed is not None
    rows: Any = listed["tickets"]
    assert [row["id"] for row in rows] == ["T-1"]
    whole: Any = found
    return whole["ticket"]["status"], whole["diagnosis"]["id"] if isinstance(whole["diagnosis"], dict) else None
