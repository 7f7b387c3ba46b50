"""A stand-in for the Messages API on loopback: plays a conversation, or answers by the rules when it is given none.

    python -m tests.agent.stub [CONVERSATION.json] [--port PORT]

prints its URL. A conversation is a list of steps, one for each request:

    {"thinking": "…", "text": "…", "calls": [{"name": "overview", "input": {}}]}     an answer; `stop` and `usage` may be given
    {"error": {"status": 529, "type": "overloaded_error", "message": "…", "headers": {}}}
    {"waits": true}                                                                   no answer until the client is gone
    {"breaks": true}                                                                  the connection ends in the middle
    {"error_in_stream": {"type": "overloaded_error", "message": "…"}}

In an input `{"$evidence": "differential"}` stands for the evidence id of that tool's newest reply. The last step repeats.
"""

import argparse
import copy
import json
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from opsai_agent.backend import Assignment, News, Tool, ToolCall, ToolReply
from opsai_agent.rules import RulesBackend

PIECE_CHARS = 40
USAGE = {
    "input_tokens": 200,
    "cache_creation_input_tokens": 1000,
    "cache_read_input_tokens": 3000,
    "output_tokens": 150,
}
Json = dict[str, Any]


@dataclass
class Stub:
    """The service: what it will say, and what it was asked."""

    steps: list[Json] | None = None
    key: str | None = None
    """The only key it accepts; None: any."""
    requests: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    waiting: anyio.Event = field(default_factory=anyio.Event)
    """Set when a client has been let wait."""

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/messages", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        if self.key is not None and key_of(request) != self.key:
            return failure({"status": 401, "type": "authentication_error", "message": "invalid x-api-key"})
        step = await self.step(body)
        if "waits" in step:
            self.waiting.set()
            await request.receive()
            return Response(status_code=204)
        if "error" in step:
            return failure(step["error"])
        events = stream(filled(step, body), body["model"], len(self.requests))
        return StreamingResponse(events, media_type="text/event-stream", headers={"request-id": "req_stub"})

    async def step(self, body: Json) -> Json:
        if self.steps is None:
            return await by_rules(body)
        return self.steps[min(len(self.requests), len(self.steps)) - 1]


def key_of(request: Request) -> str:
    return request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")


def failure(error: Json) -> Response:
    body = {"type": "error", "error": {"type": error["type"], "message": error["message"]}}
    headers = {"retry-after-ms": "1", "request-id": "req_stub", **error.get("headers", {})}
    return JSONResponse(body, status_code=error["status"], headers=headers)


async def stream(step: Json, model: str, number: int) -> AsyncIterator[bytes]:
    usage = {**USAGE, **step.get("usage", {})}
    calls = step.get("calls", [])
    stop = step.get("stop") or ("tool_use" if calls else "end_turn")
    message = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield event("message_start", message=message)
    blocks = list(content(step, number))
    for index, (block, deltas) in enumerate(blocks):
        yield event("content_block_start", index=index, content_block=block)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        if step.get("breaks") and index == len(blocks) - 1:
            raise ConnectionAbortedError
        yield event("content_block_stop", index=index)
    if "error_in_stream" in step:
        yield event("error", error=step["error_in_stream"])
        return
    yield event(
        "message_delta",
        delta={"stop_reason": stop, "stop_sequence": None},
        usage={"output_tokens": usage["output_tokens"]},
    )
    yield event("message_stop")


def content(step: Json, number: int) -> Any:
    """Yield each block as it starts, and its deltas."""
    if thinking := step.get("thinking"):
        deltas = [{"type": "thinking_delta", "thinking": part} for part in pieces(thinking)]
        yield (
            {"type": "thinking", "thinking": "", "signature": ""},
            [*deltas, {"type": "signature_delta", "signature": f"sig-{number}"}],
        )
    if text := step.get("text") or ("…" if step.get("breaks") else ""):
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": part} for part in pieces(text)]
    for index, call in enumerate(step.get("calls", [])):
        block = {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": call["name"], "input": {}}
        yield block, [{"type": "input_json_delta", "partial_json": part} for part in pieces(json.dumps(call["input"]))]


def pieces(text: str) -> list[str]:
    return [text[at : at + PIECE_CHARS] for at in range(0, len(text), PIECE_CHARS)]


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def filled(step: Json, body: Json) -> Json:
    """Return the step with the evidence ids of this conversation."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for block in blocks_of(body):
        if block["type"] == "tool_use":
            names[block["id"]] = block["name"]
        if block["type"] == "tool_result" and (evidence := reply_of(block).get("evidence_id")):
            found[names[block["tool_use_id"]]] = evidence
    return _filled(copy.deepcopy(step), found)


def _filled(value: Any, found: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$evidence"}:
            return found.get(value["$evidence"], "E-unknown")
        return {name: _filled(item, found) for name, item in value.items()}
    return [_filled(item, found) for item in value] if isinstance(value, list) else value


def blocks_of(body: Json) -> list[Json]:
    return [
        block for message in body["messages"] if isinstance(message["content"], list) for block in message["content"]
    ]


def reply_of(block: Json) -> Json:
    content = block["content"]
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def by_rules(body: Json) -> Json:
    """Answer as the rule-based investigator would, from the conversation so far: no model is behind this."""
    backend = RulesBackend()
    tools = tuple(Tool(t["name"], t.get("description", ""), t["input_schema"]) for t in body["tools"])
    first = body["messages"][0]["content"]
    ticket = next((word.strip(".,") for word in first.split() if word.startswith("T-")), None)
    backend.begin(Assignment(ticket=ticket, tools=tools, instructions=""))
    must = body.get("tool_choice", {}).get("type") == "tool"
    history = body["messages"][1:]
    turn = await backend.turn(News(must_submit=must and not history))
    while history:
        said, heard, history = history[0], history[1], history[2:]
        uses = [block for block in said["content"] if isinstance(block, dict) and block["type"] == "tool_use"]
        results = {block["tool_use_id"]: block for block in heard["content"] if block["type"] == "tool_result"}
        replies = tuple(_reply(use, results[use["id"]]) for use in uses)
        turn = await backend.turn(News(replies=replies, must_submit=must and not history))
    calls = [{"name": call.name, "input": call.arguments} for call in turn.calls]
    told = f"(stub, no model) Next: {', '.join(call.name for call in turn.calls)}." if calls else "(stub) Nothing more."
    return {"thinking": "The stub answers by the rules.", "text": told, "calls": calls}


def _reply(use: Json, result: Json) -> ToolReply:
    call = ToolCall(id=use["id"], name=use["name"], arguments=use["input"])
    is_error = bool(result.get("is_error"))
    value = {} if is_error else reply_of(result)
    return ToolReply(call=call, text=str(result["content"]), value=value, is_error=is_error)


def listening(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def server(stub: Stub) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(stub.app(), log_level="critical", lifespan="off"))


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for the Messages API on loopback. No model is behind it.")
    parser.add_argument(
        "conversation", nargs="?", type=Path, help="a JSON list of steps; without: answers by the rules"
    )
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    steps = json.loads(given.conversation.read_text(encoding="utf-8")) if given.conversation else None
    listener = listening(given.port)
    sys.stdout.write(f"{url_of(listener)}\n")
    sys.stdout.flush()
    server(Stub(steps)).run(sockets=[listener])


if __name__ == "__main__":
    main()
