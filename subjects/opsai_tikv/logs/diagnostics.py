"""The nodes' logs through their own diagnostics service: for those who ask, never for a look.

A search makes a node read each overlapping file from its begin, up to 300 MB, and there is no limit and no reverse order in the
protocol. So a node is asked alone, for 15 minutes at most, and is left as soon as there is enough.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from opsai_subjects.errors import OpsaiError, SourceError
from opsai_subjects.model import Clock, LogPage, LogQuery, LogSource, Node, Unread, Window, clean, utc
from opsai_subjects.progress import work
from opsai_subjects.sources.expressions import any_of
from opsai_subjects.sources.logs import Entry, Harvest, Joiner, Sieve
from opsai_subjects.subject import Sight
from opsai_tikv.logs.diagnostics_rpc import Diagnostics, Said, Search
from opsai_tikv.logs.lines import parse_log
from opsai_tikv.logs.logged import node_of

ORIGIN = "the node's diagnostics service"
MAX_WINDOW = timedelta(minutes=15)
MAX_NODES = 4
"""Asked in one search, one after another."""
MAX_LINES = 20_000
MAX_BYTES = 16 * 1024 * 1024
DEADLINE_SECONDS = 10.0
NAMES_AGE = timedelta(minutes=5)
_KNOCKED_AT = 12
"""So many nodes are tried by a check: one that refuses speaks for its like."""
LEVELS = {"DEBUG": 1, "INFO": 2, "WARN": 3, "TRACE": 4, "FATAL": 5, "ERROR": 6}
"""kvproto's LogLevel, whose `Critical` is FATAL here."""
_WORDS = {number: word for word, number in LEVELS.items()}
_ROLES = ("tikv", "pd")


@dataclass(frozen=True)
class Limits:
    """What one search may take of a node."""

    lines: int = MAX_LINES
    bytes: int = MAX_BYTES
    seconds: float = DEADLINE_SECONDS


