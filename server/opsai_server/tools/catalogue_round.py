"""One round of asking the metrics engine for a whole catalogue: a few at once, and given up soon when it hangs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsSource, Series, Unread, Window
from opsai_subjects.progress import work

AT_ONCE = 8
"""Queries in flight: kind to a Prometheus that others use too."""
FAILURES_THAT_SILENCE = 3
"""In a row, with no answer between: one query may be too heavy, an engine that answers none of three hangs or is gone."""
BUDGET_SECONDS = 45.0
"""A model waits for the reply, and its client for a minute."""
SOURCE = "prometheus"


@dataclass
class CatalogueRound:
    """What came back by name, and what could not be read."""

    metrics: MetricsSource
    found: dict[str, list[Series]] = field(default_factory=dict[str, list[Series]])
    unread: list[Unread] = field(default_factory=list[Unread])
    partial: set[str] = field(default_factory=set[str])
    """What the engine said it could answer only in part."""
    _failures: int = 0
    _silent: SourceError | None = None

    async def read(self, queries: Mapping[str, str], windows: Sequence[Window], step_seconds: float) -> None:
        """Ask each query over each window. Never raises for what the engine does not answer: it says so in `unread`."""
        limiter = anyio.CapacityLimiter(AT_ONCE)
        until = anyio.current_time() + BUDGET_SECONDS
        asked = work(len(queries), "metrics of the catalogue")

        async def one(name: str, query: str) -> None:
            async with limiter:
                for window in windows:
                    if not await self._one(name, query, window, step_seconds, until):
                        break
                asked.did()

        async with anyio.create_task_group() as group:
            for name, query in queries.items():
                group.start_soon(one, name, query)

    async def _one(self, name: str, query: str, window: Window, step_seconds: float, until: float) -> bool:
        if self._silent is not None:
            return self._left(name, f"not asked: it had just not answered ({self._silent.came_back})")
        if anyio.current_time() > until:
            return self._left(name, f"not asked: {BUDGET_SECONDS:.0f} s were used up", "a topic, or a shorter window")
        try:
            reply = await self.metrics.range(query, window, step_seconds)
        except QueryInvalid as error:
            return self._left(name, error.reason)
        except SourceError as error:
            self._failures += 1
            if self._failures >= FAILURES_THAT_SILENCE:
                self._silent = error
            return self._left(name, error.came_back, error.advice)
        self._failures = 0
        if reply.partial:
            self.partial.add(name)
        self.found.setdefault(name, []).extend(reply.series)
        return True

    def _left(self, name: str, why: str, advice: str = "") -> bool:
        self.found.pop(name, None)
        self.unread.append(Unread(source=SOURCE, asked=name, why=why, advice=advice))
        return False
