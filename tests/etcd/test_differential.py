"""What each fault of a cluster looks like, and what it is not taken for. The facts are made by hand."""

from collections.abc import Callable

import pytest

from opsai_etcd.facts import AlarmFacts, EtcdFacts
from opsai_subjects.model import LastState
from tests.etcd.scene import (
    ALONE,
    AT,
    CUT,
    HANGING,
    LEADER,
    REFUSED,
    causes,
    count,
    facts,
    flat,
    lately,
    log,
    ways,
)

NEW_LEADER = {"leader_id": "b2", "raft_term": 5}
ELSEWHERE = {"etcd2": NEW_LEADER, "etcd3": NEW_LEADER}
LOST_3 = {"etcd1": log(lost={"etcd3": 20.0}), "etcd2": log(lost={"etcd3": 20.0})}
LOST_LEADER = {name: log(lost={"etcd1": 20.0}, leader_lost={"etcd1": 19.0}) for name in ("etcd2", "etcd3")}
BOTH_LOST_3 = ways(etcd3=("etcd1", "etcd2"))


def container(*, running: bool) -> LastState:
    return LastState(
        node="etcd3", running=running, ended_at=AT, reason="Error", exit_code=137, restarts=0, source="docker"
    )


SCENES: dict[str, tuple[Callable[[], EtcdFacts], list[tuple[str, str]]]] = {
    "all is well": (facts, []),
    "a follower is killed": (
        lambda: facts({"etcd3": REFUSED}, logs={**LOST_3, "etcd3": log(21.0)}),
        [("etcd_member_down", "etcd3")],
    ),
    "a follower is killed, and only metrics tell": (
        lambda: facts(
            {"etcd3": REFUSED}, logs={}, active=BOTH_LOST_3, tracks={"is_leader": {"etcd3": lately(0, None)}}
        ),
        [("etcd_member_down", "etcd3")],
    ),
    "a follower is killed, and nothing but its port tells": (
        lambda: facts({"etcd3": REFUSED}, logs={}, active={}, tracks={"up": {}}),
        [("etcd_member_down", "etcd3")],
    ),
    "the leader is killed": (
        lambda: facts({"etcd1": REFUSED, **ELSEWHERE}, logs={**LOST_LEADER, "etcd1": log(21.0)}),
        [("etcd_leader_down", "etcd1")],
    ),
    "the leader is killed, and only metrics tell": (
        lambda: facts(
            {"etcd1": REFUSED, **ELSEWHERE},
            logs={},
            active=ways(etcd1=("etcd2", "etcd3")),
            tracks={"is_leader": {"etcd1": lately(1, None)}},
        ),
        [("etcd_leader_down", "etcd1")],
    ),
    "a follower that had led a minute before is killed": (
        lambda: facts(
            {"etcd3": REFUSED},
            logs={
                "etcd1": log(lost={"etcd3": 20.0}, leader_lost={"etcd3": 80.0}),
                "etcd2": log(lost={"etcd3": 20.0}, leader_lost={"etcd3": 80.0}),
            },
        ),
        [("etcd_member_down", "etcd3")],
    ),
    "a follower is frozen": (
        lambda: facts({"etcd3": HANGING}, logs={**LOST_3, "etcd3": log(26.0)}),
        [("etcd_member_hang", "etcd3")],
    ),
    "the leader is frozen": (
        lambda: facts({"etcd1": HANGING, **ELSEWHERE}, logs={**LOST_LEADER, "etcd1": log(26.0)}),
        [("etcd_member_hang", "etcd1")],
    ),
    "a follower's client port is cut, and its peers have it": (
        lambda: facts({"etcd3": CUT}, tracks={"up": {"etcd1": flat(1), "etcd2": flat(1), "etcd3": lately(1, 0)}}),
        [("etcd_port_unreachable", "etcd3")],
    ),
    "a follower's client port refuses everybody, and its peers have had it all along": (
        lambda: facts(
            {"etcd3": REFUSED},
            met=frozenset(),
            tracks={"up": {"etcd1": flat(1), "etcd2": flat(1), "etcd3": flat(0)}},
        ),
        [("etcd_port_unreachable", "etcd3")],
    ),
    "a follower gives us no answer, and its peers have it so far": (lambda: facts({"etcd3": HANGING}), []),
    "a follower is killed for the third time in ten minutes": (
        lambda: facts(
            {"etcd3": REFUSED},
            logs={**LOST_3, "etcd3": log(21.0, restarts=(400.0, 250.0, 100.0), started=count(100.0, 3))},
        ),
        [("etcd_member_down", "etcd3")],
    ),
    "a follower dies again and again, and refuses between two starts": (
        lambda: facts(
            {"etcd3": REFUSED}, logs={**LOST_3, "etcd3": log(1.0, restarts=(32.0, 17.0, 2.0), started=count(2.0, 3))}
        ),
        [("etcd_crash_loop", "etcd3")],
    ),
    "a follower is cut off from all": (
        lambda: facts({"etcd3": CUT}, logs={**LOST_3, "etcd3": log(1.0)}),
        [("etcd_member_partition", "etcd3")],
    ),
    "a follower is cut off from all behind a proxy that takes our connection": (
        lambda: facts({"etcd3": HANGING}, logs={**LOST_3, "etcd3": log(1.0)}),
        [("etcd_member_partition", "etcd3")],
    ),
    "a follower's container lost its network, and its published port with it": (
        lambda: facts({"etcd3": REFUSED}, logs={**LOST_3, "etcd3": log(1.0)}, ends={"etcd3": container(running=True)}),
        [("etcd_member_partition", "etcd3")],
    ),
    "a follower's container has ended": (
        lambda: facts(
            {"etcd3": HANGING}, logs={**LOST_3, "etcd3": log(21.0)}, ends={"etcd3": container(running=False)}
        ),
        [("etcd_member_down", "etcd3")],
    ),
    "a follower's host is gone": (
        lambda: facts({"etcd3": CUT}, logs={**LOST_3, "etcd3": log(40.0)}),
        [("etcd_host_down", "etcd3")],
    ),
    "a follower's peer port is cut": (
        lambda: facts({"etcd3": ALONE}, logs={**LOST_3, "etcd3": log(1.0, lost={"etcd1": 20.0, "etcd2": 20.0})}),
        [("etcd_peer_partition", "etcd3")],
    ),
    "the leader's peer port is cut": (
        lambda: facts(
            {"etcd1": ALONE, **ELSEWHERE},
            logs={**LOST_LEADER, "etcd1": log(1.0, lost={"etcd2": 20.0, "etcd3": 20.0})},
        ),
        [("etcd_peer_partition", "etcd1")],
    ),
    "two followers lose each other": (
        lambda: facts(active=ways(etcd2=("etcd3",), etcd3=("etcd2",))),
        [("etcd_link_partition", "etcd2")],
    ),
    "two of three are killed": (
        lambda: facts(
            {"etcd1": {"leader_id": "", "healthy": False}, "etcd2": REFUSED, "etcd3": REFUSED},
            logs={"etcd1": log(lost={"etcd2": 20.0, "etcd3": 20.0})},
        ),
        [("etcd_quorum_loss", "etcd2")],
    ),
    "all three lose each other": (
        lambda: facts(
            {name: {"leader_id": "", "healthy": False} for name in ("etcd1", "etcd2", "etcd3")},
            active=ways(etcd1=("etcd2", "etcd3"), etcd2=("etcd1", "etcd3"), etcd3=("etcd1", "etcd2")),
        ),
        [("etcd_quorum_loss", "etcd1")],
    ),
    "the only endpoint refuses and nobody ever told who the members are": (
        lambda: facts(
            dict.fromkeys(("etcd1", "etcd2", "etcd3"), REFUSED),
            logs={},
            active={},
            tracks={"up": {}},
            members_known=False,
            members_listed=False,
        ),
        [],
    ),
    "the quota is reached": (
        lambda: facts(
            {"etcd2": {"db_bytes": 2**31}},
            alarms=[AlarmFacts(entity="etcd2", kind="NOSPACE"), AlarmFacts(entity="etcd3", kind="NOSPACE")],
        ),
        [("etcd_space_exceeded", "etcd2")],
    ),
    "the data of one differ": (
        lambda: facts(alarms=[AlarmFacts(entity="etcd3", kind="CORRUPT")]),
        [("etcd_corrupt", "etcd3")],
    ),
    "the data of one differ, and the alarm does not say whose": (
        lambda: facts(
            alarms=[AlarmFacts(entity="cluster", kind="CORRUPT")],
            logs={"etcd1": log(), "etcd2": log(corrupt=count(30.0, 1, "found data inconsistency")), "etcd3": log()},
        ),
        [("etcd_corrupt", "etcd2")],
    ),
    "a process dies again and again": (
        lambda: facts(
            logs={"etcd3": log(restarts=(50.0, 35.0, 20.0), started=count(20.0, 3)), "etcd1": log(), "etcd2": log()}
        ),
        [("etcd_crash_loop", "etcd3")],
    ),
    "a disk is full and its member ended": (
        lambda: facts(
            {"etcd3": REFUSED},
            logs={**LOST_3, "etcd3": log(21.0, no_space_left=count(21.0, 2, "no space left on device"))},
        ),
        [("etcd_disk_full", "etcd3")],
    ),
    "a disk is slow": (
        lambda: facts(
            tracks={"wal_fsync_p99": {"etcd1": flat(0.002), "etcd2": flat(0.002), "etcd3": lately(0.002, 0.4)}}
        ),
        [("etcd_disk_slow", "etcd3")],
    ),
    "all disks are as slow": (
        lambda: facts(tracks={"wal_fsync_p99": {name: lately(0.01, 0.2) for name in ("etcd1", "etcd2", "etcd3")}}),
        [],
    ),
    "a disk hangs": (
        lambda: facts(tracks={"wal_fsyncs": {"etcd1": flat(20), "etcd2": flat(20), "etcd3": lately(20, 0)}}),
        [("etcd_disk_hang", "etcd3")],
    ),
    "a member is starved of processor time": (
        lambda: facts(
            tracks={
                "scrape_seconds": {"etcd1": flat(0.01), "etcd2": flat(0.01), "etcd3": lately(0.01, 2.0)},
                "wal_fsync_p99": {"etcd1": flat(0.002), "etcd2": flat(0.002), "etcd3": lately(0.002, 0.4)},
            }
        ),
        [("etcd_cpu", "etcd3")],
    ),
    "a member's network is late": (
        lambda: facts(
            tracks={"peer_rtt_best": {"etcd1": flat(0.001), "etcd2": flat(0.001), "etcd3": lately(0.001, 0.3)}}
        ),
        [("etcd_network_delay", "etcd3")],
    ),
    "a member was added and never started": (
        lambda: facts({"etcd4": {"started": False, "port": "unknown", "address": "", "leader_id": None}}),
        [("etcd_member_unstarted", "etcd4")],
    ),
    "a clock is off": (
        lambda: facts({"etcd3": {"clock_ahead_seconds": 30.0}}),
        [("etcd_clock_apart", "etcd3")],
    ),
    "the leader changes again and again": (
        lambda: facts(tracks={"leader_changes": {"etcd1": lately(1, 9)}}),
        [("etcd_leader_unsteady", "cluster")],
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_fault_is_named_by_its_kind_and_its_member(name: str) -> None:
    make, expected = SCENES[name]

    assert causes(make()) == expected


def test_the_scene_is_led_by_a_member_that_answers() -> None:
    assert facts().leader == LEADER
