"""Waiting until a local cluster that has just come up can be seen: a Prometheus that has not scraped yet shows nothing."""

import anyio

from opsai_lab.targets.target import Endpoints, Tell
from opsai_subjects.config import WebLimits
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import WallClock
from opsai_subjects.opening import open_cluster
from opsai_subjects.subject import Sight

SECONDS = 30.0
"""Several scrape intervals of a local Prometheus."""
EVERY_SECONDS = 1.0


async def until_seen(name: str, endpoints: Endpoints, tell: Tell, seconds: float = SECONDS) -> tuple[Sight, ...]:
    """Look until no source is blind, or for so long; return what is blind then. Where all are, nothing is waited for."""
    try:
        return await _looked(name, endpoints, tell, seconds)
    except OpsaiError as error:  # it is up all the same
        return (Sight(source=name, state="blind", says=str(error), advice="opsai check, once that is mended"),)


async def _looked(name: str, endpoints: Endpoints, tell: Tell, seconds: float) -> tuple[Sight, ...]:
    clock = WallClock()
    began = clock.now()
    told = False
    while True:
        async with open_cluster(
            name, endpoints.cluster, WebLimits()
        ) as cluster:  # anew: an adapter may remember a while
            sights = await cluster.subject.check()
        blind = tuple(sight for sight in sights if sight.state == "blind")
        late = (clock.now() - began).total_seconds() >= seconds
        if len(blind) in (0, len(sights)) or late:
            return blind
        if not told:
            tell(f"waiting until opsai sees {', '.join(sight.source for sight in blind)}")
            told = True
        await anyio.sleep(EVERY_SECONDS)
