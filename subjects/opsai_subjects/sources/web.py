"""The only HTTP client: it can GET, and POST the few fixed reads that a system offers in no other way.

What it may ask is a list of paths, and of calls each with its one body, checked before anything is sent. It follows no
redirect, retries nothing, keeps no cookie and reads no proxy from the environment, so what it says of an endpoint is what
that endpoint answered once.
"""

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from json import JSONDecodeError, dumps, loads
from typing import TypeVar
from urllib.parse import quote

import anyio
import httpx
import orjson
from pydantic import JsonValue

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access, without_userinfo
from opsai_subjects.errors import (
    BODY_EXCERPT_CHARS,
    OpsaiError,
    SourceDisconnected,
    SourceError,
    SourceMalformed,
    SourceRefused,
    SourceTimedOut,
    SourceUnreachable,
)
from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.model import clean
from opsai_subjects.sources.body import EXCERPT_BYTES, Question, excerpt, parts, whole
from opsai_subjects.sources.credentials import Credentials, credentials, tls_context
from opsai_subjects.sources.meetings import Meetings
from opsai_subjects.subject import ReadRpc

T = TypeVar("T")
Params = Mapping[str, str] | Sequence[tuple[str, str]]

QUESTION_EXTENSION = "opsai.question"
"""Under this name a request carries (asked, of) to the transport, for one that answers by itself."""
_LAST_PORT = 65535
_PARAMS_CHARS = 60_000
"""Of parameters once escaped: httpx stops at 65,536."""


@dataclass(frozen=True)
class WebReply:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str
    seconds: float
    asked: str = ""
    of: str = ""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> JsonValue:
        """Parse the body. Raises SourceMalformed with its first characters when it is not one whole JSON value."""
        try:
            value: JsonValue = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return self._json_by_the_tolerant_parser()
        return value

    def _json_by_the_tolerant_parser(self) -> JsonValue:
        # Go writes what orjson refuses: half a surrogate pair in a key, bytes that are not UTF-8 in a log text.
        try:
            parsed: JsonValue = loads(self.text)
            # half a surrogate pair cannot be stored or sent on: it becomes a question mark here
            value: JsonValue = loads(dumps(parsed, ensure_ascii=False).encode(errors="replace"))
        except JSONDecodeError as error:
            raise self._malformed(f"{error.msg} at character {error.pos} of {len(self.text)}") from error
        except RecursionError as error:
            raise self._malformed("it is nested too deeply") from error
        except ValueError as error:
            raise self._malformed(str(error)) from error
        return value

    def _malformed(self, reason: str) -> SourceMalformed:
        start = self.text.lstrip()[:200].lower()
        if not start:
            return SourceMalformed(self.asked, self.of, f"HTTP {self.status} with an empty body where JSON should be")
        if start.startswith(("<!doctype", "<html")):
            came_back, advice = "HTML where JSON should be", "check the address: a proxy or a login page answers there"
        else:
            came_back, advice = f"what is not JSON ({reason})", "ask again; if it stays so, look at what answers there"
        excerpt = quoted(self.text, BODY_EXCERPT_CHARS)
        return SourceMalformed(self.asked, self.of, f"HTTP {self.status}, {came_back}: {excerpt}", advice)


class Web:
    """Asks what is allowed; every failure is a SourceError that says who was asked for what."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        keys: Credentials,
        limits: WebLimits,
        allow: tuple[re.Pattern[str], ...],
        calls: tuple[tuple[re.Pattern[str], ReadRpc], ...] = (),
        meetings: Meetings | None = None,
    ) -> None:
        self._calls = calls
        self._client = client
        self._meetings = meetings
        self._keys = keys
        self._limits = limits
        self._allow = allow

    async def get(
        self,
        url: str,
        *,
        of: str,
        asked: str | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
        accept: tuple[int, ...] = (),
    ) -> WebReply:
        """Ask once and return the whole answer.

        `of` is who is asked and `asked` what for (None: the path), for messages. An answer outside 2xx raises
        SourceRefused unless its status is in `accept`. `read_seconds` bounds the whole answer. Raises SourceError.
        """

        full = self._url(url, params)
        self._may_get(full)
        return await self._ask(full, self._whole(accept), of=of, asked=asked, headers=headers, seconds=read_seconds)

    async def call(
        self,
        base_url: str,
        rpc: ReadRpc,
        *,
        of: str | None = None,
        asked: str | None = None,
        read_seconds: float | None = None,
        accept: tuple[int, ...] = (),
    ) -> WebReply:
        """Ask a read that is offered only as POST, below this URL; else as `get`. `of` None: the URL's host and port.

        Raises OpsaiError, with nothing sent, for one whose path and body are not those of one that is allowed.
        """
        full = self._url(f"{base_url.rstrip('/')}{rpc.path}", None)
        asks = (rpc.path, rpc.sent)
        listed = (pattern.fullmatch(full.path) for pattern, one in self._calls if (one.path, one.sent) == asks)
        if full.query or not any(listed):
            told = clean(rpc.sent.decode("utf-8", errors="replace"), 200)
            raise OpsaiError(f"The call {full.path!r} with {told} is not one that may be made. Nothing was sent.")
        of = of or f"{full.host}:{full.port}" if full.port else full.host
        return await self._ask(
            full, self._whole(accept), of=of, asked=asked, headers=_AS_JSON, seconds=read_seconds, body=rpc.sent
        )

    def _whole(self, accept: tuple[int, ...]) -> "_Take[WebReply]":
        async def taken(response: httpx.Response, question: Question, keys: Credentials) -> WebReply:
            if not (response.is_success or response.status_code in accept):
                raise await _refusal(response, question, keys)
            body = keys.censored(await whole(response, self._limits.max_body_bytes, question))
            kind = response.headers.get("content-type", "")
            seconds = time.monotonic() - question.began
            return WebReply(response.status_code, body, kind, seconds, question.asked, question.of)

        return taken

    async def stream(
        self,
        url: str,
        into: Callable[[bytes], bool],
        *,
        of: str,
        params: Params | None = None,
        read_seconds: float | None = None,
    ) -> bool:
        """Ask once and hand the answer over part by part; return whether it came to its end.

        `into` takes a part and says whether to go on. What it was given before a failure is good. Raises SourceError.
        """

        async def handed_over(response: httpx.Response, question: Question, keys: Credentials) -> bool:
            if not response.is_success:
                raise await _refusal(response, question, keys)
            async for part in keys.censored_parts(parts(response, self._limits.max_body_bytes, question)):
                if not into(part):
                    return False
            return True

        full = self._url(url, params)
        self._may_get(full)
        return await self._ask(full, handed_over, of=of, asked=None, headers=None, seconds=read_seconds)

    async def _ask(
        self,
        full: httpx.URL,
        take: "_Take[T]",
        *,
        of: str,
        asked: str | None,
        headers: Mapping[str, str] | None,
        seconds: float | None,
        body: bytes | None = None,
    ) -> T:
        of = without_userinfo(of)
        asked = asked or _path_and_query(full)
        budget = self._limits.read_seconds if seconds is None else seconds
        tls = full.scheme == "https"
        question = Question(asked, of, self._limits.connect_seconds, budget, tls=tls, began=time.monotonic())
        # Taken out of the URL, since httpx logs URLs as they are.
        keys = await self._keys.with_userinfo(full.userinfo.decode("ascii", errors="replace")).read()
        full = full.copy_with(userinfo=b"")
        with _failures_named(question, keys):
            with anyio.fail_after(self._limits.connect_seconds + budget):
                request = self._client.build_request(
                    "GET" if body is None else "POST",
                    full,
                    content=body,
                    headers={**keys.headers, **(headers or {})},
                    timeout=httpx.Timeout(budget, connect=self._limits.connect_seconds, pool=None),
                    extensions={QUESTION_EXTENSION: (asked, of)},
                )
                response = await self._client.send(request, stream=True)
                if self._meetings is not None:
                    self._meetings.note(full, response, time.monotonic() - question.began)
                try:
                    return await take(response, question, keys)
                finally:
                    await response.aclose()

    def _url(self, url: str, params: Params | None) -> httpx.URL:
        pairs = tuple(params.items() if isinstance(params, Mapping) else params or ())
        chars = sum(len(quote(value)) for _, value in pairs)
        if chars > _PARAMS_CHARS:
            raise OpsaiError(
                f"What {without_userinfo(url)!r} should be asked has {chars:,} characters once escaped, and a URL carries "
                f"{_PARAMS_CHARS:,}. Nothing was sent. Try: a shorter question."
            )
        try:
            full = httpx.URL(url)
            if pairs:
                full = full.copy_merge_params(pairs)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise OpsaiError(f"{without_userinfo(url)!r} is not a URL: {error}") from error
        if full.scheme not in ("http", "https") or not full.host or (full.port or 1) > _LAST_PORT:
            raise OpsaiError(f"{without_userinfo(url)!r} is not an http:// or https:// URL. Nothing was sent.")
        return full

    def _may_get(self, full: httpx.URL) -> None:
        path = full.path
        if ".." in path.split("/") or not any(pattern.fullmatch(path) for pattern in self._allow):
            raise OpsaiError(f"The path {path!r} is not one that may be read. Nothing was sent.")


@asynccontextmanager
async def open_web(
    access: Access,
    limits: WebLimits,
    *,
    allow: tuple[str, ...],
    calls: tuple[tuple[str, ReadRpc], ...] = (),
    transport: httpx.AsyncBaseTransport | None = None,
    meetings: Meetings | None = None,
) -> AsyncGenerator[Web]:
    """Open the client. `allow` are regular expressions of whole paths; `calls` the same, each with its call;
    `meetings` is told of each answer.

    Raises SettingsInvalid for unusable keys.
    """
    keys = credentials(access)
    client = httpx.AsyncClient(
        transport=transport,
        verify=tls_context(access) if transport is None else False,
        trust_env=False,
        follow_redirects=False,
        headers={"accept-encoding": "gzip", "user-agent": "opsai"},
        # Kept within one round only: the next one dials anew, and so sees whether the endpoint still takes connections.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=5.0),
    )
    async with client:
        paths = tuple(re.compile(pattern) for pattern in allow)
        yield Web(client, keys, limits, paths, tuple((re.compile(path), rpc) for path, rpc in calls), meetings)


_Take = Callable[[httpx.Response, Question, Credentials], Awaitable[T]]
_AS_JSON = {"content-type": "application/json"}
_ADVICE = {
    401: "set the credentials of this endpoint (username and password, bearer_token or bearer_token_file)",
    403: "give these credentials the right to read, or set others",
    404: "check the address and its path: something answers there that does not know this path",
    407: "set an address that needs no proxy; proxies are not used",
    429: "ask less often",
    503: "ask again in a moment",
}


@contextmanager
def _failures_named(question: Question, keys: Credentials) -> Generator[None]:
    asked, of = question.asked, question.of
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise SourceTimedOut(
            asked, of, f"no connection within {question.connect_seconds:g} s", "check the address, routes and firewalls"
        ) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise SourceTimedOut(
            asked, of, f"no whole answer within {question.read_seconds:g} s", "see whether it hangs or is overloaded"
        ) from error
    except httpx.ConnectError as error:
        raise _unreachable(error, question, keys) from error
    except httpx.TransportError as error:
        reason = quoted(keys.masked(str(error))) if str(error) else type(error).__name__
        advice = f"see whether it restarts or dies, or {question.other_cause}"
        raise SourceDisconnected(
            asked, of, f"the connection broke before the answer was whole ({reason})", advice
        ) from error


def _unreachable(error: httpx.ConnectError, question: Question, keys: Credentials) -> SourceError:
    reason = keys.masked(clean(str(error), 300)) or "connection refused"
    advice = "check that it runs and that the address is the one reachable from here"
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        advice = "set ca_file to the authority that signed its certificate"
    elif "SSL" in reason or "TLS" in reason:
        advice = "check http:// or https:// in its address, and cert_file and key_file if it asks for a certificate"
    return SourceUnreachable(question.asked, question.of, f"no connection ({reason})", advice)


async def _refusal(response: httpx.Response, question: Question, keys: Credentials) -> SourceRefused:
    status = response.status_code
    if response.is_redirect or 300 <= status < 400:
        target = keys.masked(without_userinfo(response.headers.get("location", "nowhere")))
        advice = "set the address it points to; redirects are not followed"
        return SourceRefused(
            question.asked, question.of, status, target, advice, says=f"a redirect to {name_of(target)}"
        )
    body = keys.masked(await excerpt(keys.censored_parts(parts(response, EXCERPT_BYTES, question))))
    return SourceRefused(question.asked, question.of, status, body, _ADVICE.get(status, ""))


def _path_and_query(url: httpx.URL) -> str:
    query = url.query.decode("ascii", errors="replace")
    return clean(f"{url.path}?{query}" if query else url.path, 300)
