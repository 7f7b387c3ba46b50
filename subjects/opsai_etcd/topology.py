"""The cluster as it is: its members, who leads, and a few figures of the whole."""

from collections.abc import Mapping

from opsai_etcd.api.client import Etcd
from opsai_etcd.facts import MemberFacts
from opsai_etcd.gathering.members import alarms_of, leader_of, members_of, node_of_member
from opsai_subjects.model import Scalar, Topology
from opsai_subjects.subject import Sources


async def topology(cluster: str, etcd: Etcd, sources: Sources, names: Mapping[str, str]) -> Topology:
    """Return the cluster as it is. Never raises for a member that cannot be asked."""
    asked = await etcd.ask()
    members = members_of(asked, names)
    leader, told = leader_of(members)
    alarms, _ = alarms_of(asked, members)
    voters = [member for member in members if not member.is_learner]
    answering = [member for member in voters if member.port == "answered"]
    summary: dict[str, Scalar] = {
        "members": len(members),
        "learners": len(members) - len(voters) or None,
        "voters_answering": f"{len(answering)} of {len(voters)}",
        "quorum": len(voters) // 2 + 1,
        "leader": leader or ("none" if told else None),
        "raft_term": max((member.raft_term for member in members if member.raft_term), default=None),
        "raft_index": max((member.raft_index for member in members if member.raft_index), default=None),
        "db_bytes": max((member.db_bytes for member in members if member.db_bytes), default=None),
        "versions": ", ".join(sorted({member.version for member in members if member.version})) or None,
        "cluster_version": next((member.cluster_version for member in members if member.cluster_version), None),
        "alarms": ", ".join(f"{alarm.kind} on {alarm.entity}" for alarm in alarms) or "none",
    }
    return Topology(
        cluster=cluster,
        cluster_id=next((view.status.cluster_id for view in asked.views if view.status), None),
        at=sources.clock.now(),
        nodes=tuple(node_of_member(member, leader) for member in members),
        summary={name: value for name, value in summary.items() if value is not None},
        notes=_notes(members, leader, listed=asked.listed, told=told),
        unread=asked.unread,
    )


def _notes(members: tuple[MemberFacts, ...], leader: str | None, *, listed: bool, told: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if not listed:
        notes.append(
            "No member says who the members are: these are the endpoints of the settings, or those last listed."
        )
    if told and leader is None:
        notes.append(
            "No member that answers knows a leader: nothing can be written, and no linearizable read is served."
        )
    led = next((member for member in members if member.entity == leader), None)
    for member in members:
        behind = _behind(member, led)
        if behind is not None and behind > 0 and member.is_learner:
            notes.append(f"The learner {member.name} is {behind:,} entries behind the leader.")
    return tuple(notes)


def _behind(member: MemberFacts, leader: MemberFacts | None) -> int | None:
    if leader is None or leader.raft_index is None or member.raft_index is None:
        return None
    return leader.raft_index - member.raft_index
