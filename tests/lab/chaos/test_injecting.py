"""Which nodes a fault means, and the harms that make it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsai_lab.chaos.healing import heal
from opsai_lab.chaos.injecting import chosen_nodes, fault_named, harms_of, inject
from opsai_lab.chaos.journal import Journal
from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.blueprint import Blueprint, LocalFault, read_blueprint
from opsai_lab.targets.harm import Harm
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Node, Topology, WallClock
from tests.lab.chaos.recorder import Recorder
from tests.lab.places import COMPOSE, silent

ETCD = read_blueprint(COMPOSE / "etcd")
TIKV = read_blueprint(COMPOSE / "tikv")

pytestmark = pytest.mark.anyio


def seen(blueprint: Blueprint, leader: str | None) -> Topology:
    nodes = tuple(
        Node(
            entity=f"member:{node.name}",
            name=node.name,
            role=node.role,
            address=f"{node.name}:1",
            state="Leader" if node.name == leader else "follower",
        )
        for node in blueprint.nodes
    )
    return Topology(cluster="lab", cluster_id=None, at=datetime(2026, 1, 1, tzinfo=UTC), nodes=nodes, summary={})


def fault(**how: object) -> LocalFault:
    return LocalFault.model_validate({"says": "", "harm": "partition", "role": "etcd", "kind": "k", **how})


@pytest.mark.parametrize(
    ("who", "leader", "nodes"),
    [
        ("leader", "etcd2", ("etcd2",)),
        ("follower", "etcd1", ("etcd2",)),
        ("follower", "etcd3", ("etcd1",)),
        ("any", None, ("etcd1",)),
        ("majority", None, ("etcd1", "etcd2")),
        ("all", "etcd1", ("etcd1", "etcd2", "etcd3")),
    ],
)
def test_who_is_meant_follows_from_the_topology_alone(who: str, leader: str | None, nodes: tuple[str, ...]) -> None:
    assert chosen_nodes(ETCD, fault(who=who), seen(ETCD, leader)) == nodes


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_without_a_leader_nobody_is_meant_and_what_is_seen_is_said(who: str) -> None:
    with pytest.raises(LabError, match=r"No etcd leads .* etcd1 follower, etcd2 follower.*--node"):
        chosen_nodes(ETCD, fault(who=who), seen(ETCD, None))


def test_a_node_that_is_named_is_taken_and_one_of_another_role_refused() -> None:
    assert chosen_nodes(ETCD, fault(who="leader"), seen(ETCD, "etcd1"), "etcd3") == ("etcd3",)
    with pytest.raises(UnknownName, match=r"etcd node 'pd1'\. Known: etcd1, etcd2, etcd3"):
        chosen_nodes(ETCD, fault(), seen(ETCD, "etcd1"), "pd1")


def test_a_partition_is_from_everyone_from_the_nodes_or_from_the_leader_as_a_pair() -> None:
    def apart(name: str, node: str, leader: str, blueprint: Blueprint = TIKV) -> tuple[str, ...] | None:
        return harms_of(blueprint, blueprint.faults[name], (node,), seen(blueprint, leader), 1)[0].apart_from

    assert apart("partition", "tikv1", "pd1") is None
    assert apart("pd-partition", "tikv1", "pd1") == ("pd1", "pd2", "pd3")
    assert apart("pair-partition", "tikv1", "pd1") == ("tikv2",)
    assert apart("peer-partition", "etcd2", "etcd1", ETCD) == ("etcd1", "etcd3")


def test_ports_are_named_by_the_role_and_numbered_in_the_harm() -> None:
    (harm,) = harms_of(TIKV, TIKV.faults["raft-port-partition"], ("tikv2",), seen(TIKV, "pd1"), 7)

    assert (harm.id, harm.ports, harm.direction, harm.apart_from) == ("h7", (20160,), "in", ("tikv1", "tikv3"))


def test_an_unknown_fault_is_said_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"There is no fault of three etcd members 'explode'\. Known: kill, pause,"):
        fault_named(ETCD, "explode")


async def test_a_fault_is_written_down_before_it_is_done_and_healed_newest_first(tmp_path: Path) -> None:
    target = Recorder(tmp_path, ETCD)
    journal = Journal(tmp_path)

    first = await inject(target, journal, "kill", seen(ETCD, "etcd1"), WallClock())
    second = await inject(target, journal, "leader-kill", seen(ETCD, "etcd1"), WallClock())
    healed = await heal(target, journal, silent)

    assert [harm.node for harm in (*first.harms, *second.harms)] == ["etcd2", "etcd1"]
    assert (second.kind, second.entities) == ("etcd_leader_down", ("member:etcd1",))
    assert target.written_down_when_done == [1, 2]
    assert healed == (*second.harms, *first.harms)
    assert target.done == {}
    assert await heal(target, journal, silent) == ()


async def test_a_harm_that_fails_is_still_undone_by_heal(tmp_path: Path) -> None:
    target = Recorder(tmp_path, ETCD, breaks_at="etcd2")

    with pytest.raises(LabError, match="broke"):
        await inject(target, Journal(tmp_path), "kill", seen(ETCD, "etcd1"), WallClock())

    assert [harm.node for harm in await heal(target, Journal(tmp_path), silent)] == ["etcd2"]


async def test_what_cannot_be_done_here_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    target = Recorder(tmp_path, ETCD, refuses="needs a machine of its own")

    with pytest.raises(HarmRefused, match="needs a machine"):
        await inject(target, Journal(tmp_path), "kill", seen(ETCD, "etcd1"), WallClock())

    assert Journal(tmp_path).entries() == ()


async def test_one_that_cannot_be_undone_does_not_keep_the_others_and_stays_left(tmp_path: Path) -> None:
    target = Recorder(tmp_path, ETCD)
    journal = Journal(tmp_path)
    await inject(target, journal, "kill", seen(ETCD, "etcd1"), WallClock())
    await inject(target, journal, "leader-kill", seen(ETCD, "etcd1"), WallClock())
    target.breaks_at = "etcd1"

    with pytest.raises(LabError, match=r"Not undone: kill etcd1: .*heal"):
        await heal(target, journal, silent)

    assert [harm.node for harm in journal.left()] == ["etcd1"]


async def test_a_restart_leaves_nothing_to_undo(tmp_path: Path) -> None:
    again = ETCD.model_copy(update={"faults": {"restart": fault(harm="restart", who="any")}})
    journal = Journal(tmp_path)

    injected = await inject(Recorder(tmp_path, again), journal, "restart", seen(ETCD, None), WallClock())

    assert injected.harms == (Harm(id="h1", name="restart", node="etcd1"),)
    assert journal.left() == ()
