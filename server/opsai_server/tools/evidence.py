"""The tool `evidence`: a stored reply in full, or a part of it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from opsai_server.tools.desk import Desk
from opsai_server.tools.shaping import compact, left_out
from opsai_subjects.errors import ArgumentInvalid, UnknownName
from opsai_subjects.reply import Answer, Whole

PAGE_CHARS = 20_000
ESCAPED_CHARS = 30_000
PART_CHARS = 2_000
"""An element larger than this is described and not shown, unless it is asked for by its path."""


async def evidence(
    desk: Desk,
    id: Annotated[str, Field(description="Of a reply or ticket: 'E-12'.")],  # noqa: A002 (the argument's name in the protocol)
    path: Annotated[str, Field(description="JSON Pointer: '/verdicts/{invariant}/{entity}'; empty: the whole.")] = "",
    offset: Annotated[int, Field(description="Elements (or characters of a text) to skip.", ge=0)] = 0,
) -> Answer:
    """Read a stored reply in full, or its part at a JSON Pointer: what claims of submit_diagnosis are checked against.

    Use it to see what a reply left out, a claim's path, or what the watcher kept with a ticket; it asks the cluster nothing. Returns
    pages of 20,000 characters; what is too large is described with its path.
    """
    found = await desk.evidence(id)
    part = resolve(found.value, path)
    shown: dict[str, object] = {
        "tool": found.tool,
        "arguments": found.arguments,
        "ticket": found.ticket,
        "path": path,
    }
    value, note = page(part, path, offset)
    if note:
        shown["page"] = note
    return Answer(at=found.at, value={}, shown={**shown, "value": Whole(value)}, evidence_id=found.id, stored=False)


def resolve(value: JsonValue, path: str) -> JsonValue:
    """Return what stands at the JSON Pointer (RFC 6901). Raises ArgumentInvalid or UnknownName with what stands there instead."""
    if path and not path.startswith("/"):
        raise ArgumentInvalid("path", path, "a JSON Pointer begins with /", "'' for the whole, or '/verdicts'")
    walked = ""
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = _child(value, name, walked)
        walked = f"{walked}/{step}"
    return value


def _child(value: JsonValue, name: str, walked: str) -> JsonValue:
    if isinstance(value, dict):
        if name not in value:
            raise UnknownName(f"key at {walked or 'the top'}:", name, tuple(value))
        return value[name]
    if isinstance(value, list):
        if not name.isdecimal() or int(name) >= len(value):
            raise UnknownName(f"element at {walked or 'the top'}:", name, (f"0 to {len(value) - 1}",) if value else ())
        return value[int(name)]
    raise ArgumentInvalid("path", f"{walked}/{name}", f"a plain value stands at {walked}", f"path={walked!r}")


def page(part: JsonValue, path: str, offset: int, whole_chars: int = PAGE_CHARS) -> tuple[JsonValue, str]:
    """Return as much of the part as fits a page, and what to ask for next (empty when nothing is left out).

    A part that is not longer than `whole_chars` stays in one piece.
    """
    if isinstance(part, str):
        shown = part[offset : offset + PAGE_CHARS]
        while len(compact(shown)) > ESCAPED_CHARS:  # a text of quotes is twice as long in JSON
            shown = shown[: len(shown) // 2]
        return shown, _further(offset, len(shown), len(part), "characters")
    if offset == 0 and len(compact(part)) <= whole_chars:
        return part, ""
    if isinstance(part, dict):
        names = list(part)
        fitting = _fitting([(name, part[name]) for name in names[offset:]], path)
        return dict(fitting), _further(offset, len(fitting), len(part), "elements")
    if isinstance(part, list):
        listed = _fitting([(str(offset + n), item) for n, item in enumerate(part[offset:])], path)
        return [item for _, item in listed], _further(offset, len(listed), len(part), "elements")
    return part, ""


def _fitting(elements: list[tuple[str, JsonValue]], path: str) -> list[tuple[str, JsonValue]]:
    kept: list[tuple[str, JsonValue]] = []
    chars = 0
    for name, element in elements:
        text = compact(element)
        shown = element if len(text) <= PART_CHARS else _described(element, len(text), path, name)
        chars += len(name) + len(compact(shown))
        if kept and chars > PAGE_CHARS:
            break
        kept.append((name, shown))
    return kept


def _described(element: JsonValue, chars: int, path: str, name: str) -> JsonValue:
    step = name.replace("~", "~0").replace("/", "~1")
    about: dict[str, JsonValue] = {"left_out_chars": chars, "path": f"{path}/{step}"}
    if isinstance(element, Mapping):
        about["keys"] = list[JsonValue](list(element)[:30])
    if isinstance(element, dict | list):
        about["elements"] = len(element)
    return about


def _further(offset: int, shown: int, total: int, what: str) -> str:
    if offset == 0 and shown == total:
        return ""
    after = offset + shown
    more = f"go on with offset={after}" if after < total else "the end"
    return left_out(shown, total, f"{what} {offset} to {after}; {more}")
