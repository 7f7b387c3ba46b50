"""Recording a recording: its clock goes on by one step a round, so that minutes take as long as reading them."""

from datetime import datetime, timedelta
from pathlib import Path

from opsai_subjects.opening import ReplayCluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.recorder import Recorder, Wish, begin


class SteppedPace:
    def __init__(self, clock: ReplayClock, step_seconds: float) -> None:
        self._clock = clock
        self._step = timedelta(seconds=step_seconds)
        self._begun = False

    async def next(self) -> None:
        if self._begun:
            self._clock.set(self._clock.now() + self._step)
        self._begun = True


async def copied(cluster: ReplayCluster, folder: Path, since: datetime, *, seconds: float, every: float) -> Recorder:
    """Record a stretch of a recorded cluster; what it leaves is not finished yet."""
    cluster.clock.set(since)
    recorder = await begin(cluster.subject, Wish(folder, every_seconds=every, for_seconds=seconds), None)
    await recorder.run(SteppedPace(cluster.clock, every))
    return recorder
