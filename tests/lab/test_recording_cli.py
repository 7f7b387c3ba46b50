"""`opsai record` as a program: how it is ended, what it leaves, and what is said of what it leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import tomli_w

from opsai_lab.recording import seconds_of
from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.serve import serve
from tests.subjects.recording.test_recorder import small

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def live(folder: Path) -> AsyncGenerator[Path]:
    """Serve a small recording as a live cluster that stands still; give the settings file that names it."""
    recording = open_recording(small(folder / "original"))
    clock = ReplayClock(recording.incident.start)
    clock.set(recording.incident.start.replace(second=30))
    async with serve(recording, clock) as served:
        cluster = {"subject": "tikv", "endpoints": ["http://10.0.0.1:2379"], "prometheus": served.prometheus}
        settings = {"clusters": {"small": {**cluster, "addresses": served.addresses}}}
        config = folder / "opsai.toml"
        config.write_text(tomli_w.dumps(settings), encoding="utf-8")
        yield config


async def ended(config: Path, folder: Path, number: int) -> tuple[int, str]:
    """Start recording, send the signal after the first words on what it costs, and return the status and all that was said."""
    command = [sys.executable, "-m", "opsai_lab.cli", "record", str(folder), "--config", str(config), "--every", "1"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    said, sent = "", False
    with anyio.fail_after(60):
        async with await anyio.open_process(command, stderr=subprocess.STDOUT, env=environment) as process:
            assert process.stdout is not None
            async for part in process.stdout:
                said += part.decode()
                if "a second" in said and not sent:
                    sent = True
                    process.send_signal(number)
            await process.wait()
            return process.returncode or 0, said


async def test_ctrl_c_makes_the_recording(tmp_path: Path) -> None:
    async with live(tmp_path) as config:
        status, said = await ended(config, tmp_path / "made", signal.SIGINT)

    assert status == 0
    assert "Recording tikv cluster 'small'" in said
    assert "the cluster was asked" in said
    assert "Ended by Ctrl-C." in said
    open_recording(tmp_path / "made").verify()


async def test_what_a_killed_recorder_leaves_is_named_and_can_be_finished(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    async with live(tmp_path) as config:
        status, _ = await ended(config, folder, signal.SIGKILL)
    opsai = [sys.executable, "-m", "opsai_lab.cli"]

    opened = await anyio.run_process([*opsai, "replay", str(folder)], check=False)
    finished = await anyio.run_process([*opsai, "record", str(folder), "--finish"], check=False)

    assert status == -signal.SIGKILL
    assert b"was not finished" in opened.stderr
    assert finished.returncode == 0
    assert b"Next: opsai replay" in finished.stdout
    open_recording(folder).verify()


def test_a_length_of_time_is_a_number_with_a_unit() -> None:
    assert [seconds_of(text) for text in ("90s", "5m", "2h", "7")] == [90.0, 300.0, 7200.0, 7.0]
    for text in ("", "m", "-5m", "0s", "5 days"):
        with pytest.raises(ArgumentInvalid, match="90s, 5m or 2h"):
            seconds_of(text)
