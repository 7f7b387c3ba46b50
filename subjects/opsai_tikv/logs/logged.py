"""What the nodes' logs hold of decisive messages within the look-back."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.foreign import quoted
from opsai_subjects.model import LogLine, LogPage, LogQuery, LogSource, Node, Unread, Window
from opsai_tikv.facts import LogCount, NodeLog, own_host
from opsai_tikv.logs.every import classify, texts
from opsai_tikv.logs.patterns_bugs import BUG_PATTERNS

DECISIVE = (
    "welcome",
    "signal_stop",
    "pd_stop",
    "panic",
    "connect_timeout",
    "connection_aborted",
    "keepalive_timeout",
    "pd_connect_failed",
    "quorum_inactive",
    "etcd_leader_lost",
    "no_space",
    "disk_error",
    "disk_usage_changed",
    "disk_probe_timeout",
    "snapshot_failed",
    *(pattern.id for pattern in BUG_PATTERNS),
)
LINES_AT_MOST = 20_000
NEWEST_LINES = 1000
"""Read of all logs together to tell how long each has been silent: most nodes are among them, and are not asked one by one."""
CUT_OFF = ("connect_timeout", "connection_aborted", "keepalive_timeout")
SAMPLE_CHARS = 200


async def read_logs(
    logs: LogSource, nodes: Sequence[Node], window: Window
) -> tuple[dict[str, NodeLog], tuple[Unread, ...]]:
    """Return what each node's log says, by entity, and what could not be read."""
    by_log = {name: node.entity for name in await logs.nodes() if (node := node_of(name, nodes)) is not None}
    decisive = await _search(logs, LogQuery(window=window, contains=texts(DECISIVE), limit=LINES_AT_MOST))
    fatal = await _search(logs, LogQuery(window=window, levels=("FATAL",), limit=200))
    found: dict[str, NodeLog] = {}
    unread: list[Unread] = [*decisive.unread]
    newest = await _search(logs, LogQuery(window=window, limit=NEWEST_LINES, newest_first=True, count=False))
    seen = Counter(line.node for line in newest.lines)
    last = {line.node: line.at for line in reversed(newest.lines)}
    for name, entity in by_log.items():
        if name not in newest.searched:
            continue
        if name not in last:  # the others may have filled the page: it is asked alone
            await _alone(logs, name, window, seen, last)
        lines = [line for line in (*decisive.lines, *fatal.lines) if line.node == name]
        found[entity] = NodeLog(
            lines=seen[name],
            last_at=last.get(name) or await _older(logs, name, window),
            patterns=_patterns(lines),
            accuses=_accuses(lines),
        )
    if decisive.matched > len(decisive.lines):
        unread.append(
            Unread(
                source="logs",
                asked="decisive messages",
                why=f"{decisive.matched} lines, the first {len(decisive.lines)} were counted",
            )
        )
    return found, tuple(unread)


def node_of(name: str, nodes: Sequence[Node]) -> Node | None:
    """Return the node that a log's name means: its name, entity, address, host, or the host's own name (a pod's)."""
    for node in nodes:
        if name in (node.name, node.entity, node.address, node.status_address):
            return node
    hosts = [node for node in nodes if node.address.rsplit(":", 1)[0] == name]
    hosts = hosts or [node for node in nodes if own_host(node.address) == name]
    return hosts[0] if len(hosts) == 1 else None


async def _search(logs: LogSource, query: LogQuery) -> LogPage:
    try:
        return await logs.search(query)
    except QueryInvalid as error:  # our own texts: a source that cannot take them is unread
        return LogPage((), 0, (Unread(source="logs", asked=query.regex, why=str(error)),))


async def _alone(logs: LogSource, name: str, window: Window, seen: Counter[str], last: dict[str, datetime]) -> None:
    page = await _search(logs, LogQuery(window=window, nodes=(name,), limit=1, newest_first=True, count=False))
    for line in page.lines:
        seen[name] += 1
        last[name] = line.at


async def _older(logs: LogSource, name: str, window: Window) -> datetime | None:
    """Return the newest line before the look-back, up to a day earlier."""
    before = Window.last(86_400, window.start)
    page = await _search(logs, LogQuery(window=before, nodes=(name,), limit=1, newest_first=True, count=False))
    return page.lines[0].at if page.lines else None


def _patterns(lines: Sequence[LogLine]) -> dict[str, LogCount]:
    found: dict[str, LogCount] = {}
    for line in sorted(lines, key=lambda line: line.at):
        for pattern in classify(line):
            old = found.get(pattern)
            found[pattern] = LogCount(
                count=old.count + 1 if old else 1,
                first_at=old.first_at if old else line.at,
                last_at=line.at,
                sample=quoted(line.message, SAMPLE_CHARS),
            )
    return found


def _accuses(lines: Sequence[LogLine]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        if any(pattern in CUT_OFF for pattern in classify(line)):
            address = line.fields.get("addr", "")
            if address:
                found[address] = found.get(address, 0) + 1
    return found
