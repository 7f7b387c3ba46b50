"""Real members that die: seen, told apart and seen to be well again."""

from collections.abc import Iterator

import pytest

from opsai_subjects.model import Window
from tests.etcd.eyes import diagnosed, opened, seen, violated, well
from tests.etcd.members import NAMES, Members, running

pytestmark = [pytest.mark.etcd, pytest.mark.anyio]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with running(tmp_path_factory.mktemp("etcd"), 61) as found:
        yield found


async def test_an_orderly_stop_has_its_minute_before_it_counts_as_down(members: Members) -> None:
    members.wait_healthy()
    follower = members.follower()
    async with opened(members) as cluster:
        await well(cluster)
        members.stop(follower)
        facts = await diagnosed(cluster, "etcd_member_down", follower)
        members.start(follower)

        assert ("etcd_member_up", follower) not in violated(cluster, facts)
        await well(cluster)


async def test_a_killed_follower_is_down_until_it_is_back(members: Members) -> None:
    members.wait_healthy()
    follower = members.follower()
    async with opened(members) as cluster:
        before = await well(cluster)
        assert violated(cluster, before) == set()

        members.kill(follower)
        facts = await diagnosed(cluster, "etcd_member_down", follower)

        assert violated(cluster, facts) >= {("etcd_member_up", follower), ("etcd_quorum_margin", "cluster")}
        assert cluster.subject.stop_risk(facts, facts.leader or "").state == "at_risk"
        members.start(follower)
        await well(cluster)


async def test_a_killed_leader_is_told_from_a_follower_by_the_others_logs_alone(members: Members) -> None:
    members.wait_healthy()
    leader = members.leader()
    members.kill(leader)

    async with opened(members) as cluster:
        await diagnosed(cluster, "etcd_leader_down", leader)
        await seen(cluster, lambda facts: facts.leader not in (None, leader), "another leader")
        happened = await cluster.subject.events(Window.last(60, cluster.clock.now()))
        members.start(leader)
        await well(cluster)

    changes = [event for event in happened.events if event.kind == "leader_change"]
    assert any(event.says.startswith(f"the leadership passed from {leader} to ") for event in changes)


async def test_two_killed_of_three_are_a_lost_majority(members: Members) -> None:
    members.wait_healthy()
    gone = [name for name in NAMES if name != members.leader()]
    async with opened(members) as cluster:
        await well(cluster)
        for name in gone:
            members.kill(name)

        facts = await diagnosed(cluster, "etcd_quorum_loss", *gone)

        assert violated(cluster, facts) >= {("etcd_quorum", "cluster"), ("etcd_has_leader", "cluster")}
        for name in gone:
            members.start(name)
        await well(cluster)
