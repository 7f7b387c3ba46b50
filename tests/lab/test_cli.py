"""What a user of `opsai` reads, and the status it ends with."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def opsai(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsai_lab.cli", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )


def test_help_names_each_command_on_one_line() -> None:
    done = opsai("--help")

    assert done.returncode == 0
    for command in ("demo", "replay", "check", "evaluate", "tickets"):
        assert f"\n  {command} " in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]


def test_an_unknown_recording_is_one_line_with_the_known_ones_and_status_one() -> None:
    done = opsai("demo", "no-such-bird")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("opsai: There is no recording 'no-such-bird'. Known: amber-heron,")
    assert done.stderr.count("\n") == 1


def test_a_wrong_usage_ends_with_status_two() -> None:
    assert opsai("no-such-command").returncode == 2
    assert opsai("tickets", "list", "--limit", "0").returncode == 2


def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    for arguments in (("--debug", "replay", "no-such-bird"), ("replay", "no-such-bird", "--debug")):
        done = opsai(*arguments)

        assert done.returncode == 1
        assert "Traceback" in done.stderr


def test_looking_at_tickets_makes_no_store(tmp_path: Path) -> None:
    store = tmp_path / "none.sqlite"

    listed = opsai("tickets", "list", "--store", store)
    shown = opsai("tickets", "show", "T-1", "--store", store)

    assert listed.returncode == 0
    assert "No tickets in" in listed.stdout
    assert shown.returncode == 1
    assert "There is no ticket 'T-1'" in shown.stderr
    assert not store.exists()


def test_a_folder_that_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    done = opsai("replay", tmp_path)

    assert done.returncode == 1
    assert "incident.json" in done.stderr


def test_a_recording_is_described_with_its_nodes_and_times() -> None:
    done = opsai("replay", "amber-heron")

    assert done.returncode == 0
    assert "amber-heron: tikv cluster 'lab', 6 nodes" in done.stdout
    assert "tikv3  tikv  10.77.0.23:20160" in done.stdout


def test_a_moment_that_is_none_is_an_error_that_shows_how_to_write_one() -> None:
    done = opsai("replay", "amber-heron", "--at", "yesterday")

    assert done.returncode == 1
    assert "+90s" in done.stderr


def test_evaluating_a_folder_without_recordings_says_what_to_give(tmp_path: Path) -> None:
    done = opsai("evaluate", tmp_path)

    assert done.returncode == 1
    assert "Give a folder with recordings" in done.stderr


def test_tickets_as_json_are_one_object(tmp_path: Path) -> None:
    done = opsai("tickets", "list", "--json", "--store", tmp_path / "none.sqlite")

    assert json.loads(done.stdout)["tickets"] == []


@pytest.mark.parametrize("setting", ["OPSAI_STOR", "OPSAI_WATCH__INTERVAL"])
def test_settings_that_cannot_be_used_are_named(setting: str, tmp_path: Path) -> None:
    config = tmp_path / "opsai.toml"
    config.write_text(f'{setting.lower()} = "x"\n', encoding="utf-8")

    done = opsai("tickets", "list", "--config", config)

    assert done.returncode == 1
    assert setting.lower() in done.stderr
