"""Which few regions carry most of the traffic, as one look asks it. Reads that fail are kept as unread."""

from collections.abc import Sequence

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import NotRecorded, SourceError, SourceTooLarge
from opsai_tikv.facts import HotRegion
from opsai_tikv.keys import owner_of_range
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.hot import Direction
from opsai_tikv.pd.traffic import HEARTBEAT_SECONDS, Traffic
from opsai_tikv.pd.values import HotRegion as Tracked
from opsai_tikv.pd.values import StoreFlow

OUTSTANDING_SHARE = 0.10
"""Of the cluster's bytes, keys or queries: a region that carries a tenth makes its leader's store carry a tenth."""
ASKED_AT_MOST = 5
SHOWN = 5


async def read_traffic(pd: Pd, tries: Attempts, count: int | None = None) -> dict[Direction, tuple[HotRegion, ...]]:
    """Return the regions that carry most of the writes and of the reads; a direction that cannot be read is left out.

    `count` is how many regions there are, where that was read a moment ago.
    """
    try:
        regions = await pd.region_traffic(count)
    except SourceTooLarge:
        return await _of_many(pd, tries)
    except NotRecorded:  # an older recording: nobody asked, so nothing is known and nothing is wrong
        return {}
    except SourceError as error:
        tries.miss("pd", error.asked, error.came_back, error.advice)
        return {}
    return {"write": hottest(regions, "written_keys"), "read": hottest(regions, "read_keys")}


async def _of_many(pd: Pd, tries: Attempts) -> dict[Direction, tuple[HotRegion, ...]]:
    """Return the hot regions of a cluster that has too many to read each: PD is asked about the stores that stand out.

    PD keeps what is hot of each store and scans nothing for it. Where no store stands out no region can, and nothing
    more is asked.
    """
    flows = await tries.of("pd", "/pd/api/v1/hotspot/stores", pd.store_flows())
    found: dict[Direction, tuple[HotRegion, ...]] = {}
    for direction in ("write", "read") if flows is not None else ():
        on = outstanding(flows or (), direction)
        if not on:
            found[direction] = ()
            continue
        asked = pd.hot_regions(direction, flows=flows, on=on)
        hot = await tries.of("pd", f"/pd/api/v1/hotspot/regions/{direction}", asked)
        if hot is not None:
            found[direction] = tuple([await _hot(pd, one) for one in hot[:SHOWN]])
    return found


def outstanding(flows: Sequence[StoreFlow], direction: Direction) -> tuple[str, ...]:
    """Return the stores that carry a tenth or more of the cluster's bytes, keys or queries, the largest share first."""
    loads = {
        flow.store_id: (flow.write_bytes, flow.write_keys, flow.write_queries)
        if direction == "write"
        else (flow.read_bytes, flow.read_keys, flow.read_queries)
        for flow in flows
    }
    totals = [sum(column) for column in zip(*loads.values(), strict=True)]
    shares = {
        store: max((part / whole for part, whole in zip(load, totals, strict=True) if whole > 0), default=0.0)
        for store, load in loads.items()
    }
    largest = sorted(shares, key=lambda store: -shares[store])
    return tuple(store for store in largest if shares[store] >= OUTSTANDING_SHARE)[:ASKED_AT_MOST]


async def _hot(pd: Pd, tracked: Tracked) -> HotRegion:
    try:
        region = await pd.region(tracked.region_id)
    except SourceError:
        region = None  # an extra: it is named by id all the same
    return HotRegion(
        region_id=tracked.region_id,
        leader_store=f"store:{tracked.store_id}",
        owner=_owner(region.start_key, region.end_key) if region else "",
        share=round(min(1.0, tracked.cluster_share_ratio or 0.0), 4),
        keys_per_second=round(tracked.keys_rate, 2),
    )


def hottest(regions: Sequence[Traffic], field: str) -> tuple[HotRegion, ...]:
    """Return the few regions that carry most of `written_keys` or `read_keys`, the largest share of all first."""
    counts = {region.id: float(getattr(region, field)) for region in regions}
    whole = sum(counts.values())
    if whole <= 0:
        return ()
    ordered = sorted(regions, key=lambda region: counts[region.id], reverse=True)[:SHOWN]
    return tuple(
        HotRegion(
            region_id=region.id,
            leader_store=f"store:{region.leader.store_id}",
            owner=_owner(region.start_key, region.end_key),
            share=round(min(1.0, counts[region.id] / whole), 4),
            keys_per_second=round(counts[region.id] / HEARTBEAT_SECONDS, 2),
        )
        for region in ordered
        if counts[region.id] > 0
    )


def _owner(start_key: str, end_key: str) -> str:
    owner = owner_of_range(start_key, end_key)
    return owner.sentence if owner.named else ""
