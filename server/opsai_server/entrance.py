"""What a request must pass before it reaches the protocol: rate, Host, Origin, token, kind and size.

A browser can be made to ask a server of its own machine or network. Three things stop it, each by itself: a Host that is a
foreign name is refused (DNS rebinding needs one; an IP address cannot be rebound), an Origin other than ours is refused,
and outside of loopback there is a token that no page knows.
"""

import hashlib
import hmac
import ipaddress
import logging
import math
import re
from collections.abc import Generator, Iterable, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsai_server.rate_limit import RateLimit
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

MCP_PATH = "/mcp"
HEALTH_PATH = "/healthz"
"""Asked by programs that have no token; without it the answer is a word."""
READ_PATHS = (HEALTH_PATH, "/metrics")
KNOWN = "opsai.known"
"""In a request's scope: whether the caller may know what the server is for. True where no token is set."""
LISTEN = "subscriptions/listen"
"""The one request (of the protocol of 2026) whose answer is a stream without end."""
LOGGED_CHARS = 100
_HOST = re.compile(r"[A-Za-z0-9._~%:\[\]-]+")


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is let in."""

    token: SecretStr | None
    hosts: tuple[str, ...] = ()
    """Names that a Host may have, besides localhost and any IP address: `opsai.example`, or with a port."""
    loopback: bool = True
    """Whether only this machine can reach it: then pages that it serves itself may ask too."""
    bare_names: bool = False
    """Whether a name without a dot is let in too (`opsai-watch`, as Compose and Kubernetes name it): nobody can have the name
    servers of the world answer for it, so no page can rebind it."""
    max_body_bytes: int = 1024 * 1024
    requests_per_second: float = 50.0
    body_seconds: float = 30.0
    """A request must have come whole within this time."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    says: str
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> JSONResponse:
        """Return it as a client of the protocol reads it: a JSON-RPC error that answers no request by id."""
        error = {"code": -32600, "message": self.says}
        return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, self.status, dict(self.headers))


STOPPED = Refusal(503, "The server is starting or stopping. Ask again in a moment.", (("Retry-After", "2"),))
FAILED = Refusal(500, "A fault of opsai, in its log with the traceback. It is none of the cluster's.")
NOTHING_HERE = Refusal(404, f"There is nothing here. MCP is at {MCP_PATH}; GET /healthz and GET /metrics answer too.")


