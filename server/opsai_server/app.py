"""The one place where the MCP server is put together."""

import difflib
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from mcp.server import CacheHint, MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolRequestParams, CallToolResult, TextContent, ToolAnnotations
from pydantic import JsonValue, ValidationError
from starlette.requests import Request

from opsai_server.calls import Calls, Who
from opsai_server.instructions import instructions
from opsai_server.tickets.store import Store
from opsai_server.tools.check_invariants import check_invariants
from opsai_server.tools.compare_windows import compare_windows
from opsai_server.tools.desk import Desk, Waiting
from opsai_server.tools.differential import differential
from opsai_server.tools.evidence import evidence
from opsai_server.tools.failing import told
from opsai_server.tools.knowledge import knowledge
from opsai_server.tools.knowledge_resources import add_template, resources
from opsai_server.tools.overview import overview
from opsai_server.tools.query_metrics import query_metrics
from opsai_server.tools.schemas import exemplified, slim
from opsai_server.tools.search_logs import search_logs
from opsai_server.tools.shaping import compact, moment, plain, render
from opsai_server.tools.submit_diagnosis import submit_diagnosis
from opsai_server.tools.tickets import tickets
from opsai_server.tools.timeline import timeline
from opsai_server.tools.topology import topology
from opsai_subjects.config import Settings
from opsai_subjects.errors import StoreError
from opsai_subjects.model import clean
from opsai_subjects.opening import Cluster
from opsai_subjects.reply import Answer
from opsai_subjects.subject import SubjectKind, Visit

log = logging.getLogger(__name__)

READS: tuple[Callable[..., Awaitable[Answer]], ...] = (
    overview,
    topology,
    check_invariants,
    differential,
    query_metrics,
    compare_windows,
    search_logs,
    timeline,
    tickets,
    evidence,
    knowledge,
)
# The world is closed for every tool: one cluster, named when the server was started, and our own store. No argument can
# name another host, so nothing that a model is talked into can make it reach one.
READ = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
# It writes to our own store only, adds and never removes; handing in twice makes two diagnoses, the later one stands.
WRITE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
GIVEN = ("desk", "visit", "by")
"""Parameters of a tool that the server fills and no caller sees."""
TOOLS_TTL_MS = 3_600_000
UNNAMED = "an unnamed client"


@dataclass(frozen=True)
class Deps:
    """What a server needs: a cluster and a store, opened by whoever closes them, and the settings."""

    cluster: Cluster
    store: Store
    settings: Settings


def build(deps: Deps) -> MCPServer[Any]:
    """Return the server over an open cluster."""
    return assemble(deps.cluster.subject.kind, Waiting(Desk(deps.cluster, deps.store, deps.settings)))


def assemble(kind: SubjectKind, waiting: Waiting, calls: Calls | None = None) -> MCPServer[Any]:
    """Return the server over a cluster that may not be open yet: it lists its tools at once, calls wait.

    `calls` accounts for each tool call.
    """
    calls = calls or Calls()
    tool = functools.partial(_tool, waiting=waiting, calls=calls)
    tools = [*(tool(ask, READ) for ask in (*READS, *kind.probes)), tool(submit_diagnosis, WRITE)]
    for one in tools:
        one.parameters = exemplified(one.parameters, kind.examples)
    server: MCPServer[Any] = MCPServer(
        "opsai",
        title="opsai",
        version=version("opsai"),
        instructions=instructions(kind),
        tools=tools,
        resources=resources(kind),
        middleware=[_checked({tool.name: tool for tool in tools}, waiting, calls)],
        cache_hints={
            "tools/list": CacheHint(ttl_ms=TOOLS_TTL_MS, scope="public"),
            "resources/list": CacheHint(ttl_ms=TOOLS_TTL_MS, scope="public"),
        },
        log_level="WARNING",
    )
    add_template(server, kind)
    return server


