"""compose/etcd/cluster.toml: three members as data."""

from opsai_lab.targets.blueprint import read_blueprint
from opsai_subjects.registry import subject_kind
from tests.lab.places import COMPOSE

BLUEPRINT = read_blueprint(COMPOSE / "etcd")


def test_every_fault_names_a_kind_that_the_adapter_knows() -> None:
    known = {fault.id.split("/")[0] for fault in subject_kind("etcd").faults}

    assert {fault.kind for fault in BLUEPRINT.faults.values()} <= known


def test_each_kind_of_harm_and_each_way_of_cutting_off_is_there() -> None:
    faults = BLUEPRINT.faults.values()
    partitions = [fault for fault in faults if fault.harm == "partition"]

    assert {fault.harm for fault in faults} == {"kill", "pause", "partition", "slow_cpu", "slow_disk", "fill_disk"}
    assert {fault.apart_from for fault in partitions} == {"everyone", "nodes", "one"}
    assert any(fault.ports for fault in partitions)
    assert any(fault.direction == "out" for fault in partitions)
