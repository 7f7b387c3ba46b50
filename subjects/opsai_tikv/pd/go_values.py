"""How PD and TiKV write sizes, durations, times and timestamps, read into seconds, bytes and UTC."""

import re
from datetime import UTC, datetime, timedelta

MAX_UINT64 = 2**64 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?)\s*(?:([KMGTPE]?)(?:i?B)?)\s*", re.ASCII)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_DURATION = re.compile(r"[+-]?(?:0|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_DURATION_PART = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|μs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? ([+-]\d\d)(\d\d)", re.ASCII)


def size_bytes(text: str) -> float:
    """Read `1.718TiB`, `0B`, `102 GB`, `512KiB`: units of 1024 either way, as PD reads them. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size")
    return float(found[1]) * 1024.0 ** _POWERS[found[2]]


def duration_seconds(text: str) -> float:
    """Read a Go duration, `12h3m4.005s`. Raises ValueError."""
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a duration")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    return -seconds if text.startswith("-") else seconds


def rfc3339(text: str) -> datetime | None:
    """Read an RFC 3339 time with any number of fraction digits; None for Go's zero time. Raises ValueError."""
    try:
        read = datetime.fromisoformat(text)
        at = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        return None
    return at if at.year > 1970 else None


def go_time(text: str) -> datetime | None:
    """Read what Go's `Time.String` prints, `2026-08-22 10:00:01.123456789 +0800 CST m=+86400.1`; None when it is not that."""
    found = _GO_TIME.search(text)
    if found is None:
        return None
    day, time, fraction, hours, minutes = found.groups()
    try:
        return rfc3339(f"{day}T{time}{fraction or ''}{hours}:{minutes}")
    except ValueError:
        return None


def unix_seconds(seconds: float) -> datetime | None:
    """Return the moment of a Unix time; None for zero, which PD leaves out, and for what no calendar holds."""
    if seconds <= 0:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def tso_time(tso: int) -> datetime | None:
    """Return the physical part of a timestamp; None for 0 and for MaxUint64, with which PD means unknown."""
    if tso <= 0 or tso >= MAX_UINT64:
        return None
    return unix_seconds((tso >> 18) / 1000)
