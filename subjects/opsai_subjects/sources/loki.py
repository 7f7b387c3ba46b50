"""Logs in Grafana Loki, asked over its HTTP API: sifted there, read in pages by time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, FiniteFloat, JsonValue

from opsai_subjects.endpoint import without_userinfo
from opsai_subjects.errors import OpsaiError, SourceError, SourceRefused
from opsai_subjects.foreign import quoted
from opsai_subjects.log_settings import LokiSettings
from opsai_subjects.model import Clock, LogPage, LogQuery, ParsedLine, Unread, Window, clean, utc
from opsai_subjects.progress import work
from opsai_subjects.sources.logql import by_line, logql, sifted_here
from opsai_subjects.sources.logs import Entry, Harvest, Joiner, Parse, Sieve
from opsai_subjects.sources.shapes import shaped
from opsai_subjects.sources.web import Web, WebReply

PATHS = (
    "/loki/api/v1/query",
    "/loki/api/v1/query_range",
    "/loki/api/v1/labels",
    "/loki/api/v1/label/[a-zA-Z_][a-zA-Z0-9_]*/values",
)
"""The paths it may GET, below the path of its URL."""
MAX_LINES = 50_000
"""Lines read for one search; what lies beyond is said to be unsearched."""
SLACK = timedelta(seconds=5)
"""How far Loki's time of a line may stand from the line's own."""
NAMES_AGE = timedelta(minutes=5)
"""How long the nodes once learned are taken to be the nodes."""
_LEARN_BACK = timedelta(hours=6)
_JOIN_ROOM = 2
_LEAST_LINES = 200
"""An entry takes more than one line now and then: so many times the entries wanted are read in lines, and so many at least."""


class _Names(BaseModel):
    data: list[str] = []


class _Stream(BaseModel):
    stream: dict[str, str]
    values: list[tuple[str, str] | tuple[str, str, JsonValue]]


class _Streams(BaseModel):
    resultType: Literal["streams"]  # noqa: N815 - Loki's own word
    result: list[_Stream]


class _Lines(BaseModel):
    data: _Streams
    warnings: list[str] | None = None


class _Sample(BaseModel):
    value: tuple[float, FiniteFloat]


class _Vector(BaseModel):
    result: list[_Sample]


class _Count(BaseModel):
    data: _Vector


@dataclass(frozen=True)
class _Line:
    ns: int
    node: str
    text: str


@dataclass
class _Found:
    """What a search has read so far."""

    lines: list[_Line] = field(default_factory=list[_Line])
    whole: bool = False
    """Whether all that matches was read."""
    unread: list[Unread] = field(default_factory=list[Unread])


class Loki:
    """The streams of one cluster in Loki."""

    def __init__(
        self, settings: LokiSettings, web: Web, parse: Parse, clock: Clock, max_lines: int = MAX_LINES
    ) -> None:
        self.about = f"Loki at {without_userinfo(settings.url)}"
        self._settings = settings
        self._web = web
        self._parse = parse
        self._clock = clock
        self._max_lines = max_lines
        self._values = dict(settings.nodes)
        self._learned_at: datetime | None = None

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes: those set, else the label's values in the selected streams of the last hours."""
        try:
            return tuple(await self._known())
        except OpsaiError:
            return ()

    async def search(self, query: LogQuery) -> LogPage:
        """Search. What could not be read, or was too much to read, stands in `unread`. Raises QueryInvalid."""
        sieve = Sieve(query)
        harvest = Harvest(query.limit, query.newest_first)
        try:
            known = await self._known()
        except OpsaiError as error:
            return LogPage((), 0, (self._failed(error),))
        if not known:
            return LogPage((), 0, (await self._nothing_selected(),))
        strangers = [node for node in query.nodes if node not in known]
        wanted = {node: known[node] for node in query.nodes or known if node in known}
        found = _Found([], unread=[self._stranger(node, known) for node in strangers])
        if not wanted:
            return LogPage((), 0, tuple(found.unread))
        # where all are meant and the values are the names, no list of them makes the question long
        values = tuple(wanted.values()) if query.nodes or self._settings.nodes else ()
        asked = logql(self._settings.selector, self._settings.node_label, values, query)
        try:
            await self._read(asked, query, {value: node for node, value in wanted.items()}, found)
        except OpsaiError as error:
            return LogPage((), 0, (*found.unread, self._failed(error)))
        # stable: lines of one moment keep the order in which they came, which is the reverse going backward
        lines = sorted(reversed(found.lines) if query.newest_first else found.lines, key=lambda line: line.ns)
        for node, entry in self._entries(lines, single=by_line(query)):
            if sieve.admits(entry):
                harvest.add(node, entry)
        enough = found.whole or query.newest_alone
        matched = harvest.matched if enough else await self._matched(asked, query, harvest.matched, found)
        searched = tuple(dict.fromkeys((*wanted, *(line.node for line in lines))))
        origins = dict.fromkeys(searched, self.about)
        return LogPage(harvest.lines(), matched, tuple(found.unread), searched, origins)

    async def _known(self) -> dict[str, str]:
        """Return node to label value. Raises OpsaiError."""
        now = self._clock.now()
        fresh = self._learned_at is not None and now - self._learned_at < NAMES_AGE
        if self._settings.nodes or fresh:
            return self._values
        label = self._settings.node_label
        window = Window(start=now - _LEARN_BACK, end=now)
        names = await self._names(f"label/{label}/values", {**_span(window), "query": self._settings.selector})
        self._values = {name: name for name in sorted(names)}
        self._learned_at = now if names else None
        return self._values

    async def _names(self, path: str, params: dict[str, str]) -> tuple[str, ...]:
        reply = await self._get(path, params)
        return tuple(clean(name, 200) for name in shaped(reply, _Names, "Loki").data)

    async def _get(self, path: str, params: dict[str, str]) -> WebReply:
        asked = f"{path} {clean(params.get('query', ''), 300)}".strip()
        url = f"{self._settings.url}/loki/api/v1/{path}"
        return await self._web.get(url, of=self.about, asked=asked, params=params)

    async def _read(self, asked: str, query: LogQuery, named: dict[str, str], found: _Found) -> None:
        """Read page after page, from the end that was asked for. Raises OpsaiError."""
        window = Window(start=query.window.start - SLACK, end=query.window.end + SLACK)
        direction = "backward" if query.newest_first else "forward"
        room = self._room(query)
        progress = work(room, "lines from Loki")
        seen: set[_Line] = set()
        start: int = _nanoseconds(window.start)
        end: int = _nanoseconds(window.end) + 1
        while start < end:
            size = min(self._settings.page_lines, max(1, room - len(found.lines)))
            params = {"query": asked, "start": str(start), "end": str(end), "limit": str(size), "direction": direction}
            page = shaped(await self._get("query_range", params), _Lines, "Loki")
            self._warned(page, asked, found)
            lines = [line for line in _lines(page, self._settings.node_label, named) if line not in seen]
            total = sum(len(stream.values) for stream in page.data.result)
            found.lines += lines
            progress.reach(len(found.lines))
            if total < size:
                found.whole = True
                return
            if len(found.lines) >= room:
                return
            # the last moment of the page is asked again: not all of its lines may have come
            if not lines:
                found.unread.append(self._crowded(asked))
                return
            times: list[int] = [line.ns for line in lines]
            edge: int = min(times) if query.newest_first else max(times)
            seen = {line for line in found.lines if line.ns == edge}
            start, end = (start, edge + 1) if query.newest_first else (edge, end)
        found.whole = True

    def _room(self, query: LogQuery) -> int:
        """Return how many lines are read for a query: what is judged here alone is read up to the cap."""
        if sifted_here(query):
            return self._max_lines
        wanted = query.limit if by_line(query) else max(_LEAST_LINES, query.limit * _JOIN_ROOM)
        return min(self._max_lines, wanted)

    def _entries(self, lines: Sequence[_Line], *, single: bool) -> list[tuple[str, Entry]]:
        entries: list[tuple[str, Entry]] = []
        joiners: dict[str, Joiner] = {}
        for line in lines:
            if single:
                parsed = self._parse(line.text) or ParsedLine(utc(line.ns / 1e9), "", "", line.text, {})
                entries.append((line.node, Entry(parsed, line.text)))
                continue
            joiner = joiners.setdefault(line.node, Joiner(self._parse))
            ended = [joiner.feed(text) for text in line.text.split("\n")]
            entries += [(line.node, entry) for entry in ended if entry is not None]
        for node, joiner in joiners.items():
            last = joiner.flush()
            entries += [(node, last)] if last is not None else []
        return entries

    async def _matched(self, asked: str, query: LogQuery, read: int, found: _Found) -> int:
        """Return how many lines match in all, where not all were read; what is not searched is noted."""
        if sifted_here(query):
            found.unread.append(self._too_many(asked, query, found.lines))
            return read
        seconds = max(1, round(query.window.seconds))
        promql = f"sum(count_over_time({asked} [{seconds}s]))"
        try:
            params = {"query": promql, "time": str(_nanoseconds(query.window.end))}
            counted = shaped(await self._get("query", params), _Count, "Loki").data.result
        except OpsaiError as error:
            found.unread.append(self._failed(error))
            return read
        return max(read, round(sum(sample.value[1] for sample in counted)))

    def _too_many(self, asked: str, query: LogQuery, lines: Sequence[_Line]) -> Unread:
        edge = min(line.ns for line in lines) if query.newest_first else max(line.ns for line in lines)
        which, other = ("newest", "older") if query.newest_first else ("oldest", "newer")
        why = f"the {which} {len(lines):,} lines were read, to {utc(edge / 1e9):%Y-%m-%d %H:%M:%S}Z; what is {other} was not"
        return self._unread(asked, why, "a shorter window, or a condition that Loki can judge: contains or regex")

    def _crowded(self, asked: str) -> Unread:
        why = "more lines than one page holds bear the same time: the rest was not searched"
        return self._unread(asked, why, "raise page_lines under loki, or narrow the question")

    def _warned(self, page: _Lines, asked: str, found: _Found) -> None:
        for warning in page.warnings or ():
            found.unread.append(self._unread(asked, f"Loki warns: {quoted(warning)}"))

    async def _nothing_selected(self) -> Unread:
        settings = self._settings
        now = self._clock.now()
        try:
            labels = await self._names("labels", _span(Window(start=now - _LEARN_BACK, end=now)))
        except OpsaiError as error:
            return self._failed(error)
        there = f"the labels there are {', '.join(labels[:20])}" if labels else "it holds no stream at all"
        why = f"no stream of the last {_LEARN_BACK.seconds // 3600} h has the label {settings.node_label!r}; {there}"
        return self._unread(settings.selector, why, "check selector and node_label under loki, and the tenant's header")

    def _stranger(self, node: str, known: dict[str, str]) -> Unread:
        names = ", ".join(list(known)[:20])
        why = f"no selected stream has {self._settings.node_label}={node!r}"
        return Unread(source=f"logs:{node}", asked="its log", why=f"{self.about}: {why}", advice=f"known: {names}")

    def _failed(self, error: OpsaiError) -> Unread:
        if not isinstance(error, SourceError):
            return self._unread("its streams", str(error))
        advice = error.advice
        if isinstance(error, SourceRefused):
            if "parse error" in error.body:
                advice = "check selector under loki: Loki does not read the question"
            elif "max entries limit" in error.body:
                advice = "set page_lines under loki to the server's limit"
            elif "no org id" in error.body:
                advice = 'name the tenant: access.headers = { X-Scope-OrgID = "…" } under loki'
        return self._unread(error.asked, error.came_back, advice)

    def _unread(self, asked: str, why: str, advice: str = "") -> Unread:
        return Unread(source="loki", asked=clean(asked, 300), why=f"{self.about}: {clean(why, 700)}", advice=advice)


def _lines(page: _Lines, label: str, named: dict[str, str]) -> list[_Line]:
    found: list[_Line] = []
    for stream in page.data.result:
        value = stream.stream.get(label, "")
        node = named.get(value, value)  # one that came up since the names were learned goes by its value
        found += [_Line(int(one[0]), node, one[1].rstrip("\n")) for one in stream.values if one[0].isdecimal()]
    return found


def _span(window: Window) -> dict[str, str]:
    return {"start": str(_nanoseconds(window.start)), "end": str(_nanoseconds(window.end))}


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000
