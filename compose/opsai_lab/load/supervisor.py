"""Runs go-ycsb segment by segment, and follows the file that says which load is wanted.

Each segment is a process of its own: between two there is a pause of about the time that go-ycsb takes to connect.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process

from opsai_lab.errors import LabError
from opsai_lab.load.driver import Driver, loading, running
from opsai_lab.load.patterns import PATTERNS, Pattern, Segment
from opsai_lab.load.wanted import Wanted, read_wanted

Tell = Callable[[str], None]

STOP_SECONDS = 12.0
"""go-ycsb closes its connections for up to 10 s after SIGTERM (cmd/go-ycsb/main.go), then it is killed."""


@dataclass(frozen=True)
class Load:
    """What is put under load, and by what."""

    driver: Driver
    endpoints: str
    """host:port with commas between."""
    wanted: Path
    """The file to follow."""
    state: Path
    """Its folder: notes there that the records are written."""
    binary: str = "go-ycsb"
    patterns: Mapping[str, Pattern] = field(default_factory=lambda: PATTERNS)
    poll_seconds: float = 1.0
    """How often the file is read."""
    retry_seconds: float = 5.0
    """After go-ycsb failed."""


async def supervise(load: Load, tell: Tell) -> None:
    """Write the records once, then run what is wanted until cancelled; go-ycsb never outlives this. Raises LabError where
    go-ycsb cannot be started at all."""
    follower = _Follower(load, tell)
    await _write_records(load, tell)
    while True:
        now = follower.look()
        rate = load.driver.rate if now.rate is None else now.rate
        tell(f"{now.pattern} at {rate} operations a second")
        if rate:
            await _play(load, follower, load.patterns[now.pattern], rate, tell)
        else:
            await follower.change(load.poll_seconds)


class _Follower:
    """Reads the file; one that cannot be followed is told of once, and what was wanted before goes on."""

    def __init__(self, load: Load, tell: Tell) -> None:
        self._path = load.wanted
        self._tell = tell
        self._now = Wanted()
        self._complaint = ""

    def look(self) -> Wanted:
        """Return what is wanted now."""
        self.changed()
        return self._now

    def changed(self) -> bool:
        """Read the file, and say whether it wants something else than before."""
        before = self._now
        try:
            self._now = read_wanted(self._path)
            self._complaint = ""
        except LabError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._tell(f"{error} The load stays as it is.")
        return self._now != before

    async def change(self, poll_seconds: float) -> None:
        """Wait until something else is wanted."""
        while True:
            if self.changed():
                return
            await anyio.sleep(poll_seconds)


async def _write_records(load: Load, tell: Tell) -> None:
    note = load.state / "records"
    written = f"{load.driver.driver} {load.driver.records}\n"
    if note.is_file() and note.read_text(encoding="utf-8") == written:
        return
    while True:
        tell(f"writing {load.driver.records} records")
        code = await _run_to_end(loading(load.binary, load.driver, load.endpoints))
        if code == 0:
            break
        tell(f"go-ycsb ended with status {code} while it wrote the records; again in {load.retry_seconds:g} s")
        await anyio.sleep(load.retry_seconds)
    load.state.mkdir(parents=True, exist_ok=True)
    note.write_text(written, encoding="utf-8")


async def _play(load: Load, follower: _Follower, pattern: Pattern, rate: int, tell: Tell) -> None:
    """Play a pattern's segments over and over, until something else is wanted."""
    while True:
        for segment in pattern.segments:
            if await _segment(load, follower, segment, rate, tell):
                return


async def _segment(load: Load, follower: _Follower, segment: Segment, rate: int, tell: Tell) -> bool:
    """Run one segment to its end; return whether something else is wanted before that."""
    ends = anyio.current_time() + segment.seconds
    command = running(load.binary, load.driver, load.endpoints, segment, rate)
    while (left := ends - anyio.current_time()) > 0:
        process = await _started(command)
        try:
            code, changed = await _while_wanted(process, follower, left, load.poll_seconds)
        finally:
            await _stopped(process)
        if changed or code is None:
            return changed
        if code:
            tell(f"go-ycsb ended with status {code}; again in {load.retry_seconds:g} s")
        await anyio.sleep(min(load.retry_seconds, max(0.0, ends - anyio.current_time())))
        if follower.changed():
            return True
    return False


async def _while_wanted(
    process: Process, follower: _Follower, seconds: float, poll_seconds: float
) -> tuple[int | None, bool]:
    """Wait for the process's end, the segment's, or another wish; return its status (None: it still runs) and that wish."""
    with anyio.move_on_after(seconds):
        while True:
            with anyio.move_on_after(poll_seconds):
                return await process.wait(), False
            if follower.changed():
                return None, True
    return None, False


async def _run_to_end(command: Sequence[str]) -> int:
    process = await _started(command)
    try:
        return await process.wait()
    finally:
        await _stopped(process)


async def _started(command: Sequence[str]) -> Process:
    try:
        return await anyio.open_process(command, stdin=subprocess.DEVNULL, stdout=None, stderr=None)
    except OSError as error:
        raise LabError(
            f"{command[0]} cannot be started: {error.strerror or error}. Build it with Go from https://github.com/pingcap/go-ycsb "
            "(compose/load/Dockerfile has the commands) and put it on PATH."
        ) from error


async def _stopped(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(STOP_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()
