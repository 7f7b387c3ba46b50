"""A log query in Loki's language: what its server can sift is not sent here. Pure."""

import json
from collections.abc import Sequence

from opsai_subjects.model import LogQuery
from opsai_subjects.sources.expressions import any_of

_LEVEL_WORDS = {
    "FATAL": ("fatal", "panic", "crit"),
    "ERROR": ("err",),
    "WARN": ("warn",),
    "INFO": ("info",),
    "DEBUG": ("debug", "debg"),
    "TRACE": ("trace", "trce"),
}
"""Words of which one stands in any line of the level, whatever the format."""


def logql(selector: str, label: str, values: Sequence[str], query: LogQuery) -> str:
    """Return the selector, narrowed to these values of the label, with every condition that Loki can judge by the line."""
    return selected(selector, label, values) + "".join(_filters(query))


def selected(selector: str, label: str, values: Sequence[str]) -> str:
    """Return the selector narrowed to these values of the label; none: to any, so that each stream has one."""
    inside = selector[1:-1].strip().rstrip(",")
    return f"{{{inside}, {label}=~{_quoted(any_of(tuple(values)) or '.+')}}}"


def sifted_here(query: LogQuery) -> bool:
    """Say whether the level must be judged here: Loki knows the words of a line, not its grammar."""
    return bool(query.levels)


def by_line(query: LogQuery) -> bool:
    """Say whether Loki sends single lines: with a condition it leaves out the lines that continue an entry."""
    return bool(query.contains or query.regex or query.levels)


def _filters(query: LogQuery) -> list[str]:
    found: list[str] = []
    if len(query.contains) == 1:
        found.append(f" |= {_quoted(query.contains[0])}")
    elif query.contains:
        found.append(f" |~ {_quoted(any_of(query.contains))}")
    if query.regex:
        found.append(f" |~ {_quoted(query.regex)}")
    words = [_LEVEL_WORDS.get(level.upper()) for level in query.levels]
    if words and None not in words:
        found.append(f" |~ {_quoted('(?i)' + '|'.join(word for group in words for word in group or ()))}")
    return found


def _quoted(text: str) -> str:
    """Return a string literal of Go: JSON's escapes are all among its own."""
    return json.dumps(text.encode(errors="replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
