"""One round of asking the metrics engine: when it stops answering in time, the rest of the round is spared."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from opsai_subjects.errors import SourceError, SourceTimedOut
from opsai_subjects.model import MetricsReply, MetricsSource, Window
from opsai_tikv.pd.reaching import asked_again

TIMEOUTS_THAT_SILENCE = 3
"""In a row, with no answer between: one query may be too heavy, an engine that answers none of three hangs."""


class MetricsRound:
    """A metrics engine that is not asked again in this round once it hangs: some 80 timeouts would outlast the interval."""

    def __init__(self, metrics: MetricsSource) -> None:
        self.about = metrics.about
        self._metrics = metrics
        self._timeouts = 0
        self._silent: SourceError | None = None

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Evaluate at one moment. Raises QueryInvalid or SourceError."""
        with self._heard(promql):
            return await self._metrics.instant(promql, at)

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Evaluate at each step of the window. Raises QueryInvalid or SourceError."""
        with self._heard(promql):
            return await self._metrics.range(promql, window, step_seconds)

    async def version(self) -> str:
        """Return what the engine says it is. Raises SourceError."""
        return await self._metrics.version()

    @contextmanager
    def _heard(self, promql: str) -> Generator[None]:
        """Spare the question when the engine hangs; else count how often in a row it did not answer in time."""
        if self._silent is not None:
            raise asked_again(self._silent, promql)
        try:
            yield
        except SourceTimedOut as error:
            self._timeouts += 1
            if self._timeouts >= TIMEOUTS_THAT_SILENCE:
                self._silent = error
            raise
        self._timeouts = 0
