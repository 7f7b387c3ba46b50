"""Real members that hang or are cut off: told apart by how their ports meet us, by their peers, and by their logs."""

from collections.abc import Iterator

import pytest

from tests.etcd.eyes import diagnosed, opened, seen, violated, well
from tests.etcd.members import Members, running

pytestmark = [pytest.mark.etcd, pytest.mark.anyio]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with running(tmp_path_factory.mktemp("etcd"), 62) as found:
        yield found


@pytest.fixture
def healed(members: Members) -> Iterator[Members]:
    members.wait_healthy()
    yield members
    members.heal()


async def test_a_frozen_leader_hangs_and_the_others_elect_another(healed: Members) -> None:
    leader = healed.leader()
    async with opened(healed) as cluster:
        await well(cluster)
        healed.pause(leader)
        try:
            facts = await diagnosed(cluster, "etcd_member_hang", leader)
            signs = {
                sign.id for sign in cluster.subject.signs(facts) if sign.entity == leader and sign.state == "shown"
            }
        finally:
            healed.resume(leader)

        assert {"port_hangs", "lost_by_peers", "was_leader"} <= signs
        assert facts.leader not in (None, leader)
        await well(cluster)


async def test_a_frozen_follower_is_told_by_metrics_alone(healed: Members) -> None:
    follower = healed.follower()
    async with opened(healed, logs=False, scrape=True) as cluster:
        await seen(cluster, lambda facts: facts.active.keys() >= {follower}, "metrics of every member")
        healed.pause(follower)
        try:
            facts = await diagnosed(cluster, "etcd_member_hang", follower)
        finally:
            healed.resume(follower)

        assert ("etcd_member_up", follower) in violated(cluster, facts)


@pytest.mark.root
async def test_a_follower_that_is_cut_off_is_no_dead_one(healed: Members) -> None:
    follower = healed.follower()
    async with opened(healed) as cluster:
        await well(cluster)
        healed.cut(follower)

        facts = await diagnosed(cluster, "etcd_member_partition", follower)

        member = facts.member(follower)
        assert member is not None
        assert member.port in (
            "cut_off",
            "timed_out",
        )  # the latter where a connection of the look before was still open
        healed.heal()
        await well(cluster)


@pytest.mark.root
async def test_a_leader_whose_peer_port_is_cut_answers_us_and_sees_no_leader(healed: Members) -> None:
    leader = healed.leader()
    async with opened(healed) as cluster:
        await well(cluster)
        healed.cut_peer_port(leader)

        facts = await diagnosed(cluster, "etcd_peer_partition", leader)

        assert violated(cluster, facts) >= {("etcd_peers_connected", leader), ("etcd_member_follows", leader)}
        assert ("etcd_member_up", leader) not in violated(cluster, facts)
        healed.heal()
        await well(cluster)
