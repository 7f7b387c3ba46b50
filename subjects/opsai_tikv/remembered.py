"""Stores as PD last described them to Prometheus: who they were, when PD can no longer say."""

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsSource
from opsai_tikv.facts import StoreFacts

QUERY = 'group by (address, store) (last_over_time(pd_scheduler_store_status{type="leader_count"}[1h]))'


async def remembered_stores(metrics: MetricsSource | None, names: dict[str, str]) -> tuple[StoreFacts, ...]:
    """Return the stores that PD exported within the last hour, with state `unknown`; none when nobody remembers."""
    if metrics is None:
        return ()
    try:
        reply = await metrics.instant(QUERY)
    except (SourceError, QueryInvalid):
        return ()
    found = {series.labels.get("store", ""): series.labels.get("address", "") for series in reply.series}
    return tuple(
        StoreFacts(
            entity=f"store:{store}",
            id=store,
            name=names.get(address, address),
            address=address,
            status_address=_status_address(address, names),
            state="unknown",
        )
        for store, address in sorted(found.items())
        if store and address
    )


def _status_address(address: str, names: dict[str, str]) -> str:
    """Return the status port of the same node as far as settings name both; empty when they do not."""
    name = names.get(address)
    others = [other for other, known in names.items() if known == name and other != address]
    return others[0] if name and len(others) == 1 else ""
