"""Holding a process back by the kernel's control groups, version 1 or 2, where this user may make one."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Controller = Literal["cpu", "io"]

PERIOD_US = 100_000
LEAST_QUOTA_US = 1_000
"""The kernel takes no less (kernel/sched/core.c, min_cfs_quota_period)."""
V1_NAMES = {"cpu": "cpu", "io": "blkio"}


@dataclass(frozen=True)
class Group:
    """The control group of one node for one controller; it is made when it is first needed and removed by `down`."""

    folder: Path
    version: Literal[1, 2]

    def limit_cpu(self, pid: int, share: float) -> None:
        """Give the process that share of one core. Raises OSError."""
        quota = max(LEAST_QUOTA_US, int(share * PERIOD_US))
        self.folder.mkdir(exist_ok=True)
        if self.version == 1:
            self._write("cpu.cfs_period_us", str(PERIOD_US))
            self._write("cpu.cfs_quota_us", str(quota))
        else:
            self._write("cpu.max", f"{quota} {PERIOD_US}")
        self._write("cgroup.procs", str(pid))

    def lift_cpu(self) -> None:
        """Give back the whole machine. Raises OSError."""
        if self.folder.is_dir():
            self._write(*(("cpu.cfs_quota_us", "-1") if self.version == 1 else ("cpu.max", "max")))

    def limit_writes(self, pid: int, device: str, writes_per_second: int) -> None:
        """Let the process do so many writes a second to that device. Raises OSError.

        Version 1 counts only what the process itself writes out (fsync, O_DIRECT), which is what a database waits for.
        """
        self.folder.mkdir(exist_ok=True)
        if self.version == 1:
            self._write("blkio.throttle.write_iops_device", f"{device} {writes_per_second}")
        else:
            self._write("io.max", f"{device} wiops={writes_per_second}")
        self._write("cgroup.procs", str(pid))

    def lift_writes(self, device: str) -> None:
        """Let it write as fast as the device can. Raises OSError."""
        if self.folder.is_dir():
            self._write(
                *(
                    ("blkio.throttle.write_iops_device", f"{device} 0")
                    if self.version == 1
                    else ("io.max", f"{device} wiops=max")
                )
            )

    def remove(self) -> bool:
        """Remove it; return whether it is gone. The last thread of a process that was killed leaves it a moment later."""
        with suppress(OSError):
            self.folder.rmdir()
        return not self.folder.exists()

    def _write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="ascii")


def find_group(controller: Controller, name: str) -> Group | None:
    """Return the group of that name for a controller; None where this user may not make it, or there is no such controller."""
    if sys.platform != "linux":
        return None
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for _, point, kind, options, *_ in mounts:
        parent = Path(point)
        if kind == "cgroup" and V1_NAMES[controller] in options.split(","):
            return _writable(Group(parent / name, 1))
        if kind == "cgroup2" and controller in _words(parent / "cgroup.subtree_control"):
            return _writable(Group(parent / name, 2))
    return None


def block_device(folder: Path) -> str:
    """Return the disk under a folder as `major:minor`; empty where there is none that could be slowed (tmpfs, overlay, btrfs)."""
    number = folder.stat().st_dev
    known = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not known.exists():
        return ""
    whole = known.resolve().parent if (known / "partition").exists() else known
    return (whole / "dev").read_text(encoding="ascii").strip()


def _writable(group: Group) -> Group | None:
    return group if os.access(group.folder.parent, os.W_OK) else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []
