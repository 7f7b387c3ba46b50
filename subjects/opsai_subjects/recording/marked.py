"""Recorded failures on their way over HTTP: the server marks them, the transport raises them.

A loopback server cannot refuse, hang or break a connection on demand without costing a real timeout, so it answers at
once with a status that nobody else uses and a header with the class of the failure. The transport turns that into what
an ordinary connection would have raised, and so clients cannot tell a recording from a live cluster.
"""

from typing import Literal

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from opsai_subjects.errors import NotRecorded, RecordingCorrupt
from opsai_subjects.model import Clock
from opsai_subjects.sources.web import QUESTION_EXTENSION

STATUS = 599
HEADER = "opsai-recorded"
Mark = Literal["unreachable", "timed_out", "disconnected", "not_recorded", "corrupt"]


def marked(mark: Mark, says: str) -> PlainTextResponse:
    """Return the answer that stands for a recorded failure."""
    return PlainTextResponse(says, status_code=STATUS, headers={HEADER: mark})


class RecordedTransport(httpx.AsyncBaseTransport):
    """Talks to a served recording and to nothing else: an address outside it was not recorded.

    With the application that is served it is asked in this process: a look takes a hundred answers, and connections a third of its time.
    """

    def __init__(self, hosts: frozenset[str], clock: Clock, app: ASGIApp | None = None) -> None:
        self._hosts = hosts
        self._clock = clock
        self._inner = (
            httpx.AsyncHTTPTransport(trust_env=False, verify=False)
            if app is None
            else httpx.ASGITransport(app, raise_app_exceptions=False)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, or raise what was recorded in its place."""
        where = f"{request.url.host}:{request.url.port}"
        if where not in self._hosts:
            raise self._not_recorded(request)
        response = await self._inner.handle_async_request(request)
        mark = response.headers.get(HEADER)
        if response.status_code != STATUS or mark is None:
            return response
        says = (await response.aread()).decode("utf-8", errors="replace")
        await response.aclose()
        if mark == "unreachable":
            raise httpx.ConnectError(says, request=request)
        if mark == "timed_out":
            raise httpx.ReadTimeout(says, request=request)
        if mark == "disconnected":
            raise httpx.RemoteProtocolError(says, request=request)
        if mark == "corrupt":
            raise RecordingCorrupt(says)
        raise self._not_recorded(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _not_recorded(self, request: httpx.Request) -> NotRecorded:
        asked, of = request.extensions.get(QUESTION_EXTENSION, (request.url.path, request.url.host))
        return NotRecorded(str(asked), str(of), self._clock.now())
