"""What it costs to read the right cause: calls and characters until it stands in a reply. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.naming import NamedCause, entities_match, kinds_match, vocabulary
from opsai_lab.truth import Truth
from opsai_subjects.model import Value

FIRST_READS: tuple[str, ...] = ("overview", "differential")
"""What anybody reads first; the next read is the one that the last reply names."""


class Cost(Value):
    """After how many calls and characters the right entity and kind first stood in a reply."""

    calls: int
    chars: int


@dataclass(frozen=True, slots=True)
class Replied:
    """One reply as a model reads it."""

    reply: Mapping[str, JsonValue]
    chars: int


def cost(truth: Truth, replies: Sequence[Replied], aliases: Aliases) -> Cost | None:
    """Return what was read until the right causes stood there, each with its entity and no other; None: they never did."""
    chars = 0
    for calls, one in enumerate(replies, 1):
        chars += one.chars
        named = named_in(one.reply)
        if kinds_match(truth.causes, named) and entities_match(truth.causes, named, aliases):
            return Cost(calls=calls, chars=chars)
    return None


def named_in(reply: Mapping[str, JsonValue]) -> tuple[NamedCause, ...]:
    """Return the causes that a reply names under `causes`; what is only possible is not named."""
    causes = reply.get("causes")
    return tuple(_named(causes)) if isinstance(causes, list) else ()


def _named(causes: Iterable[JsonValue]) -> Iterable[NamedCause]:
    for cause in causes:
        if isinstance(cause, dict) and cause.get("standing") != "possible":
            yield NamedCause(kind=vocabulary(str(cause.get("kind"))), entity=str(cause.get("entity")))


def next_read(reply: Mapping[str, JsonValue]) -> str | None:
    """Return the read that a reply names as the one that would tell its first causes apart, as `opsai-agent ask` takes it."""
    named = reply.get("next_read")
    return named if isinstance(named, str) and named else None
