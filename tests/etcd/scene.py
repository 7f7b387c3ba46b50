"""Facts of a cluster of three, made by hand: well, and with one thing changed at a time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsai_etcd.facts import AlarmFacts, EtcdFacts, LogCount, MemberFacts, NodeLog, Track, Tracks, groups
from opsai_etcd.gathering.members import leader_of, node_of_member
from opsai_etcd.gathering.tracking import LOOK_BACK_SECONDS, STEP_SECONDS, track
from opsai_etcd.kind import KIND
from opsai_etcd.signs import signs
from opsai_subjects.differential import rank
from opsai_subjects.model import LastState

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POINTS = round(LOOK_BACK_SECONDS / STEP_SECONDS) + 1
NAMES = ("etcd1", "etcd2", "etcd3")
IDS = {"etcd1": "a1", "etcd2": "b2", "etcd3": "c3"}
LEADER = "etcd1"
GONE: dict[str, Any] = {
    "leader_id": None,
    "raft_term": None,
    "raft_index": None,
    "applied_index": None,
    "healthy": None,
}
REFUSED: dict[str, Any] = {"port": "refused", "why": "no connection (connection refused)", **GONE}
HANGING: dict[str, Any] = {"port": "timed_out", "why": "no whole answer within 3 s", **GONE}
CUT: dict[str, Any] = {"port": "cut_off", "why": "no connection within 2 s", **GONE}
ALONE: dict[str, Any] = {"leader_id": "", "healthy": False, "raft_term": 9}
"""What a member says of itself whose peers do not reach it."""


def member(name: str, **changed: Any) -> MemberFacts:
    known: dict[str, Any] = {
        "entity": name,
        "id": IDS.get(name, "d4"),
        "name": name,
        "address": f"10.0.0.{name[-1]}:2379",
        "peer_address": f"10.0.0.{name[-1]}:2380",
        "port": "answered",
        "answer_seconds": 0.01,
        "version": "3.5.9",
        "cluster_version": "3.5.0",
        "leader_id": IDS[LEADER],
        "raft_term": 4,
        "raft_index": 1000,
        "applied_index": 1000,
        "db_bytes": 300 * 2**20,
        "db_in_use_bytes": 200 * 2**20,
        "quota_bytes": 2**31,
        "healthy": True,
        "started_at": AT - timedelta(days=3),
        "clock_ahead_seconds": 0.0,
    }
    return MemberFacts.model_validate({**known, **changed})


def flat(value: float) -> Track:
    return track([value] * POINTS)


def lately(before: float | None, after: float | None, points: int = 8) -> Track:
    return track([before] * (POINTS - points) + [after] * points)


def count(seconds_ago: float, times: int = 1, sample: str = "") -> LogCount:
    at = AT - timedelta(seconds=seconds_ago)
    return LogCount(count=times, first_at=at, last_at=at, sample=sample)


def log(
    silent_seconds: float = 2.0,
    *,
    lost: Mapping[str, float] | None = None,
    leader_lost: Mapping[str, float] | None = None,
    restarts: Sequence[float] = (),
    **patterns: LogCount,
) -> NodeLog:
    """Return a log: how long ago its last line is, and how long ago it lost which peer and which leader, by name."""
    peers = {
        "peer_inactive": {IDS[name]: count(ago) for name, ago in (lost or {}).items()},
        "leader_lost": {IDS[name]: count(ago) for name, ago in (leader_lost or {}).items()},
    }
    return NodeLog(
        lines=10,
        last_at=AT - timedelta(seconds=silent_seconds),
        patterns=patterns,
        restarts=tuple(AT - timedelta(seconds=ago) for ago in restarts),
        peers=peers,
    )


def ways(**lost_by: Sequence[str]) -> dict[str, dict[str, Track]]:
    """Return the ways between members, all open but those to each name given, as seen by those named with it."""
    return {
        teller: {name: lately(1, 0) if teller in lost_by.get(name, ()) else flat(1) for name in NAMES if name != teller}
        for teller in NAMES
    }


def facts(
    members: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    tracks: Mapping[str, Mapping[str, Track]] | None = None,
    active: dict[str, dict[str, Track]] | None = None,
    logs: dict[str, NodeLog] | None = None,
    alarms: Sequence[AlarmFacts] = (),
    ends: Mapping[str, LastState] | None = None,
    **changed: Any,
) -> EtcdFacts:
    """Return the facts of three members that are well, but for what is given by name."""
    names = dict.fromkeys((*NAMES, *(members or {})))
    found = tuple(member(name, **(members or {}).get(name, {})) for name in names)
    leader, told = leader_of(found)
    by_name = {"up": {name: flat(1) for name in NAMES}, **{name: dict(of) for name, of in (tracks or {}).items()}}
    known: dict[str, Any] = {
        "cluster": "test",
        "cluster_id": "c1",
        "at": AT,
        "nodes": tuple(node_of_member(one, leader) for one in found),
        "unread": (),
        "members": found,
        "members_known": True,
        "members_listed": True,
        "leader": leader,
        "leader_told": told,
        "alarms": tuple(alarms),
        "alarms_known": told,
        "scraped_by_us": False,
        "tracks": Tracks(start=AT - timedelta(seconds=LOOK_BACK_SECONDS), step_seconds=STEP_SECONDS, by_name=by_name),
        "active": ways() if active is None else active,
        "logs": {name: log() for name in NAMES} if logs is None else logs,
        "ends": dict(ends or {}),
        "met": frozenset(IDS.values()),
    }
    return EtcdFacts.model_construct(**{"led": (), **known, **changed})


def causes(of: EtcdFacts) -> list[tuple[str, str]]:
    """Return the causes that the differential chooses, as kind and entity."""
    return [(one.kind, one.entity) for one in rank(KIND.faults, signs(of), groups(of)).causes]
