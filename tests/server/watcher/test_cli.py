"""`opsai-watch` as it is run: what it prints, how it ends, what a mistake reads like."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import httpx
import pytest

from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import Heartbeat

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "compose" / "incidents" / "amber-heron"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the toy is installed as a subject, and nothing of this machine's settings is seen."""
    about = tmp_path / "site" / "toy-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[opsai.subjects]\ntoy = tests.server.toy:KIND\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPSAI_", "XDG_", "PYTHON"))}
    return kept | {"PYTHONPATH": f"{about.parent}:{ROOT}", "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "opsai.toml"
    path.write_text(
        'store = "state/store"\n[clusters.toy]\nsubject = "toy"\npd = ["http://127.0.0.1:1"]\n'
        'names = {a = "up", b = "down"}\n',
        encoding="utf-8",
    )
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "opsai_server.watch_cli", *map(str, arguments)]


def run(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment,
        cwd=environment["HOME"],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_it_starts_without_the_mcp_sdk(environment: dict[str, str]) -> None:
    code = "import sys, opsai_server.watch_cli; print(sorted({name.split('.')[0] for name in sys.modules} & {'mcp', 'anthropic'}))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_once_looks_once_and_says_by_its_exit_whether_something_critical_is_open(
    environment: dict[str, str], settings_file: Path
) -> None:
    first = run(environment, "--config", settings_file, "--once")
    assert (first.returncode, first.stderr) == (0, "")
    assert "toy  held 7  violated 1  unknown 0" in first.stdout
    age_pending(settings_file.parent / "state" / "store", by_seconds=30)
    second = run(environment, "--config", settings_file, "--once")
    assert (second.returncode, second.stderr) == (3, "")
    assert second.stdout.splitlines()[1].split()[1:] == ["T-1", "created", "critical", "part:b", "does", "not", "run"]


def age_pending(store: Path, by_seconds: float) -> None:
    """Make the pending violations older, as if the look before had been so long ago."""
    with closing(sqlite3.connect(store)) as file:
        file.execute("UPDATE pending SET first_at = first_at - ?", (by_seconds,))
        file.commit()


