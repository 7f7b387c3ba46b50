"""Asking the server's tools by hand: what a model would read, without a model."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from opsai_agent.backend import SUBMIT, JsonObject
from opsai_agent.errors import AgentError
from opsai_agent.loop import Server
from opsai_agent.session import CallResult


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

    A value that is JSON is taken as such (`5`, `true`, `["node1"]`), any other is a text; one with spaces stands in quotes.
    """
    tool, _, rest = text.strip().partition(" ")
    if not tool:
        raise AgentError(f"{text!r} is not a question: it is empty. Give a tool and its arguments: {_EXAMPLE}.")
    if tool == SUBMIT:
        raise AgentError(f"{SUBMIT} is no question: it writes. A diagnosis is handed in by an investigation.")
    arguments: JsonObject = {}
    while rest := rest.strip():
        if whole := _WHOLE.match(rest):
            value, more = _value(whole[2])
            arguments[whole[1]], rest = whole[2] if more else value, rest[whole.end() :]
            continue
        found = _NAME.match(rest)
        if found is None:
            raise AgentError(f"{rest!r} in {text!r} is not NAME=VALUE. Give a tool and its arguments: {_EXAMPLE}.")
        arguments[found[1]], rest = _value(rest[found.end() :])
    return Question(tool, arguments)


_NAME = re.compile(r"(\w+)=")
_WHOLE = re.compile(r"'(\w+)=([^']*)'(?:\s|\Z)")
"""As a shell is given it, and so as the server writes a read: `'nodes=["node1"]'`."""
_QUOTED = re.compile(r"'([^']*)'(?:\s|\Z)")
_EXAMPLE = "'query_metrics name=fsync_p99 minutes=5'"


async def ask(session: Server, questions: Sequence[Question]) -> tuple[Read, ...]:
    """Ask one question after another."""
    return tuple([Read(one, await session.call(one.tool, one.arguments)) for one in questions])


def _value(text: str) -> tuple[JsonValue, str]:
    """Return the value that a text begins with, and what follows it."""
    if quoted := _QUOTED.match(text):
        return quoted[1], text[quoted.end() :]
    word, _, rest = text.partition(" ")
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return word, rest
    return (value, text[end:]) if end == len(text) or text[end].isspace() else (word, rest)
