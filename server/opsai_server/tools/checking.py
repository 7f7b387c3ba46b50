"""What is refused before a tool is asked: what the SDK lets pass (unknown arguments) or words badly (values that do not fit)."""

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolRequestParams, CallToolResult, TextContent
from mcp.types import Tool as ListedTool
from pydantic import ValidationError

from opsai_server.calls import Calls
from opsai_server.tools.desks import Desks
from opsai_server.tools.making import CLUSTER, who_calls
from opsai_subjects.model import clean


def checked(
    ours: Iterable[Tool], listed: Callable[[], Awaitable[list[ListedTool]]], desks: Desks, calls: Calls
) -> ServerMiddleware[Any]:
    """Return the middleware that refuses calls of unknown tools, with unknown arguments, or with values that do not fit.

    Whatever is `listed` beside ours is the SDK's to check.
    """
    tools = {tool.name: tool for tool in ours}

    async def check(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/call" or ctx.params is None:
            return await call_next(ctx)
        try:
            asked = CallToolRequestParams.model_validate(ctx.params, by_name=False)
        except ValidationError:
            return await call_next(ctx)  # the SDK's to refuse: it is no tool call
        if asked.name not in tools and any(tool.name == asked.name for tool in await listed()):
            return await call_next(ctx)
        arguments = asked.arguments or {}
        wrong = _wrong(tools, asked.name, arguments)
        if not wrong:
            return await call_next(ctx)
        calls.refused(asked.name if asked.name in tools else "unknown", who_calls(ctx), _meant(desks, arguments))
        text = clean(f"Error executing tool {asked.name}: {wrong}")
        return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)

    return check


def _meant(desks: Desks, arguments: Mapping[str, Any]) -> str:
    """Return the cluster that a refused call was about, empty where it does not say."""
    name = arguments.get(CLUSTER, desks.names[0] if len(desks.names) == 1 else "")
    return name if name in desks.names else ""


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
