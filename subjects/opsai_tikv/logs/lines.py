"""The log lines of TiKV and PD, read by their grammar.

The unified format (tikv/rfcs 0018) is `[time] [LEVEL] [file:line] [message] [field=value]…`, where anything that holds a
space, a quote, `=` or a bracket is a JSON string; so a line cannot be split at `] [`. RocksDB's own lines, the formats
before v3.0 and JSON mode are read too. What comes before the header (journald, Kubernetes) is let be.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from json import loads

from pydantic import JsonValue

from opsai_subjects.model import LineBody, ParsedLine

_SECOND = r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)(?:\.(\d{3,9}))?"
_HEADER = re.compile(rf"\[?{_SECOND} ([+-]\d\d:\d\d)\] ?\[([A-Za-z]+|\d+)\]", re.ASCII)
_OLD = re.compile(rf"{_SECOND} (?:([A-Z]{{4,8}}) )?(\S+:\d+): (?:\[([A-Za-z]{{4,8}})\] )?", re.ASCII)
_PIECE = re.compile(r' ?\[(?:("(?:[^"\\]|\\.)*")|([^"=\[\]]*))(?:=(?:("(?:[^"\\]|\\.)*")|([^\]]*)))?\]', re.DOTALL)
_ROCKSDB_LEVEL = re.compile(r"\[([A-Z]+)\] ?", re.ASCII)
_SOURCE = re.compile(r"<unknown>(?::\d+)?|[A-Za-z0-9._/-]+:\d+", re.ASCII)
_JUNK_CHARS = 300
"""How far into a line its header may begin."""
_TWICE_CHARS = 120
"""How far into a line a second time of the formats before v3.0 may stand: journald and others put theirs before it."""
_LEVELS = {
    "PANIC": "FATAL",
    "DPANIC": "FATAL",
    "CRIT": "FATAL",
    "CRITICAL": "FATAL",
    "ERRO": "ERROR",
    "WARNING": "WARN",
    "DEBG": "DEBUG",
    "TRCE": "TRACE",
    "INFO": "INFO",
    "WARN": "WARN",
    "ERROR": "ERROR",
    "FATAL": "FATAL",
    "DEBUG": "DEBUG",
}


def parse_log(line: str) -> ParsedLine | None:
    """Read one log line; None when it does not begin an entry (it then continues the one before). Never raises."""
    found = _HEADER.match(line) or _HEADER.search(line, 0, _JUNK_CHARS)
    if found is None:
        return _other(line)
    at = _moment(found[1], found[2], found[3])
    if at is None:
        return None
    level = found[4]
    if level.isdigit():
        return _rocksdb(at, level, line, found.end())
    return ParsedLine(at, _LEVELS.get(level) or _level(level), read=partial(_unified, line, found.end()))


def _level(name: str) -> str:
    upper = name.upper()
    return _LEVELS.get(upper, upper)


def _moment(second: str, fraction: str | None, zone: str) -> datetime | None:
    at = _second(second, zone)
    return at.replace(microsecond=_micros(fraction)) if at is not None and fraction else at


@lru_cache(maxsize=4096)
def _second(text: str, zone: str) -> datetime | None:
    """Return the moment of a whole second: thousands of lines share one."""
    try:
        at = datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
        ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        return at - ahead if zone[0] == "+" else at + ahead
    except (ValueError, OverflowError):
        return None


def _micros(fraction: str | None) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _unified(line: str, position: int) -> LineBody:
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
    return source, message or "", fields


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
    if line[:1] == "2" and (old := _OLD.match(line) or _OLD.search(line, 1, _TWICE_CHARS)) is not None:
        return _before_v3(line, old)
    if line[:1] == "{" and '"time"' in line and '"level"' in line:
        return _json(line)
    return None


def _before_v3(line: str, old: re.Match[str]) -> ParsedLine | None:
    second, fraction, level, source, bracketed = old.groups()
    at = _moment(second, fraction, "+00:00")
    if at is None:
        return None
    return ParsedLine(at, _level(level or bracketed or "INFO"), source, line[old.end() :].strip(), {})


def _json(line: str) -> ParsedLine | None:
    try:
        read: JsonValue = loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict):
        return None
    texts = {key: value if isinstance(value, str) else str(value) for key, value in read.items()}
    found = _HEADER.match(f"[{texts.pop('time', '')}] [{texts.pop('level', '') or 'INFO'}]")
    at = _moment(found[1], found[2], found[3]) if found else None
    if found is None or at is None:
        return None
    return ParsedLine(at, _level(found[4]), texts.pop("caller", ""), texts.pop("message", ""), texts)
