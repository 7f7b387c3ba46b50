"""Output of containers and how they last ended, from the Docker Engine that runs them: GET only, through its socket."""

import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from pydantic import BaseModel, Field

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import without_userinfo
from opsai_subjects.errors import OpsaiError, SourceError, SourceRefused, SourceUnreachable
from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.log_settings import DockerSettings
from opsai_subjects.model import LastState, LastStates, LogPage, LogQuery, Unread, clean
from opsai_subjects.progress import work
from opsai_subjects.sources.feed import MAX_BYTES, SLACK, TAIL_LINES, Feed, Sifting, moment
from opsai_subjects.sources.logs import Harvest, Parse, Sieve
from opsai_subjects.sources.paths import below
from opsai_subjects.sources.shapes import shaped
from opsai_subjects.sources.web import Web, open_web

PATHS = (r"/containers/[a-zA-Z0-9][a-zA-Z0-9_.-]*/(?:logs|json)",)
"""The paths it may GET, below the path of its URL."""
_HEADER_BYTES = 8
_STREAMS = (0, 1, 2)
_SYSTEM_ERROR = 3
_CAUSES_DEEP = 10


class _State(BaseModel):
    Running: bool
    OOMKilled: bool = False
    ExitCode: int = 0
    Error: str = ""
    FinishedAt: str = ""


class _Config(BaseModel):
    Tty: bool = False


class _Container(BaseModel):
    created: str = Field(default="", alias="Created")
    state: _State = Field(alias="State")
    restarts: int = Field(default=0, alias="RestartCount")
    made: _Config = Field(default=_Config(), alias="Config")


