"""A cluster to check an adapter on: where it is, who answers in its place, and the same with something failing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import httpx

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SourceUnreachable
from opsai_subjects.model import Clock, LogSource, MetricsReply, MetricsSource, WallClock, Window
from opsai_subjects.opening import open_replay
from opsai_subjects.recording.marked import RecordedTransport
from opsai_subjects.sources.paths import below, calls_below
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources, Subject, SubjectKind

NAME = "conformance"
Failure = Literal["unreachable", "silent", "refusing", "half", "odd"]
"""No connection; one that says nothing until the time is up; 500 with a page of HTML; the first half of each answer; JSON of another shape."""

HTML = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
_ODD = (b"[]", b"{}", b"null", b"7", b'"x"', b'[{"":[null]}]', b'{"id":-1,"name":null,"members":{}}')


@dataclass(frozen=True)
class Scene:
    """A healthy cluster of the kind that is checked, and what looks at it."""

    settings: ClusterSettings
    transport: httpx.AsyncBaseTransport
    """Answers for its nodes: the network itself (`httpx.AsyncHTTPTransport()`), or what stands in for it."""
    clock: Clock
    metrics: MetricsSource | None = None
    logs: LogSource | None = None


@asynccontextmanager
async def live(settings: ClusterSettings) -> AsyncGenerator[Scene]:
    """Open the scene of a cluster that answers over the network: a real one, or a stand-in on loopback."""
    async with httpx.AsyncHTTPTransport(trust_env=False) as transport:
        yield Scene(settings, transport, WallClock())


@asynccontextmanager
async def recorded(folder: Path, at: datetime | Literal["start", "end"]) -> AsyncGenerator[Scene]:
    """Open a recording as of a moment at which it was well."""
    async with open_replay(folder, at) as cluster:
        sources = cluster.subject.sources
        hosts = frozenset(cluster.settings.addresses.values())
        async with RecordedTransport(hosts, cluster.clock) as transport:
            yield Scene(cluster.settings, transport, cluster.clock, sources.metrics, sources.logs)


@asynccontextmanager
async def opened(kind: SubjectKind, scene: Scene) -> AsyncGenerator[Subject]:
    """Open the cluster of a scene as the programs open one."""
    bases = (*scene.settings.endpoints, *scene.settings.addresses.values())
    allow, calls = below(kind.paths, bases), calls_below(kind.rpcs, bases)
    shared = _Kept(scene.transport)
    async with open_web(Access(), WebLimits(), allow=allow, calls=calls, transport=shared) as web:
        yield kind.open(
            NAME,
            scene.settings,
            Sources(web=web, metrics=scene.metrics, logs=scene.logs, clock=scene.clock, reach=scene.settings.addresses),
        )


class _Kept(httpx.AsyncBaseTransport):
    """Passes on to a transport that whoever opened the scene closes."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


class Noting(_Kept):
    """Keeps what was asked, and passes it on."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        super().__init__(inner)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Note the request, then send it."""
        self.requests.append(request)
        return await super().handle_async_request(request)


class Failing(httpx.AsyncBaseTransport):
    """Answers wrongly to each question, or to those of one path; at once, so that nothing waits."""

    def __init__(self, inner: httpx.AsyncBaseTransport, failure: Failure, path: str | None = None) -> None:
        self._inner = inner
        self._failure: Failure = failure
        self._path = path
        self._asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail as told, or pass on what is asked of another path."""
        if self._path is not None and request.url.path != self._path:
            return await self._inner.handle_async_request(request)
        self._asked += 1
        match self._failure:
            case "unreachable":
                raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
            case "silent":
                raise httpx.ReadTimeout("", request=request)
            case "refusing":
                return httpx.Response(500, content=HTML, headers={"content-type": "text/html"}, request=request)
            case "odd":
                return _json(request, _ODD[self._asked % len(_ODD)])
            case _:
                return _json(request, await self._half(request))

    async def _half(self, request: httpx.Request) -> bytes:
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        await answer.aclose()
        return body[: len(body) // 2]


def _json(request: httpx.Request, body: bytes) -> httpx.Response:
    return httpx.Response(200, content=body, headers={"content-type": "application/json"}, request=request)


class NoEngine:
    """A metrics engine that cannot be reached."""

    about = "http://127.0.0.1:9"

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Raise SourceUnreachable."""
        raise SourceUnreachable(promql, "prometheus", "no connection", "see whether it runs")

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Raise SourceUnreachable."""
        raise SourceUnreachable(promql, "prometheus", "no connection", "see whether it runs")

    async def version(self) -> str:
        """Raise SourceUnreachable."""
        raise SourceUnreachable("its version", "prometheus", "no connection", "see whether it runs")


class NotedEngine:
    """Keeps which queries were asked, and passes them on."""

    def __init__(self, inner: MetricsSource) -> None:
        self._inner = inner
        self.about = inner.about
        self.queries: list[str] = []

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Note the query, then ask it."""
        self.queries.append(promql)
        return await self._inner.instant(promql, at)

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Note the query, then ask it."""
        self.queries.append(promql)
        return await self._inner.range(promql, window, step_seconds)

    async def version(self) -> str:
        """Return what the engine says it is."""
        return await self._inner.version()