def start(environment: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        env=environment,
        cwd=environment["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def last_heartbeat(path: Path) -> Heartbeat | None:
    async with open_store(path) as store:
        return await store.heartbeat("toy")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_with_a_last_heartbeat(
    environment: dict[str, str], settings_file: Path, ending: signal.Signals
) -> None:
    process = start(environment, "--config", settings_file, "--interval", "0.05")
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(ending)
    _, logged = process.communicate(timeout=30)
    assert process.returncode == 0, logged
    assert "held 7  violated 1" in first
    assert "stopped cluster=toy" in logged
    assert "Traceback" not in logged
    beat = anyio.run(last_heartbeat, settings_file.parent / "state" / "store")
    assert beat is not None
    assert (beat.stopped, beat.interval_seconds) == (True, 0.05)


def test_a_reader_that_goes_away_does_not_end_the_play(environment: dict[str, str], tmp_path: Path) -> None:
    store = tmp_path / "kept"
    process = start(environment, "--replay", RECORDING, "--until", "+120s", "--store", store)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)
    process.stderr.close()
    with closing(sqlite3.connect(store)) as file:
        assert file.execute("SELECT count(*) FROM ticks").fetchone() == (3,)


MISTAKES = [
    ([], "Which cluster? Known: none. Give --endpoint URL"),
    (["--cluster", "prod"], "There is no cluster 'prod' in the settings"),
    (["--at", "end"], "--at and --until are moments of a recording. Give --replay DIR with them."),
    (["--replay", "nowhere"], "nowhere"),
    (["--replay", str(RECORDING), "--at", "end", "--until", "start"], "is no part of the recording"),
    (["--replay", str(RECORDING), "--at", "yesterday"], "'yesterday' is no moment of the recording"),
    (["--pd", "http://127.0.0.1:1", "--logs", "tikv1"], "is not NODE=GLOB"),
    (["--pd", "http://127.0.0.1:1", "--interval", "0"], "watch.interval_seconds"),
    (["--pd", "http://127.0.0.1:1", "--store", "/dev/null/store"], "The store /dev/null/store cannot be opened"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES)
def test_a_mistake_is_one_line_with_a_hint_and_exit_1(
    environment: dict[str, str], arguments: list[str], says: str
) -> None:
    done = run(environment, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("opsai-watch: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_trouble_in_the_middle_is_one_line_too(environment: dict[str, str], tmp_path: Path) -> None:
    store = tmp_path / "kept"
    anyio.run(last_heartbeat, store)
    with closing(sqlite3.connect(store, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        done = run(environment, "--replay", RECORDING, "--until", "+60s", "--store", store)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"opsai-watch: The store {store} has been locked by another program")
    assert done.stderr.count("\n") == 1


def test_a_flag_that_does_not_exist_is_a_usage_error(environment: dict[str, str]) -> None:
    done = run(environment, "--loudly")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_a_recording_is_played_to_its_ticket_and_says_what_next(environment: dict[str, str], tmp_path: Path) -> None:
    store = tmp_path / "kept"
    done = run(environment, "--replay", RECORDING, "--until", "+150s", "--store", store)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(line.split()[1:3] == ["T-1", "created"] for line in lines)
    assert lines[-1] == f"Next: opsai tickets list --store {store}"


def test_as_json_each_look_is_an_object_on_a_line_of_its_own(environment: dict[str, str]) -> None:
    done = run(environment, "--replay", RECORDING, "--at", "+60s", "--until", "+60s", "--json")
    (line,) = done.stdout.splitlines()
    look = json.loads(line)
    assert (look["cluster"], look["violated"], look["steps"]) == ("lab", 0, [])


def test_metrics_and_health_are_served_where_told_and_a_signal_still_ends_it(
    environment: dict[str, str], settings_file: Path, tmp_path: Path
) -> None:
    arguments = command("--config", settings_file, "--interval", 60, "--metrics", "127.0.0.1:0")
    with (
        (tmp_path / "stderr.txt").open("w+") as stderr,
        subprocess.Popen(
            arguments, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as started,
    ):
        try:
            assert started.stdout is not None
            started.stdout.readline()  # the line of the first look: it is stored, and noted right before
            found = re.search(r"metrics=(\S+) health=(\S+)", (tmp_path / "stderr.txt").read_text(encoding="utf-8"))
            assert found is not None
            text = httpx.get(found[1], trust_env=False).text
            health = httpx.get(found[2], trust_env=False)
            started.send_signal(signal.SIGTERM)
            code = started.wait(30)
        finally:
            started.kill()

    assert 'opsai_invariant{cluster="toy",entity="part:b",invariant="part_up",' in text
    assert (health.status_code, health.json()["status"], code) == (200, "ok", 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--metrics", "8765"), "--metrics '8765' is not HOST:PORT. Try 127.0.0.1:8765"),
        (("--metrics", "::1:8765"), "--metrics '::1:8765' is not HOST:PORT"),
        (("--metrics", "127.0.0.1:70000"), "is not HOST:PORT"),
        (("--metrics", "203.0.113.7:8765"), "cannot listen at 203.0.113.7:8765: it is no address of this machine"),
        (("--metrics", "no-such-name.invalid:8765"), "'no-such-name.invalid' is no address"),
        (("--once", "--metrics", "127.0.0.1:0"), "it goes with neither --replay nor --once"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_line_that_says_what_would_do(
    environment: dict[str, str], settings_file: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = run(environment, "--config", settings_file, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(environment: dict[str, str], settings_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(environment, "--config", settings_file, "--metrics", f"127.0.0.1:{port}")

    assert done.returncode == 1
    assert f"--metrics: cannot listen at 127.0.0.1:{port}: another program listens there." in done.stderr