class Frames:
    """Takes apart the engine's stream of frames: a header of eight bytes (which stream, how long), then the output."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._rest = b""
        self.broken = ""
        """What was no frame; empty while all were."""

    def take(self, part: bytes) -> bool:
        """Take a part of the answer; return whether more is wanted."""
        data = self._rest + part
        at = 0
        while len(data) - at >= _HEADER_BYTES:
            size = int.from_bytes(data[at + 4 : at + _HEADER_BYTES], "big")
            if data[at] not in _STREAMS or data[at + 1 : at + 4] != b"\0\0\0":
                begin = at + _HEADER_BYTES if data[at] == _SYSTEM_ERROR else at
                told = data[begin : begin + 300].decode("utf-8", errors="replace")
                self.broken = quoted(told) if told.strip() else "no frame"
                return False
            if len(data) - at < _HEADER_BYTES + size:
                break
            if not self._feed.take(data[at + _HEADER_BYTES : at + _HEADER_BYTES + size]):
                return False
            at += _HEADER_BYTES + size
        self._rest = data[at:]
        return True


class Docker:
    """The containers of one cluster's nodes on one engine."""

    def __init__(self, settings: DockerSettings, web: Web, parse: Parse, max_bytes: int = MAX_BYTES) -> None:
        self.about = f"Docker at {without_userinfo(settings.url)}"
        self._base = "http://docker" if settings.url.startswith("unix:") else settings.url
        self._containers = dict(settings.containers)
        self._web = web
        self._parse = parse
        self._max_bytes = max_bytes

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes whose containers are set."""
        return tuple(self._containers)

    async def search(self, query: LogQuery) -> LogPage:
        """Search the output of the containers, one after another. Raises QueryInvalid."""
        harvest = Harvest(query.limit, query.newest_first)
        sifting = Sifting(self._parse, Sieve(query), harvest, query.window.end, self._max_bytes)
        unread: list[Unread] = []
        searched: list[str] = []
        wanted = query.nodes or tuple(self._containers)
        progress = work(len(wanted), "output of containers")
        for place, node in enumerate(wanted):
            progress.reach(place)
            if node not in self._containers:
                known = ", ".join(self._containers)
                unread.append(self._unread(node, "its output", "no container is set for it", f"one of {known}"))
                continue
            feed = Feed(node, sifting, tail=query.newest_alone)
            try:
                unread += await self._read(node, query.window.start, feed, tail=query.newest_alone)
                if query.newest_alone and feed.stopped:  # the end of the output lies beyond the window
                    feed = Feed(node, sifting)
                    await self._read(node, query.window.start, feed)
                searched.append(node)
            except OpsaiError as error:
                unread.append(self._failed(node, error))
                searched += [node] if feed.last_at is not None else []
            feed.end()
            unread += feed.unsearched(f"output of {self._containers[node]}")
        origins = dict.fromkeys(searched, self.about)
        return LogPage(harvest.lines(), harvest.matched, tuple(unread), tuple(searched), origins)

    async def last_states(self) -> LastStates:
        """Return how each container last ended."""
        states: list[LastState] = []
        unread: list[Unread] = []
        for node in self._containers:
            try:
                states.append(_last(node, await self._inspect(node)))
            except OpsaiError as error:
                unread.append(self._failed(node, error))
        return LastStates(tuple(states), tuple(unread))

    async def _inspect(self, node: str) -> _Container:
        url = f"{self._base}/containers/{self._containers[node]}/json"
        return shaped(await self._web.get(url, of=self.about), _Container, "the Docker Engine")

    async def _read(self, node: str, start: datetime, feed: Feed, *, tail: bool = False) -> list[Unread]:
        container = await self._inspect(node)
        # the engine's own end of the window is let be: lines come in order, and the reading stops at the first beyond
        since = f"{(start - SLACK).timestamp():.6f}"
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "since": since}
        params |= {"tail": str(TAIL_LINES)} if tail else {}
        frames = None if container.made.Tty else Frames(feed)
        url = f"{self._base}/containers/{self._containers[node]}/logs"
        await self._web.stream(url, frames.take if frames else feed.take, of=self.about, params=params)
        notes: list[Unread] = []
        if frames is not None and frames.broken:
            notes.append(self._unread(node, "its output", f"the engine broke off: {frames.broken}", "ask again"))
        created = moment(container.created)
        if created is not None and created > start + SLACK:
            why = (
                f"its container was created at {created:%Y-%m-%d %H:%M:%S}Z: what ran before it has left no output here"
            )
            notes.append(self._unread(node, "the time before", why))
        return notes

    def _failed(self, node: str, error: OpsaiError) -> Unread:
        if not isinstance(error, SourceError):
            return self._unread(node, "its output", str(error))
        advice = error.advice
        number = _errno(error)
        if isinstance(error, SourceRefused) and error.status == 404:
            advice = f"check the name under docker.containers: docker ps -a on {self.about.removeprefix('Docker at ')}"
        elif isinstance(error, SourceRefused) and "does not support reading" in error.body:
            advice = "read where its logging driver writes to, Loki for one"
        elif number == errno.ENOENT:
            advice = "the socket is not there: run where Docker runs, or set docker.url"
        elif number == errno.EACCES:
            advice = "run as a user who may use the socket, often one of group docker"
        return self._unread(node, error.asked, error.came_back, advice)

    def _unread(self, node: str, asked: str, why: str, advice: str = "") -> Unread:
        why = f"{self.about}: {clean(why, 600)}"
        return Unread(source=f"logs:{node}", asked=clean(asked, 300), why=why, advice=advice)


@asynccontextmanager
async def open_docker(settings: DockerSettings, limits: WebLimits, parse: Parse) -> AsyncGenerator[Docker]:
    """Open the engine; nothing is asked of it yet. Raises SettingsInvalid for unusable keys."""
    transport = None
    if settings.url.startswith("unix://"):
        transport = httpx.AsyncHTTPTransport(uds=settings.url.removeprefix("unix://"))
    allow = PATHS if transport is not None else below(PATHS, (settings.url,))
    async with open_web(settings.access, limits, allow=allow, transport=transport) as web:
        yield Docker(settings, web, parse)


def _last(node: str, container: _Container) -> LastState:
    state = container.state
    ended = moment(state.FinishedAt)
    # a container that runs again keeps the time of its last end; its exit code is that of the run under way
    code = None if ended is None or state.Running else state.ExitCode
    reason = "OOMKilled" if state.OOMKilled else name_of(state.Error)
    return LastState(
        node=node,
        running=state.Running,
        ended_at=ended,
        reason=reason,
        exit_code=code,
        restarts=container.restarts,
        source="docker",
    )


def _errno(error: BaseException) -> int | None:
    """Return the system's number for a connection that failed."""
    if not isinstance(error, SourceUnreachable):
        return None
    seen: BaseException | None = error
    for _ in range(_CAUSES_DEEP):
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        seen = (seen.__cause__ or seen.__context__) if seen is not None else None
    return None
