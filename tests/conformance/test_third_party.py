"""An adapter of somebody else, installed from a folder, works in the real programs without a line of ours being changed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.toy.lamps import Street, serving

TOY = Path(__file__).parent / "toy"
Programs = dict[str, str]


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Install the distribution beside opsai, and return the environment in which it is found."""
    folder = tmp_path_factory.mktemp("third-party")
    source, target = folder / "source", folder / "site"
    shutil.copytree(TOY, source, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPSAI_")}
    return {**kept, "PYTHONPATH": str(target), "XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}


def run(environment: Programs, *command: str, cwd: Path = TOY) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name(command[0]))
    return subprocess.run(
        [program, *command[1:]], check=False, capture_output=True, text=True, timeout=120, env=environment, cwd=cwd
    )


def test_every_program_looks_at_it(installed: Programs, street: Street, tmp_path: Path) -> None:
    where = ("--subject", "lamps", "--endpoint", street.url, "--store", str(tmp_path / "t.sqlite"))

    checked = run(installed, "opsai", "check", *where)
    asked = run(installed, "opsai-agent", "ask", "overview", "topology", *where)

    assert (checked.returncode, asked.returncode) == (0, 0), checked.stderr + asked.stderr
    assert "it tells of 2 lamps" in checked.stdout
    assert "lamp:north" in asked.stdout
    assert set(street.asked) == {"GET /lamps"}


def test_the_watcher_raises_its_ticket(installed: Programs, tmp_path: Path) -> None:
    with serving() as street:
        street.dark = True
        where = ("--subject", "lamps", "--endpoint", street.url, "--store", str(tmp_path / "t.sqlite"))
        watched = run(installed, "opsai-watch", "--once", *where)
        told = run(installed, "opsai-agent", "ask", "differential", *where)

    assert watched.returncode == 3, watched.stderr
    assert "T-1" in watched.stdout
    assert "lamp:south" in watched.stdout
    assert json.loads(told.stdout)["causes"][0]["kind"] == "lamp_out"


def test_its_author_can_check_it(installed: Programs) -> None:
    done = run(installed, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "check_lamps.py")

    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_what_is_not_installed_is_said_with_what_is(street: Street) -> None:
    done = run(dict(os.environ), "opsai", "check", "--subject", "lamps", "--endpoint", street.url)

    assert done.returncode == 1
    assert "There is no subject 'lamps'. Known: etcd, tikv. Is its package installed?" in done.stderr
