"""What can be seen of a cluster from here: each source tried once, with who answered and what to set."""

from collections.abc import Sequence

from opsai_etcd.api.client import Etcd, Round
from opsai_etcd.facts import MemberFacts
from opsai_etcd.gathering.members import members_of, node_of_member
from opsai_etcd.gathering.survey import Survey
from opsai_etcd.logs.logged import node_of
from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import SourceError
from opsai_subjects.model import LogPage, LogQuery, LogSource, Window
from opsai_subjects.subject import Sight, Sources

_HOUR_SECONDS = 3600.0


async def check(etcd: Etcd, settings: ClusterSettings, sources: Sources, survey: Survey) -> tuple[Sight, ...]:
    """Try each source once. Never raises for a source that cannot be seen: that is what it tells."""
    asked = await etcd.ask()
    members = members_of(asked, settings.names)
    found = [*(_member(one, asked) for one in members), *_agreement(asked)]
    found.append(await _metrics(sources, members, survey))
    found += await _logs(sources.logs, members, sources)
    return tuple(found)


def _member(member: MemberFacts, asked: Round) -> Sight:
    source = f"etcd {member.name}"
    if not member.started:
        return Sight(source=source, state="partial", says="it was added and has never started")
    if member.port == "unknown":
        tip = "map its advertised address in `addresses`"
        return Sight(
            source=source,
            state="blind",
            says=f"its client URL {member.address!r} cannot be asked from here",
            advice=tip,
        )
    notes = [entry for entry in asked.unread if entry.source == f"etcd:{member.address}"]
    if member.port != "answered":
        first = notes[0] if notes else None
        tip = (
            first.advice
            if first and first.advice
            else "map its advertised address in `addresses`, if it is another one from here"
        )
        return Sight(source=source, state="blind", says=f"{member.address}: {member.why or member.port}", advice=tip)
    identity = f"etcd {member.version}, id {member.id}" if member.id else f"etcd {member.version}"
    if notes:
        told = "; ".join(f"{entry.asked}: {entry.why}" for entry in notes)
        return Sight(source=source, state="partial", identity=identity, says=told, advice=notes[0].advice)
    leads = "it leads" if member.leads else ("it follows" if member.leader_id else "it sees no leader")
    return Sight(source=source, state="ok", identity=identity, says=f"{member.address} answers, {leads}")


def _agreement(asked: Round) -> list[Sight]:
    ids = {view.status.cluster_id for view in asked.views if view.status}
    if not asked.listed:
        return [
            Sight(
                source="etcd members",
                state="blind",
                says="no endpoint says who the members are",
                advice="set `endpoints` to the client URL of a member (http://host:2379)",
            )
        ]
    if len(ids) > 1:
        says = f"the endpoints are of different clusters: {', '.join(sorted(ids))}"
        return [Sight(source="etcd members", state="partial", says=says, advice="name endpoints of one cluster")]
    names = ", ".join(member.name or member.id for member in asked.members)
    identity = f"cluster {next(iter(ids), '')}"
    return [Sight(source="etcd members", state="ok", identity=identity, says=f"{len(asked.members)} members: {names}")]


async def _metrics(sources: Sources, members: Sequence[MemberFacts], survey: Survey) -> Sight:
    metrics = sources.metrics
    if metrics is None:
        return Sight(
            source="metrics", state="blind", says="none are read", advice="set `prometheus`, or leave `scrape` on"
        )
    try:
        version = await metrics.version()
    except SourceError as error:
        return Sight(source="metrics", state="blind", says=error.came_back, advice=error.advice)
    targets = await survey.targets(members)
    seen = {*targets.entities.values()}
    missing = [member.entity for member in members if member.started and member.entity not in seen]
    every = f", every {targets.interval_seconds:g} s" if targets.interval_seconds else ""
    if missing:
        tip = "add their client addresses (or --listen-metrics-urls) to its targets"
        return Sight(
            source="metrics",
            state="partial" if seen else "blind",
            identity=version,
            says=f"{metrics.about} has no target of {', '.join(missing)}",
            advice=tip,
        )
    return Sight(
        source="metrics", state="ok", identity=version, says=f"{metrics.about} has all {len(seen)} members{every}"
    )


async def _logs(logs: LogSource | None, members: Sequence[MemberFacts], sources: Sources) -> list[Sight]:
    if logs is None:
        tip = "set `logs` (--logs NODE=GLOB), docker, kubernetes or loki"
        return [
            Sight(
                source="logs",
                state="blind",
                says="none are set: who lost whom, and who led, is told by logs",
                advice=tip,
            )
        ]
    nodes = tuple(node_of_member(member, None) for member in members)
    names = await logs.nodes()
    window = Window.last(_HOUR_SECONDS, sources.clock.now())
    found: list[Sight] = []
    page = await logs.search(LogQuery(window=window, limit=1, newest_first=True, count=False))
    found += _unread(page)
    known = {node.entity for name in names if (node := node_of(name, nodes)) is not None}
    strange = [name for name in names if node_of(name, nodes) is None]
    missing = [member.entity for member in members if member.started and member.entity not in known]
    if strange:
        tip = f"call each by a member's name: {', '.join(member.entity for member in members)}"
        found.append(
            Sight(source="logs", state="partial", says=f"{', '.join(strange)} is no member's name", advice=tip)
        )
    if missing:
        found.append(
            Sight(
                source="logs",
                state="partial",
                says=f"no log of {', '.join(missing)}",
                advice="set `logs` for each member",
            )
        )
    if not found:
        found.append(Sight(source="logs", state="ok", says=f"logs of {', '.join(sorted(known))}"))
    return found


def _unread(page: LogPage) -> list[Sight]:
    """Return what was not read: in part where the node was searched, as a container has no output of the time before it was created."""
    searched = {f"logs:{node}" for node in page.searched}
    return [
        Sight(
            source=f"logs {entry.source}",
            state="partial" if entry.source in searched else "blind",
            says=f"{entry.asked}: {entry.why}",
            advice=entry.advice,
        )
        for entry in page.unread
    ]
