"""What can be seen of a cluster from here: each source tried once, with who answered and what to set."""

from collections.abc import Sequence

import anyio

from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import SourceError
from opsai_subjects.model import Node
from opsai_subjects.subject import Sight, Sources
from opsai_tikv.gathering.survey import Survey
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.values import Store
from opsai_tikv.sight.cluster import agreement, clock, leader, members, ports
from opsai_tikv.sight.engine import prometheus
from opsai_tikv.sight.logs import logs
from opsai_tikv.sight.states import states


async def check(
    pd: Pd, settings: ClusterSettings, sources: Sources, nodes: Sequence[Node], survey: Survey
) -> tuple[Sight, ...]:
    """Try each source once. Never raises for a source that cannot be seen: that is what it tells."""
    views = await pd.views()
    stores = await _stores(pd)
    now = sources.clock.now()
    found = [
        *members(settings.endpoints, views, settings.names),
        *agreement(views),
        *leader(views, await pd.leader(), settings.names),
    ]
    of_ports: list[Sight] = []
    of_engine: list[Sight] = []
    of_logs: list[Sight] = []

    async def look_at_ports() -> None:
        tls = any(url.startswith("https://") for url in settings.endpoints)
        of_ports.extend(await ports(sources, stores, settings.names, tls=tls))

    async def look_at_engine() -> None:
        of_engine.extend(await prometheus(sources.metrics, nodes, now, survey))

    async def look_at_logs() -> None:
        of_logs.extend(await logs(sources.logs, nodes, now))
        of_logs.extend(await states(sources.states, nodes))

    async with anyio.create_task_group() as tasks:
        for look in (look_at_ports, look_at_engine, look_at_logs):
            tasks.start_soon(look)
    return (*found, *of_ports, *clock(stores or (), now), *of_engine, *of_logs)


async def _stores(pd: Pd) -> tuple[Store, ...] | None:
    try:
        return await pd.stores()
    except SourceError:
        return None
