"""Gathering: every source read once for one instant, and what could not be read kept beside what was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from opsai_etcd.api.client import Etcd, Round
from opsai_etcd.attempts import Attempts
from opsai_etcd.facts import EtcdFacts, MemberFacts, NodeLog, Track, Tracks
from opsai_etcd.gathering.members import alarms_of, leader_of, members_of, node_of_member
from opsai_etcd.gathering.memory import Memory
from opsai_etcd.gathering.survey import Survey, Targets, narrowed
from opsai_etcd.gathering.tracking import LOOK_BACK_SECONDS, STEP_SECONDS, Followed, follow
from opsai_etcd.logs.logged import node_of, read_logs
from opsai_subjects.model import LastState, Node, Window, utc
from opsai_subjects.sources.meetings import Meetings
from opsai_subjects.sources.scrape import Scraper
from opsai_subjects.subject import Sources


@dataclass
class _Found:
    """What the parts that are read side by side found."""

    followed: Followed | None = None
    logs: dict[str, NodeLog] = field(default_factory=dict[str, NodeLog])
    ends: dict[str, LastState] = field(default_factory=dict[str, LastState])


async def gather(
    cluster: str, etcd: Etcd, sources: Sources, names: Mapping[str, str], survey: Survey, before: Memory
) -> EtcdFacts:
    """Read everything once. Never raises for a source that cannot be read."""
    asked = await etcd.ask()
    tries = Attempts()
    tries.add(asked.unread)
    members = members_of(asked, names)
    targets = await survey.targets(members)
    # only now: our own scraping may just have begun, and what it brings is not to lie in the future
    at = sources.clock.now()
    window = Window.last(LOOK_BACK_SECONDS, at)
    nodes = tuple(node_of_member(member, None) for member in members)
    found = await _side_by_side(sources, tries, members, nodes, window, survey, targets)
    tracks, active = _tracks(found.followed, window)
    members = tuple(_completed(one, tracks, sources.meetings, etcd) for one in members)
    leader, told = leader_of(members)
    alarms, alarms_known = alarms_of(asked, members)
    return EtcdFacts(
        cluster=cluster,
        cluster_id=_cluster_id(asked),
        at=at,
        nodes=tuple(node_of_member(member, leader) for member in members),
        unread=tries.unread,
        members=members,
        members_known=asked.listed,
        members_listed=bool(asked.members),
        leader=leader,
        leader_told=told,
        alarms=alarms,
        alarms_known=alarms_known,
        scraped_by_us=isinstance(sources.metrics, Scraper),
        tracks=tracks,
        active=active,
        logs=found.logs,
        led=before.led,
        met=before.met,
        ends=found.ends,
    )


async def _side_by_side(
    sources: Sources,
    tries: Attempts,
    members: Sequence[MemberFacts],
    nodes: Sequence[Node],
    window: Window,
    survey: Survey,
    targets: Targets,
) -> _Found:
    found = _Found()

    async def of_metrics() -> None:
        if sources.metrics is None:
            tries.miss("metrics", "every signal", "none are read", "set `prometheus`, or leave `scrape` on")
            return
        metrics = narrowed(sources.metrics, targets)
        found.followed = await follow(metrics, targets, members, window, survey.range_text(targets), tries)

    async def of_logs() -> None:
        if sources.logs is None:
            tries.miss(
                "logs",
                "decisive messages",
                "no logs are set",
                "set `logs` (--logs NODE=GLOB), docker, kubernetes or loki",
            )
            return
        found.logs, unread = await read_logs(sources.logs, nodes, window)
        tries.add(unread)

    async def of_containers() -> None:
        if sources.states is not None:
            told = await sources.states.last_states()
            tries.add(told.unread)
            pairs = ((node_of(state.node, nodes), state) for state in told.states)
            found.ends = {node.entity: state for node, state in pairs if node is not None}

    async with anyio.create_task_group() as tasks:
        for part in (of_metrics, of_logs, of_containers):
            tasks.start_soon(part)
    return found


def _tracks(followed: Followed | None, window: Window) -> tuple[Tracks, dict[str, dict[str, Track]]]:
    if followed is None:
        return Tracks(start=window.start, step_seconds=STEP_SECONDS, by_name={}), {}
    return followed.tracks, followed.active


def _completed(member: MemberFacts, tracks: Tracks, meetings: Meetings | None, etcd: Etcd) -> MemberFacts:
    """Return the member with what its metrics and the head of its answers tell besides."""
    start, quota = tracks.of("start_time", member.entity), tracks.of("quota", member.entity)
    in_use = tracks.of("db_in_use", member.entity)
    met = meetings.of(etcd.dialled(f"http://{member.address}")) if meetings and member.address else None
    if met is None and meetings and member.address:
        met = meetings.of(etcd.dialled(f"https://{member.address}"))
    return member.model_copy(
        update={
            "started_at": utc(start.now) if start and start.now else None,
            "quota_bytes": member.quota_bytes or (int(quota.now) if quota and quota.now else None),
            "db_in_use_bytes": member.db_in_use_bytes or (int(in_use.now) if in_use and in_use.now else None),
            "clock_ahead_seconds": met.clock_ahead_seconds if met and member.port == "answered" else None,
        }
    )


def _cluster_id(asked: Round) -> str | None:
    return next((view.status.cluster_id for view in asked.views if view.status and view.status.cluster_id), None)
