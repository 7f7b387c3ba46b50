"""PD members read from JSON: the membership, their health, their status.

Every function raises ValueError (pydantic's ValidationError among them) for what is not what it should be, and nothing else.
"""

from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter

from opsai_tikv.pd.go_values import unix_seconds
from opsai_tikv.pd.shapes import Id, Json, Name, Names, Text, or_empty_list
from opsai_tikv.pd.values import EtcdHealth, Member, MemberHealth, Members, PdStatus


class _Member(Json):
    name: Name = ""
    member_id: Id = ""
    client_urls: Names = ()
    peer_urls: Names = ()
    binary_version: Name = ""
    leader_priority: int = 0


class _Header(Json):
    cluster_id: Id = ""


class _Members(Json):
    header: _Header | None = None
    members: Annotated[list[_Member], BeforeValidator(or_empty_list)]
    leader: _Member | None = None
    etcd_leader: _Member | None = None


def read_members(json: object) -> Members:
    """Read `/members`."""
    found = _Members.model_validate(json)
    return Members(
        cluster_id=(found.header.cluster_id or None) if found.header else None,
        members=tuple(_member(member) for member in found.members),
        leader=(found.leader.name or None) if found.leader else None,
        etcd_leader=(found.etcd_leader.name or None) if found.etcd_leader else None,
    )


def _member(member: _Member) -> Member:
    return Member(
        name=member.name,
        member_id=member.member_id,
        client_urls=member.client_urls,
        peer_urls=member.peer_urls,
        version=member.binary_version,
        leader_priority=member.leader_priority,
    )


def read_leader(json: object) -> Member | None:
    """Read `/leader`; null is how a member says that it sees none."""
    return None if json is None else _member(_Member.model_validate(json))


class _Health(Json):
    name: Name = ""
    member_id: Id = ""
    client_urls: Names = ()
    health: bool = False


_HEALTHS = TypeAdapter(list[_Health])


def read_health(json: object) -> tuple[MemberHealth, ...]:
    """Read `/pd/api/v1/health`."""
    return tuple(
        MemberHealth(name=row.name, member_id=row.member_id, client_urls=tuple(row.client_urls), healthy=row.health)
        for row in _HEALTHS.validate_python(json)
    )


class _EtcdHealth(Json):
    health: bool  # etcd writes the string "true"
    reason: Text = ""


def read_etcd_health(json: object) -> EtcdHealth:
    """Read `/health`, etcd's own, which says "false" with status 503."""
    found = _EtcdHealth.model_validate(json)
    return EtcdHealth(healthy=found.health, reason=found.reason)


class _Status(Json):
    version: Name = ""
    git_hash: Name = ""
    start_timestamp: int = 0


def read_status(json: object) -> PdStatus:
    """Read `/status`."""
    found = _Status.model_validate(json)
    return PdStatus(version=found.version, git_hash=found.git_hash, started_at=unix_seconds(found.start_timestamp))
