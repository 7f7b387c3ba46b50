"""Doing harm to a process of the cluster, and undoing it: signals, packet filters."""

import signal
from collections.abc import Awaitable, Callable

from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.lives import Lives
from opsai_lab.targets.processes.packets import NEEDS, cut_script, mend_script, nft_program, run_script
from opsai_lab.targets.processes.plan import PlannedProcess
from opsai_lab.targets.processes.seats import Layout
from opsai_lab.targets.target import Place

Start = Callable[[PlannedProcess, Layout], Awaitable[None]]

ORDERLY_SECONDS = 10.0


class Harming:
    """What can be done to the processes of one place."""

    def __init__(self, place: Place, lives: Lives, start: Start) -> None:
        self._place = place
        self._lives = lives
        self._start = start

    def refusal(self, harm: Harm, layout: Layout | None) -> str:
        """Return why the harm cannot be done here, and what would allow it; empty when it can."""
        match harm.name:
            case "partition":
                return _no_partition(layout)
            case "slow_cpu" | "slow_disk" | "fill_disk":
                return f"{harm.name} cannot be done to processes of this machine: --target docker can."
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
                await run_script(cut_script(self._place.name, layout, harm))
            case _:
                raise LabError(self.refusal(harm, layout))

    async def undo(self, harm: Harm, layout: Layout, process: PlannedProcess) -> None:
        """Undo it, whether it was done or not."""
        match harm.name:
            case "kill" | "restart":
                await self._start(process, layout)
            case "pause":
                self._lives.send(process.name, signal.SIGCONT)
            case "partition":
                await run_script(mend_script(self._place.name, harm))
            case _:
                return


def _no_partition(layout: Layout | None) -> str:
    if nft_program() is None:
        return f"A partition of processes {NEEDS}: nft is not installed (Debian's package nftables)."
    if layout is not None and not layout.own_addresses:
        return f"A partition of processes {NEEDS}, and an address of its own for each node: here all share 127.0.0.1."
    if layout is not None and not layout.groups:
        return f"A partition of processes {NEEDS}: bring the cluster up as root (sudo opsai deploy local up)."
    return ""
