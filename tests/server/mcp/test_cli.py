"""What the command line refuses before anything is served."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from opsai_server.mcp_cli import app

ROOT = Path(__file__).resolve().parents[3]
AMBER = ROOT / "compose" / "incidents" / "amber-heron"


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *flags: str) -> Result:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OPSAI_CONFIG", raising=False)
    return CliRunner().invoke(app, list(flags))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            (),
            "Which cluster? Known: none. Give --endpoint URL (and --prometheus URL, --logs NODE=GLOB), or --replay DIR",
        ),
        (("--replay", "nowhere"), "'nowhere' is not a folder. A recording is a folder with incident.json in it."),
        (("--replay", str(AMBER), "--at", "later"), "'later' is no moment of the recording. Give start, end, +90s"),
        (
            ("--replay", str(AMBER), "--at", "2020-01-01"),
            "'2020-01-01' is no moment of the recording. Give start, end, +90s (after the start) or a time between 2026-",
        ),
        (("--at", "end", "--pd", "http://127.0.0.1:1"), "--at is a moment of a recording. Give --replay DIR with it."),
        (
            ("--replay", str(AMBER), "--pd", "http://127.0.0.1:1"),
            "and a cluster (http://127.0.0.1:1) are given. Give one of them",
        ),
        (("--config", "none.toml"), "none.toml' does not exist."),
        (("--pd", "ftp://x"), "'ftp://x' is not a URL like http://host:2379"),
        (("--pd", "http://127.0.0.1:1", "--logs", "tikv1"), "--logs 'tikv1' is not NODE=GLOB"),
    ],
)
def test_a_flag_that_cannot_be_used_ends_it_with_one_line_that_says_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], said: str
) -> None:
    done = refused(tmp_path, monkeypatch, *flags)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("opsai-mcp: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


FORM = ("OPSAI_ENDPOINT", "OPSAI_PROMETHEUS", "OPSAI_REPLAY", "OPSAI_CONFIG")
"""What a client's own form for this server sets."""


def test_what_a_client_s_form_left_empty_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FORM:
        monkeypatch.setenv(name, "")

    assert "Which cluster? Known: none." in refused(tmp_path, monkeypatch).stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OPSAI_ENDPOINT", "http://127.0.0.1:1 ftp://x", "'ftp://x' is not a URL like http://host:2379"),
        ("OPSAI_REPLAY", "nowhere", "'nowhere' is not a folder."),
    ],
)
def test_what_a_client_s_form_sets_is_as_if_by_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    assert said in refused(tmp_path, monkeypatch).stderr


def test_a_corrupt_recording_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "incident.json").write_text('{"format": 1, "name"')
    done = refused(tmp_path, monkeypatch, "--replay", str(broken))

    assert done.exit_code == 1
    assert str(broken / "incident.json") in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_store_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "notes.txt"
    store.write_text("these are my notes, " * 100)
    done = refused(tmp_path, monkeypatch, "--replay", str(AMBER), "--at", "end", "--store", str(store))

    assert done.exit_code == 1
    assert str(store) in done.stderr
    assert store.read_text().startswith("these are my notes")


def test_an_unknown_flag_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(tmp_path, monkeypatch, "--loudly").exit_code == 2
