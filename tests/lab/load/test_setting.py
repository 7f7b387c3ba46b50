"""`opsai deploy local load`: which load is set for which cluster."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from opsai_lab.deploy_cli import app
from opsai_lab.errors import LabError
from opsai_lab.load.setting import load_of
from opsai_lab.load.wanted import Wanted, read_wanted
from opsai_lab.places import HOME_VARIABLE, Remembered, place_folder, remember
from opsai_lab.targets.target import Endpoints
from opsai_subjects.config import ClusterSettings

COMPOSE = Path(__file__).parents[3] / "compose"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("OPSAI_LOAD_FOLDER", str(tmp_path / "mounted"))
    return tmp_path


def up(target: str) -> Remembered:
    what = Remembered(
        name="mine",
        subject="tikv",
        target=target,
        blueprint=COMPOSE / "tikv",
        wait_seconds=1,
        companions=True,
        small_disks_mb=0,
    )
    remember(what)
    return what


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["local", "load", *arguments])


def test_a_pattern_and_a_rate_are_written_where_the_supervisor_reads_them(home: Path) -> None:
    up("processes")
    done = run("burst", "--rate", "800")
    assert done.stdout == "mine: burst at 800 operations a second.\n"
    assert read_wanted(home / "mine" / "load" / "load.json") == Wanted(pattern="burst", rate=800)


def test_of_a_cluster_in_containers_it_is_the_folder_that_is_mounted(home: Path) -> None:
    up("docker")
    assert run("ramp").exit_code == 0
    assert read_wanted(home / "mounted" / "load.json") == Wanted(pattern="ramp")


def test_a_rate_alone_keeps_the_pattern() -> None:
    up("processes")
    run("scan", "--rate", "100")
    assert run("--rate", "50").stdout == "mine: scan at 50 operations a second.\n"


def test_without_a_pattern_it_says_what_is_set_and_what_there_is() -> None:
    up("processes")
    said = run().stdout
    assert said.startswith("mine: steady at 500 operations a second.\n")
    assert "hot-write" in said


def test_an_unknown_pattern_names_those_there_are_and_changes_nothing(home: Path) -> None:
    up("processes")
    done = run("storm")
    assert isinstance(done.exception, LabError)
    assert "there is no pattern 'storm': steady, burst" in str(done.exception)
    assert not (home / "mine" / "load").exists()


def test_with_no_cluster_up_it_says_so() -> None:
    assert "No local cluster is up" in str(run("steady").exception)


def test_a_cluster_that_someone_else_runs_is_not_loaded() -> None:
    assert "puts no load on it" in str(run("steady", "--target", "existing").exception)


def test_go_ycsb_is_given_the_hosts_of_the_endpoints() -> None:
    endpoints = Endpoints(cluster=ClusterSettings(endpoints=("http://127.77.0.1:2379", "http://127.77.0.2:2379")))
    load = load_of(up("processes"), endpoints)
    assert load.endpoints == "127.77.0.1:2379,127.77.0.2:2379"
    assert load.wanted.is_relative_to(place_folder("mine"))
    with pytest.raises(LabError, match="are loaded by a container"):
        load_of(up("docker"), endpoints)
    with pytest.raises(LabError, match="no endpoint to put load on"):
        load_of(up("processes"), Endpoints(cluster=ClusterSettings()))
