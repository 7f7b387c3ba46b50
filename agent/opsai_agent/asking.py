"""Asking the server's tools by hand: what a model would read, without a model."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter, ValidationError

from opsai_agent.backend import SUBMIT, JsonObject
from opsai_agent.errors import AgentError
from opsai_agent.loop import Server
from opsai_agent.session import CallResult

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


@dataclass(frozen=True, slots=True)
class Question:
    """One call of one tool."""

    tool: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Read:
    """What the server replied to it."""

    question: Question
    reply: CallResult

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as `opsai-agent ask --json` prints it; `chars` is what a model would read."""
        return {
            "tool": self.question.tool,
            "arguments": self.question.arguments,
            "is_error": self.reply.is_error,
            "chars": len(self.reply.text),
            "reply": self.reply.structured if self.reply.structured is not None else self.reply.text,
        }


def question(text: str) -> Question:
    """Read `query_metrics name=fsync_p99 minutes=5`: a tool, then its arguments. Raises AgentError.

    A value that is JSON is taken as such (`5`, `true`, `["tikv1"]`), any other is a text.
    """
    try:
        tool, *given = shlex.split(text)
    except ValueError as error:
        said = "it is empty" if not text.strip() else str(error)
        raise AgentError(f"{text!r} is not a question ({said}). Give a tool and its arguments: {_EXAMPLE}.") from None
    arguments: JsonObject = {}
    for part in given:
        name, found, value = part.partition("=")
        if not found or not name:
            raise AgentError(f"{part!r} in {text!r} is not NAME=VALUE. Give a tool and its arguments: {_EXAMPLE}.")
        arguments[name] = _value(value)
    if tool == SUBMIT:
        raise AgentError(f"{SUBMIT} is no question: it writes. A diagnosis is handed in by an investigation.")
    return Question(tool, arguments)


_EXAMPLE = "'query_metrics name=fsync_p99 minutes=5'"


async def ask(session: Server, questions: Sequence[Question]) -> tuple[Read, ...]:
    """Ask one question after another."""
    return tuple([Read(one, await session.call(one.tool, one.arguments)) for one in questions])


def _value(text: str) -> JsonValue:
    try:
        return _JSON.validate_json(text)
    except ValidationError:
        return text
