"""Asking nodes whether they serve, once or until they do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
import httpx

from opsai_lab.errors import LabError
from opsai_lab.targets.folder import last_lines
from opsai_lab.targets.processes.lives import Lives
from opsai_lab.targets.processes.plan import PlannedProcess
from opsai_lab.targets.target import Tell

ASK_SECONDS = 2.0
EVERY_SECONDS = 0.1
SAY_EVERY_SECONDS = 10.0
LOG_LINES = 8
"""Of a node that died: enough for the panic and what led to it."""


async def ill(client: httpx.AsyncClient, url: str) -> str:
    """Return why a node is not healthy: what its health URL answered; empty when it is."""
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        return f"{url}: {str(error) or type(error).__name__}"
    return "" if answer.status_code == 200 else f"{url}: HTTP {answer.status_code} {answer.text[:200].strip()}".rstrip()


def asking() -> httpx.AsyncClient:
    """Return a client for health checks: loopback only, so no proxy of the environment is used."""
    return httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False)


@dataclass
class _Waiting:
    """Those of one level that are waited for."""

    lives: Lives
    total: int
    tell: Tell
    healthy: int = 0

    def died(self, process: PlannedProcess) -> None:
        if self.lives.alive(process.name) is None:
            said = "\n".join(f"  {line}" for line in last_lines(process.output, LOG_LINES)) or "  (it printed nothing)"
            raise LabError(
                f"{process.name} ended soon after its start. Its log is {process.log}; it printed last:\n{said}"
            )

    def well(self, process: PlannedProcess) -> None:
        self.healthy += 1
        self.tell(f"{process.name} is healthy at {process.advertised} ({self.healthy} of {self.total})")


async def await_health(
    processes: Sequence[PlannedProcess], lives: Lives, tell: Tell, seconds: float, now: Callable[[], float]
) -> None:
    """Wait until all of them are healthy. Raises LabError naming the one that died or did not become so, and its log."""
    waiting = _Waiting(lives, len(processes), tell)
    left = {process.name: process for process in processes}
    why: dict[str, str] = {}
    began = said = now()
    async with asking() as client:
        while left:
            for process in tuple(left.values()):
                waiting.died(process)
                why[process.name] = await ill(client, process.healthy)
                if not why[process.name]:
                    waiting.well(left.pop(process.name))
            if left and now() - began > seconds:
                raise LabError(_not_healthy(tuple(left.values()), why, seconds))
            if left and now() - said > SAY_EVERY_SECONDS:
                said = now()
                tell(f"waiting for {', '.join(left)}: {why[next(iter(left))]}")
            await anyio.sleep(EVERY_SECONDS if left else 0)


def _not_healthy(left: Sequence[PlannedProcess], why: dict[str, str], seconds: float) -> str:
    return (
        f"After {seconds:.0f} s not healthy: {', '.join(process.name for process in left)}. "
        f"Last answer: {why[left[0].name]}. Its log: {left[0].log}"
    )
