"""A metrics engine that several clusters share, seen by one of them: matchers go into every selector of every query."""

from collections.abc import Mapping
from datetime import datetime

from opsai_subjects.model import MetricsReply, MetricsSource, Window
from opsai_subjects.promql.samples import Matcher
from opsai_subjects.promql.scoping import of_settings, scoped


class ScopedMetrics:
    """The engine behind it, asked for series that meet the matchers and for no others."""

    def __init__(self, metrics: MetricsSource, matchers: tuple[Matcher, ...]) -> None:
        self.about = metrics.about
        self._metrics = metrics
        self._matchers = matchers

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Evaluate at one moment. Raises QueryInvalid (also for what cannot be narrowed) or SourceError."""
        return await self._metrics.instant(scoped(promql, self._matchers), at)

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Evaluate at each step of the window. Raises QueryInvalid (also for what cannot be narrowed) or SourceError."""
        return await self._metrics.range(scoped(promql, self._matchers), window, step_seconds)

    async def version(self) -> str:
        """Return the version of the engine behind it. Raises SourceError."""
        return await self._metrics.version()


def narrowed(metrics: MetricsSource, matchers: Mapping[str, str]) -> MetricsSource:
    """Return the engine limited to the series that settings' matchers meet; the engine itself where there are none."""
    return ScopedMetrics(metrics, of_settings(matchers)) if matchers else metrics
