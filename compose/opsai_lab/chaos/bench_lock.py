"""One bench at a time for each place: the lock is the kernel's, so one that died holds none."""

import fcntl
import os
import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from opsai_lab.errors import LabBusy
from opsai_lab.targets.folder import writing


@contextmanager
def only_bench(folder: Path) -> Generator[None]:
    """Hold the place in that folder for as long as the block runs. Raises LabBusy naming who holds it: pid and command."""
    path = folder.with_name(f"{folder.name}.lock")
    descriptor = _taken(path)
    try:
        with suppress(OSError):  # a full disk must not keep anybody from healing
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {shlex.join(_command())}\n".encode(), 0)
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()  # while it is held: whoever waits for this file sees that it is no longer the one at this path
        os.close(descriptor)


def _taken(path: Path) -> int:
    while True:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            said = os.pread(descriptor, 2000, 0).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise LabBusy(_busy(path, said)) from error
        if _still_there(path, descriptor):
            return descriptor
        os.close(descriptor)


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _busy(path: Path, said: str) -> str:
    pid, _, command = said.partition(" ")
    who = f"process {pid} ({command or 'unknown command'})" if pid else "another process"
    return f"{path.stem} is in the hands of another bench, {who}. Wait until it is done, or stop it (Ctrl-C, kill {pid or 'PID'})."


def _command() -> list[str]:
    return [Path(sys.argv[0]).name, *sys.argv[1:]]
