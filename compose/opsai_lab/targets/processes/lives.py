"""Processes that run for a place: who they are, whether they live, starting and ending them. Never one that is not ours."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import anyio

from opsai_lab.errors import LabError
from opsai_lab.targets.folder import read_value, write_whole, writing
from opsai_lab.targets.processes import launcher
from opsai_subjects.model import Value

GONE_SECONDS = 10.0


class Life(Value):
    """A process that was started for the place."""

    pid: int
    birth: str
    """When it was born, by the kernel: a pid is given to another process one day, both together never."""
    wanted: bool = True
    """False once it was ended on purpose."""


class Lives:
    """The processes of one place, one file each in `run/`."""

    def __init__(self, folder: Path) -> None:
        self._run = folder / "run"

    def names(self) -> tuple[str, ...]:
        """Return everything that was ever started here and not forgotten."""
        return tuple(sorted(path.stem for path in self._run.glob("*.json") if not path.name.startswith(".")))

    def alive(self, name: str) -> int | None:
        """Return the pid of a process that lives, None when it does not."""
        life = read_value(self._file(name), Life)
        return life.pid if life and launcher.birth(life.pid) == life.birth else None

    def ended_on_purpose(self, name: str) -> bool:
        """Whether it was ended by the bench, or never started: otherwise, not being alive is a failure."""
        life = read_value(self._file(name), Life)
        return life is None or not life.wanted

    def paused(self, name: str) -> bool:
        """Whether it is stopped by a signal. False where nobody can say."""
        pid = self.alive(name)
        return pid is not None and _state(pid) in "Tt"

    async def start(self, name: str, command: Sequence[str], output: Path, group: int | None = None) -> None:
        """Start it in a session of its own, unless it lives. Raises LabError when the program cannot be executed."""
        if self.alive(name) is not None:
            return
        with writing(self._run):
            self._run.mkdir(parents=True, exist_ok=True)
            output.parent.mkdir(parents=True, exist_ok=True)
        order = json.dumps(
            {"command": list(command), "output": str(output), "life": str(self._file(name)), "group": group}
        )
        launching = [sys.executable, "-I", "-S", launcher.__file__, order]
        done = await anyio.run_process(launching, check=False, stderr=subprocess.STDOUT)
        if done.returncode:
            said = done.stdout.decode("utf-8", "replace").strip().splitlines()
            raise LabError(f"{name} could not be started: {said[-1] if said else 'no reason given'} ({command[0]}).")

    async def end(self, name: str, *, orderly_seconds: float = 0.0) -> None:
        """End it and all it started; return when it is gone. First asked to end, when it is given time for that."""
        pid = self.alive(name)
        life = read_value(self._file(name), Life)
        if life is not None and life.wanted:
            with suppress(LabError):  # on a full disk it is ended all the same
                write_whole(self._file(name), life.model_copy(update={"wanted": False}).model_dump_json())
        if pid is None:
            return
        if orderly_seconds:
            self.send(name, signal.SIGTERM)
            self.send(name, signal.SIGCONT)
            if await _until(lambda: self.alive(name) is None, orderly_seconds):
                return
        self.send(name, signal.SIGKILL)
        if not await _until(lambda: self.alive(name) is None, GONE_SECONDS):
            raise LabError(
                f"{name} (pid {pid}) is still there {GONE_SECONDS:.0f} s after SIGKILL: it waits for a disk that does not answer."
            )

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to it and all it started; nothing happens when it does not live."""
        pid = self.alive(name)
        if pid is None:
            return
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise LabError(f"{name} (pid {pid}) belongs to another user: run this as that user, or as root.") from error

    def forget(self, name: str) -> None:
        """Remove what is known of it."""
        self._file(name).unlink(missing_ok=True)

    async def stop(self, name: str) -> None:
        """Freeze it and all it started; return when it is frozen. Raises LabError when it does not live."""
        self.send(name, signal.SIGSTOP)
        await _until(lambda: self.paused(name) or self.alive(name) is None, GONE_SECONDS)
        if not self.paused(name):
            raise LabError(f"{name} does not run, so it cannot be paused: opsai deploy local up starts it.")

    def _file(self, name: str) -> Path:
        return self._run / f"{name}.json"


async def _until(so: Callable[[], bool], seconds: float) -> bool:
    with anyio.move_on_after(seconds):
        while not so():  # noqa: ASYNC110 (of another program: nothing here could set an event)
            await anyio.sleep(0.02)
        return True
    return False


def _state(pid: int) -> str:
    """Return the kernel's letter for what a process does (proc(5), field 3; the same letters from ps elsewhere)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        asked = ["/bin/ps", "-o", "stat=", "-p", str(pid)]
        done = subprocess.run(asked, check=False, capture_output=True, text=True)  # noqa: S603 (fixed words and a number)
        return done.stdout.strip()[:1] or "?"
