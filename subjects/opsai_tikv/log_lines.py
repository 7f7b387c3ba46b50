"""The log lines of TiKV and PD, read by their grammar.

The unified format (tikv/rfcs 0018) is `[time] [LEVEL] [file:line] [message] [field=value]…`, where anything that holds a
space, a quote, `=` or a bracket is a JSON string; so a line cannot be split at `] [`. RocksDB's own lines, the formats
before v3.0 and JSON mode are read too. What comes before the header (journald, Kubernetes) is let be.
"""

import re
from datetime import UTC, datetime, timedelta
from json import loads

from pydantic import JsonValue

from opsai_subjects.model import ParsedLine

_TIME = r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3,9}))?"
_HEADER = re.compile(rf"\[?{_TIME} ([+-])(\d\d):(\d\d)\] ?\[([A-Za-z]+|\d+)\]", re.ASCII)
_OLD = re.compile(rf"{_TIME} (?:([A-Z]{{4,8}}) )?(\S+:\d+): (?:\[([A-Za-z]{{4,8}})\] )?", re.ASCII)
_PIECE = re.compile(r' ?\[(?:("(?:[^"\\]|\\.)*")|([^"=\[\]]*))(?:=(?:("(?:[^"\\]|\\.)*")|([^\]]*)))?\]', re.DOTALL)
_ROCKSDB_LEVEL = re.compile(r"\[([A-Z]+)\] ?", re.ASCII)
_SOURCE = re.compile(r"<unknown>(?::\d+)?|[A-Za-z0-9._/-]+:\d+", re.ASCII)
_JUNK_CHARS = 300
"""How far into a line its header may begin."""
_LEVELS = {
    "PANIC": "FATAL",
    "DPANIC": "FATAL",
    "CRIT": "FATAL",
    "CRITICAL": "FATAL",
    "ERRO": "ERROR",
    "WARNING": "WARN",
    "DEBG": "DEBUG",
    "TRCE": "TRACE",
}


def parse_log(line: str) -> ParsedLine | None:
    """Read one log line; None when it does not begin an entry (it then continues the one before). Never raises."""
    found = _HEADER.match(line) or _HEADER.search(line, 0, _JUNK_CHARS)
    if found is None:
        return _other(line)
    at = _moment(found)
    if at is None:
        return None
    level = found[11]
    if level.isdigit():
        return _rocksdb(at, level, line, found.end())
    return _unified(at, level, line, found.end())


def _moment(found: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, sign, ahead_hours, ahead_minutes = found.groups()[:10]
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), _micros(fraction), UTC)
        ahead = int(ahead_hours) * 60 + int(ahead_minutes)
        return at if not ahead else at - timedelta(minutes=ahead if sign == "+" else -ahead)
    except (ValueError, OverflowError):
        return None


def _micros(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _unified(at: datetime, level: str, line: str, position: int) -> ParsedLine:
    source = ""
    message: str | None = None
    fields: dict[str, str] = {}
    while (piece := _PIECE.match(line, position)) is not None:
        position = piece.end()
        quoted, bare, quoted_value, bare_value = piece.groups()
        name = bare if quoted is None else _unquoted(quoted)
        if quoted_value is not None:
            fields[name] = _unquoted(quoted_value)
        elif bare_value is not None:
            fields[name] = bare_value
        elif not source and not fields and quoted is None and _SOURCE.fullmatch(name):
            source, message = name, None  # what stood before it was a logger's name (`[raft]` of PD's etcd)
        elif message is None and not fields:
            message = name
    rest = line[position:].strip()
    if rest and message is None:
        message = rest  # cut off in the middle of its message
    return ParsedLine(at, _LEVELS.get(level.upper(), level.upper()), source, message or "", fields)


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        read: object = loads(text, strict=False)
    except ValueError:
        return text[1:-1]
    return str(read)


def _rocksdb(at: datetime, thread: str, line: str, position: int) -> ParsedLine | None:
    level = _ROCKSDB_LEVEL.match(line, position)
    if level is None:
        return None
    name = level[1]
    return ParsedLine(at, _LEVELS.get(name, name), "", line[level.end() :].strip(), {"thread_id": thread})


def _other(line: str) -> ParsedLine | None:
    if line[:1] == "2" and (old := _OLD.match(line)) is not None:
        return _before_v3(line, old)
    if line[:1] == "{" and '"time"' in line and '"level"' in line:
        return _json(line)
    return None


def _before_v3(line: str, old: re.Match[str]) -> ParsedLine | None:
    year, month, day, hour, minute, second, fraction, level, source, bracketed = old.groups()
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), _micros(fraction), UTC)
    except ValueError:
        return None
    name = (level or bracketed or "INFO").upper()
    return ParsedLine(at, _LEVELS.get(name, name), source, line[old.end() :].strip(), {})


def _json(line: str) -> ParsedLine | None:
    try:
        read: JsonValue = loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict):
        return None
    texts = {key: value if isinstance(value, str) else str(value) for key, value in read.items()}
    found = _HEADER.match(f"[{texts.pop('time', '')}] [{texts.pop('level', '') or 'INFO'}]")
    at = _moment(found) if found else None
    if found is None or at is None:
        return None
    level = found[11].upper()
    return ParsedLine(at, _LEVELS.get(level, level), texts.pop("caller", ""), texts.pop("message", ""), texts)
