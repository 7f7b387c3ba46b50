"""A session over stdio: plain values, and clear words when the server fails."""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import pytest

from opsai_agent.errors import AgentError, ServerFailed
from opsai_agent.session import Session, SessionTimes, open_session

GARBLING = Path(__file__).with_name("garbling_server.py")
pytestmark = pytest.mark.anyio
Fake = Callable[..., AbstractAsyncContextManager[Session]]


async def test_tools_come_sorted_with_their_schemas(fake: Fake) -> None:
    async with fake() as session:
        names = [tool.name for tool in session.tools]
        evidence = next(tool for tool in session.tools if tool.name == "evidence")

    assert names == sorted(names)
    assert "submit_diagnosis" in names
    assert evidence.description == "Read what is stored."
    assert evidence.schema["required"] == ["id"]
    assert session.instructions == "A fake cluster of one store."


async def test_a_reply_comes_as_an_object_and_as_compact_text(fake: Fake) -> None:
    async with fake() as session:
        result = await session.call("tickets", {"id": "T-1"})

    assert not result.is_error
    assert result.structured is not None
    assert result.structured["evidence_id"] == "E-2"
    assert result.text.startswith('{"cluster":"lab",')


async def test_a_tool_that_fails_says_so_in_its_own_words(fake: Fake) -> None:
    async with fake() as session:
        result = await session.call("tickets", {"id": "T-9"})

    assert result.is_error
    assert "There is no ticket 'T-9'. Known: T-1." in result.text


async def test_calls_run_side_by_side(fake: Fake) -> None:
    async with fake("rendezvous") as session, anyio.create_task_group() as group:
        with anyio.fail_after(10):
            group.start_soon(session.call, "overview", {})
            result = await session.call("timeline", {})

    assert not result.is_error


async def test_a_server_that_dies_in_a_call_is_reported_with_its_last_words(fake: Fake) -> None:
    with pytest.raises(ServerFailed) as raised:
        async with fake("dies") as session:
            await session.call("overview", {})

    assert str(raised.value) == (
        "opsai-mcp ended while overview was being asked. Its last words: fake: the disk is on fire"
    )


async def test_a_server_that_does_not_start_is_reported_with_its_last_words(fake: Fake) -> None:
    with pytest.raises(ServerFailed) as raised:
        async with fake("mute"):
            pass

    assert str(raised.value) == ("opsai-mcp ended before it answered. Its last words: fake: settings cannot be used")


async def test_a_program_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(ServerFailed, match=r"opsai-mcp did not start: .*No such file.*no-such-program"):
        async with open_session((), by="t", environment=environment, command=("no-such-program",)):
            pass


async def test_a_program_that_speaks_no_mcp_is_not_waited_for_forever(environment: dict[str, str]) -> None:
    silent = (sys.executable, "-c", "import sys; sys.stdin.read()")
    with anyio.fail_after(9), pytest.raises(ServerFailed, match=r"opsai-mcp did not list its tools within 0\.5 s"):
        async with open_session(
            (), by="t", environment=environment, command=silent, times=SessionTimes(start_seconds=0.5)
        ):
            pass


async def test_a_call_without_an_answer_in_time_is_an_error_that_says_what_to_try(fake: Fake) -> None:
    async with fake("hangs", times=SessionTimes(call_seconds=0.3)) as session:
        late = await session.call("overview", {})
        next_one = await session.call("check_invariants", {})

    assert late.is_error
    assert late.text.startswith("Asked opsai-mcp for overview: no answer within 0.3 s. Try: a shorter window")
    assert not next_one.is_error


async def test_a_reply_that_is_no_object_is_text_only(fake: Fake) -> None:
    async with fake() as session:
        result = await session.call("prose", {})

    assert result.structured is None
    assert result.text == "not an object"


async def test_a_reply_that_breaks_the_protocol_is_an_error_not_a_crash(environment: dict[str, str]) -> None:
    async with open_session((), by="t", environment=environment, command=(sys.executable, str(GARBLING))) as session:
        result = await session.call("overview", {})

    assert result.is_error
    assert result.text.startswith("Asked opsai-mcp for overview: its reply is malformed: ")


async def test_what_the_caller_raises_comes_out_as_it_was(fake: Fake) -> None:
    error = AgentError("ours")
    with pytest.raises(AgentError) as raised:
        async with fake():
            raise error

    assert raised.value is error


async def test_the_server_is_not_given_the_models_key(environment: dict[str, str]) -> None:
    code = "import os, sys; sys.stderr.write(str('ANTHROPIC_API_KEY' in os.environ) + ' ' + os.environ['OPSAI_STORE'])"
    given = {**environment, "ANTHROPIC_API_KEY": "sk-ant-not-for-others", "OPSAI_STORE": "here"}

    with pytest.raises(ServerFailed, match="Its last words: False here"):
        async with open_session((), by="t", environment=given, command=(sys.executable, "-c", code)):
            pass
