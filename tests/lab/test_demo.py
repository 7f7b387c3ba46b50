"""The demo as a user sees it in a pipe: from a healthy cluster over one ticket to a checked diagnosis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def demo(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "OPSAI_"))}
    environment |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "TMPDIR": str(home), "COLUMNS": "40"}
    return subprocess.run(
        [sys.executable, "-m", "opsai_lab.cli", "demo", *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        env=environment,
    )


@pytest.fixture(scope="module")
def of_a_lost_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    done = demo(home=tmp_path_factory.mktemp("demo"))
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_a_lost_store_is_told_from_health_to_a_right_diagnosis_without_a_key(of_a_lost_store: str) -> None:
    headings = [line[3:].rpartition("  ")[0].strip() for line in of_a_lost_store.splitlines() if line[:1].isdigit()]
    assert [heading.partition(":")[0] for heading in headings[:5]] == [
        "The cluster as it is found",
        "Something is done to it",
        "The invariants turn",
        "The watcher raises a ticket",
        "The agent investigates over MCP",
    ]
    assert "s after the fault" in of_a_lost_store
    assert "ANTHROPIC_API_KEY is not set: investigating by rules (no model)." in of_a_lost_store
    assert "submit_diagnosis ticket=T-1" in of_a_lost_store
    assert "What was really done: tikv_down on tikv3. The diagnosis is right." in of_a_lost_store
    assert "tickets show T-1 --store" in of_a_lost_store


def test_in_a_pipe_there_is_no_colour_and_no_box_and_the_width_is_always_the_same(of_a_lost_store: str) -> None:
    assert "\x1b" not in of_a_lost_store
    assert not any("─" <= character <= "╿" for character in of_a_lost_store)
    prose = of_a_lost_store.partition("5  The agent")[0].splitlines()
    assert max(map(len, prose)) == 100


def test_a_healthy_cluster_gets_no_ticket_and_is_said_to_be_healthy(tmp_path: Path) -> None:
    done = demo("frost-hare", home=tmp_path)

    assert done.returncode == 0, done.stdout[-2000:]
    assert "The watcher raises no ticket" in done.stdout
    assert "The invariants turn" not in done.stdout
    assert "What was really done: nothing wrong. The diagnosis is right." in done.stdout
    assert "tickets list --store" in done.stdout
