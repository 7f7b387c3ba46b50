"""One live run, recorded as it goes: what comes of it replays, grades and tells like every other recording."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from opsai_lab.live.haste import Haste
from opsai_lab.live.performing import Performed, Run, perform, watching
from opsai_lab.live.stage import LIMITS, Stage, open_stage
from opsai_lab.live.steps import Audience
from opsai_lab.live.truths import write_truth
from opsai_lab.recording import recorder_of, wish_for
from opsai_lab.targets.target import Target
from opsai_server.watcher import MonotonicPace
from opsai_subjects.errors import OpsaiError
from opsai_subjects.recording.finishing import finish

BEFORE_SECONDS = 300.0
"""So much of logs and samples from before a run is kept with it."""


@dataclass(frozen=True)
class Order:
    """What is to be done, and where what comes of it goes."""

    fault: str
    node: str | None
    home: Path
    """A folder of the run's own: settings and tickets."""
    recording: Path
    haste: Haste
    backend: str = "rules"


async def play(target: Target, order: Order, audience: Audience) -> Performed:
    """Run it on a cluster that is up. Raises LabError when it was not healthy to begin with: then nothing was done, and nothing is kept."""
    try:
        async with (
            open_stage(target, order.haste, order.home) as stage,
            _recording(stage, order.recording),
            watching(stage) as looks,
        ):
            done = await perform(Run(stage, looks, audience, order.backend), order.fault, order.node)
    except OpsaiError:
        for folder in (order.recording, order.home):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if done.injected is not None and done.healed is not None:
        write_truth(order.recording, done.injected, done.healed)
    return done


@asynccontextmanager
async def _recording(stage: Stage, folder: Path) -> AsyncGenerator[None]:
    """Record while the block runs, however it ends."""
    every = max(1.0, stage.haste.interval_seconds)
    wish = wish_for(folder, stage.settings, stage.watch, every_seconds=every, before_seconds=BEFORE_SECONDS)
    async with recorder_of(stage.name, stage.settings, LIMITS, wish) as recorder:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(recorder.run, MonotonicPace(every))
                yield
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as failed:  # as in `watching`
            if len(failed.exceptions) == 1:
                raise failed.exceptions[0] from None
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(finish, folder)
