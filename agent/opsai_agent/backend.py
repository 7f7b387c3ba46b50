"""The seam between the loop and what reasons: tools as they are offered, calls, replies, turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import JsonValue

SUBMIT = "submit_diagnosis"

JsonObject = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as the server offers it."""

    name: str
    description: str
    schema: JsonObject
    """JSON Schema of its arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a backend asks for."""

    id: str
    """The backend's own handle; the reply carries it back."""
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolReply:
    """What came back for one call."""

    call: ToolCall
    text: str
    """As a model reads it: compact JSON where the tool answers structured."""
    value: JsonObject = field(default_factory=dict[str, JsonValue])
    """The structured content; empty for an error."""
    is_error: bool = False
    seconds: float = 0.0
    repeated: bool = False
    """True when the same call was answered before and was not run again."""

    @property
    def evidence_id(self) -> str | None:
        """The id under which the server keeps the full reply."""
        found = self.value.get("evidence_id")
        return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one turn of a model took."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    usd: float | None = 0.0
    """None: the model's price is not known."""


Stop = Literal["calls", "ended", "cut", "paused", "declined", "full"]
"""Why a turn ended: it asks for tools; it ended without any; its output limit cut it; the service paused it and wants it
continued; the model declined; the context window is full."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of a backend."""

    stop: Stop
    calls: tuple[ToolCall, ...] = ()
    text: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be investigated, and with what."""

    ticket: str | None
    """None: is anything wrong, or was it?"""
    tools: tuple[Tool, ...]
    instructions: str
    """The server's own words on the cluster and how to use its tools."""


@dataclass(frozen=True, slots=True)
class News:
    """What the loop tells a backend before its next turn."""

    replies: tuple[ToolReply, ...] = ()
    """One for each call of the turn before, in its order."""
    note: str = ""
    """A sentence from the loop: why a submission is wanted now, what went wrong with the last turn."""
    must_submit: bool = False
    """True: only a submission is of use now."""
    room_left: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is left of the budget, in words."""


class Backend(Protocol):
    """What reasons. Holds its own conversation; knows nothing of sessions, budgets or files."""

    name: str
    """Who investigates, as it stands on the diagnosis: `claude-opus-5-5`, `rules (no model)`."""

    def begin(self, assignment: Assignment) -> None:
        """Start a new investigation; what was before is forgotten."""
        ...

    async def turn(self, news: News) -> Turn:
        """Take in what is new and say what to do next. Raises ModelUnavailable."""
        ...


def by_id(replies: Sequence[ToolReply]) -> dict[str, ToolReply]:
    """Return the replies by the id of their call."""
    return {reply.call.id: reply for reply in replies}