class DiagnosticsLogs:
    """The logs of those nodes that no other source has."""

    def __init__(
        self,
        rpc: Diagnostics,
        nodes: Callable[[], Awaitable[Sequence[Node]]],
        clock: Clock,
        reach: Mapping[str, str],
        others: LogSource | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._rpc = rpc
        self._ask_nodes = nodes
        self._clock = clock
        self._reach = dict(reach)
        self._others = others
        self._limits = limits or Limits()
        self._known: dict[str, Node] = {}
        self._known_at: datetime | None = None

    async def nodes(self) -> tuple[str, ...]:
        """Return the names of the nodes that PD knows and of which no other source has the log."""
        return tuple(await self._learned())

    async def search(self, query: LogQuery) -> LogPage:
        """Search node after node, the last 15 minutes of the window. Raises QueryInvalid."""
        Sieve(query)  # an expression that cannot be used is refused before a node is asked
        window = Window(start=max(query.window.start, query.window.end - MAX_WINDOW), end=query.window.end)
        # texts and expressions are judged by the node, on what follows time and level
        sieve = Sieve(replace(query, window=window, contains=(), regex=""))
        harvest = Harvest(query.limit, query.newest_first)
        unread = self._not_in_window(query.window, window)
        searched: list[str] = []
        known = await self._learned()
        wanted = query.nodes or tuple(known)
        if not wanted:
            unread.append(
                Unread(source="diagnostics", asked="the nodes", why="PD names none of them", advice="opsai check")
            )
        progress = work(len(wanted), "logs by the nodes' diagnostics service")
        for index, name in enumerate(wanted):
            progress.reach(index)
            if name not in known:
                unread.append(_unread(name, "its log", "PD knows no such node", f"one of {', '.join(known)}"))
            elif index >= MAX_NODES:
                why = f"it was not asked: {MAX_NODES} nodes are, in one search"
                unread.append(_unread(name, "its log", why, "name it in nodes"))
            elif await self._node(known[name], name, query, window, sieve, harvest, unread):
                searched.append(name)
        return LogPage(
            harvest.lines(), harvest.matched, tuple(unread), tuple(searched), dict.fromkeys(searched, ORIGIN)
        )

    async def check(self) -> Sight:
        """Say of how many nodes the log can be asked for."""
        known = await self._learned()
        tried = list(known.items())[:_KNOCKED_AT]
        if not tried:
            return Sight(source="diagnostics", state="ok", says="no node is left to it: other sources have their logs")
        failed = [unread for name, node in tried if (unread := await self._knock(name, node)) is not None]
        says = f"{len(tried) - len(failed)} of {len(tried)} nodes answer"
        says += f" ({len(known) - len(tried)} more were not tried)" if len(known) > len(tried) else ""
        says += f"; asked only on demand, at most {MAX_WINDOW.seconds // 60} min a search"
        if not failed:
            return Sight(source="diagnostics", state="ok", says=says)
        first = failed[0]
        says += f". {first.source.removeprefix('logs:')}: {first.why}"
        state: Literal["blind", "partial"] = "blind" if len(failed) == len(tried) else "partial"
        return Sight(source="diagnostics", state=state, says=says, advice=first.advice)

    async def _knock(self, name: str, node: Node) -> Unread | None:
        """Ask a node for lines of a moment that is still to come: that costs it nothing."""
        moment = round((self._clock.now() + timedelta(days=1)).timestamp() * 1000)
        try:
            await self._rpc.search_log(
                self._target(node), Search(moment, moment + 1), lambda _: False, of=name, seconds=self._limits.seconds
            )
        except OpsaiError as error:
            return _failed(name, error)
        return None

    async def _learned(self) -> dict[str, Node]:
        now = self._clock.now()
        if self._known_at is None or now - self._known_at >= NAMES_AGE:
            listed = [node for node in await self._ask_nodes() if node.role in _ROLES and node.state != "Tombstone"]
            names = await self._others.nodes() if self._others is not None else ()
            elsewhere = {found.entity for name in names if (found := node_of(name, listed)) is not None}
            self._known = {node.name: node for node in listed if node.entity not in elsewhere}
            self._known_at = now if listed else None
        return self._known

    async def _node(
        self,
        node: Node,
        name: str,
        query: LogQuery,
        window: Window,
        sieve: Sieve,
        harvest: Harvest,
        unread: list[Unread],
    ) -> bool:
        """Search one node; return whether its log was read."""
        search = _search(query, window)
        reading = _Reading(name, sieve, harvest, self._limits, joins=not search.patterns)
        try:
            whole = await self._ask(node, name, search, reading.take)
            if not whole:
                unread.append(reading.stopped())
            if not reading.lines and (search.patterns or search.levels):
                # no line matches, or there is no file to match in: one line without conditions tells
                bare = replace(search, patterns=(), levels=())
                whole = await self._ask(node, name, bare, lambda _: False)
            reading.end()
        except OpsaiError as error:
            reading.end()
            unread.append(_failed(name, error))
            return reading.lines > 0
        if whole and not reading.lines:
            why = f"it sent no line of {window.start:%H:%M:%S} to {window.end:%H:%M:%S}Z: it was silent, or it writes no log file (one that logs to its standard output answers so too)"
            unread.append(_unread(name, "its log", why, "read its output instead: docker, kubernetes or loki"))
            return False
        return True

    async def _ask(self, node: Node, name: str, search: Search, into: Callable[[Said], bool]) -> bool:
        return await self._rpc.search_log(self._target(node), search, into, of=name, seconds=self._limits.seconds)

    def _target(self, node: Node) -> str:
        target = self._reach.get(node.address, node.address)
        return urlsplit(target).netloc.rpartition("@")[2] if "://" in target else target

    def _not_in_window(self, asked: Window, searched: Window) -> list[Unread]:
        if searched.start <= asked.start:
            return []
        why = f"a node is asked for its last {MAX_WINDOW.seconds // 60} min of a window: what was before {searched.start:%Y-%m-%d %H:%M:%S}Z was not searched"
        return [
            Unread(source="diagnostics", asked="the whole window", why=why, advice="ask again with that as the end")
        ]


class _Reading:
    """Takes a node's lines until there is enough."""

    def __init__(self, name: str, sieve: Sieve, harvest: Harvest, limits: Limits, *, joins: bool) -> None:
        self._name = name
        self._sieve = sieve
        self._harvest = harvest
        self._limits = limits
        self._joins = joins
        self._joiner = Joiner(parse_log)
        self._bytes = 0
        self._last_ms = 0
        self.lines = 0

    def take(self, said: Said) -> bool:
        """Take a line; return whether to go on."""
        if self.lines >= self._limits.lines or self._bytes >= self._limits.bytes:
            return False
        self.lines += 1
        self._bytes += len(said.text)
        self._last_ms = said.at_ms
        # a line that continues an entry comes with the time and level of the entry's first
        follows = self._joins and self.lines > 1 and not said.text.startswith("[")
        self._add(self._joiner.feed(said.text if follows else _whole(said)))
        return True

    def end(self) -> None:
        """Take in the last entry."""
        self._add(self._joiner.flush())

    def stopped(self) -> Unread:
        """Return what was left out when there was enough."""
        why = f"it was left after {self.lines:,} lines, at {utc(self._last_ms / 1000):%Y-%m-%d %H:%M:%S}Z: what follows was not searched"
        return _unread(self._name, "its log", why, "a window that begins there, or conditions that fewer lines meet")

    def _add(self, entry: Entry | None) -> None:
        if entry is not None and self._sieve.admits(entry):
            self._harvest.add(self._name, entry)


def _search(query: LogQuery, window: Window) -> Search:
    patterns = [f"(?:{any_of(query.contains)})"] if query.contains else []
    patterns += [query.regex] if query.regex else []
    levels = tuple(LEVELS[level.upper()] for level in query.levels if level.upper() in LEVELS)
    start, end = (round(at.timestamp() * 1000) for at in (window.start, window.end))
    return Search(start, max(end, 1), levels, tuple(patterns))


def _whole(said: Said) -> str:
    """Return the line as the node's file has it, its time in UTC."""
    at = utc(said.at_ms / 1000)
    level = _WORDS.get(said.level, "UNKNOWN")
    return f"[{at:%Y/%m/%d %H:%M:%S}.{said.at_ms % 1000:03d} +00:00] [{level}] {said.text}"


def _failed(name: str, error: OpsaiError) -> Unread:
    if isinstance(error, SourceError):
        return _unread(name, error.asked, error.came_back, error.advice)
    return _unread(name, "its log", str(error))


def _unread(name: str, asked: str, why: str, advice: str = "") -> Unread:
    return Unread(source=f"logs:{name}", asked=asked, why=f"diagnostics: {clean(why, 500)}", advice=advice)
