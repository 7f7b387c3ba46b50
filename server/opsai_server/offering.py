"""The server as the protocol sees it: beside its tools it has opsai's resources, prompts and completions.

They are answered here and not registered one by one, because what there is changes with the tickets, and because each read
is accounted for and refused in words as a tool call is. What else is registered with the SDK is served as it stands.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import (
    Annotations,
    Completion,
    CompletionArgument,
    CompletionContext,
    EmbeddedResource,
    GetPromptResult,
    InputRequiredResult,
    PromptMessage,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)
from mcp.types import Prompt as ListedPrompt
from mcp.types import PromptArgument as ListedArgument
from mcp.types import Resource as ListedResource
from mcp.types import ResourceTemplate as ListedTemplate
from pydantic import AnyUrl

from opsai_server.calls import Calls, Who
from opsai_server.completing import Offered, offer
from opsai_server.prompts.cards import prompts
from opsai_server.prompts.prompt import Written, checked
from opsai_server.resources.knowledge import kinds_of
from opsai_server.resources.reading import SCHEME, Reading
from opsai_server.resources.shelves import Listed, Shelf, listed, shelf_of, shelves
from opsai_server.tools.desks import Desks
from opsai_server.tools.failing import told_protocol
from opsai_server.tools.making import who_calls
from opsai_server.tools.shaping import moment
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import clean

TOLD_CHARS = 500
"""Of a caller's own words, repeated to it."""
UNKNOWN = "unknown"
"""What accounts call a resource or a prompt that there is not."""


class Offering(MCPServer[Any]):
    """An MCP server over some clusters."""

    def __init__(self, name: str, *, desks: Desks, calls: Calls, **given: Any) -> None:
        super().__init__(name, **given)
        self._desks = desks
        self._calls = calls
        self._shelves = shelves(kinds_of(desks))
        self._prompts = {prompt.name: prompt for prompt in prompts(desks)}
        self.completion()(self._complete)  # type: ignore[no-untyped-call]  # untyped there

    async def list_resources(self) -> list[ListedResource]:
        """List opsai's resources, the open incidents among them, and those that are registered."""
        return [*(_listed(one) for one in await listed(self._desks)), *await super().list_resources()]

    async def list_resource_templates(self) -> list[ListedTemplate]:
        """List opsai's templates and those that are registered."""
        own = [_template(shelf) for shelf in self._shelves if shelf.is_template]
        return [*own, *await super().list_resource_templates()]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read `opsai://…`, or what is registered. Raises MCPError with what is known and what to try."""
        asked = str(uri)
        if not asked.startswith(SCHEME):
            return await super().read_resource(uri, context)
        with told_protocol("resource", {"uri": clean(asked, TOLD_CHARS)}):
            reading = await self._read(asked, _who(context))
        return [ReadResourceContents(content=reading.text, mime_type=reading.mime)]

    async def _read(self, uri: str, who: Who) -> Reading:
        try:
            shelf, given = shelf_of(self._shelves, uri)
        except UnknownName:
            self._calls.refused(UNKNOWN, who, "", "resource")
            raise
        with self._calls.call(shelf.sort, who, "resource") as made:
            reading = await shelf.read(self._desks, **given)
            made.cluster, made.chars = reading.cluster, len(reading.text)
            return reading

    async def list_prompts(self) -> list[ListedPrompt]:
        """List opsai's prompts and those that are registered."""
        own = [
            ListedPrompt(
                name=prompt.name,
                title=prompt.title,
                description=prompt.about,
                arguments=[
                    ListedArgument(name=one.name, description=one.says, required=one.required)
                    for one in prompt.arguments
                ],
            )
            for prompt in self._prompts.values()
        ]
        return [*own, *await super().list_prompts()]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Fill in a prompt. Raises MCPError with what is known and what to try."""
        registered = {prompt.name for prompt in await super().list_prompts()}
        if name in registered:
            return await super().get_prompt(name, arguments, context)
        with told_protocol("prompt", {"prompt": clean(name, TOLD_CHARS)}):
            written = await self._write(name, arguments or {}, _who(context))
        return GetPromptResult(description=self._prompts[name].about, messages=_messages(written))

    async def _write(self, name: str, arguments: Mapping[str, str], who: Who) -> Written:
        prompt = self._prompts.get(name)
        if prompt is None:
            self._calls.refused(UNKNOWN, who, "", "prompt")
            raise UnknownName("prompt", name, tuple(self._prompts))
        with self._calls.call(name, who, "prompt") as made:
            written = await prompt.write(self._desks, checked(prompt, arguments))
            made.cluster = written.cluster
            made.chars = len(written.text) + sum(len(one.text) for one in written.attached)
            return written

    async def _complete(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        given = (context.arguments if context is not None else None) or {}
        with told_protocol("completion", {"argument": clean(argument.name, TOLD_CHARS)}):
            found = await offer(self._desks, self._sort(ref, argument.name), argument.value, given)
        return _completion(found)

    def _sort(self, ref: PromptReference | ResourceTemplateReference, argument: str) -> str:
        """Return what an argument is completed with; empty where nothing is known of it."""
        if isinstance(ref, PromptReference):
            prompt = self._prompts.get(ref.name)
            return next((one.completes for one in prompt.arguments if one.name == argument), "") if prompt else ""
        if argument == "cluster":
            return argument
        shelf = next((shelf for shelf in self._shelves if shelf.uri == ref.uri), None)
        return shelf.sort if shelf is not None and argument in ("id", "ticket") else ""


def _who(context: Context[Any, Any] | None) -> Who:
    return Who() if context is None else who_calls(context.request_context)


def _listed(one: Listed) -> ListedResource:
    changed = None if one.changed_at is None else Annotations(last_modified=moment(one.changed_at))
    return ListedResource(
        uri=one.uri, name=one.name, title=one.title, description=one.about, mime_type=one.mime, annotations=changed
    )


def _template(shelf: Shelf) -> ListedTemplate:
    return ListedTemplate(
        uri_template=shelf.uri, name=shelf.sort, title=shelf.title, description=shelf.about, mime_type=shelf.mime
    )


def _messages(written: Written) -> list[PromptMessage]:
    """Return the task, and after it, apart, what is attached."""
    attached = [
        EmbeddedResource(type="resource", resource=TextResourceContents(uri=one.uri, mime_type=one.mime, text=one.text))
        for one in written.attached
    ]
    content: list[TextContent | EmbeddedResource] = [TextContent(type="text", text=written.text), *attached]
    return [PromptMessage(role="user", content=one) for one in content]


def _completion(found: Offered) -> Completion:
    return Completion(values=list(found.values), total=found.total, has_more=found.total > len(found.values))
