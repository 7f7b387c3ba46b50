"""compose/tikv/cluster.toml: three PD members and three stores as data."""

import tomllib
from pathlib import Path

from opsai_lab.targets.blueprint import read_blueprint
from opsai_subjects.registry import subject_kind

FOLDER = Path(__file__).parents[2] / "compose" / "tikv"
BLUEPRINT = read_blueprint(FOLDER)


def test_every_fault_names_a_kind_that_the_adapter_knows() -> None:
    known = {fault.id.split("/")[0] for fault in subject_kind("tikv").faults}
    assert {fault.kind for fault in BLUEPRINT.faults.values()} <= known


def test_a_store_is_told_every_pd_member_and_waits_for_them() -> None:
    role = BLUEPRINT.roles["tikv"]
    each = BLUEPRINT.joined["endpoints"].each
    endpoints = ",".join(each.format(address=node.name, client=2379) for node in BLUEPRINT.of_role("pd"))
    command = [
        argument.format(
            name="tikv1",
            address="127.0.0.1",
            data="/d",
            log="/l/tikv.log",
            folder="/f",
            endpoints=endpoints,
            **role.ports,
        )
        for argument in role.command
    ]
    assert "--pd-endpoints=pd1:2379,pd2:2379,pd3:2379" in command
    assert "--advertise-status-addr=127.0.0.1:20180" in command
    assert role.after == ("pd",)


def test_the_configuration_files_beside_it_are_toml() -> None:
    for role in BLUEPRINT.roles.values():
        (named,) = (argument for argument in role.command if argument.startswith("--config="))
        path = Path(named.removeprefix("--config=").format(folder=FOLDER))
        assert tomllib.loads(path.read_text(encoding="utf-8"))
