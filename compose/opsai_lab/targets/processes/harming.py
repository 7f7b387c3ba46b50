"""Doing harm to a process of the cluster, and undoing it: signals, packet filters, control groups, ballast."""

import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio

from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes import cycler, launcher
from opsai_lab.targets.processes.cgroups import Controller, Group, block_device, find_group
from opsai_lab.targets.processes.disks import empty, fill, is_small_disk
from opsai_lab.targets.processes.lives import Lives
from opsai_lab.targets.processes.packets import NEEDS, cut_script, mend_script, nft_program, run_script, table_name
from opsai_lab.targets.processes.plan import PlannedProcess
from opsai_lab.targets.processes.seats import Layout
from opsai_lab.targets.target import Place

Start = Callable[[PlannedProcess, Layout], Awaitable[None]]

ORDERLY_SECONDS = 10.0
GROUP_SECONDS = 5.0
CPU_SHARE = 0.05
WRITES_PER_SECOND = 20
CONTROLLERS: tuple[Controller, ...] = ("cpu", "io")


class Harming:
    """What can be done to the processes of one place."""

    def __init__(self, place: Place, lives: Lives, start: Start) -> None:
        self._place = place
        self._lives = lives
        self._start = start

    def refusal(self, harm: Harm, layout: Layout | None) -> str:
        """Return why the harm cannot be done here, and what would allow it; empty when it can."""
        data = self._place.folder / "data" / harm.node
        match harm.name:
            case "partition":
                return _no_partition(layout)
            case "slow_disk":
                return self._no_slow_disk(harm.node, data)
            case "fill_disk":
                return "" if is_small_disk(data) else _NO_SMALL_DISK
            case _:
                return ""

    async def inject(self, harm: Harm, layout: Layout, process: PlannedProcess) -> None:
        """Do it."""
        match harm.name:
            case "kill":
                await self._lives.end(process.name)
            case "pause":
                await self._lives.stop(process.name)
            case "restart":
                await self._lives.end(process.name, orderly_seconds=ORDERLY_SECONDS)
                await self._start(process, layout)
            case "partition":
                await run_script(cut_script(self._place, layout, harm))
            case "slow_cpu":
                await self._slow_cpu(process, harm.amount or CPU_SHARE)
            case "slow_disk":
                with _allowed(harm):
                    self._group("io", process.name).limit_writes(
                        self._pid(process), block_device(process.data), int(harm.amount or WRITES_PER_SECOND)
                    )
            case "fill_disk":
                fill(process.data, int(harm.amount or 0))

    async def undo(self, harm: Harm, layout: Layout, process: PlannedProcess) -> None:
        """Undo it, whether it was done or not."""
        match harm.name:
            case "kill" | "restart":
                await self._start(process, layout)
            case "pause":
                self._lives.send(process.name, signal.SIGCONT)
            case "partition":
                await run_script(mend_script(self._place, harm))
            case "slow_cpu":
                await self._full_speed(process)
            case "slow_disk":
                if (group := self._find_group("io", process.name)) and (device := _device(process.data)):
                    with _allowed(harm):
                        group.lift_writes(device)
            case "fill_disk":
                empty(process.data)
                await self._start(process, layout)  # most databases end themselves when the disk is full

    async def remove_groups(self) -> None:
        """Remove every control group that was made; called when their processes are gone."""
        found = (self._find_group(at, node.name) for node in self._place.blueprint.nodes for at in CONTROLLERS)
        left = [group for group in found if group is not None and not group.remove()]
        with anyio.move_on_after(GROUP_SECONDS):
            while left := [group for group in left if not group.remove()]:  # noqa: ASYNC110 (the kernel sets no event)
                await anyio.sleep(0.02)
        if left:
            raise LabError(
                f"{left[0].folder} cannot be removed: a process is still in it. Then: opsai deploy local down."
            )

    async def _slow_cpu(self, process: PlannedProcess, share: float) -> None:
        """By a quota of the kernel; where none may be set, by a process of ours that stops and continues it in turn."""
        pid = self._pid(process)
        group = self._find_group("cpu", process.name)
        if group is not None:
            try:
                group.limit_cpu(pid, share)
            except OSError:
                group = None
        if group is None:
            command = (sys.executable, "-m", cycler.__name__, str(pid), launcher.birth(pid), str(share))
            await self._lives.start(_cycler_name(process), command, self._place.folder / "logs" / "cycler.log")

    async def _full_speed(self, process: PlannedProcess) -> None:
        if self._lives.alive(_cycler_name(process)) is not None:
            await self._lives.end(_cycler_name(process))
            self._lives.send(process.name, signal.SIGCONT)
        self._lives.forget(_cycler_name(process))
        if group := self._find_group("cpu", process.name):
            try:
                group.lift_cpu()
            except OSError as error:
                raise LabError(f"{process.name} cannot be given the whole machine back: {error}") from error

    def _no_slow_disk(self, node: str, data: Path) -> str:
        if self._find_group("io", node) is None:
            return (
                "slow_disk of a process needs the kernel's control group for disks (blkio or io), writable by this user: "
                "run it as root, or the cluster in containers (--target docker)."
            )
        if not _device(data):
            return (
                f"slow_disk needs data on a disk: {data} is on none (a tmpfs, an overlay). Without --small-disks, and with "
                "$OPSAI_LAB_HOME on a disk, it can be done."
            )
        return ""

    def _pid(self, process: PlannedProcess) -> int:
        pid = self._lives.alive(process.name)
        if pid is None:
            raise LabError(f"{process.name} does not run, so it cannot be slowed: opsai deploy local up starts it.")
        return pid

    def _group(self, controller: Controller, node: str) -> Group:
        group = self._find_group(controller, node)
        if group is None:
            raise LabError(f"No control group for {controller} can be made by this user.")
        return group

    def _find_group(self, controller: Controller, node: str) -> Group | None:
        return find_group(controller, f"{table_name(self._place)}_{node}")


_NO_SMALL_DISK = (
    "fill_disk would fill the disk of this machine: bring the cluster up with --small-disks MB (256, say; needs root on Linux), "
    "which gives each node's data a small file system of its own."
)


def _no_partition(layout: Layout | None) -> str:
    if nft_program() is None:
        return f"A partition of processes {NEEDS}: nft is not installed (Debian's package nftables)."
    if layout is not None and not layout.own_addresses:
        return f"A partition of processes {NEEDS}, and an address of its own for each node: here all share 127.0.0.1."
    if layout is not None and not layout.groups:
        return f"A partition of processes {NEEDS}: bring the cluster up as root (sudo opsai deploy local up)."
    return ""


def _cycler_name(process: PlannedProcess) -> str:
    return f"{process.name}.cycler"


def _device(data: Path) -> str:
    return block_device(data) if data.is_dir() else ""


@contextmanager
def _allowed(harm: Harm) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(f"{harm.says()} is not possible here: {error}.") from error
