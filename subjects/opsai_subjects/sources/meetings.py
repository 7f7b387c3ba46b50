"""Meetings: what an endpoint's answers tell beside their bodies: when its certificate ends, and what time it has."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from opsai_subjects.model import Clock, Value

TOO_LATE_SECONDS = 2.0
"""An answer that took longer tells no time."""
_HALF_SECOND = 0.5
"""HTTP tells whole seconds, cut off."""


class Meeting(Value):
    """How one endpoint met us last."""

    origin: str
    """`https://host:port`."""
    at: datetime
    """When, by our clock."""
    certificate_ends_at: datetime | None
    """None: plain http, or a certificate that nobody checked (`verify` is off)."""
    clock_ahead_seconds: float | None
    """Its clock against ours, to about half a second; None when its answers do not tell the time."""

    @property
    def is_tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.origin.startswith("https:")


class Meetings:
    """The last meeting of each endpoint."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._met: dict[str, Meeting] = {}

    def note(self, url: httpx.URL, response: httpx.Response, took_seconds: float) -> None:
        """Note what an answer tells, as soon as its head is there."""
        origin = origin_of(url)
        ends_at = _certificate_end(response) or self._known(origin)
        ahead = self._ahead(response, took_seconds)
        old = self._met.get(origin)
        if ahead is None and old is not None:
            ahead = old.clock_ahead_seconds
        self._met[origin] = Meeting(
            origin=origin, at=self._clock.now(), certificate_ends_at=ends_at, clock_ahead_seconds=ahead
        )

    def all(self) -> tuple[Meeting, ...]:
        """Return the last meeting of each endpoint."""
        return tuple(self._met.values())

    def of(self, url: str) -> Meeting | None:
        """Return the last meeting of the endpoint of a URL, whatever its path; None when it was never met."""
        try:
            return self._met.get(origin_of(httpx.URL(url)))
        except httpx.InvalidURL:
            return None

    def _known(self, origin: str) -> datetime | None:
        old = self._met.get(origin)
        return old.certificate_ends_at if old is not None else None

    def _ahead(self, response: httpx.Response, took_seconds: float) -> float | None:
        told = response.headers.get_list("date")
        if len(told) != 1 or took_seconds > TOO_LATE_SECONDS:  # two are a proxy's and another's
            return None
        try:
            there = parsedate_to_datetime(told[0])
        except (ValueError, OverflowError):  # a year beyond all measure is the second
            return None
        if there.tzinfo is None:
            there = there.replace(tzinfo=UTC)
        here = self._clock.now() - timedelta(seconds=took_seconds / 2)
        return (there - here).total_seconds() + _HALF_SECOND


def origin_of(url: httpx.URL) -> str:
    """Return `scheme://host:port`."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"{url.scheme}://{url.host}:{port}"


def _certificate_end(response: httpx.Response) -> datetime | None:
    stream = response.extensions.get("network_stream")
    told = stream.get_extra_info("ssl_object") if stream is not None else None
    if not isinstance(told, ssl.SSLObject | ssl.SSLSocket):
        return None
    until = (told.getpeercert() or {}).get("notAfter")  # empty where the context does not verify
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if isinstance(until, str) else None
