"""Each harm really has its effect, as seen from the published port and from the peers, and is undone whole."""

import pytest

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Target
from tests.docker.local import (
    NODES,
    answers,
    container,
    docker,
    follower,
    harmed,
    healthy,
    inspected,
    leader,
    metric,
    reached,
    reaches,
    tables,
    until,
)

pytestmark = [pytest.mark.docker, pytest.mark.anyio]


async def state(target: Target, node: str) -> tuple[str, str]:
    return next((one.state, one.says) for one in await target.status() if one.name == node)


def peers(node: str) -> tuple[str, ...]:
    return tuple(other for other in NODES if other != node)


async def test_a_killed_node_answers_nobody_and_stays_away_until_it_is_started(cluster: Target) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h1", name="kill", node=node), times=2):
        assert await answers(cluster, node) == ""
        assert not await reaches(cluster, peers(node)[0], node)
        assert await state(cluster, node) == ("stopped", "it was killed (SIGKILL)")


async def test_when_the_leader_is_killed_another_leads(cluster: Target) -> None:
    old = await leader(cluster)

    async with harmed(cluster, Harm(id="h2", name="kill", node=old)):
        assert await leader(cluster) in peers(old)


async def test_a_frozen_node_lives_and_answers_nobody(cluster: Target) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h3", name="pause", node=node), times=2):
        assert await answers(cluster, node) == ""
        assert not await reaches(cluster, peers(node)[0], node)
        assert (await state(cluster, node))[0] == "paused"


async def test_a_restarted_node_serves_again_with_its_data(cluster: Target) -> None:
    node = await follower(cluster)
    began = inspected(cluster, node, "{{.State.StartedAt}}")
    docker("exec", container(cluster, node), "etcdctl", "put", "kept", "yes")

    async with harmed(cluster, Harm(id="h4", name="restart", node=node)):
        pass

    assert inspected(cluster, node, "{{.State.StartedAt}}") != began
    assert "yes" in docker("exec", container(cluster, node), "etcdctl", "get", "kept")


async def test_a_node_cut_off_from_everyone_answers_neither_observers_nor_peers(cluster: Target) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h5", name="partition", node=node), times=2):
        assert await answers(cluster, node) == ""
        assert await reached(cluster, (peers(node)[0], node), (node, peers(node)[0])) == [False, False]
        assert tables(cluster, node) == ["table inet opsai_h5"]

    assert tables(cluster, node) == []


async def test_a_node_cut_off_from_the_others_alone_answers_observers_and_says_it_has_no_leader(
    cluster: Target,
) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h6", name="partition", node=node, apart_from=peers(node))):
        await until(lambda: lost_leader(cluster, node))
        assert not await reaches(cluster, peers(node)[0], node)

    assert tables(cluster, node) == []


async def lost_leader(target: Target, node: str) -> bool:
    return await metric(target, node, "etcd_server_has_leader") == 0


async def test_a_pair_is_cut_apart_and_both_still_reach_the_third(cluster: Target) -> None:
    node = await follower(cluster)
    far, near = peers(node)

    async with harmed(cluster, Harm(id="h7", name="partition", node=node, apart_from=(far,))):
        asked = ((far, node), (node, far), (near, node), (node, near))
        assert await reached(cluster, *asked) == [False, False, True, True]


async def test_one_port_is_cut_and_the_others_answer(cluster: Target) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h8", name="partition", node=node, ports=(2379,))):
        assert await answers(cluster, node) == ""
        # its own way out uses other ports of its own
        assert await reached(cluster, (peers(node)[0], node), (node, peers(node)[0])) == [False, True]


async def test_one_way_is_cut_and_the_other_is_open(cluster: Target) -> None:
    node = await follower(cluster)
    far = peers(node)[0]

    async with harmed(cluster, Harm(id="h9", name="partition", node=node, apart_from=(far,), direction="out")):
        rules = nft(cluster, node)
        assert "hook output" in rules
        assert "hook input" not in rules
        assert not await reaches(cluster, far, node)


