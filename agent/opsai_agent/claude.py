"""Claude as a backend, over the Messages API: streaming, cached prompts, adaptive thinking; the one importer of anthropic."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Literal, get_args

import anthropic
import httpx2
from anthropic import AsyncAnthropic, omit
from anthropic.types import (
    Message,
    MessageParam,
    OutputConfigParam,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
)
from pydantic import TypeAdapter

from opsai_agent.backend import SUBMIT, Assignment, JsonObject, News, Stop, Tool, ToolCall, Turn, Usage
from opsai_agent.errors import ModelUnavailable
from opsai_agent.prices import Price, Tokens

KEY_VARIABLE = "ANTHROPIC_API_KEY"
URL_VARIABLE = "ANTHROPIC_BASE_URL"
MAX_OUTPUT_TOKENS = 16_000
MAX_RETRIES = 4
"""By the SDK, on 408, 409, 429, 5xx and connections that fail before an answer begins."""
STREAM_TRIES = 2
"""Times that one turn is asked for when its stream breaks in the middle: nothing was acted on by then."""
READ_SECONDS = 300.0
CONNECT_SECONDS = 10.0
KEPT_RESULTS = 6
"""When the context window is full, only so many of the newest tool results are kept whole."""
SAID_CHARS = 300

Effort = Literal["low", "medium", "high", "xhigh", "max"]
NO_EFFORT = "none"
"""Sends neither effort nor thinking: for models that know neither."""
_EFFORT: TypeAdapter[Effort] = TypeAdapter(Effort)
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
_STOPS: dict[str, Stop] = {
    "tool_use": "calls",
    "end_turn": "ended",
    "stop_sequence": "ended",
    "max_tokens": "cut",
    "pause_turn": "paused",
    "refusal": "declined",
    "model_context_window_exceeded": "full",
}


@asynccontextmanager
async def open_claude(
    model: str,
    effort: str,
    price: Price | None,
    environment: Mapping[str, str],
    *,
    max_retries: int = MAX_RETRIES,
    read_seconds: float = READ_SECONDS,
) -> AsyncGenerator["ClaudeBackend"]:
    """Open a client with the key and base URL of the environment. Raises ModelUnavailable when there is no key."""
    key = environment.get(KEY_VARIABLE, "")
    if not key:
        raise ModelUnavailable(
            f"There is no key for Claude: {KEY_VARIABLE} is not set. Set it, or use --backend rules (no model)."
        )
    if effort not in (*get_args(Effort), NO_EFFORT):
        raise ModelUnavailable(f"There is no effort {effort!r}. Known: {', '.join(get_args(Effort))}, {NO_EFFORT}.")
    client = AsyncAnthropic(
        api_key=key,
        base_url=environment.get(URL_VARIABLE) or None,
        max_retries=max_retries,
        timeout=httpx2.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
    )
    async with client:
        yield ClaudeBackend(client, model, None if effort == NO_EFFORT else _EFFORT.validate_python(effort), price)


class ClaudeBackend:
    """One conversation with Claude. Thinking blocks stay in the history as they came."""

    def __init__(self, client: AsyncAnthropic, model: str, effort: Effort | None, price: Price | None) -> None:
        self.name = model
        self._client = client
        timeout = client.timeout
        self._read_seconds = timeout.read if isinstance(timeout, httpx2.Timeout) and timeout.read else READ_SECONDS
        self._effort: Effort | None = effort
        self._price = price
        self._tools: tuple[Tool, ...] = ()
        self._system = ""
        self._messages: list[MessageParam] = []
        self._full = False

    def begin(self, assignment: Assignment) -> None:
        self._tools = assignment.tools
        self._system = _system(assignment.instructions)
        self._messages = []
        self._full = False
        self._messages.append({"role": "user", "content": _task(assignment.ticket)})

    async def turn(self, news: News) -> Turn:
        self._hear(news)
        message = await self._message(forced=news.must_submit)
        stop = _STOPS.get(message.stop_reason or "", "ended")
        calls = _calls(message) if stop in ("calls", "ended") else ()
        self._keep(message, with_calls=bool(calls))
        self._full = stop == "full"
        text = "\n".join(block.text for block in message.content if block.type == "text")
        return Turn(stop="calls" if calls else stop, calls=calls, text=text, usage=self._usage(message))

    def _hear(self, news: News) -> None:
        blocks: list[ToolResultBlockParam | TextBlockParam] = [
            {"type": "tool_result", "tool_use_id": r.call.id, "content": r.text, "is_error": r.is_error}
            for r in news.replies
        ]
        left = ", ".join(news.room_left.values())
        if news.note:
            blocks.append({"type": "text", "text": f"{news.note} Left: {left}." if left else news.note})
        if blocks:
            self._messages.append({"role": "user", "content": blocks})
        if self._full:
            _make_room(self._messages)

    def _keep(self, message: Message, *, with_calls: bool) -> None:
        """Append the answer; calls that will not be run are left out, as each would need a result."""
        if message.stop_reason == "refusal":
            return
        kept = [block for block in message.content if with_calls or block.type != "tool_use"]
        if not any(block.type in ("text", "tool_use") for block in kept):
            self._messages.append({"role": "assistant", "content": "(nothing was said)"})
            return
        self._messages.append({"role": "assistant", "content": kept})

    async def _message(self, *, forced: bool, only_submission: bool = False) -> Message:
        """Ask for one message. A forced choice of tool and thinking exclude each other on some models: forced, it is off."""
        for attempt in range(1, STREAM_TRIES + 1):
            try:
                return await self._stream(forced=forced, only_submission=forced or only_submission)
            except (httpx2.TransportError, _StreamBroken) as error:
                if attempt == STREAM_TRIES:
                    raise ModelUnavailable(
                        f"Asked {self._where()} for an answer of {self.name}: the connection broke in its middle, "
                        f"{STREAM_TRIES} times ({_first_line(error)}). Try again later."
                    ) from error
            except anthropic.APIError as error:
                if forced and isinstance(error, anthropic.BadRequestError):  # a model that takes no forced choice
                    return await self._message(forced=False, only_submission=True)
                raise ModelUnavailable(self._explained(error)) from error
        raise AssertionError

    async def _stream(self, *, forced: bool, only_submission: bool) -> Message:
        thinks = self._effort is not None and not forced
        offered = [tool for tool in self._tools if not only_submission or tool.name == SUBMIT]
        async with self._client.messages.stream(
            model=self.name,
            max_tokens=MAX_OUTPUT_TOKENS,
            system=self._system,
            messages=self._messages,
            tools=[_param(tool) for tool in offered],
            tool_choice={"type": "tool", "name": SUBMIT} if forced else omit,
            thinking={"type": "adaptive"} if thinks else {"type": "disabled"} if forced else omit,
            output_config=OutputConfigParam(effort=self._effort) if self._effort else omit,
            cache_control={"type": "ephemeral"},
        ) as stream:
            async for event in stream:
                if event.type == "message_stop":
                    return await stream.get_final_message()
        raise _StreamBroken("it ended before the message did")

    def _usage(self, message: Message) -> Usage:
        usage = message.usage
        written = usage.cache_creation_input_tokens or 0
        hour = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
        read = usage.cache_read_input_tokens or 0
        tokens = Tokens(usage.input_tokens, usage.output_tokens, max(0, written - hour), hour, read)
        return Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=read,
            cache_write_tokens=written,
            usd=self._price.usd(tokens) if self._price else None,
        )

    def _where(self) -> str:
        return f"the Claude API at {self._client.base_url.host}"

    def _explained(self, error: anthropic.APIError) -> str:
        key = self._client.api_key or ""
        text = f"Asked {self._where()} for an answer of {self.name}: {self._came_back(error)}"
        return text.replace(key, "[redacted]") if key else text

    def _came_back(self, error: anthropic.APIError) -> str:
        retried = f"after {self._client.max_retries} retries"
        if isinstance(error, anthropic.APITimeoutError):
            return f"no answer within {self._read_seconds:g} s, {retried}. Try again later."
        if isinstance(error, anthropic.APIConnectionError):
            cause = _first_line(error.__cause__ or error)
            return f"no connection ({cause}), {retried}. Check the network and {URL_VARIABLE}."
        if not isinstance(error, anthropic.APIStatusError):
            return f"an answer that cannot be read ({_first_line(error)})."
        said = (error.api_message or _first_line(error))[:SAID_CHARS].rstrip(".")
        request = f" (request {error.request_id})" if error.request_id else ""
        return f"HTTP {error.status_code}: {said}{request}. {_advice(error, self.name, retried)}"


class _StreamBroken(Exception):
    """A stream that ended before its message did."""


def _advice(error: anthropic.APIStatusError, model: str, retried: str) -> str:
    if error.type == "overloaded_error" or isinstance(error, anthropic.OverloadedError):
        return f"The service is overloaded, {retried}. Try again later."
    by_status = {
        400: "The request does not suit the model: --effort none sends no thinking and no effort; or choose another --model.",
        401: f"The key in {KEY_VARIABLE} is not accepted. Check it, or use --backend rules (no model).",
        402: "The account has no credit left.",
        403: f"The key in {KEY_VARIABLE} may not use {model}. Use another key or --model.",
        404: f"There is no model {model!r} there. Check --model and {URL_VARIABLE}.",
        413: "The conversation is too large. Try fewer steps with --max-steps.",
        429: f"The rate limit holds, {retried}. Wait, or use a smaller --model.",
    }
    return by_status.get(error.status_code, f"The service fails, {retried}. Try again later.")


def _system(instructions: str) -> str:
    briefing = files("opsai_agent").joinpath("briefing.md").read_text(encoding="utf-8").strip()
    return f"{briefing}\n\nThe server says of itself:\n{instructions}" if instructions else briefing


def _task(ticket: str | None) -> str:
    if ticket is None:
        return "No ticket: is anything wrong with this cluster, or was it lately? Find out and submit a diagnosis."
    return f"Investigate ticket {ticket} and submit a diagnosis for it."


def _param(tool: Tool) -> ToolParam:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}


def _calls(message: Message) -> tuple[ToolCall, ...]:
    blocks = [block for block in message.content if isinstance(block, ToolUseBlock)]
    return tuple(ToolCall(id=b.id, name=b.name, arguments=_OBJECT.validate_python(b.input)) for b in blocks)


def _make_room(messages: list[MessageParam]) -> None:
    """Replace all but the newest tool results by a word on where they are kept."""
    results: list[ToolResultBlockParam] = []
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            continue
        for block in content:
            if isinstance(block, dict) and block["type"] == "tool_result":
                results.append(block)
    for result in results[:-KEPT_RESULTS]:
        result["content"] = "(left out to make room; the server keeps it as evidence)"


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:SAID_CHARS] if lines else type(error).__name__
