"""What opsai scrapes by itself where no Prometheus is set: whose `/metrics`, and which metrics of them."""

from opsai_etcd.address import address_of
from opsai_etcd.api.client import Etcd
from opsai_etcd.events.happened import QUERIES
from opsai_etcd.gathering.tracked import ACTIVE, IDS, TRACKED
from opsai_etcd.metrics import SIGNALS
from opsai_subjects.errors import SourceUnreachable
from opsai_subjects.model import ScrapeTarget
from opsai_subjects.promql.scoping import names_read

_QUERIES = (
    *(signal.promql for signal in SIGNALS),
    *(tracked.promql for tracked in TRACKED.values()),
    *QUERIES.values(),
    ACTIVE,
    IDS,
)
METRICS: frozenset[str] = frozenset(name for query in _QUERIES for name in names_read(query.replace("$range", "1m")))
"""The metrics that the catalogue, the tracked signals and the events read."""


async def targets(etcd: Etcd) -> tuple[ScrapeTarget, ...]:
    """Return the members as a Prometheus would know them by their client addresses. Raises SourceError."""
    asked = await etcd.ask(health=False)
    urls = {address_of(member.client_urls[0]): member.client_urls[0] for member in asked.members if member.client_urls}
    urls = urls or {view.address: view.url for view in asked.views if view.outcome == "answered"}
    if not urls:
        first = asked.unread[0] if asked.unread else None
        raise SourceUnreachable(
            "the list of members",
            ", ".join(view.address for view in asked.views) or "no endpoint",
            first.why if first else "no endpoint is set",
            first.advice if first else "set `endpoints`",
        )
    return tuple(ScrapeTarget("etcd", address, etcd.dialled(url)) for address, url in urls.items())
