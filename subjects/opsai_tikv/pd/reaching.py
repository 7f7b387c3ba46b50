"""From the address a node advertises to the one it is reached at, and from a failure to how the node met us."""

import errno
from collections.abc import Mapping
from contextlib import suppress
from json import loads

from pydantic import JsonValue

from opsai_subjects.errors import (
    NotRecorded,
    SourceDisconnected,
    SourceError,
    SourceRefused,
    SourceTimedOut,
    SourceUnreachable,
)
from opsai_tikv.pd.values import Outcome, Store

_NO_ROUTE = ("no route", "unreachable", "host is down")
_NO_NAME = ("name or service", "nodename", "not known", "getaddrinfo", "resolve", "name resolution")
_CAUSES_DEEP = 10
_ADVICE = (
    ("redirect failed", "the member that this one takes for the leader does not answer it: look at that one"),
    ("no leader", "PD has no leader: look at its members, at least a majority must run and reach each other"),
    ("not leader", "ask again in a moment: the leadership is just moving"),
    ("not bootstrapped", "this member does not lead, or the leader is still loading: ask again in a moment"),
    ("not started", "this member is starting or stopping: ask again in a moment"),
    ("too many requests", "ask less often: PD limits the rate"),
)
_ANY_HOST = ("0.0.0.0", "[::]", "::", "")  # noqa: S104 - what a node that listens everywhere advertises by mistake


def reached(url: str, reach: Mapping[str, str]) -> str:
    """Return the base URL to dial for an advertised URL or host:port, without a slash at its end."""
    scheme, found, rest = url.rpartition("://")
    address = rest.rstrip("/")
    target = reach.get(address, address)
    return target.rstrip("/") if "://" in target else f"{scheme if found else 'http'}://{target}"


def address_of(url: str) -> str:
    """Return the host:port of a URL, without the `user:password@` that may stand before it."""
    return url.rpartition("://")[2].rpartition("@")[2].rstrip("/")


def status_address(store: Store) -> str:
    """Return where a store's status port is: an address of `0.0.0.0` (seen on v4) takes the host of the store's own."""
    host, _, port = store.status_address.rpartition(":")
    if host not in _ANY_HOST:
        return store.status_address
    own = store.address.rpartition(":")[0]
    return f"{own}:{port}" if own and port else ""


def outcome_of(error: SourceError) -> Outcome:
    """Say how the node met the question that failed so."""
    if isinstance(error, SourceTimedOut):
        return "timed_out"
    if isinstance(error, SourceDisconnected):
        return "disconnected"
    if isinstance(error, NotRecorded):
        return "unknown"
    if isinstance(error, SourceUnreachable):
        return _not_connected(error)
    return "error"


def _not_connected(error: SourceUnreachable) -> Outcome:
    code, words = _errno(error), error.came_back.lower()
    if code in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN) or any(word in words for word in _NO_ROUTE):
        return "unroutable"
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


def is_silent(error: SourceError) -> bool:
    """Say whether the node itself gave no answer: asking it again in this round would only cost time."""
    return isinstance(error, SourceTimedOut | SourceDisconnected | SourceUnreachable)


def asked_again(error: SourceError, asked: str, of: str = "") -> SourceError:
    """Return the same failure for another question that was spared, since it would meet the same.

    `of` is how the one asked is called now: its name may have been learned since.
    """
    of = of or error.of
    if isinstance(error, SourceRefused):
        return SourceRefused(asked, of, error.status, error.body, error.advice)
    if isinstance(error, NotRecorded):
        return error
    return type(error)(asked, of, error.came_back, error.advice)


def worded(error: SourceRefused) -> SourceRefused:
    """Return the refusal with its words taken out of PD's JSON string or errcode object, and with what to try."""
    parsed: JsonValue = None
    with suppress(ValueError, RecursionError):  # else it is plain text
        parsed = loads(error.body)
    words = error.body.strip()
    if isinstance(parsed, str):
        words = parsed.strip()
    elif isinstance(parsed, dict):
        words = next((str(parsed[key]) for key in ("msg", "reason", "error") if parsed.get(key)), words)
    advice = next((advice for word, advice in _ADVICE if word in words.lower()), error.advice)
    return SourceRefused(error.asked, error.of, error.status, words, advice)
