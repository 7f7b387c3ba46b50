"""Decisive log messages of TiKV and PD: what each looks like and what it means.

A message is known by its text, never by file, line or level: these differ between versions (many errors of v7 are warnings
in v8.5, elections are INFO throughout).
"""

import re
from collections.abc import Sequence

from opsai_subjects.model import LogLine, ParsedLine
from opsai_tikv.logs.lines import parse_log
from opsai_tikv.logs.pattern import Pattern
from opsai_tikv.logs.patterns_bugs import BUG_PATTERNS
from opsai_tikv.logs.patterns_changes import CHANGE_PATTERNS
from opsai_tikv.logs.patterns_pd import PD_PATTERNS
from opsai_tikv.logs.patterns_tikv import TIKV_PATTERNS

__all__ = ["PATTERNS", "Pattern", "by_id", "classify", "parse_log", "texts"]

PATTERNS: tuple[Pattern, ...] = TIKV_PATTERNS + PD_PATTERNS + BUG_PATTERNS + CHANGE_PATTERNS
"""All of them. `fatal` is known by the line's level alone."""

_COMPILED = {pattern.id: re.compile(pattern.regex) for pattern in PATTERNS if pattern.regex}
_BY_ID = {pattern.id: pattern for pattern in PATTERNS}
_BY_TEXT = tuple((text, pattern) for pattern in PATTERNS for text in pattern.contains)
_ANY_TEXT = re.compile("|".join(re.escape(text) for pattern in PATTERNS for text in pattern.contains))
_ERROR_FIELDS = ("error", "err", "receiver_err", "sink_error")


def by_id(pattern_id: str) -> Pattern | None:
    """Return the pattern of that id."""
    return _BY_ID.get(pattern_id)


def texts(pattern_ids: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the plain texts to search raw lines for, of these patterns or of all."""
    chosen = [_BY_ID[pattern_id] for pattern_id in pattern_ids] if pattern_ids else PATTERNS
    return tuple(dict.fromkeys(text for pattern in chosen for text in pattern.contains))


def classify(line: LogLine | ParsedLine) -> tuple[str, ...]:
    """Return the ids of the patterns a line is of, mostly none or one."""
    message = line.message
    found: tuple[str, ...] = ()
    if _ANY_TEXT.search(message):
        near = dict.fromkeys(pattern.id for text, pattern in _BY_TEXT if text in message)
        found = tuple(name for name in near if _is(_BY_ID[name], message))
    if not found:
        found = _by_fields(line)
    return (*found, "fatal") if line.level == "FATAL" else found


def _is(pattern: Pattern, message: str) -> bool:
    if pattern.unless and any(text in message for text in pattern.unless):
        return False
    compiled = _COMPILED.get(pattern.id)
    return compiled is None or compiled.search(message) is not None


def _by_fields(line: LogLine | ParsedLine) -> tuple[str, ...]:
    """Look for disk trouble in the error that a message carries in a field."""
    for name in _ERROR_FIELDS:
        value = line.fields.get(name, "")
        found = tuple(
            kind for kind in ("no_space", "disk_error") if any(text in value for text in _BY_ID[kind].contains)
        )
        if found:
            return found
    return ()
