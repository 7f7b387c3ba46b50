"""A session with `opsai-mcp` as a subprocess over stdio: plain values in and out; the agent's one home of `mcp`."""

import json
import math
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TextIO

import anyio
import mcp.types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic import TypeAdapter, ValidationError

from opsai_agent.backend import JsonObject, Tool
from opsai_agent.errors import ServerFailed

CONNECTION_CLOSED = -32000
REQUEST_TIMEOUT = -32001
MAX_TOOL_PAGES = 20
LAST_WORDS_CHARS = 600
SERVER = (sys.executable, "-m", "opsai_server.mcp_cli")
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long the server is waited for."""

    start_seconds: float = 60.0
    call_seconds: float = 120.0
    """The first call waits until a recording was played by its watcher."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What the server answered to one call."""

    text: str
    structured: JsonObject | None
    is_error: bool


class Session:
    """An open session. Calls may run side by side."""

    def __init__(self, client: Client, tools: tuple[Tool, ...], times: SessionTimes, stderr: TextIO) -> None:
        self._client = client
        self._times = times
        self._stderr = stderr
        self.tools = tools
        """Sorted by name, so that what a model reads first is always the same."""
        self.instructions = client.instructions or ""

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
        """Call a tool. What a wiser caller could mend comes back with `is_error`; raises ServerFailed when the server is gone."""
        try:
            with anyio.fail_after(self._times.call_seconds + 5.0):
                result = await self._client.call_tool(
                    name, dict(arguments), read_timeout_seconds=self._times.call_seconds
                )
        except TimeoutError:
            return self._late(name)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise _gone(f"opsai-mcp ended while {name} was being asked", self._stderr) from error
            if error.code == REQUEST_TIMEOUT:
                return self._late(name)
            return CallResult(f"Asked opsai-mcp for {name}: it answered with the error {error.message!r}.", None, True)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise _gone(f"opsai-mcp ended before {name} could be asked", self._stderr) from error
        except (ValidationError, RuntimeError) as error:  # the SDK raises these for a reply that breaks the protocol
            return CallResult(f"Asked opsai-mcp for {name}: its reply is malformed: {_first_line(error)}.", None, True)
        return _plain(name, result)

    def _late(self, name: str) -> CallResult:
        return CallResult(
            f"Asked opsai-mcp for {name}: no answer within {self._times.call_seconds:g} s. "
            "Try: a shorter window, fewer nodes, or another tool.",
            None,
            True,
        )


@asynccontextmanager
async def open_session(
    flags: Sequence[str],
    *,
    by: str,
    environment: Mapping[str, str],
    times: SessionTimes = SessionTimes(),
    command: Sequence[str] = SERVER,
) -> AsyncGenerator[Session]:
    """Start the server with these flags and open a session under the name `by`. Raises ServerFailed.

    The server gets the environment without the model's credentials; its stderr is kept for error messages.
    """
    program, *first = command
    parameters = StdioServerParameters(
        command=program,
        args=[*first, *flags],
        env={name: value for name, value in environment.items() if not name.startswith("ANTHROPIC_")},
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        started = False
        try:
            with anyio.move_on_after(times.start_seconds) as starting:
                name = types.Implementation(name=by, version="1")
                async with Client(stdio_client(parameters, errlog=stderr), client_info=name) as client:
                    tools = await _tools(client)
                    started = True
                    starting.deadline = math.inf
                    yield Session(client, tools, times, stderr)
        except BaseExceptionGroup as group:
            error = _single(group)
            raise (error if started else _not_started(error, stderr)) from None
        except (MCPError, OSError, ValidationError, RuntimeError) as error:
            raise (error if started else _not_started(error, stderr)) from None
        if not started:
            raise _gone(f"opsai-mcp did not list its tools within {times.start_seconds:g} s", stderr)


async def _tools(client: Client) -> tuple[Tool, ...]:
    found: list[types.Tool] = []
    cursor: str | None = None
    for _ in range(MAX_TOOL_PAGES):
        page = await client.list_tools(cursor=cursor)
        found.extend(page.tools)
        cursor = page.next_cursor
        if cursor is None:
            break
    tools = (Tool(name=t.name, description=t.description or "", schema=dict(t.input_schema)) for t in found)
    return tuple(sorted(tools, key=lambda tool: tool.name))


def _not_started(error: BaseException, stderr: TextIO) -> BaseException:
    if not isinstance(error, Exception):
        return error
    if isinstance(error, MCPError) and error.code == CONNECTION_CLOSED:
        return _gone("opsai-mcp ended before it answered", stderr)
    return _gone(f"opsai-mcp did not start: {_first_line(error)}", stderr)


def _plain(name: str, result: types.CallToolResult) -> CallResult:
    text = "\n".join(_block(block) for block in result.content)
    if result.is_error:
        return CallResult(text or f"{name} failed without a word.", None, True)
    structured = result.structured_content
    if structured is not None:
        return CallResult(json.dumps(structured, ensure_ascii=False, separators=(",", ":")), dict(structured), False)
    return CallResult(text, _object(text), False)


def _block(block: object) -> str:
    if isinstance(block, types.TextContent):
        return block.text
    return f"[{type(block).__name__} left out]"


def _object(text: str) -> JsonObject | None:
    try:
        return _OBJECT.validate_json(text)
    except ValidationError:
        return None


def _gone(what: str, stderr: TextIO) -> ServerFailed:
    words = _last_words(stderr)
    said = f" Its last words: {words}" if words else " It said nothing on stderr."
    return ServerFailed(f"{what}.{said}")


def _last_words(stderr: TextIO) -> str:
    stderr.seek(0)
    lines = [line.strip(" |+-") for line in stderr.read().splitlines() if any(ch.isalpha() for ch in line)]
    return " | ".join(lines[-3:])[-LAST_WORDS_CHARS:]


def _single(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception inside nested groups; the SDK's task groups wrap what the body raised."""
    first = group.exceptions[0]
    if isinstance(first, BaseExceptionGroup):
        return _single(first)  # pyright: ignore[reportUnknownArgumentType]  (narrowing forgets what the group holds)
    return first


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
