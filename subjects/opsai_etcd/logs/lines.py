"""The log lines of etcd, read by their grammar: zap's JSON (3.5 and later, 3.4 with --logger=zap), zap's console, and capnslog.

A log of 3.4 with zap holds capnslog lines as well: /health writes them so (seen on 3.4.23).
"""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from json import dumps, loads

from pydantic import JsonValue

from opsai_subjects.model import LineBody, ParsedLine

_JUNK_CHARS = 300
"""How far into a line its entry may begin: journald and kubelet put theirs before it."""
_TS = re.compile(r'"ts":\s*"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"')
_UNIX = re.compile(r'"ts":\s*(\d{9,11}(?:\.\d+)?)')
_JSON_LEVEL = re.compile(r'"level":\s*"([A-Za-z]+)"')
_CAPNS = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{1,9}) ([CEWNIDT]) \| (?:([A-Za-z0-9_./-]+): )?")
_RAFT = re.compile(r"raft(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) ([A-Z]+): ")
"""Raft's own lines beside capnslog: whole seconds of the machine's local time, which is taken for UTC."""
_CONSOLE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,9})(Z|[+-]\d\d:?\d\d)\t([a-zA-Z]+)\t(?:(\S+:\d+)\t)?([^\t]*)(?:\t(\{.*\}))?"
)
_LEVELS = {
    "C": "FATAL",
    "PANIC": "FATAL",
    "DPANIC": "FATAL",
    "FATAL": "FATAL",
    "E": "ERROR",
    "ERROR": "ERROR",
    "W": "WARN",
    "WARN": "WARN",
    "WARNING": "WARN",
    "N": "INFO",
    "I": "INFO",
    "INFO": "INFO",
    "D": "DEBUG",
    "DEBUG": "DEBUG",
    "T": "TRACE",
    "TRACE": "TRACE",
}


def parse_log(line: str) -> ParsedLine | None:
    """Read one log line; None when it does not begin an entry (it then continues the one before). Never raises."""
    start = line.find('{"', 0, _JUNK_CHARS)
    if start >= 0 and (read := _json(line, start)) is not None:
        return read
    found = _CAPNS.search(line, 0, _JUNK_CHARS)
    if found is not None:
        at = _moment(found[1].replace(" ", "T"), found[2], "Z")
        body = line[found.end() :].strip()
        return None if at is None else ParsedLine(at, _LEVELS[found[3]], found[4] or "", body, {})
    raft = _RAFT.search(line, 0, _JUNK_CHARS)
    if raft is not None:
        at = _moment(f"{raft[1]}-{raft[2]}-{raft[3]}T{raft[4]}", "0", "Z")
        body = line[raft.end() :].strip()
        return None if at is None else ParsedLine(at, _LEVELS.get(raft[5], raft[5]), "raft", body, {})
    console = _CONSOLE.search(line)
    return None if console is None else _of_console(console)


def _json(line: str, start: int) -> ParsedLine | None:
    level = _JSON_LEVEL.search(line, start)
    at = _json_moment(line, start)
    if level is None or at is None:
        return None
    name = level[1].upper()
    return ParsedLine(at, _LEVELS.get(name, name), read=partial(_body, line, start))


def _json_moment(line: str, start: int) -> datetime | None:
    found = _TS.search(line, start)
    if found is not None:
        return _moment(found[1].replace(" ", "T"), found[2] or "0", found[3] or "Z")
    unix = _UNIX.search(line, start)
    try:
        return datetime.fromtimestamp(float(unix[1]), UTC) if unix is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _body(line: str, start: int) -> LineBody:
    try:
        read: JsonValue = loads(line[start:])
    except (ValueError, RecursionError):
        return "", line[start:].strip(), {}  # cut off, or something stands behind it
    if not isinstance(read, dict):
        return "", line[start:].strip(), {}
    texts = {key: _text(value) for key, value in read.items() if key not in ("level", "ts", "stacktrace")}
    return texts.pop("caller", ""), texts.pop("msg", ""), texts


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


def _of_console(found: re.Match[str]) -> ParsedLine | None:
    at = _moment(found[1], found[2], found[3])
    level = found[4].upper()
    if at is None or level not in _LEVELS:
        return None
    fields: dict[str, str] = {}
    try:
        read: JsonValue = loads(found[7]) if found[7] else {}
        fields = {key: _text(value) for key, value in read.items()} if isinstance(read, dict) else {}
    except (ValueError, RecursionError):
        fields = {}
    return ParsedLine(at, _LEVELS[level], found[5] or "", found[6], fields)


def _moment(second: str, fraction: str, zone: str) -> datetime | None:
    try:
        at = datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").replace(
            tzinfo=UTC, microsecond=int(fraction[:6].ljust(6, "0"))
        )
        if zone == "Z":
            return at
        ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        return at - ahead if zone[0] == "+" else at + ahead
    except (ValueError, OverflowError):
        return None
