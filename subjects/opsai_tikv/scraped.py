"""What opsai scrapes by itself where no Prometheus is set: whose `/metrics`, and which metrics of them."""

from collections.abc import Mapping

from opsai_subjects.model import ScrapeTarget
from opsai_subjects.promql.scoping import names_read
from opsai_tikv.events.happened import QUERIES
from opsai_tikv.gathering.gather import REGION_STATES
from opsai_tikv.gathering.tracked import CLUSTER_SIGNALS, MEMBER_SIGNALS, STORE_SIGNALS
from opsai_tikv.latency.stages import BOTH, READ, WRITE
from opsai_tikv.metrics import SIGNALS
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.reaching import reached, status_address
from opsai_tikv.topology import STORES_BY_METRICS

_QUERIES = (
    *(signal.promql for signal in SIGNALS),
    *(tracked.promql for signals in (STORE_SIGNALS, MEMBER_SIGNALS, CLUSTER_SIGNALS) for tracked in signals.values()),
    *QUERIES.values(),
    *(query for stage in (*BOTH, *WRITE, *READ) for query in stage.queries),
    REGION_STATES,
    STORES_BY_METRICS,
)

METRICS: frozenset[str] = frozenset(name for query in _QUERIES for name in names_read(query.replace("$range", "1m")))
"""The metrics that the catalogue, the tracked signals and the events read: names, or `=~` and a regular expression."""


async def targets(pd: Pd, reach: Mapping[str, str], *, tls: bool) -> tuple[ScrapeTarget, ...]:
    """Return the members and stores as Prometheus would know them on a cluster deployed by tiup. Raises SourceError."""
    members, stores = await pd.members(), await pd.stores()
    scheme = "https" if tls else "http"
    of_members = {member.address: "pd" for member in members.members if member.address}
    of_stores = {
        status_address(store): "tikv" for store in stores if store.role == "tikv" and store.state != "Tombstone"
    }
    return tuple(
        ScrapeTarget(job, address, reached(f"{scheme}://{address}", reach))
        for address, job in {**of_members, **of_stores}.items()
        if address
    )
