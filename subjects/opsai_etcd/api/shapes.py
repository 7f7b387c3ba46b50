"""The JSON of etcd's gateway, read: 64-bit numbers come as strings, and what is zero or empty is left out."""

import re
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from opsai_etcd.api.values import Alarm, Member, Status
from opsai_subjects.errors import SourceMalformed
from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.sources.web import WebReply

Shape = TypeVar("Shape", bound=BaseModel)
_ALARM = re.compile(r"memberID:(\d+)\s+alarm:([A-Z_]+)")
_MOST_ERRORS = 20
_WORDS_CHARS = 200


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Number = Annotated[int, BeforeValidator(_number)]


class _Foreign(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Header(_Foreign):
    cluster_id: Number = 0
    member_id: Number = 0
    raft_term: Number = 0


class _Member(_Foreign):
    id: Number = Field(0, alias="ID")
    name: str = ""
    peer_urls: tuple[str, ...] = Field((), alias="peerURLs")
    client_urls: tuple[str, ...] = Field((), alias="clientURLs")
    is_learner: bool = Field(default=False, alias="isLearner")


class _MemberList(_Foreign):
    header: _Header
    members: tuple[_Member, ...]


class _Status(_Foreign):
    header: _Header
    version: str = ""
    db_size: Number = Field(0, alias="dbSize")
    db_in_use: Number | None = Field(None, alias="dbSizeInUse")
    quota: Number | None = Field(None, alias="dbSizeQuota")
    leader: Number = 0
    raft_index: Number = Field(0, alias="raftIndex")
    raft_term: Number = Field(0, alias="raftTerm")
    applied: Number | None = Field(None, alias="raftAppliedIndex")
    errors: tuple[str, ...] = ()
    is_learner: bool = Field(default=False, alias="isLearner")


class _Version(_Foreign):
    server: str = Field("", alias="etcdserver")
    cluster: str = Field("", alias="etcdcluster")


class _Health(_Foreign):
    health: str | bool
    reason: str = ""


def hexadecimal(number: int) -> str:
    """Return an id as etcd's logs and labels write it; empty for none."""
    return f"{number:x}" if number else ""


def read_members(reply: WebReply) -> tuple[Member, ...]:
    """Read the list of members. Raises SourceMalformed."""
    read = _read(_MemberList, reply)
    return tuple(
        Member(
            id=hexadecimal(one.id),
            name=name_of(one.name),
            peer_urls=tuple(name_of(url) for url in one.peer_urls),
            client_urls=tuple(name_of(url) for url in one.client_urls),
            is_learner=one.is_learner,
        )
        for one in read.members
    )


def read_status(reply: WebReply) -> Status:
    """Read what a member says of itself. Raises SourceMalformed."""
    read = _read(_Status, reply)
    alarms: list[Alarm] = []
    errors: list[str] = []
    for text in read.errors[:_MOST_ERRORS]:
        found = _ALARM.search(text)
        if found:
            alarms.append(Alarm(member_id=hexadecimal(int(found[1])), kind=found[2]))
        else:
            errors.append(quoted(text, _WORDS_CHARS))
    return Status(
        member_id=hexadecimal(read.header.member_id),
        cluster_id=hexadecimal(read.header.cluster_id),
        version=name_of(read.version),
        leader_id=hexadecimal(read.leader),
        raft_term=read.raft_term,
        raft_index=read.raft_index,
        applied_index=read.applied,
        db_bytes=read.db_size,
        db_in_use_bytes=read.db_in_use,
        quota_bytes=read.quota,
        is_learner=read.is_learner,
        alarms=tuple(alarms),
        errors=tuple(errors),
    )


def read_version(reply: WebReply) -> tuple[str, str]:
    """Return the versions of the server and of the cluster. Raises SourceMalformed."""
    read = _read(_Version, reply)
    if not read.server:
        raise SourceMalformed(reply.asked, reply.of, "no etcdserver in it: is this an etcd?", "check the address")
    return name_of(read.server), name_of(read.cluster)


def read_health(reply: WebReply) -> tuple[bool, str]:
    """Return whether it calls itself healthy, and its reason. Raises SourceMalformed."""
    read = _read(_Health, reply)
    return str(read.health).lower() == "true", quoted(read.reason, _WORDS_CHARS) if read.reason else ""


def _read(shape: type[Shape], reply: WebReply) -> Shape:
    value: JsonValue = reply.json()
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SourceMalformed(
            reply.asked, reply.of, f"JSON without what was asked for ({where}: {first['msg']})"
        ) from error
