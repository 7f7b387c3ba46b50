"""A small file system of its own for each node's data, so that it can be filled without filling the machine: tmpfs, mounted as root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import anyio

from opsai_lab.errors import LabError
from opsai_lab.targets.folder import writing

BALLAST = "opsai-ballast"
STEP_BYTES = 1 << 20
NEEDS = "needs root on Linux"


def can_mount() -> bool:
    """Whether a file system may be mounted here."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


def is_small_disk(data: Path) -> bool:
    """Whether a file system of its own is mounted there."""
    return data.is_dir() and os.path.ismount(data)


async def mount_small_disk(data: Path, size_mb: int) -> None:
    """Mount a file system of that size, unless one is there. It is in memory: what it holds is gone when it is unmounted."""
    if is_small_disk(data):
        return
    if not can_mount():
        raise LabError(f"--small-disks {NEEDS}: run it with sudo, or leave it out.")
    _made(data)
    await _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=700", "opsai", str(data))


def _made(data: Path) -> None:
    with writing(data):
        data.mkdir(parents=True, exist_ok=True, mode=0o700)


async def unmount_below(folder: Path) -> None:
    """Unmount every file system mounted below a folder, however it came there."""
    for point in mounted_below(folder):
        await _run("umount", "--lazy", point)


def mounted_below(folder: Path) -> tuple[str, ...]:
    """Return the mount points below a folder, the last mounted first."""
    if sys.platform != "linux":
        return ()
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1].encode("latin-1", "replace").decode("unicode_escape") for line in lines]
    return tuple(point for point in reversed(points) if Path(point).is_relative_to(folder.resolve()))


def fill(data: Path, left_bytes: int) -> None:
    """Put ballast beside the data until no more than `left_bytes` are free."""
    with (data / BALLAST).open("ab", buffering=0) as file:
        size = file.tell()
        while (free := _free_bytes(data) - left_bytes) > 0:
            try:
                os.posix_fallocate(file.fileno(), size, min(free, STEP_BYTES))
            except OSError:  # the last pages are somebody else's by now
                return
            size += min(free, STEP_BYTES)


def empty(data: Path) -> None:
    """Take the ballast away."""
    (data / BALLAST).unlink(missing_ok=True)


def _free_bytes(data: Path) -> int:
    return shutil.disk_usage(data).free


async def _run(*command: str) -> None:
    done = await anyio.run_process(command, check=False, stderr=subprocess.STDOUT)
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed: {done.stdout.decode('utf-8', 'replace').strip()}")
