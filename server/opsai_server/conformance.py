"""What every adapter must satisfy in front of the server, beside `opsai_subjects.conformance`: its tools, and what they answer."""

import json
import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult, TextContent

from opsai_server.app import Deps, assemble, build
from opsai_server.surface import of_definition, of_reply
from opsai_server.tickets.store import open_store
from opsai_server.tools.desks import Desks
from opsai_subjects.config import Settings
from opsai_subjects.conformance.checks import Check, Scenes
from opsai_subjects.conformance.scene import NAME, Noting, Scene, opened
from opsai_subjects.model import clean
from opsai_subjects.opening import Cluster
from opsai_subjects.subject import SubjectKind

MOST_TOOLS = 15
DEFINITION_CHARS = 17_500
"""Of all definitions together as compact JSON: every model reads them before every investigation."""
REPLY_CHARS = 40_000
OVERVIEW_CHARS = 4_000
"""Of the first call, on a healthy cluster."""
ASKED: Mapping[str, dict[str, str]] = {
    "overview": {},
    "topology": {},
    "check_invariants": {},
    "differential": {},
    "timeline": {},
    "tickets": {},
    "knowledge": {},
    "evidence": {"id": "E-1"},
    "query_metrics": {"query": "up"},
    "compare_windows": {},
    "search_logs": {},
}
"""What each tool is asked, in this order."""
MAY_BE_REFUSED = frozenset({"query_metrics", "compare_windows", "search_logs"})
"""They need a source that a scene may be without."""


def surface_checks(kind: SubjectKind, scene: Scenes) -> tuple[Check, ...]:
    """Return the checks of what a model sees of this kind, and of what it is answered."""

    def check(find: Callable[[], Awaitable[list[str]]], says: str, name: str) -> Check:
        return Check(f"surface.{name}", says, find)

    async def few() -> list[str]:
        return await _few(kind)

    async def tells() -> list[str]:
        tools = await _definitions(kind)
        return [says for one in tools.values() for says in of_definition(one, tools)]

    async def reads() -> list[str]:
        return await _reads(kind)

    async def answers() -> list[str]:
        async with scene() as one:
            return await _answers(kind, one)

    return (
        check(few, "All tools together are few and short.", "is_small"),
        check(
            tells,
            "Each tool says what it returns and what to use instead, and what each argument is, with examples.",
            "tells_how",
        ),
        check(
            reads,
            "What signs say to read are calls of tools that there are, by arguments that they take.",
            "can_be_read",
        ),
        check(
            answers,
            "Every tool answers within its size, says what it is about, and asks the nodes nothing but what is listed.",
            "answers_shortly",
        ),
    )


async def _definitions(kind: SubjectKind) -> dict[str, dict[str, Any]]:
    tools = await assemble(Desks({NAME: kind})).list_tools()
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}


async def _few(kind: SubjectKind) -> list[str]:
    tools = await _definitions(kind)
    texts = [json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in tools.values()]
    chars = sum(map(len, texts))
    said = [] if len(tools) <= MOST_TOOLS else [f"There are {len(tools)} tools; {MOST_TOOLS} is the most."]
    if chars > DEFINITION_CHARS:
        said.append(f"The definitions have {chars:,} characters; {DEFINITION_CHARS:,} is the most.")
    core = {tool.__name__ for tool in kind.probes}
    if len(tools) != len({*tools} | core) or not core <= set(tools):
        said.append("A probe has the name of another tool.")
    return said


async def _reads(kind: SubjectKind) -> list[str]:
    tools = await _definitions(kind)
    said: list[str] = []
    for spec in kind.signs:
        for read in spec.reads:
            if read.tool not in tools:
                said.append(f"Sign {spec.id}: reads names the tool {read.tool!r}. Tools: {', '.join(tools)}.")
                continue
            known = tools[read.tool]["inputSchema"]["properties"]
            said += [
                f"Sign {spec.id}: {read.tool} takes no argument {name!r}."
                for name in read.arguments
                if name not in known
            ]
    return said


async def _answers(kind: SubjectKind, scene: Scene) -> list[str]:
    noting = Noting(scene.transport)
    said: list[str] = []
    async with _client(kind, replace(scene, transport=noting)) as client:
        named = {tool.__name__ for tool in kind.probes}
        for name in (*ASKED, *sorted(named)):
            result = await client.call_tool(name, ASKED.get(name, {}))
            said += _answered(name, result, refusable=name in named | MAY_BE_REFUSED)
    calls = {(rpc.path, rpc.sent) for rpc in kind.rpcs}
    for request in noting.requests:
        path = request.url.path
        called = any(path.endswith(own) and request.content == body for own, body in calls)
        got = not request.content and any(re.search(f"(?:{pattern})\\Z", path) for pattern in kind.paths)
        if not {"GET": got, "POST": called}.get(request.method, False):
            said.append(f"A tool asked {request.method} {path}, which is not listed.")
    return said


def _answered(name: str, result: CallToolResult, *, refusable: bool) -> list[str]:
    text = "".join(part.text for part in result.content if isinstance(part, TextContent))
    if not result.is_error:
        said = of_reply(name, NAME, result.structured_content, text)
    else:
        said = [] if refusable else [f"{name} fails: {clean(text, 300)}"]
    if "internal error" in text:
        said.append(f"{name} breaks: {clean(text, 300)}")
    most = OVERVIEW_CHARS if name == "overview" else REPLY_CHARS
    if len(text) > most:
        said.append(f"{name} answers {len(text):,} characters; {most:,} is the most.")
    return said


@asynccontextmanager
async def _client(kind: SubjectKind, scene: Scene) -> AsyncGenerator[Client]:
    with tempfile.TemporaryDirectory(prefix="opsai-conformance-") as folder:
        settings = Settings(store=Path(folder) / "opsai.sqlite")
        async with opened(kind, scene) as subject, open_store(settings.store) as store:
            cluster = Cluster(NAME, subject, scene.clock, scene.settings, None)
            async with Client(build(Deps(cluster, store, settings))) as client:
                yield client
