"""A live demo that is stopped leaves no harm: Ctrl-C undoes it at once, and what a kill -9 leaves, `heal` undoes."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.etcd]


class Bench:
    """The program `opsai` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OPSAI_", "ANTHROPIC_"))},
            "OPSAI_LAB_HOME": str(home),
            "PYTHONUNBUFFERED": "1",
        }
        self.name = f"t{os.getpid()}-dying"

    def opsai(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "opsai_lab.cli", *arguments]
        return subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def said(self, *arguments: str) -> tuple[int, str]:
        process = self.opsai(*arguments)
        text, _ = process.communicate(timeout=120)
        return process.returncode, text

    def broken_off(self, number: int) -> tuple[int, str]:
        """Start the demo, and send it the signal once a member was killed; return its status and what it said after that."""
        process = self.opsai("demo", "--live", "--subject", "etcd", "--name", self.name, "--backend", "rules", "--keep")
        assert process.stdout is not None
        for line in process.stdout:
            if "Should this demo die now" in line:
                break
        process.send_signal(number)
        rest, _ = process.communicate(timeout=120)
        return process.returncode, rest


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("dying"))
    try:
        yield bench
    finally:
        bench.said("deploy", "local", "down")


def test_ctrl_c_undoes_what_was_done(bench: Bench) -> None:
    status, said = bench.broken_off(signal.SIGINT)

    assert status == 130
    assert "is undone" in said
    assert "no harm is left to undo" in bench.said("deploy", "local", "heal")[1]
    assert bench.said("deploy", "local", "status")[0] == 0


def test_what_a_killed_demo_leaves_is_undone_by_heal(bench: Bench) -> None:
    status, _ = bench.broken_off(signal.SIGKILL)

    assert status == -signal.SIGKILL
    assert "not undone: kill etcd" in bench.said("deploy", "local", "status")[1]
    assert "1 undone" in bench.said("deploy", "local", "heal")[1]
