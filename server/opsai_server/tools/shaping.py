"""The form of replies: plain JSON values, lists that say what they leave out, and a hard cap that never cuts silently."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeGuard

import orjson
from pydantic import BaseModel, JsonValue

from opsai_subjects.model import clean
from opsai_subjects.reply import Own, Rows, Whole

HARD_CHARS = 40_000
"""No reply is longer. Claude Code keeps a result of up to 50,000 characters inline (measured on 2.1.330)."""
STRING_CHARS = 2_000
"""A single text in a reply; the stored value keeps it whole."""
EXACT_INTEGER = 2**53
SIGNIFICANT_DIGITS = 6


def plain(value: object, limit_chars: int | None = None) -> JsonValue:
    """Return the value as JSON that every reader understands.

    Times are ISO in UTC, integers above 2^53 and non-finite floats are strings, other floats have six significant digits,
    foreign text is cleaned and, with a limit, cut with the cut said.
    """
    if isinstance(value, Own):
        return str.__str__(value)
    if isinstance(value, str):
        return clean(value, limit_chars) if limit_chars is not None else clean(value, len(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return moment(value)
    return _container(value, limit_chars)


def _container(value: object, limit_chars: int | None) -> JsonValue:
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name), limit_chars) for name in type(value).model_fields}
    if _is_mapping(value):
        return {clean(str(key)): plain(item, limit_chars) for key, item in value.items()}
    if is_list(value):
        return [plain(item, limit_chars) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a reply")


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether the value is a list or tuple: its items may be anything."""
    return isinstance(value, list | tuple)


def _number(value: float) -> JsonValue:
    if isinstance(value, int):
        return value if abs(value) <= EXACT_INTEGER else str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer():
        return int(value) if abs(value) <= EXACT_INTEGER else str(int(value))
    digits_before_point = math.floor(math.log10(abs(value))) + 1
    decimals = SIGNIFICANT_DIGITS - digits_before_point
    return round(value, decimals) if decimals > 0 else round(value)


def moment(at: datetime) -> str:
    """Return the time as ISO in UTC to the millisecond: `2026-11-23T23:05:53.390Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def compact(value: JsonValue) -> str:
    """Return the value as JSON without spaces."""
    return orjson.dumps(value).decode()


def left_out(shown: int, total: int, narrow: str) -> str:
    """Return the sentence that says what a list leaves out: `12 of 340; narrow with …`."""
    return f"{shown} of {total}; {narrow}"


@dataclass(slots=True)
class _Cut:
    """How many items of each list are shown, by the list's place in the reply."""

    kept: dict[str, int] = field(default_factory=dict[str, int])
    size_chars: dict[str, int] = field(default_factory=dict[str, int])
    notes: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


def render(head: Mapping[str, JsonValue], shown: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the reply: its head, under `shown` what lists leave out, then the parts.

    When it is over the hard cap the longest list is halved, again and again; a reply that stays too long says so and how to
    read the stored value in parts.
    """
    kept: dict[str, int] = {}
    while True:
        cut = _Cut(kept)
        body = {name: _show(name, part, cut) for name, part in shown.items()}
        said: dict[str, JsonValue] = {"shown": cut.notes} if cut.notes else {}
        reply = {**head, **said, **body}
        if len(compact(reply)) <= HARD_CHARS:
            return reply
        longest = max(cut.size_chars, key=lambda place: cut.size_chars[place], default=None)
        if longest is None:
            return {**head, "shown": f"nothing: the reply is over {HARD_CHARS} characters; {_in_parts(head)}"}
        kept = {**cut.kept, longest: cut.kept[longest] // 2}


def _in_parts(head: Mapping[str, JsonValue]) -> str:
    return f"read it in parts with evidence(id={head.get('evidence_id')!r}, path=…)"


def _show(place: str, part: object, cut: _Cut) -> JsonValue:
    if isinstance(part, Rows):
        return _rows(place, part, cut)
    if isinstance(part, Whole):
        return plain(part.value)
    if _is_mapping(part):
        return {clean(str(key)): _show(f"{place}.{key}", item, cut) for key, item in part.items()}
    return plain(part, STRING_CHARS)


def _rows(place: str, part: Rows, cut: _Cut) -> JsonValue:
    count = cut.kept.setdefault(place, len(part.items))
    items: list[JsonValue] = [plain(item, STRING_CHARS) for item in part.items[:count]]
    if items:
        cut.size_chars[place] = len(compact(items))
    if count < part.total:
        cut.notes[place] = left_out(count, part.total, part.narrow)
    return items


def by_count(rows: Sequence[Mapping[str, object]], key: Callable[[Mapping[str, object]], str]) -> dict[str, int]:
    """Count the rows by a key, most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[key(row)] = counts.get(key(row), 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