def nft(target: Target, node: str) -> str:
    network = ("--network", f"container:{container(target, node)}", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
    return docker("run", "--rm", *network, "opsai-tools:local", "nft", "list", "table", "inet", "opsai_h9")


async def test_a_partition_does_not_outlive_a_restart_of_its_container(cluster: Target) -> None:
    node = await follower(cluster)

    async with harmed(cluster, Harm(id="h10", name="partition", node=node)):
        docker("restart", container(cluster, node))

        assert tables(cluster, node) == []
        await until(lambda: answers(cluster, node))


async def test_a_node_with_a_sliver_of_a_core_is_made_to_wait_and_gets_its_own_limit_back(cluster: Target) -> None:
    node = await follower(cluster)
    limit = inspected(cluster, node, "{{.HostConfig.NanoCpus}}")
    before = throttled(cluster, node)

    async with harmed(cluster, Harm(id="h11", name="slow_cpu", node=node, amount=0.05), times=2):
        assert inspected(cluster, node, "{{.HostConfig.NanoCpus}}") == "50000000"
        await until(lambda: made_to_wait(cluster, node, before))

    assert inspected(cluster, node, "{{.HostConfig.NanoCpus}}") == limit


async def made_to_wait(target: Target, node: str, before: int) -> bool:
    await answers(target, node)
    return throttled(target, node) > before


def throttled(target: Target, node: str) -> int:
    """Return how often the kernel made a node wait for its share."""
    look = "find /cgroups -path '*$1*' -name cpu.stat -exec cat {} + | awk '$1 == \"nr_throttled\" { sum += $2 } END { print sum + 0 }'"
    words = ("bash", "-c", look.replace("$1*", inspected(target, node, "{{.Id}}") + "*"))
    return int(docker("run", "--rm", "--volume", "/sys/fs/cgroup:/cgroups:ro", "opsai-tools:local", *words))


async def test_a_node_with_a_slow_disk_waits_for_its_log(cluster: Target) -> None:
    node = await follower(cluster)

    try:
        async with harmed(cluster, Harm(id="h12", name="slow_disk", node=node, amount=5)):
            waited = await fsync_seconds(cluster, node)
            for number in range(5):
                docker("exec", container(cluster, await leader(cluster)), "etcdctl", "put", f"key{number}", "value")
            await until(lambda: later(cluster, node, waited + 0.3))
    except HarmRefused as error:
        pytest.skip(str(error))


async def fsync_seconds(target: Target, node: str) -> float:
    return await metric(target, node, "etcd_disk_wal_fsync_duration_seconds_sum") or 0.0


async def later(target: Target, node: str, seconds: float) -> bool:
    return await fsync_seconds(target, node) > seconds


async def test_the_machines_own_disk_is_never_filled(cluster: Target) -> None:
    harm = Harm(id="h13", name="fill_disk", node="etcd1")

    assert "--small-disks" in cluster.refusal(harm)
    with pytest.raises(LabError, match="must not be filled"):
        await cluster.inject(harm)


async def test_a_node_that_does_not_run_cannot_be_cut_off_and_undoing_it_does_nothing(cluster: Target) -> None:
    node = await follower(cluster)
    partition = Harm(id="h15", name="partition", node=node)

    async with harmed(cluster, Harm(id="h14", name="kill", node=node)):
        with pytest.raises(HarmRefused, match=f"{node} does not run"):
            await cluster.inject(partition)
        await cluster.undo(partition)


async def test_an_unknown_node_is_refused_with_those_there_are(cluster: Target) -> None:
    harm = Harm(id="h16", name="kill", node="etcd9")

    with pytest.raises(LabError, match=r"no node 'etcd9' .* etcd1, etcd2, etcd3"):
        await cluster.inject(harm)
    with pytest.raises(LabError, match="no node 'etcd9'"):
        await cluster.undo(harm)
    assert await healthy(cluster)
