"""Argument schemas as models read them: what pydantic adds without saying anything is left out."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from opsai_subjects.subject import SubjectKind

Schema = dict[str, JsonValue]

_REF = "#/$defs/"
_MARK = re.compile(r"\{[a-z]+\}")
_NAMED = ("properties", "$defs")
"""Places whose keys are names and not schema words."""

_SILENT = (
    "title",
    "minLength",
    "maxLength",
    "maxItems",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "additionalProperties",
)


def slim(schema: Mapping[str, JsonValue]) -> Schema:
    """Return the schema without what goes without saying, closed to unknown arguments.

    Left out are titles, empty defaults, how small and large numbers, texts and lists may be, and that an optional argument may be null beside being
    left out; what is refused stays refused. A shape that is used once stands where it is used: only what is shared is a definition.
    """
    return {**_in_place(_object(schema)), "additionalProperties": False}


def exemplified(schema: Schema, kind: SubjectKind) -> Schema:
    """Return the schema with the kind's own examples where descriptions say `{entity}`, `{fault}`, `{metric}` and the like."""
    marks = {f"{{{name}}}": _text(value) for name, value in kind.examples}
    on_topic = [signal.name for signal in kind.signals if signal.topic == kind.examples.topic]
    marks["{metric}"] = (on_topic or [signal.name for signal in kind.signals] or ["up"])[0]
    filled = _filled(schema, marks)
    return filled if isinstance(filled, dict) else schema


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(f"'{one}'" for one in value)


def _filled(part: JsonValue, marks: Mapping[str, str]) -> JsonValue:
    if isinstance(part, list):
        return [_filled(item, marks) for item in part]
    if not isinstance(part, dict):
        return part
    filled = {word: _filled(inner, marks) for word, inner in part.items()}
    described = part.get("description")
    if isinstance(described, str):
        filled["description"] = _MARK.sub(lambda found: marks.get(found[0], found[0]), described)
    return filled


def _object(schema: Mapping[str, JsonValue]) -> Schema:
    slimmed: Schema = {}
    for word, part in schema.items():
        if word in _NAMED and isinstance(part, dict):
            slimmed[word] = {name: _any(inner) for name, inner in part.items()}
        elif word in _SILENT or (word == "default" and part in (None, "", [], False)):
            continue
        elif word == "anyOf" and isinstance(part, list):
            slimmed |= _choice([_any(inner) for inner in part if inner != {"type": "null"}])
        else:
            slimmed[word] = _any(part)
    return slimmed


def _choice(choices: list[JsonValue]) -> Schema:
    if {"type": "number"} in choices:
        choices = [choice for choice in choices if choice != {"type": "integer"}]
    if len(choices) == 1 and isinstance(choices[0], dict):
        return choices[0]
    return {"anyOf": choices}


def _in_place(schema: Schema) -> Schema:
    """Put each shape that is named once where it is named; a list that is described needs no description of its items."""
    shapes = schema.get("$defs")
    if not isinstance(shapes, dict):
        return schema
    named = Counter(_names(schema))
    once = {name: shape for name, shape in shapes.items() if named[name] == 1}
    shared = {name: _placed(shape, once) for name, shape in shapes.items() if name not in once}
    placed = {word: _placed(part, once) for word, part in schema.items() if word != "$defs"}
    return {"$defs": shared, **placed} if shared else placed


def _names(part: JsonValue) -> Iterable[str]:
    """Yield the shape that each reference names."""
    if isinstance(part, dict):
        named = part.get("$ref")
        if isinstance(named, str):
            yield named.removeprefix(_REF)
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from _names(inner)


def _placed(part: JsonValue, once: Schema) -> JsonValue:
    if isinstance(part, list):
        return [_placed(inner, once) for inner in part]
    if not isinstance(part, dict):
        return part
    named = str(part.get("$ref", "")).removeprefix(_REF)
    if named in once:
        return _placed(once[named], once)
    placed = {word: _placed(inner, once) for word, inner in part.items()}
    items = placed.get("items")
    if "description" in placed and isinstance(items, dict):
        placed["items"] = {word: inner for word, inner in items.items() if word != "description"}
    return placed


def _any(part: JsonValue) -> JsonValue:
    if isinstance(part, dict):
        return _object(part)
    if isinstance(part, list):
        return [_any(item) for item in part]
    return part