def _tool(ask: Callable[..., Awaitable[Answer]], annotations: ToolAnnotations, waiting: Waiting, calls: Calls) -> Tool:
    name = ask.__name__
    signature = inspect.signature(ask)
    wants_by = "by" in signature.parameters
    is_probe = "visit" in signature.parameters

    @functools.wraps(ask)
    async def call(ctx: Context[Any], **arguments: object) -> CallToolResult:
        who = _who(ctx.request_context)
        with told(name), calls.call(name, who) as made:
            desk = await waiting.desk()
            made.cluster = desk.name
            place = Visit(desk.subject, desk.facts) if is_probe else desk
            answer = await ask(place, **({"by": who.client or UNNAMED} if wants_by else {}), **arguments)
            result = await _reply(desk, name, arguments, answer)
            made.chars = sum(len(part.text) for part in result.content if isinstance(part, TextContent))
        return result

    asked = [parameter for parameter in signature.parameters.values() if parameter.name not in GIVEN]
    call.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined]  # what inspect.signature looks for
    tool = Tool.from_function(
        call,
        name=name,
        description=_prompt(ask),
        annotations=annotations,
        context_kwarg="ctx",
        structured_output=False,
    )
    tool.parameters = slim(tool.parameters)
    return tool


def _prompt(ask: Callable[..., Awaitable[Answer]]) -> str:
    """Return the docstring with its lines joined: line breaks inside a paragraph mean nothing to a model."""
    paragraphs = inspect.cleandoc(ask.__doc__ or "").split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _who(ctx: ServerRequestContext[Any, Any]) -> Who:
    known = ctx.session.client_params
    client = clean(known.client_info.name, 100) if known is not None else ""
    request = ctx.request
    if not isinstance(request, Request):  # stdio has none
        return Who(client)
    return Who(client, request.headers.get("mcp-session-id", ""), request.client.host if request.client else "")


async def _reply(desk: Desk, tool: str, arguments: Mapping[str, object], answer: Answer) -> CallToolResult:
    """Store the full value, then show what is to be shown of it."""
    head: dict[str, JsonValue] = {
        "cluster": clean(desk.name, 200),
        "at": moment(answer.at),
        "evidence_id": answer.evidence_id,
    }
    if answer.stored:
        given = {name: plain(value) for name, value in arguments.items() if value not in (None, "", (), False)}
        value = plain(answer.value)
        try:
            kept = await desk.store.put_evidence(
                cluster=desk.name, tool=tool, arguments=given, at=answer.at, value=value, ticket=answer.ticket
            )
            head["evidence_id"] = kept.id
        except StoreError as error:  # on a full disk an answer is worth more than its receipt
            log.warning("evidence_not_stored tool=%s why=%s", tool, error)
            head["not_stored"] = f"No claim can cite this reply, for it could not be stored: {clean(str(error), 500)}"
    reply = render(head, answer.shown)
    return CallToolResult(content=[TextContent(type="text", text=compact(reply))], structured_content=dict(reply))


def _checked(tools: Mapping[str, Tool], waiting: Waiting, calls: Calls) -> ServerMiddleware[Any]:
    """Refuse what the SDK lets pass (unknown arguments) or words badly (values that do not fit)."""

    async def check(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/call" or ctx.params is None:
            return await call_next(ctx)
        try:
            asked = CallToolRequestParams.model_validate(ctx.params, by_name=False)
        except ValidationError:
            return await call_next(ctx)  # the SDK's to refuse: it is no tool call
        wrong = _wrong(tools, asked.name, asked.arguments or {})
        if not wrong:
            return await call_next(ctx)
        calls.refused(
            asked.name if asked.name in tools else "unknown", _who(ctx), waiting.ready.name if waiting.ready else ""
        )
        text = clean(f"Error executing tool {asked.name}: {wrong}")
        return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)

    return check


def _wrong(tools: Mapping[str, Tool], name: str, arguments: dict[str, Any]) -> str:
    tool = tools.get(name)
    if tool is None:
        return f"there is no such tool. Tools: {', '.join(tools)}."
    known = tuple(tool.parameters["properties"])
    unknown = [argument for argument in arguments if argument not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        names = ", ".join(repr(clean(argument, 80)) for argument in unknown[:10])
        return f"unknown argument {names}. Arguments of {name}: {', '.join(known) or 'none'}.{meant}"
    try:
        tool.fn_metadata.validate_arguments(arguments)
    except ValidationError as error:
        return "; ".join(_fault(one) for one in error.errors(include_url=False, include_context=False)[:8])
    return ""


def _fault(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"])
    given = "" if error["type"] == "missing" else f" (given {clean(repr(error['input']), 120)})"
    return f"argument {place}: {error['msg']}{given}"
