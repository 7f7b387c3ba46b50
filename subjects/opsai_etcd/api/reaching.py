"""From the address a member advertises to the one it is reached at, and from a failure to how the member met us."""

import errno
from collections.abc import Mapping

import httpx

from opsai_etcd.address import address_of
from opsai_etcd.api.values import Outcome
from opsai_subjects.errors import (
    NotRecorded,
    SourceDisconnected,
    SourceError,
    SourceTimedOut,
    SourceUnreachable,
)

_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
_NO_ROUTE_WORDS = ("no route", "unreachable", "host is down")
_NO_NAME = ("name or service", "nodename", "not known", "getaddrinfo", "name resolution")
_CAUSES_DEEP = 10


def reached(url: str, reach: Mapping[str, str]) -> str:
    """Return the base URL to dial for an advertised URL, without a slash at its end."""
    scheme, found, rest = url.rpartition("://")
    target = reach.get(address_of(url))
    if target is None:
        return url.rstrip("/") if found else f"http://{rest.rstrip('/')}"
    return target.rstrip("/") if "://" in target else f"{scheme if found else 'http'}://{target}"


def outcome_of(error: SourceError) -> Outcome:
    """Say how the member met the question that failed so."""
    if isinstance(error, SourceTimedOut):
        # a paused process still takes connections, a dropped packet makes none: only the cause tells the two apart
        return "cut_off" if isinstance(error.__cause__, httpx.ConnectTimeout) else "timed_out"
    if isinstance(error, SourceDisconnected):
        return "disconnected"
    if isinstance(error, NotRecorded):
        return "unknown"
    if isinstance(error, SourceUnreachable):
        return _not_connected(error)
    return "error"  # a refusal too: every member answers /version, so it is of something else that stands there


def _not_connected(error: SourceUnreachable) -> Outcome:
    code, words = _errno(error), error.came_back.lower()
    if code in _NO_ROUTE or any(word in words for word in _NO_ROUTE_WORDS):
        return "cut_off"
    if any(word in words for word in _NO_NAME):
        return "unresolved"
    return "refused" if code in (None, errno.ECONNREFUSED) else "error"


def _errno(error: BaseException) -> int | None:
    """Return the system's number for a failed connection: the client's own words do not tell a refusal from no route."""
    seen: BaseException | None = error
    for _ in range(_CAUSES_DEEP):
        if seen is None:
            return None
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        several: tuple[BaseException, ...] = getattr(seen, "exceptions", ())
        seen = several[0] if several else seen.__cause__ or seen.__context__
    return None
