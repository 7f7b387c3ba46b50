"""What happened in a window: events of metrics and logs put together, what both tell told once."""

from collections.abc import Sequence
from datetime import timedelta

import anyio

from opsai_etcd.attempts import Attempts
from opsai_etcd.events.lines import BURSTS, ONCE, leader_events, read_lines
from opsai_etcd.events.series import leaders_lost, leaderships, starts, targets
from opsai_etcd.facts import MemberFacts
from opsai_etcd.gathering.members import node_of_member
from opsai_etcd.gathering.survey import Survey, narrowed
from opsai_etcd.logs.logged import node_of
from opsai_etcd.logs.patterns import texts
from opsai_subjects.model import Event, Events, LogQuery, LogSource, MetricsSource, Series, Window
from opsai_subjects.subject import Sources

LEAST_STEP_SECONDS = 10.0
MOST_POINTS = 240
MOST_LINES = 4000
QUERIES = {
    "starts": "max by (instance) (process_start_time_seconds)",
    "targets": "max by (instance) (up)",
    "leaders": "max by (instance) (etcd_server_is_leader)",
    "has_leader": "max by (instance) (etcd_server_has_leader)",
}
SAME_START = timedelta(seconds=20)
SAME_LEADERSHIP = timedelta(seconds=45)
_STARTS = ("start", "restart", "orderly_restart", "crash_restart")


async def events(window: Window, members: Sequence[MemberFacts], sources: Sources, survey: Survey) -> Events:
    """Return the events of the window, oldest first. Never raises for a source that cannot be read."""
    tries = Attempts()
    by_metrics: list[Event] = []
    by_log: list[Event] = []

    async def from_metrics() -> None:
        if sources.metrics is None:
            tries.miss("metrics", "series", "none are read", "set `prometheus`, or leave `scrape` on")
            return
        by_metrics.extend(await _of_metrics(sources.metrics, window, members, survey, tries))

    async def from_logs() -> None:
        if sources.logs is None:
            tries.miss("logs", "log lines", "no logs are set", "set `logs`: node to a file or glob")
            return
        by_log.extend(await _of_logs(sources.logs, window, members, tries))

    async def from_containers() -> None:
        if sources.states is not None:
            by_metrics.extend(await _ends(sources, members, tries))

    async with anyio.create_task_group() as tasks:
        for part in (from_metrics, from_logs, from_containers):
            tasks.start_soon(part)
    told = [*by_log, *(event for event in by_metrics if not _told(event, by_log))]
    inside = [event for event in told if window.start <= event.at <= window.end]
    ordered = sorted(inside, key=lambda event: (event.at, event.entity, event.kind))
    return Events(window=window, events=tuple(ordered), unread=tries.unread)


def _told(event: Event, by_log: Sequence[Event]) -> bool:
    """Say whether a log tells better what a metric shows."""
    for other in by_log:
        apart = abs(event.at - other.at)
        if event.kind in _STARTS and other.kind in _STARTS and other.entity == event.entity and apart <= SAME_START:
            return True
        if event.kind == other.kind == "leader_change" and other.entity == event.entity and apart <= SAME_LEADERSHIP:
            return True
    return False


async def _of_metrics(
    metrics: MetricsSource, window: Window, members: Sequence[MemberFacts], survey: Survey, tries: Attempts
) -> list[Event]:
    targets_found = await survey.targets(members)
    scoped = narrowed(metrics, targets_found)
    step = max(LEAST_STEP_SECONDS, window.seconds / MOST_POINTS)
    named: dict[str, list[tuple[str, Series]]] = {}

    async def one(name: str, query: str) -> None:
        reply = await tries.of("metrics", query, scoped.range(query, window, step))
        pairs = ((targets_found.entity(series.labels), series) for series in (reply.series if reply else ()))
        named[name] = [(entity, series) for entity, series in pairs if entity is not None]

    async with anyio.create_task_group() as tasks:
        for name, query in QUERIES.items():
            tasks.start_soon(one, name, query)
    return [
        *starts(named["starts"], window),
        *targets(named["targets"]),
        *leaderships(named["leaders"]),
        *leaders_lost(named["has_leader"]),
    ]


async def _of_logs(logs: LogSource, window: Window, members: Sequence[MemberFacts], tries: Attempts) -> list[Event]:
    # An orderly stop just before the window makes a start in it an orderly one.
    wider = Window(start=window.start - timedelta(minutes=3), end=window.end)
    nodes = tuple(node_of_member(member, None) for member in members)
    entities = {name: node.entity for name in await logs.nodes() if (node := node_of(name, nodes)) is not None}
    names = {member.id: member.entity for member in members if member.id}
    found: list[Event] = []
    for patterns in (ONCE, BURSTS, ("leader_lost", "leader_elected", "leader_changed")):
        page = await tries.of(
            "logs", "decisive lines", logs.search(LogQuery(wider, contains=texts(*patterns), limit=MOST_LINES))
        )
        if page is None:
            continue
        tries.add(page.unread)
        if page.matched > len(page.lines):
            why = f"only the first {len(page.lines):,} of {page.matched:,} lines were read"
            tries.miss("logs", f"lines of {', '.join(patterns[:3])}…", why, "a shorter window")
        if "leader_elected" in patterns:
            found += leader_events(page.lines, names)
        else:
            found += [one for one in read_lines(page.lines, entities, names) if _of(one, patterns)]
    return found


def _of(event: Event, patterns: Sequence[str]) -> bool:
    """Say whether an event is of the search's own patterns: the texts of one may stand in lines of another."""
    bursts = event.kind.endswith("_burst")
    return bursts == (patterns is BURSTS)


async def _ends(sources: Sources, members: Sequence[MemberFacts], tries: Attempts) -> list[Event]:
    assert sources.states is not None
    told = await sources.states.last_states()
    tries.add(told.unread)
    nodes = tuple(node_of_member(member, None) for member in members)
    found: list[Event] = []
    for state in told.states:
        node = node_of(state.node, nodes)
        if node is not None and state.ended_at is not None:
            kind = "killed_for_memory" if state.killed_for_memory else "process_ended"
            says = f"the container of {node.entity} ended: {state.how}{'; it runs again' if state.running else ''}"
            found.append(Event(at=state.ended_at, entity=node.entity, kind=kind, says=says, source=state.source))
    return found
