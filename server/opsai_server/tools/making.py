"""How a function becomes a tool of the protocol: its arguments as a schema, its answer as a stored and bounded reply."""

import functools
import inspect
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent, ToolAnnotations
from pydantic import Field, JsonValue
from starlette.requests import Request

from opsai_server.calls import Calls, Who
from opsai_server.tools.clusters import clusters
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.tools.failing import told
from opsai_server.tools.reporting import reporting
from opsai_server.tools.schemas import exemplified, slim
from opsai_server.tools.shaping import compact, moment, plain, render
from opsai_subjects.errors import StoreError
from opsai_subjects.model import clean
from opsai_subjects.reply import Answer
from opsai_subjects.subject import Visit

log = logging.getLogger(__name__)

Ask = Callable[..., Awaitable[Answer]]
GIVEN = ("desk", "visit", "by")
"""Parameters of a tool that the server fills and no caller sees."""
CLUSTER = "cluster"
"""The argument that every tool of a server of several clusters has beside its own."""
LISTED_CHARS = 120
"""Names of clusters that are together longer are not written into every definition."""
UNNAMED = "an unnamed client"


def make_tool(ask: Ask, annotations: ToolAnnotations, names: tuple[str, ...], desks: Desks, calls: Calls) -> Tool:
    """Return the tool that asks at the desk of one of these clusters, all of `desks` or those of one adapter."""
    name = ask.__name__
    signature = inspect.signature(ask)
    wants_by = "by" in signature.parameters
    is_probe = "visit" in signature.parameters
    lists = ask.__name__ == "overview" and len(desks.names) > 1

    @functools.wraps(ask)
    async def call(ctx: Context[Any], **arguments: object) -> CallToolResult:
        who = who_calls(ctx.request_context)
        cluster = str(arguments.pop(CLUSTER, None) or "") or (names[0] if len(desks.names) == 1 else "")
        with told(name) as failing, calls.call(name, who) as made:
            async with reporting(ctx):
                if lists and not cluster:
                    result = await _listed(desks)
                else:
                    desk = await desks.desk(cluster)
                    failing.cluster = made.cluster = desk.name
                    place = Visit(desk.subject, desk.facts) if is_probe else desk
                    answer = await ask(place, **({"by": who.client or UNNAMED} if wants_by else {}), **arguments)
                    result = await _reply(desk, name, arguments, answer)
            made.chars = sum(len(part.text) for part in result.content if isinstance(part, TextContent))
        return result

    own = (parameter for parameter in signature.parameters.values() if parameter.name not in GIVEN)
    asked = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    if len(desks.names) > 1:
        asked.insert(0, _which(names, required=not lists))
        call.__annotations__ = {**call.__annotations__, CLUSTER: asked[0].annotation}
    call.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined]  # what inspect.signature looks for
    tool = Tool.from_function(
        call,
        name=name,
        description=_prompt(ask),
        annotations=annotations,
        context_kwarg="ctx",
        structured_output=False,
    )
    tool.parameters = exemplified(slim(tool.parameters), desks.kinds[names[0]])
    return tool


def _which(names: tuple[str, ...], *, required: bool) -> inspect.Parameter:
    if sum(map(len, names)) <= LISTED_CHARS:
        says = "Which cluster." if required else "Which cluster; without it they are listed."
        kind: Any = Literal[names]  # known at run time only
    else:
        says, kind = "The name of a cluster, as overview without it lists them.", str
    wanted: Any = kind if required else kind | None
    annotation: Any = Annotated[wanted, Field(description=says)]
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(CLUSTER, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _prompt(ask: Ask) -> str:
    """Return the docstring with its lines joined: line breaks inside a paragraph mean nothing to a model."""
    paragraphs = inspect.cleandoc(ask.__doc__ or "").split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def who_calls(ctx: ServerRequestContext[Any, Any]) -> Who:
    """Return who sent a request, as far as the transport tells."""
    known = ctx.session.client_params
    client = clean(known.client_info.name, 100) if known is not None else ""
    request = ctx.request
    if not isinstance(request, Request):  # stdio has none
        return Who(client)
    return Who(client, request.headers.get("mcp-session-id", ""), request.client.host if request.client else "")


async def _listed(desks: Desks) -> CallToolResult:
    return _result(render({"clusters": list(desks.names)}, await clusters(desks)))


async def _reply(desk: Desk, tool: str, arguments: Mapping[str, object], answer: Answer) -> CallToolResult:
    """Store the full value, then show what is to be shown of it."""
    head: dict[str, JsonValue] = {
        "cluster": clean(desk.name, 200),
        "at": moment(answer.at),
        "evidence_id": answer.evidence_id,
    }
    if answer.stored:
        given = {name: plain(value) for name, value in arguments.items() if value not in (None, "", (), False)}
        # In a thread: of hundreds of nodes it is a second's work.
        value = await anyio.to_thread.run_sync(plain, answer.value)
        try:
            head["evidence_id"] = await desk.store.put_evidence(
                cluster=desk.name, tool=tool, arguments=given, at=answer.at, value=value, ticket=answer.ticket
            )
        except StoreError as error:  # on a full disk an answer is worth more than its receipt
            log.warning("evidence_not_stored tool=%s why=%s", tool, error)
            head["not_stored"] = f"No claim can cite this reply, for it could not be stored: {clean(str(error), 500)}"
    return _result(render(head, answer.shown), answer.images)


def _result(reply: Mapping[str, JsonValue], images: Sequence[bytes] = ()) -> CallToolResult:
    content: list[ContentBlock] = [TextContent(type="text", text=compact(dict(reply)))]
    content += [ImageContent(type="image", data=b64encode(one).decode(), mime_type="image/png") for one in images]
    return CallToolResult(content=content, structured_content=dict(reply))
