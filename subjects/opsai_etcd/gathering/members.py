"""The members as one round of questions found them: who they are, and how each met us."""

from collections import Counter
from collections.abc import Mapping, Sequence

from opsai_etcd.address import address_of
from opsai_etcd.api.client import Round
from opsai_etcd.api.values import Member, View
from opsai_etcd.facts import CLUSTER, AlarmFacts, MemberFacts
from opsai_subjects.model import Node, Scalar


def members_of(asked: Round, names: Mapping[str, str]) -> tuple[MemberFacts, ...]:
    """Return the members in order of name; where nobody lists any, the endpoints that were asked."""
    if not asked.members:
        return tuple(_endpoint(view, names) for view in asked.views)
    twice = {name for name, count in Counter(one.name for one in asked.members).items() if count > 1}
    found = [_member(one, asked.of(one), names, own_name=one.name not in twice) for one in asked.members]
    return tuple(sorted(found, key=lambda one: one.entity))


def _member(member: Member, view: View | None, names: Mapping[str, str], *, own_name: bool) -> MemberFacts:
    address = address_of(member.client_urls[0]) if member.client_urls else ""
    entity = member.name if member.name and own_name else f"member:{member.id}"
    facts = MemberFacts(
        entity=entity,
        id=member.id,
        name=names.get(address) or member.name or entity,
        address=address,
        peer_address=address_of(member.peer_urls[0]) if member.peer_urls else "",
        port="unknown",
        is_learner=member.is_learner,
        started=bool(member.name or member.client_urls),
    )
    return facts if view is None else facts.model_copy(update=_met(view))


def _endpoint(view: View, names: Mapping[str, str]) -> MemberFacts:
    status_id = view.status.member_id if view.status else ""
    name = names.get(view.address, view.address)
    known = MemberFacts(entity=name, id=status_id, name=name, address=view.address, port="unknown")
    return known.model_copy(update=_met(view))


def _met(view: View) -> dict[str, object]:
    told: dict[str, object] = {
        "port": view.outcome,
        "why": view.why,
        "answer_seconds": view.seconds if view.outcome == "answered" else None,
        "version": view.server_version,
        "cluster_version": view.cluster_version,
        "healthy": view.healthy,
        "health_says": view.health_says,
    }
    status = view.status
    if status is not None:
        told |= {
            "leader_id": status.leader_id,
            "raft_term": status.raft_term,
            "raft_index": status.raft_index,
            "applied_index": status.applied_index,
            "db_bytes": status.db_bytes,
            "db_in_use_bytes": status.db_in_use_bytes,
            "quota_bytes": status.quota_bytes,
            "is_learner": status.is_learner,
            "errors": status.errors,
        }
    return told


def leader_of(members: Sequence[MemberFacts]) -> tuple[str | None, bool]:
    """Return the member that most of those who say so take for the leader, of equals the one of the newer term; and whether anybody said."""
    told = [member for member in members if member.leader_id is not None]
    votes = Counter(member.leader_id for member in told if member.leader_id)
    terms = {member.leader_id: max(member.raft_term or 0, 0) for member in told}
    best = max(votes, key=lambda one: (votes[one], terms.get(one, 0)), default=None)
    return next((member.entity for member in members if member.id and member.id == best), None), bool(told)


def alarms_of(asked: Round, members: Sequence[MemberFacts]) -> tuple[tuple[AlarmFacts, ...], bool]:
    """Return the alarms that any member tells of, and whether any told: they are the cluster's, each member knows all."""
    by_id = {member.id: member.entity for member in members}
    told = [view.status for view in asked.views if view.status is not None]
    # from 3.5.7 on CORRUPT is of no member (etcd#14852)
    found = {(by_id.get(alarm.member_id, CLUSTER), alarm.kind) for one in told for alarm in one.alarms}
    return tuple(AlarmFacts(entity=entity, kind=kind) for entity, kind in sorted(found)), bool(told)


def node_of_member(member: MemberFacts, leader: str | None) -> Node:
    """Return the member as a node of the topology."""
    return Node(
        entity=member.entity,
        name=member.name,
        role="etcd",
        address=member.address or member.peer_address,
        status_address=member.address,
        state=state_of(member, leader),
        details=_details(member),
    )


def state_of(member: MemberFacts, leader: str | None) -> str:
    """Return its state in a word: what it is while it answers, else how its port met us."""
    if not member.started:
        return "not started"
    if member.port != "answered":
        return member.port
    if member.is_learner:
        return "learner"
    return "leader" if member.entity == leader else "follower"


def _details(member: MemberFacts) -> dict[str, Scalar]:
    details: dict[str, Scalar] = {
        "id": member.id,
        "version": member.version,
        "is_learner": member.is_learner or None,
        "db_bytes": member.db_bytes,
        "db_in_use_bytes": member.db_in_use_bytes,
        "raft_term": member.raft_term,
        "raft_index": member.raft_index,
        "applied_index": member.applied_index,
        "healthy": member.healthy,
        "peer_address": member.peer_address,
        "started_at": member.started_at.isoformat(timespec="seconds") if member.started_at else None,
        "says": "; ".join(member.errors) or None,
    }
    return {name: value for name, value in details.items() if value not in (None, "")}
