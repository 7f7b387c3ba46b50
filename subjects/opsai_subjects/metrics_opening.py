"""Opening where metrics are read: the engine of the settings, else opsai's own scraping."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.model import Clock, MetricsSource
from opsai_subjects.sources.meetings import Meetings
from opsai_subjects.sources.paths import below
from opsai_subjects.sources.prometheus import PATHS as PROMETHEUS_PATHS
from opsai_subjects.sources.prometheus import Prometheus
from opsai_subjects.sources.scoped import narrowed
from opsai_subjects.sources.scrape import PATHS as SCRAPE_PATHS
from opsai_subjects.sources.scrape import Discover, Scraper
from opsai_subjects.sources.web import open_web


@asynccontextmanager
async def open_metrics(
    settings: ClusterSettings, limits: WebLimits, clock: Clock, kept: frozenset[str], meetings: Meetings
) -> AsyncGenerator[MetricsSource | None]:
    """Open what the settings say; nothing is asked of anyone yet. `kept` are the metrics worth scraping: none, no scraping."""
    if settings.prometheus is not None:
        allow = below(PROMETHEUS_PATHS, (settings.prometheus,))
        async with open_web(settings.prometheus_access, limits, allow=allow, meetings=meetings) as web:
            yield narrowed(Prometheus(settings.prometheus, web, clock), settings.matchers)
    elif settings.endpoints and settings.scrape and kept:
        allow = below(SCRAPE_PATHS, (*settings.endpoints, *settings.addresses.values()))
        # No meetings here: a scrape asks each node every few seconds, and a look notes the meetings of its own questions.
        async with open_web(settings.cluster_access, limits, allow=allow) as web:
            seconds = settings.scrape_seconds
            yield Scraper(web, clock, kept, interval_seconds=seconds, read_seconds=limits.read_seconds)
    else:
        yield None


@asynccontextmanager
async def scraping(metrics: MetricsSource | None, discover: Discover) -> AsyncGenerator[None]:
    """Scrape until the block ends, where that is how metrics are read."""
    if not isinstance(metrics, Scraper):
        yield
        return
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(metrics.run, discover)
            yield
            tasks.cancel_scope.cancel()
    except (
        BaseExceptionGroup
    ) as failed:  # a task group wraps even a single error, whose text is what the user is to read
        if len(failed.exceptions) == 1:
            raise failed.exceptions[0] from None
        raise
