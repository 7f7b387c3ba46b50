"""What the members' logs hold of decisive messages within the look-back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from opsai_etcd.facts import LogCount, NodeLog
from opsai_etcd.logs.patterns import classify, texts
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.foreign import quoted
from opsai_subjects.model import LogLine, LogPage, LogQuery, LogSource, Node, Unread, Window

LINES_AT_MOST = 20_000
NEWEST_LINES = 600
"""Read of all logs together to tell how long each has been silent."""
SAMPLE_CHARS = 200
ONE_START = timedelta(seconds=0.1)
"""A start may write more than one line that tells of it (capnslog)."""


async def read_logs(
    logs: LogSource, nodes: Sequence[Node], window: Window
) -> tuple[dict[str, NodeLog], tuple[Unread, ...]]:
    """Return what each member's log says, by entity, and what could not be read."""
    by_log = {name: node.entity for name in await logs.nodes() if (node := node_of(name, nodes)) is not None}
    # the newest first: a member that is cut off writes of elections by the thousand
    decisive = await _search(logs, LogQuery(window=window, contains=texts(), limit=LINES_AT_MOST, newest_first=True))
    newest = await _search(logs, LogQuery(window=window, limit=NEWEST_LINES, newest_first=True, count=False))
    seen = Counter(line.node for line in newest.lines)
    last = {line.node: line.at for line in reversed(newest.lines)}
    found: dict[str, NodeLog] = {}
    unread: list[Unread] = [*decisive.unread]
    for name, entity in by_log.items():
        if name not in newest.searched:
            continue
        if name not in last:  # the others may have filled the page: it is asked alone
            last_at = await _alone(logs, name, window) or await _alone(logs, name, Window.last(86_400, window.start))
        else:
            last_at = last[name]
        lines = sorted((line for line in decisive.lines if line.node == name), key=lambda line: line.at)
        found[entity] = _log(seen[name], last_at, lines, await _restarts(logs, name, lines))
    if decisive.matched > len(decisive.lines):
        why = f"{decisive.matched} lines, the newest {len(decisive.lines)} were counted"
        unread.append(Unread(source="logs", asked="decisive messages", why=why))
    return found, tuple(unread)


def node_of(name: str, nodes: Iterable[Node]) -> Node | None:
    """Return the member that a log's name means: its name, entity, address, or its host where it has one member only."""
    known = tuple(nodes)
    for node in known:
        if name in (node.name, node.entity, node.address, node.status_address):
            return node
    hosts = [node for node in known if node.address.rpartition(":")[0] == name]
    hosts = hosts or [node for node in known if _own_host(node.address) == name]
    return hosts[0] if len(hosts) == 1 else None


def _own_host(address: str) -> str:
    host, dot, _ = address.rpartition(":")[0].partition(".")
    return host if dot and not host.isdecimal() else ""


async def _restarts(logs: LogSource, name: str, lines: Sequence[LogLine]) -> tuple[datetime, ...]:
    """Return the starts that follow no orderly stop; the first one only where the log has a line of the day before it."""
    starts: list[datetime] = []
    found: list[datetime] = []
    asked = False
    for line in lines:
        kinds = classify(line)
        if "signal" in kinds:
            asked = True
        elif "started" in kinds and not (starts and line.at - starts[-1] < ONE_START):
            starts.append(line.at)
            if not asked:
                found.append(line.at)
            asked = False
    if found and found[0] == starts[0] and await _alone(logs, name, Window.last(86_400, found[0] - ONE_START)) is None:
        del found[0]  # its very first one
    return tuple(found)


def _log(lines: int, last_at: datetime | None, decisive: Iterable[LogLine], restarts: tuple[datetime, ...]) -> NodeLog:
    patterns: dict[str, LogCount] = {}
    peers: dict[str, dict[str, LogCount]] = {}
    for line in decisive:
        for pattern, about in classify(line).items():
            patterns[pattern] = _counted(patterns.get(pattern), line)
            if about:
                of = peers.setdefault(pattern, {})
                of[about] = _counted(of.get(about), line)
    return NodeLog(lines=lines, last_at=last_at, patterns=patterns, restarts=restarts, peers=peers)


def _counted(old: LogCount | None, line: LogLine) -> LogCount:
    return LogCount(
        count=old.count + 1 if old else 1,
        first_at=old.first_at if old else line.at,
        last_at=line.at,
        sample=quoted(line.message, SAMPLE_CHARS),
    )


async def _search(logs: LogSource, query: LogQuery) -> LogPage:
    try:
        return await logs.search(query)
    except QueryInvalid as error:  # our own texts: a source that cannot take them is unread
        return LogPage((), 0, (Unread(source="logs", asked=query.regex, why=str(error)),))


async def _alone(logs: LogSource, name: str, window: Window) -> datetime | None:
    page = await _search(logs, LogQuery(window=window, nodes=(name,), limit=1, newest_first=True, count=False))
    return page.lines[0].at if page.lines else None
