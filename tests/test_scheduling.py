"""How the suite is spread over workers, shown by a small suite of its own: real clusters are few at a time, and others compute meanwhile."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests import scheduling

ROOT = Path(__file__).resolve().parents[1]
CLUSTERS = scheduling.LANES + 2
COMPUTING = 30
CONFTEST = """
import os
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def note(what: str) -> None:
    (HERE / "notes" / f"{what} {os.environ['PYTEST_XDIST_WORKER']}").touch()


def noted(what: str) -> int:
    return len(list((HERE / "notes").glob(f"{what} *")))


@pytest.fixture(scope="module")
def cluster(request):
    up = HERE / "up" / request.module.__name__
    up.touch()
    yield len(list((HERE / "up").iterdir()))
    up.unlink()
"""
LIVE = """
import time

import pytest

from conftest import note, noted

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("number", range(3))
def test_live(cluster, number, request):
    note(f"{request.module.__name__}:{cluster}:{number}")
    ends = time.monotonic() + 60
    while not noted("computing*"):
        assert time.monotonic() < ends
"""
ALONE = """
import pytest

from conftest import note


@pytest.mark.etcd
def test_alone():
    note("alone")
"""
QUICK = f"""
import pytest

from conftest import note


@pytest.mark.parametrize("number", range({COMPUTING}))
def test_computing(number):
    note(f"computing{{number}}")
"""


def suite(folder: Path) -> Path:
    for name in ("up", "notes"):
        (folder / name).mkdir()
    modules = {f"test_live{number}": LIVE for number in range(CLUSTERS)} | {"test_alone": ALONE, "test_quick": QUICK}
    for name, text in {"conftest": CONFTEST, **modules}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    markers = "".join(f"  {marker}: of a real part\n" for marker in scheduling.LIVE)
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}pythonpath = {ROOT} .\n", encoding="utf-8")
    return folder


def test_few_clusters_are_up_at_a_time_each_for_one_worker_and_the_rest_computes_meanwhile(tmp_path: Path) -> None:
    folder = suite(tmp_path)
    workers = str(scheduling.LANES + 1)
    spread = ("-p", "tests.scheduling", "--numprocesses", workers)

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *spread,
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            str(folder),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert f"{3 * CLUSTERS + 1 + COMPUTING} passed" in done.stdout
    of_module: dict[str, set[str]] = defaultdict(set)
    for note in (folder / "notes").iterdir():
        what, _, worker = note.name.partition(" ")
        name, *more = what.split(":")
        of_module[name].add(worker)
        if more:
            assert int(more[0]) <= scheduling.LANES
    assert [len(of_module[f"test_live{number}"]) for number in range(CLUSTERS)] == [1] * CLUSTERS


def test_what_no_worker_was_asked_for_runs_as_ever(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one() -> None: ...\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.scheduling", "-p", "no:cacheprovider", "-q"]

    done = subprocess.run(
        [*command, "-c", "/dev/null", str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 passed" in done.stdout
