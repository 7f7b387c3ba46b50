"""`opsai deploy local` as a person meets it: what it prints, the status it ends with, what it leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import tomli_w

from opsai_lab.chaos.bench_lock import only_bench
from opsai_lab.cli import main
from opsai_lab.targets.blueprint import Blueprint
from opsai_lab.targets.processes.disks import BALLAST, fill, mount_small_disk, unmount_below
from opsai_lab.targets.processes.lives import Lives
from tests.lab.places import DYING, unique_name, web_blueprint, web_role

ELSEWHERE = Path(__file__).parent / "elsewhere"


def toml_of(blueprint: Blueprint) -> str:
    """Return a blueprint as its file."""
    return tomli_w.dumps(blueprint.model_dump(mode="json", exclude={"folder"}, exclude_none=True))


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "cluster.toml").write_text(toml_of(web_blueprint(folder)), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Done:
    """What a command printed, and its status."""

    returncode: int
    stdout: str
    stderr: str


Opsai = Callable[..., Done]


@pytest.fixture
def opsai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generator[Opsai]:
    """Run `opsai deploy local …` as its program does, in this process: that is quicker."""
    monkeypatch.setenv("OPSAI_LAB_HOME", str(tmp_path / "lab"))
    monkeypatch.syspath_prepend(str(ELSEWHERE))

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr("sys.argv", ["opsai", "deploy", "local", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        return Done(status, *capsys.readouterr())

    yield run
    for place in (tmp_path / "lab").glob("*/place.json"):
        run("down", "--name", place.parent.name)


@contextmanager
def begun_up(folder: Path, name: str) -> Generator[subprocess.Popen[str]]:
    """Begin to bring up a cluster that never gets healthy, as a program of its own; go on when its node lives."""
    never = web_blueprint(folder, front=web_role(answers=503))
    folder.mkdir()
    (folder / "cluster.toml").write_text(toml_of(never), encoding="utf-8")
    command = [sys.executable, "-m", "opsai_lab.cli", "deploy", "local", *up_words(folder, name)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as begun:
        assert begun.stderr is not None
        assert "starting front1" in begun.stderr.readline()
        lives = Lives(Path(os.environ["OPSAI_LAB_HOME"]) / name)
        while lives.alive("front1") is None:
            assert begun.poll() is None
        yield begun


def up_words(folder: Path, name: str) -> tuple[str, ...]:
    return ("up", "--blueprint", str(folder), "--target", "processes", "--name", name, "--no-companions")


def said(done: Done, status: int = 1) -> str:
    """Return the one sentence of a command that failed."""
    assert (done.returncode, done.stdout) == (status, ""), done
    return done.stderr.splitlines()[0] if done.stderr else ""


def test_a_cluster_is_up_survives_the_command_and_goes_without_a_trace(
    opsai: Opsai, blueprint: Path, tmp_path: Path
) -> None:
    name = unique_name()
    came = opsai("up", "--blueprint", blueprint, "--target", "processes", "--name", name, "--no-companions")
    again = opsai("up", "--blueprint", blueprint, "--name", name, "--no-companions")
    status = opsai("status")
    nodes = json.loads(opsai("status", "--json").stdout)["nodes"]
    endpoints = json.loads(opsai("endpoints", "--json").stdout)
    logs = opsai("logs", "front1")
    gone = opsai("down")

    assert came.returncode == again.returncode == status.returncode == gone.returncode == 0, came.stderr
    assert "back1 is healthy" in came.stderr
    assert f"opsai-mcp --config {tmp_path / 'lab' / name / 'opsai.toml'}" in came.stdout
    assert "starting" not in again.stderr
    assert [(node["name"], node["state"]) for node in nodes] == [("front1", "running"), ("back1", "running")]
    assert len(endpoints["cluster"]["endpoints"]) == 2
    assert logs.stdout == "serving\n"
    assert list((tmp_path / "lab").iterdir()) == []
    assert opsai("down").stdout == "No local cluster is up: there is nothing to take down.\n"


def test_a_target_outside_the_package_is_a_class_away(opsai: Opsai, tmp_path: Path) -> None:
    came = opsai("up", "--subject", "etcd", "--target", "elsewhere", "--name", "far")
    status = opsai("status")
    gone = opsai("down")

    assert came.returncode == status.returncode == gone.returncode == 0, came.stderr
    assert "renting a machine for etcd3" in came.stderr
    assert "etcd2  etcd  running" in status.stdout
    assert not (tmp_path / "lab" / "far").exists()


def test_an_unknown_target_is_said_with_the_known_ones(opsai: Opsai) -> None:
    done = opsai("up", "--subject", "etcd", "--target", "moon")

    assert said(done).startswith("opsai: There is no target 'moon'. Known: ")
    assert "elsewhere, existing, processes" in done.stderr


def test_a_node_that_dies_at_start_fails_the_command_and_leaves_only_its_log(opsai: Opsai, tmp_path: Path) -> None:
    folder = tmp_path / "dying"
    folder.mkdir()
    (folder / "cluster.toml").write_text(toml_of(web_blueprint(folder, front=web_role(DYING))), encoding="utf-8")

    done = opsai("up", "--blueprint", folder, "--target", "processes", "--name", "dying")

    assert done.returncode == 1
    assert "opsai: front1 ended soon after its start." in done.stderr
    assert [path.name for path in (tmp_path / "lab" / "dying").iterdir()] == ["logs"]
    assert "No local cluster is up" in opsai("status").stdout
    assert "dying did not come up; its logs are removed." in opsai("down").stdout
    assert list((tmp_path / "lab").iterdir()) == []


def test_what_a_killed_up_left_is_finished_by_the_next_one_and_taken_away_by_down(opsai: Opsai, tmp_path: Path) -> None:
    name = unique_name()
    lives = Lives(tmp_path / "lab" / name)
    with begun_up(tmp_path / "slow", name) as begun:
        begun.send_signal(signal.SIGKILL)
    left = lives.alive("front1")

    second = opsai(*up_words(tmp_path / "slow", name), "--wait-seconds", "1")

    assert left is not None
    assert second.returncode == 1
    assert "starting" not in second.stderr
    assert "not healthy: front1" in second.stderr
    assert opsai("down", "--name", name).returncode == 0
    assert lives.alive("front1") is None
    assert list((tmp_path / "lab").iterdir()) == []


def test_ctrl_c_while_it_comes_up_leaves_no_process(opsai: Opsai, tmp_path: Path) -> None:
    name = unique_name()
    with begun_up(tmp_path / "slow", name) as begun:
        begun.send_signal(signal.SIGINT)
        assert begun.stderr is not None
        rest = begun.stderr.read()

    assert begun.returncode == 130
    assert rest.splitlines()[-1] == "Stopped: what this call began is taken away again."
    assert Lives(tmp_path / "lab" / name).names() == ()
    assert "No local cluster is up" in opsai("status").stdout


def test_two_benches_at_once_are_told_of_each_other(opsai: Opsai, tmp_path: Path) -> None:
    opsai("up", "--subject", "etcd", "--target", "elsewhere", "--name", "far")
    with only_bench(tmp_path / "lab" / "far"):
        for command in (("down",), ("heal",), ("inject", "kill")):
            assert f"far is in the hands of another bench, process {os.getpid()} (" in said(opsai(*command))


def test_healing_twice_and_healing_nothing_say_so(opsai: Opsai) -> None:
    assert opsai("heal").stdout == "No local cluster is up: there is nothing to heal.\n"
    opsai("up", "--subject", "etcd", "--target", "elsewhere", "--name", "far")

    for _ in range(2):
        assert opsai("heal").stdout == "far: no harm is left to undo.\n"


def test_a_cluster_of_someone_else_is_looked_at_and_not_touched(opsai: Opsai, tmp_path: Path) -> None:
    config = tmp_path / "opsai.toml"
    config.write_text('[clusters.prod]\nendpoints = ["http://127.0.0.1:1"]\n', encoding="utf-8")
    existing = ("--target", "existing", "--config", config)

    assert json.loads(opsai("endpoints", "--json", *existing).stdout)["cluster"]["endpoints"] == ["http://127.0.0.1:1"]
    assert "127.0.0.1:1  pd    unknown  127.0.0.1:1  refused" in opsai("status", *existing).stdout
    assert "someone else runs" in said(opsai("up", "--target", "existing"))
    assert "someone else runs" in said(opsai("down", "--target", "existing"))
    assert "someone else runs" in said(opsai("inject", "kill", "--target", "existing"))


def test_a_name_that_is_none_and_a_place_that_is_none_are_said(opsai: Opsai) -> None:
    assert "'../up' is no name for a local cluster" in said(opsai("up", "--subject", "etcd", "--name", "../up"))
    opsai("up", "--subject", "etcd", "--target", "elsewhere", "--name", "far")
    assert "There is no local cluster 'near'. Known: far." in said(opsai("status", "--name", "near"))
    assert "far is up as elsewhere, not as processes." in said(
        opsai("up", "--subject", "etcd", "--target", "processes", "--name", "far")
    )


def test_state_that_cannot_be_written_is_said_with_another_place_for_it(opsai: Opsai, tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file", encoding="utf-8")

    done = opsai("up", "--subject", "etcd", "--target", "elsewhere")

    (tmp_path / "lab").unlink()
    assert "cannot be written: " in said(done)
    assert "$OPSAI_LAB_HOME" in done.stderr


def test_a_port_that_somebody_listens_on_everywhere_is_named(opsai: Opsai, tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    with socket.create_server(("0.0.0.0", 0)) as held:  # as one who forgot to stop his own etcd
        port = held.getsockname()[1]
        (folder / "cluster.toml").write_text(
            toml_of(web_blueprint(folder, front=web_role(port=port))), encoding="utf-8"
        )
        done = opsai("up", "--blueprint", folder, "--target", "processes", "--name", "taken")

    assert f":{port}: it is in use, and so on every other loopback address" in said(done)
    assert list((tmp_path / "lab").iterdir()) == []


@pytest.mark.root
def test_a_full_disk_is_said_and_nothing_is_left(opsai: Opsai, tmp_path: Path) -> None:
    home = tmp_path / "lab"
    anyio.run(mount_small_disk, home, 1)
    try:
        fill(home, 0)
        done = opsai("up", "--subject", "etcd", "--target", "elsewhere", "--name", "far")
        left = [path.name for path in home.iterdir()]
    finally:
        anyio.run(unmount_below, home)

    assert "No space left on device" in said(done)
    assert left == [BALLAST]


@pytest.mark.etcd
def test_the_leader_of_a_real_cluster_is_killed_named_and_healed(opsai: Opsai) -> None:
    name = unique_name()
    up = ("up", "--subject", "etcd", "--target", "processes", "--name", name, "--no-companions")
    came = opsai(*up)
    harmed = opsai("inject", "leader-kill")
    status = opsai("status")
    unknown_fault = said(opsai("inject", "explode"))
    unknown_node = said(opsai("inject", "kill", "--node", "tikv1"))
    refused = said(opsai("inject", "full-disk"))  # waits until the others have a leader again
    healed, again = opsai("heal"), opsai("heal")
    opsai("inject", "pause", "--node", "etcd2")
    up_again = opsai(*up)
    gone = opsai("down")

    leader = harmed.stdout.split("kill ")[1][:5]
    assert came.returncode == harmed.returncode == healed.returncode == up_again.returncode == gone.returncode == 0
    assert f"Right is a diagnosis of etcd_leader_down on {leader}." in harmed.stdout
    assert status.returncode == 1
    assert f"{leader}  etcd  stopped" in status.stdout
    assert f"not undone: kill {leader} (opsai deploy local heal)" in status.stdout
    assert "There is no fault of three etcd members 'explode'. Known: kill, pause," in unknown_fault
    assert "There is no etcd node 'tikv1'. Known: etcd1, etcd2, etcd3." in unknown_node
    assert "fill_disk would fill the disk of this machine" in refused
    assert (healed.stdout, again.stdout) == (f"{name}: 1 undone.\n", f"{name}: no harm is left to undo.\n")
    assert "undone: pause etcd2" in up_again.stderr
