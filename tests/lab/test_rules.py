"""`opsai rules`: the alert rules of any installed subject, to be put into a file."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def opsai(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opsai_lab.cli", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_it_prints_the_file_that_ships() -> None:
    done = opsai("rules", "--subject", "tikv")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "compose" / "tikv" / "rules.yml").read_text(encoding="utf-8")


def test_a_subject_that_is_not_installed_is_named_with_those_that_are() -> None:
    done = opsai("rules", "--subject", "redis")

    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no subject 'redis'. Known: " in done.stderr
    assert "tikv" in done.stderr
