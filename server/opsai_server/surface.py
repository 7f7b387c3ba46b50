"""What each tool's definition and each reply owes whoever calls: told in sentences, so that tests and adapters' authors hold the same."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from opsai_server.tools.shaping import EXACT_INTEGER, HARD_CHARS, compact
from opsai_subjects.model import clean

WRITES = "submit_diagnosis"
"""The one tool that writes, and to our own store only."""
OBSERVES_NOTHING = "knowledge"
"""Its replies are no evidence."""
HINTS = ("readOnlyHint", "destructiveHint", "openWorldHint")
DESCRIPTION_CHARS = (100, 4_000)
"""Claude Code shows some 4,096 characters of a description (measured on 2.1.330)."""
_MARK = re.compile(r"\{[a-z]+\}")
_EVIDENCE = re.compile(r"E-[1-9]\d*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_CUT = re.compile(r"(\d+) of (\d+); \S.*")


def of_definition(definition: Mapping[str, Any], tools: Collection[str]) -> list[str]:
    """Say what a definition as `tools/list` gives it lacks; `tools` are all there are."""
    name, text, schema = definition["name"], str(definition.get("description", "")), definition["inputSchema"]
    return [
        f"{name}: {says}"
        for says in (*_hints(name, definition.get("annotations", {})), *_says(name, text, tools), *_arguments(schema))
    ]


def _hints(name: str, hints: Mapping[str, Any]) -> Iterable[str]:
    unsaid = [hint for hint in HINTS if not isinstance(hints.get(hint), bool)]
    if unsaid:
        yield f"its annotations do not say {', '.join(unsaid)}"
    if hints.get("readOnlyHint") is not (name != WRITES):
        yield f"readOnlyHint must be {name != WRITES}"
    if hints.get("destructiveHint") or hints.get("openWorldHint"):
        yield "no tool destroys anything or reaches what it was not started for"


def _says(name: str, text: str, tools: Collection[str]) -> Iterable[str]:
    least, most = DESCRIPTION_CHARS
    if not least <= len(text) <= most:
        yield f"its description has {len(text):,} characters, not {least:,} to {most:,}"
    if "Returns " not in text:
        yield "its description does not say what it returns (only that reaches the model, no output schema)"
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", text))
    if not named & (set(tools) - {name}):
        yield "its description names no other tool, to use where this one is not meant"


def _arguments(schema: Mapping[str, Any]) -> Iterable[str]:
    if schema.get("additionalProperties") is not False:
        yield "its schema is not closed to unknown arguments"
    shapes = schema.get("$defs", {})
    for argument, part in schema.get("properties", {}).items():
        shape = shapes.get(str(part.get("$ref", "")).rpartition("/")[2], {})
        says = str(part.get("description", "") or shape.get("description", ""))
        if not says:
            yield f"argument {argument} is not described"
        if found := _MARK.search(says):
            yield f"argument {argument} shows {found[0]} unfilled"


def of_reply(tool: str, cluster: str, reply: dict[str, JsonValue] | None, text: str) -> list[str]:
    """Say what a reply that is no error lacks: its structured content and the text beside it."""
    if reply is None:
        return [f"{tool} answers nothing structured"]
    said = [*_head(tool, cluster, reply), *_cuts(reply), *_values(reply, "")]
    if text != compact(reply):  # Claude Code drops the text beside a structured reply
        said.append("its text is not its structured reply as compact JSON")
    if len(compact(reply)) > HARD_CHARS:
        said.append(f"it has {len(compact(reply)):,} characters, over {HARD_CHARS:,}")
    return [f"{tool}: {one}" for one in said]


def of_refusal(tool: str, known: Iterable[str], unknown: str, text: str) -> list[str]:
    """Say what the refusal of an unknown argument lacks; `known` are the tool's arguments."""
    asked = f"unknown argument {unknown!r}. Arguments of {tool}: {', '.join(known) or 'none'}."
    return [] if asked in text else [f"{tool}: the refusal of {unknown!r} says not {asked!r} but {text!r}"]


def _head(tool: str, cluster: str, reply: Mapping[str, JsonValue]) -> Iterable[str]:
    if reply.get("cluster") != cluster:
        yield f"it names the cluster {reply.get('cluster')!r}, not {cluster!r}"
    if not _UTC.fullmatch(str(reply.get("at"))):
        yield f"it does not say when it is true: at={reply.get('at')!r}"
    ident = reply.get("evidence_id")
    if not (_EVIDENCE.fullmatch(str(ident)) or (ident is None and tool == OBSERVES_NOTHING)):
        yield f"it cannot be cited: evidence_id={ident!r}"


def _cuts(reply: dict[str, JsonValue]) -> Iterable[str]:
    """Check that each list said to be a part is that long, of more, and that how to see the others is said."""
    shown = reply.get("shown", {})
    if not isinstance(shown, dict):
        yield "it shows nothing of what was found"
        return
    for place, note in shown.items():
        found = _CUT.fullmatch(str(note))
        rows = _at(reply, place)
        if found is None:
            yield f"shown[{place!r}] is no 'n of m; how to narrow' but {note!r}"
        elif not isinstance(rows, list) or len(rows) != int(found[1]) or int(found[1]) >= int(found[2]):
            yield f"shown[{place!r}] says {note!r} of what is not such a part"


def _at(value: JsonValue, place: str) -> JsonValue:
    """Return what stands at a place written with dots; names on the way may hold dots too."""
    if not place:
        return value
    if not isinstance(value, dict):
        return None
    fitting = [name for name in value if place == name or place.startswith(f"{name}.")]
    longest = max(fitting, key=len, default=None)
    return None if longest is None else _at(value[longest], place[len(longest) + 1 :])


def _values(value: JsonValue, place: str) -> Iterable[str]:
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in inner:
            yield from _values(part, f"{place}/{name}")
    elif isinstance(value, str):
        if _TIME.fullmatch(value) and not _UTC.fullmatch(value):
            yield f"{place} is a time that is not told in UTC: {value!r}"
        if clean(value, len(value) + 1) != value.replace("\n", " ").replace("\t", " "):
            yield f"{place} holds control or direction characters"
    elif isinstance(value, int) and abs(value) > EXACT_INTEGER:
        yield f"{place} is an integer above 2^53, which not every reader can hold: {value}"
