"""compose/tikv/cluster.toml: three PD members and three stores as data."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from opsai_lab.targets.blueprint import read_blueprint
from opsai_subjects.config import load
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


def test_the_operators_settings_name_every_node_and_its_log() -> None:
    settings = load(FOLDER / "opsai.toml")
    (cluster,) = settings.clusters.values()
    names = {node.name for node in BLUEPRINT.nodes}
    assert set(cluster.names.values()) == set(cluster.logs) == names
    advertised = {
        BLUEPRINT.roles[node.role].advertised.format(address=node.name, **BLUEPRINT.roles[node.role].ports)
        for node in BLUEPRINT.nodes
    }
    assert set(cluster.names) == advertised


@pytest.mark.prometheus
def test_prometheus_reads_its_configuration_and_scrapes_every_node(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None, "promtool comes with Debian's prometheus"
    done = subprocess.run(
        [promtool, "check", "config", FOLDER / "prometheus.yml"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    for node in BLUEPRINT.nodes:
        role = BLUEPRINT.roles[node.role]
        assert f'"{role.metrics.format(address=node.name, **role.ports)}"' in text
    alone = shutil.copy(FOLDER / "prometheus.yml", tmp_path)
    subprocess.run([promtool, "check", "config", alone], check=True, capture_output=True)
