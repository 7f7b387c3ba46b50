"""The transcript: whole lines, in order, and no secret in any of them."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_agent.errors import FileUnusable
from opsai_agent.transcript import Transcript, default_file, secrets_of
from tests.agent.conftest import AT, lines_of


def test_each_event_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "t.jsonl"
    transcript = Transcript(path, lambda: AT)

    transcript.write("begin", ticket="T-1")
    assert lines_of(path) == [{"at": "2026-11-23T23:05:00+00:00", "event": "begin", "ticket": "T-1"}]

    transcript.write("end", ticket=None)
    assert [line["event"] for line in lines_of(path)] == ["begin", "end"]
    transcript.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"

    with Transcript(path, lambda: AT):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_investigation_goes_on_in_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"

    for _ in range(2):
        with Transcript(path, lambda: AT) as transcript:
            transcript.write("begin")

    assert len(lines_of(path)) == 2


@given(st.text(), st.sampled_from(["hunter2-and-more", 'quote"inside-it', "back\\slash-secret"]))
def test_a_secret_is_never_written(text: str, secret: str) -> None:
    path = Path("/dev/null")
    transcript = Transcript(path, lambda: AT, (secret,))

    line = transcript.line("call", text=f"{text}{secret}{text}", nested={secret: [secret]})
    transcript.close()

    assert secret not in line
    assert secret.replace("\\", "\\\\").replace('"', '\\"') not in line


def test_keys_and_passwords_in_urls_are_masked_whatever_they_are(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"

    with Transcript(path, lambda: AT) as transcript:
        transcript.write("call", text="http://ops:pass@pd1:2379/x and sk-ant-api03-abcdefghijkl")

    assert lines_of(path)[0]["text"] == "http://[redacted]@pd1:2379/x and [redacted]"


def test_secrets_are_known_by_the_names_of_their_variables() -> None:
    environment = {
        "ANTHROPIC_API_KEY": "key-of-ours-123",
        "OPSAI_CLUSTERS__A__PASSWORD": "a-password-1",
        "PATH": "/bin:/usr/bin",
        "X_TOKEN": "short",
    }

    assert secrets_of(environment) == ("key-of-ours-123", "a-password-1")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(FileUnusable, match=r"The transcript '.*file/t.jsonl' cannot be written: "):
        Transcript(tmp_path / "file" / "t.jsonl", lambda: AT)


def test_a_full_disk_is_said() -> None:
    transcript = Transcript(Path("/dev/full"), lambda: AT)

    with pytest.raises(FileUnusable, match="No space left on device"):
        transcript.write("begin")
    transcript.close()


def test_files_of_their_own_are_named_by_time_and_ticket() -> None:
    path = default_file("T-1/../x", datetime(2026, 5, 1, 12, tzinfo=UTC))

    assert path.name.startswith("20260501T120000-T-1-..-x-")
    assert path.suffix == ".jsonl"
