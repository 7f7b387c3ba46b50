"""Argument schemas as models read them: what pydantic adds without saying anything is left out."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from opsai_subjects.subject import Examples

Schema = dict[str, JsonValue]

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
    left out; what is refused stays refused.
    """
    return {**_object(schema), "additionalProperties": False}


def exemplified(schema: Schema, examples: Examples) -> Schema:
    """Return the schema with the kind's own examples where descriptions say `{entity}`, `{fault}` and the like."""
    filled = _filled(schema, {f"{{{name}}}": _text(value) for name, value in examples})
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


def _any(part: JsonValue) -> JsonValue:
    if isinstance(part, dict):
        return _object(part)
    if isinstance(part, list):
        return [_any(item) for item in part]
    return part