class Entrance:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, policy: Policy, registry: CollectorRegistry) -> None:
        self.open = False
        """Whether requests go on to the protocol at all."""
        self._app = app
        self._policy = policy
        self._token = None if policy.token is None else _digest(policy.token.get_secret_value())
        self._rate = RateLimit(policy.requests_per_second)
        self._asked = 0
        self._idle = anyio.Event()
        self._idle.set()
        self._requests = Counter(
            "opsai_mcp_http_requests", "HTTP requests by path and status.", ("path", "status"), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or answer why not."""
        if scope["type"] != "http":
            return
        path = scope["path"] if scope["path"] in (MCP_PATH, *READ_PATHS) else "other"

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(path, message["status"]).inc()
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        scope[KNOWN] = self._token_refusal(headers) is None
        if refusal is None and scope["method"] == "POST":
            body = await self._body(receive)
            if isinstance(body, Refusal):
                refusal = body
            else:
                receive = _once(body, receive)
        if refusal is None:
            with self._answering(scope):
                await self._app(scope, receive, counted)
            return
        if refusal.status not in (404, 503):
            log.info(
                "http_refused status=%d path=%s peer=%s why=%r", refusal.status, path, peer_of(scope), refusal.says
            )
        await refusal.response()(scope, receive, counted)

    async def idle(self) -> None:
        """Wait until everything that was asked is answered; streams, which end with the server, do not count."""
        await self._idle.wait()

    @contextmanager
    def _answering(self, scope: Scope) -> Generator[None]:
        if scope["method"] != "POST" or Headers(scope=scope).get("mcp-method") == LISTEN:
            yield
            return
        if self._asked == 0:
            self._idle = anyio.Event()
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1
            if self._asked == 0:
                self._idle.set()

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        wait_seconds = self._rate.wait_seconds(peer_of(scope))
        if wait_seconds > 0:
            after = (("Retry-After", str(math.ceil(wait_seconds))),)
            return Refusal(
                429, f"More than {self._policy.requests_per_second:g} requests a second. Ask less often.", after
            )
        path = scope["path"]
        return (
            host_refusal(headers, self._policy)
            or origin_refusal(headers, self._policy)
            # Before the token: a client that is refused looks for an OAuth server, and must learn that there is none.
            or (NOTHING_HERE if path not in (MCP_PATH, *READ_PATHS) else None)
            or (None if path == HEALTH_PATH else self._token_refusal(headers))
            or (STOPPED if not self.open and path == MCP_PATH else None)
            or _kind_refusal(scope, headers)
        )

    def _token_refusal(self, headers: Headers) -> Refusal | None:
        if self._token is None:
            return None
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(_digest(shown.strip()), self._token):
            return None
        if not scheme:
            challenge = 'Bearer realm="opsai"'
            return Refusal(
                401, "A token is needed: send Authorization: Bearer TOKEN.", (("WWW-Authenticate", challenge),)
            )
        challenge = 'Bearer realm="opsai", error="invalid_token"'
        return Refusal(401, "This is not the token of this server.", (("WWW-Authenticate", challenge),))

    async def _body(self, receive: Receive) -> bytes | Refusal:
        """Return the whole body. Of one over the limit the rest is thrown away as it comes, within bounds.

        Closed while the client still sends, a connection would be reset, and the client would not read why.
        """
        body, thrown_bytes, limit = bytearray(), 0, self._policy.max_body_bytes
        with anyio.move_on_after(self._policy.body_seconds):
            more = True
            while more and thrown_bytes < THROWN_BYTES:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > limit or thrown_bytes:
                    thrown_bytes += len(body)
                    body.clear()
                more = message["type"] == "http.request" and message.get("more_body", False)
            return Refusal(413, f"A request has at most {limit} bytes.", CLOSE) if thrown_bytes else bytes(body)
        return Refusal(408, f"The request did not come whole within {self._policy.body_seconds:g} s.", CLOSE)


THROWN_BYTES = 16 * 1024 * 1024
"""Of a body over the limit, so much is read and thrown away before the connection is closed."""
CLOSE = (("Connection", "close"),)
"""The rest of a body that nobody wants is not waited for."""


def peer_of(scope: Scope) -> str:
    """Return the address that a request comes from."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def host_refusal(headers: Headers, policy: Policy) -> Refusal | None:
    """Refuse a Host that is a foreign name."""
    host = headers.get("host", "")
    bare = policy.bare_names and "." not in _name(host) != ""
    if bare or _is_known(host, policy.hosts) or _is_address(host):
        return None
    shown = clean(host, LOGGED_CHARS)
    return Refusal(421, f"This server is not known as {shown!r}. Start it with --allow-host NAME if it should be.")


def origin_refusal(headers: Headers, policy: Policy) -> Refusal | None:
    """Refuse what a page of another site asks. Programs other than browsers send no Origin."""
    origin = headers.get("origin")
    if origin is None:
        return None
    scheme, _, host = origin.partition("://")
    ours = host == headers.get("host") or _is_known(host, policy.hosts, local=False)
    local = policy.loopback and _is_loopback(host)
    if scheme in ("http", "https") and (ours or local):
        return None
    return Refusal(403, f"Pages of {clean(origin, LOGGED_CHARS)!r} may not ask this server.")


def _kind_refusal(scope: Scope, headers: Headers) -> Refusal | None:
    if scope["path"] in READ_PATHS and scope["method"] not in ("GET", "HEAD"):
        return Refusal(405, "There is nothing to do here but to read: GET.", (("Allow", "GET, HEAD"),))
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if scope["method"] == "POST" and content_type != "application/json":
        return Refusal(415, "A request is JSON: send Content-Type: application/json.")
    return None


def _is_known(host: str, names: Iterable[str], *, local: bool = True) -> bool:
    wanted = host.lower()
    name = _name(wanted)
    known = {one.lower() for one in names}
    return bool(wanted) and (wanted in known or name in known or (local and name == "localhost"))


def _is_address(host: str) -> bool:
    return _address(host) is not None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return _name(host.lower()) == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(_name(host))
    except ValueError:
        return None


def _name(host: str) -> str:
    """Return a Host without its port and brackets; empty when it is none."""
    if not _HOST.fullmatch(host):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _digest(text: str) -> bytes:
    """Return a hash of a token: compared, it tells nothing of the token's length either."""
    return hashlib.sha256(text.encode()).digest()


def _once(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that has been read already, and then what comes after it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
