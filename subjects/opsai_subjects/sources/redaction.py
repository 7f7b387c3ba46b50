"""Row keys and values taken out of log lines: the one place through which every line passes on its way to a reader.

A log names data of the database's users: the key of a lock, the bounds of a region, the value of a write. Search results,
events, evidence and samples in facts are all made of lines that went through here. What is masked: the value of a field or of a
part of a text that is named as a key or a value, hexadecimal keys wherever they stand, bytes written as escapes, and what TiKV
itself marks (`security.redact-info-log = "marker"` prints it in ‹›). Ids of regions, stores and tables stay.
"""

import re
from dataclasses import replace

from opsai_subjects.model import LogLine, LogPage, LogQuery, LogSource

MASK = "‹?›"
"""What stands for a key or a value; TiKV's own `redact-info-log = true` prints `?`."""

_WORD = r"(?:[\w.-]*(?:key|value)s?|primary(?:[_-]lock)?|lower_bound|upper_bound)"
_NOT_ROWS = frozenset({"snap_key", "snapshot_key", "request_key", "num_keys"})
"""Names that end like one and hold none: a snapshot's region, term and index, a path in PD's own etcd."""
_NAMES_HINT = ("key", "value", "primary", "_bound")
_MARKED = re.compile(r"‹(?:[^‹›]|‹‹|››)*(?:›|\Z)")
_NAMED = re.compile(
    rf"""(?<![\w./-]) (?<!`\ ) (?P<name>{_WORD}) (?P<told>(?:\ (?:sample|changed))? \\*"? \s? (?:=|:|->) \s?)
    (?P<value>
        (?P<quote>\\*") .*? (?: (?<!\\)(?P=quote) | \Z )
      | (?:\w+\()+ [^()]* \)*
      | \{{ [^{{}}]* \}}? (?: \ ->\ \{{ [^{{}}]* \}}? )?
      | \[ [^\]]* \]?
      | (?<==) [^\]\s"]+
      | [^\s,;\])}}"]+
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_HEX = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=[0-9]*[A-F])[0-9A-F]{12,}|7480[0-9A-Fa-f]{14,})(?![0-9A-Za-z])"
)  # a commit or an etcd member is in lower case, a timestamp has no letter
_AN_ESCAPE = re.compile(r"\\(?:[0-7]{3}|x[0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"""(?<![^\s"'\\])(?:[^\s"'\\]*\\+(?:[0-7]{3}|x[0-9A-Fa-f]{2})){3,}[^\s"'\\]*""")
_COUNT = re.compile(r"\d{1,12}")
_OF_PD = re.compile(r"""[\\"]*/(?:pd|ms)/[\w./-]*[\\"]*""")
"""A path in PD's own etcd, which its log calls a key too."""


def redact(text: str) -> str:
    """Return a text of a log without the keys and values of rows in it."""
    if "‹" in text:
        text = _MARKED.sub(MASK, text)
    lower = text.lower()
    if any(hint in lower for hint in _NAMES_HINT):
        text = _NAMED.sub(_masked, text)
    if _AN_ESCAPE.search(text):
        text = _ESCAPED.sub(MASK, text)
    return _HEX.sub(MASK, text)


def _masked(found: re.Match[str]) -> str:
    name, value, quote = found["name"], found["value"], found["quote"] or ""
    if not _holds_rows(name, value) or value == quote * 2:
        return found[0]
    return f"{name}{found['told']}{quote}{MASK}{quote}"


def _holds_rows(name: str, value: str) -> bool:
    plain = name.lower().replace("-", "_").replace(" ", "_")
    if plain in _NOT_ROWS or _OF_PD.fullmatch(value):
        return False
    return not (plain.endswith("s") and _COUNT.fullmatch(value))


def redact_line(line: LogLine) -> LogLine:
    """Return a log line without the keys and values of rows in its message, its fields and its text."""
    return replace(
        line,
        message=redact(line.message),
        fields={name: _field(name, value) for name, value in line.fields.items()},
        text=redact(line.text),
    )


def _field(name: str, value: str) -> str:
    found = _FIELD.fullmatch(name)
    return MASK if value and found and _holds_rows(found[1], value) else redact(value)


_FIELD = re.compile(rf"({_WORD})(?: sample)?", re.IGNORECASE)


class RedactedLogs:
    """A source of logs whose lines come redacted; what is searched for is searched in the lines as they are."""

    def __init__(self, logs: LogSource) -> None:
        self._logs = logs

    async def nodes(self) -> tuple[str, ...]:
        """Return the names under which logs are known."""
        return await self._logs.nodes()

    async def search(self, query: LogQuery) -> LogPage:
        """Search. Raises QueryInvalid."""
        page = await self._logs.search(query)
        return replace(page, lines=tuple(redact_line(line) for line in page.lines))
