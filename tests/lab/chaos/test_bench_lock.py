"""One bench at a time for each place."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsai_lab.chaos.bench_lock import only_bench
from opsai_lab.errors import LabBusy

HOLDING = """
import sys, time
from pathlib import Path
from opsai_lab.chaos.bench_lock import only_bench
with only_bench(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(folder: Path) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        try:
            yield other
        finally:
            if other.stdin:
                other.stdin.close()


def test_a_second_bench_is_told_the_pid_and_command_of_the_first(tmp_path: Path) -> None:
    with (
        held_by_another(tmp_path / "opsai-etcd") as other,
        pytest.raises(LabBusy) as caught,
        only_bench(tmp_path / "opsai-etcd"),
    ):
        pass

    assert str(caught.value).startswith(f"opsai-etcd is in the hands of another bench, process {other.pid} (-c ")


def test_the_lock_of_one_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    with held_by_another(tmp_path / "lab") as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()

        assert (tmp_path / "lab.lock").exists()
        with only_bench(tmp_path / "lab"):
            assert (tmp_path / "lab.lock").read_text(encoding="utf-8").startswith(f"{os.getpid()} ")


def test_nothing_is_left_when_it_is_given_back_and_other_places_are_free(tmp_path: Path) -> None:
    with only_bench(tmp_path / "one"), only_bench(tmp_path / "two"):
        assert len(list(tmp_path.iterdir())) == 2

    assert list(tmp_path.iterdir()) == []
    with only_bench(tmp_path / "one"):
        pass
