"""What is to run, before anything runs."""

from pathlib import Path

import pytest

from opsai_lab.errors import BlueprintInvalid, LabError
from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.processes.binaries import find_binaries, find_binary
from opsai_lab.targets.processes.plan import PlannedProcess, planned, role_levels
from opsai_lab.targets.processes.seats import choose_seats
from tests.lab.places import COMPOSE, web_blueprint, web_role


def shipped(subject: str) -> dict[str, PlannedProcess]:
    blueprint = read_blueprint(COMPOSE / subject)
    seats = choose_seats(Path("/lab/opsai-test"), blueprint, lambda address, port: "").seats
    return {process.name: process for process in planned(blueprint, Path("/lab/opsai-test"), seats)}


def test_etcd_members_know_each_other_by_their_own_addresses() -> None:
    processes = shipped("etcd")

    members = ",".join(f"{name}=http://{process.address}:2380" for name, process in processes.items())
    assert all(f"--initial-cluster={members}" in process.arguments for process in processes.values())
    assert len({process.address for process in processes.values()}) == 3
    assert processes["etcd1"].log == Path("/lab/opsai-test/logs/etcd1.log")


def test_tikv_stores_are_told_the_members_and_read_the_file_beside_the_blueprint() -> None:
    processes = shipped("tikv")

    endpoints = ",".join(f"{processes[name].address}:2379" for name in ("pd1", "pd2", "pd3"))
    assert f"--pd-endpoints={endpoints}" in processes["tikv1"].arguments
    assert f"--config={COMPOSE / 'tikv' / 'tikv.toml'}" in processes["tikv1"].arguments
    assert processes["tikv1"].output != processes["tikv1"].log == Path("/lab/opsai-test/logs/tikv1.log")


def test_roles_start_after_those_they_wait_for() -> None:
    assert role_levels(read_blueprint(COMPOSE / "tikv")) == (("pd",), ("tikv",))


def test_roles_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    circle = web_blueprint(
        tmp_path,
        hen=web_role().model_copy(update={"after": ("egg",)}),
        egg=web_role().model_copy(update={"after": ("hen",)}),
    )

    with pytest.raises(BlueprintInvalid, match="hen, egg wait for each other"):
        role_levels(circle)


def test_a_missing_binary_is_said_with_where_to_have_it_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TIUP_HOME", str(tmp_path))

    with pytest.raises(LabError, match=r"Not on PATH and not in .*components: etcd \(.*etcd-server\).*--target docker"):
        find_binaries(read_blueprint(COMPOSE / "etcd"))


def test_of_the_programs_in_tiups_folder_the_newest_release_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TIUP_HOME", str(tmp_path))
    for version in ("v8.5.4", "v8.5.10", "v8.5.10-rc.1", "v7.5.6"):
        program = tmp_path / "components" / "pd" / version / "pd-server"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)

    found = find_binary("pd-server")

    assert found is not None
    assert found.parent.name == "v8.5.10"
