"""What happened in a window: events of metrics and logs put together, what both tell told once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import anyio

from opsai_subjects.attempts import Attempts
from opsai_subjects.model import Event, Events, LogQuery, LogSource, MetricsReply, MetricsSource, Node, Series, Window
from opsai_subjects.progress import work
from opsai_subjects.subject import Sources
from opsai_tikv.events.lines import BURSTS, ONCE, OWN, Names, read_lines
from opsai_tikv.events.merging import told_once
from opsai_tikv.events.series import Named, leaders_moved, leaderships, starts, store_states, targets
from opsai_tikv.gathering.ended import end_events, read_ends
from opsai_tikv.gathering.tracking import Finder
from opsai_tikv.logs.every import texts
from opsai_tikv.logs.logged import node_of

LEAST_STEP_SECONDS = 10.0
MOST_POINTS = 240
"""Of each series: six queries of so many points cost the same whatever the window."""
SEARCHES: tuple[tuple[tuple[str, ...], int], ...] = (
    ((*ONCE, *OWN), 1000),
    (tuple(name for name in BURSTS if "leader" in name or "election" in name or "operator" in name), 4000),
    (
        tuple(name for name in BURSTS if "leader" not in name and "election" not in name and "operator" not in name),
        4000,
    ),
)
"""Each search of the logs: the patterns, and at most so many lines, so that a flood of one kind does not hide another."""
_JOBS = 'job=~".*(tikv|pd).*"'
QUERIES: Mapping[str, str] = {
    "starts": f"max by (instance, job) (process_start_time_seconds{{{_JOBS}}})",
    "targets": f"max by (instance, job) (up{{{_JOBS}}})",
    "pd_leaders": 'max by (instance) (service_member_role{service="PD"}) or on () max by (instance) (pd_tso_role)',
    "etcd_leaders": "max by (instance) (etcd_server_is_leader)",
    "region_leaders": 'max by (instance) (tikv_raftstore_region_count{type="leader"})',
    "store_states": 'max by (type, store) (pd_cluster_status{type=~"store_(disconnected|down|unhealth|slow|offline|tombstone|low_space)_count"})',
}


async def events(
    window: Window, nodes: Sequence[Node], sources: Sources, tries: Attempts, aliases: Mapping[str, str] | None = None
) -> Events:
    """Return the events of the window, oldest first. Never raises for a source that cannot be read.

    `aliases` are other names of nodes (etcd's hexadecimal member ids) to their entity.
    """
    people = _People(nodes, aliases or {})
    found: list[Event] = []
    readable: set[str] = set()

    async def from_metrics() -> None:
        if sources.metrics is None:
            tries.miss("prometheus", "metrics", "none is set", "set `prometheus` to the URL of the engine")
            return
        found.extend(_of_series(await _replies(sources.metrics, window, tries), window, people))

    async def from_logs() -> None:
        if sources.logs is None:
            tries.miss("logs", "log lines", "no logs are set", "set `logs`: node to a file or glob")
            return
        found.extend(await _of_logs(sources.logs, window, people, readable, tries))

    async def from_containers() -> None:
        found.extend(end_events(await read_ends(sources.states, nodes, tries), window))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(from_metrics)
        tasks.start_soon(from_logs)
        tasks.start_soon(from_containers)
    inside = [event for event in found if window.start <= event.at <= window.end]
    told = sorted(told_once(inside, readable), key=lambda event: (event.at, event.entity, event.kind))
    return Events(window=window, events=tuple(told), unread=tries.unread)


class _People:
    """How nodes are called, by whatever name they come."""

    def __init__(self, nodes: Sequence[Node], aliases: Mapping[str, str]) -> None:
        self._finder = Finder(nodes)
        self._nodes = tuple(nodes)
        self._aliases = aliases
        self._names = {node.entity: node.name for node in nodes}
        self._roles = {node.entity: "pd" if node.role == "pd" else "tikv" for node in nodes}

    def by_labels(self, labels: Mapping[str, str]) -> str | None:
        """Return the entity of a scraped series."""
        if "store" in labels and "instance" not in labels:
            return self._finder.by_store(labels["store"])
        instance = labels.get("instance", "")
        roles = ("pd", "tikv") if "pd" in labels.get("job", "pd") else ("tikv", "pd")
        return next((entity for role in roles if (entity := self._finder.by_instance(instance, role))), None)

    def of_log(self, node: str) -> str:
        """Return the entity whose log goes by that name; the name itself when it is no known node."""
        found = (
            self._finder.by_instance(node, "tikv") or self._finder.by_instance(node, "pd") or self._aliases.get(node)
        )
        own = node_of(node, self._nodes) if found is None else None
        return found or (own.entity if own is not None else node)

    def role(self, log_node: str) -> str:
        """Return `pd` or `tikv`, empty for the log of no known node."""
        return self._roles.get(self.of_log(log_node), "")

    def name(self, known_as: str) -> str:
        """Return what people call a node given by entity, address or store number."""
        entity = known_as if known_as in self._names else f"store:{known_as}"
        if entity not in self._names:
            entity = self.of_log(known_as)
        return self._names.get(entity, known_as)

    def named(self, series: Sequence[Series]) -> list[Named]:
        """Return the series of known nodes, with entity and name."""
        pairs = ((self.by_labels(one.labels), one) for one in series)
        return [Named(entity, self.name(entity), one) for entity, one in pairs if entity is not None]


async def _replies(metrics: MetricsSource, window: Window, tries: Attempts) -> dict[str, MetricsReply]:
    step = max(LEAST_STEP_SECONDS, window.seconds / MOST_POINTS)
    replies: dict[str, MetricsReply] = {}
    progress = work(len(QUERIES), "what the metrics tell of events")

    async def one(name: str, query: str) -> None:
        reply = await tries.of("prometheus", query, metrics.range(query, window, step))
        progress.did()
        if reply is not None:
            replies[name] = reply

    async with anyio.create_task_group() as tasks:
        for name, query in QUERIES.items():
            tasks.start_soon(one, name, query)
    return replies


def _of_series(replies: Mapping[str, MetricsReply], window: Window, people: _People) -> list[Event]:
    def named(name: str) -> list[Named]:
        return people.named(replies[name].series) if name in replies else []

    states = replies["store_states"].series if "store_states" in replies else ()
    return [
        *starts(named("starts"), window, "process_start_time_seconds"),
        *targets(named("targets"), "up"),
        *leaderships(named("pd_leaders"), "PD leadership", "pd_leader_change", "service_member_role"),
        *leaderships(named("etcd_leaders"), "etcd leadership", "etcd_leader_change", "etcd_server_is_leader"),
        *leaders_moved(named("region_leaders"), "tikv_raftstore_region_count"),
        *store_states(states, people.by_labels, people.name, "pd_cluster_status"),
    ]


async def _of_logs(
    logs: LogSource, window: Window, people: _People, readable: set[str], tries: Attempts
) -> list[Event]:
    # An orderly stop just before the window makes a start in it an orderly one.
    wider = Window(start=window.start - timedelta(minutes=3), end=window.end)
    names = Names(entity=people.of_log, name=people.name, role=people.role)
    found: list[Event] = []
    for patterns, limit in SEARCHES:
        page = await tries.of(
            "logs", "decisive lines", logs.search(LogQuery(wider, contains=texts(patterns), limit=limit))
        )
        if page is None:
            continue
        for unread in page.unread:
            tries.miss(unread.source, unread.asked, unread.why, unread.advice)
        if page.matched > len(page.lines):
            why = f"only the first {len(page.lines):,} of {page.matched:,} lines were read, so counts are too small"
            tries.miss("logs", f"lines of {', '.join(patterns[:3])}…", why, "a shorter window")
        readable.update(people.of_log(node) for node in page.searched)
        found += read_lines(page.lines, names, patterns)
    return found
