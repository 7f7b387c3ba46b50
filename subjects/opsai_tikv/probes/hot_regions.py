"""Hot regions: those whose load is a sensible share of the cluster's or of their store's, with whose keys they hold."""

import statistics
from collections.abc import Sequence

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import NotRecorded, SourceError
from opsai_subjects.reply import Answer, Rows, unread_rows
from opsai_tikv.facts import TikvFacts
from opsai_tikv.keys import owner_of_range
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.hot import Direction
from opsai_tikv.pd.traffic import WHOLE_AT_MOST
from opsai_tikv.pd.values import HotRegion, StoreFlow

CLUSTER_RATIO = 0.10
STORE_RATIO = 0.25
AVERAGE_STORES = 2.0
"""A region is hot that carries so much of the cluster's load; or so much of the load of the store that leads it and, alone,
so many times what an average store carries: of three hundred stores with little to do, many have a region that is most of it."""
SHOWN = 5
BUSY_STORES = 3
COLUMNS = (
    "region",
    "holds",
    "leader",
    "of cluster",
    "of its store",
    "by",
    "bytes/s",
    "keys/s",
    "queries/s",
    "intervals",
)


async def hot_regions(pd: Pd, facts: TikvFacts) -> Answer:
    """Return the hot regions of both directions. Never raises for what cannot be read."""
    tries = Attempts()
    flows = await tries.of("pd", "hotspot/stores", pd.store_flows())
    value: dict[str, object] = {
        "rule": f"hot: {CLUSTER_RATIO:.0%} of the cluster's bytes, keys or queries; or {STORE_RATIO:.0%} of its store's, if that is "
        f"{AVERAGE_STORES:g} times an average store's whole load"
    }
    shown = dict(value)
    for direction in ("write", "read"):
        found = await tries.of(
            "pd", f"hotspot/regions/{direction}", pd.hot_regions(direction, least_share_ratio=0.0, flows=flows)
        )
        if found is None:
            value[direction] = shown[direction] = {"says": "unknown: PD's hot regions could not be read"}
            continue
        value[direction], shown[direction] = await _direction(pd, facts, direction, found, flows or ())
    return Answer(at=facts.at, value=value | {"unread": tries.unread}, shown=shown | unread_rows(tries.unread))


async def _direction(
    pd: Pd, facts: TikvFacts, direction: Direction, found: Sequence[HotRegion], flows: Sequence[StoreFlow]
) -> tuple[dict[str, object], dict[str, object]]:
    """Return everything of one direction, and what is shown of it."""
    hot = [region for region in found if is_hot(region, len(facts.data_stores))]
    told = hot or list(found[:2])
    holds = await _holds(pd, facts, direction, [region.region_id for region in told[:SHOWN]])
    rows = [_row(region, holds) for region in told]
    says = f"{len(hot)} hot of {len(found)} that PD tracks"
    if not found:
        says = f"none: PD tracks no hot {direction}"
    elif not hot:
        says = f"none of {len(found)} that PD tracks: the load is spread; the largest are shown"
    part: dict[str, object] = {"says": says, "busiest_stores": _busiest(flows, direction)}
    narrow = f"all by evidence(id, path='/{direction}/regions')"
    table = {"columns": COLUMNS, "regions": Rows(rows[:SHOWN], len(rows), narrow)} if rows else {}
    return {**part, "hot": len(hot), "regions": rows}, {**part, **table}


def is_hot(region: HotRegion, stores: int) -> bool:
    """Say whether the region carries so much that moving or splitting it would be felt."""
    of_cluster, of_store = region.cluster_share_ratio or 0.0, region.store_share_ratio or 0.0
    return of_cluster >= CLUSTER_RATIO or (of_store >= STORE_RATIO and of_cluster * stores >= AVERAGE_STORES)


def _row(region: HotRegion, holds: dict[str, str]) -> list[object]:
    return [
        f"region:{region.region_id}",
        holds.get(region.region_id, ""),
        f"store:{region.store_id}",
        _percent(region.cluster_share_ratio),
        _percent(region.store_share_ratio),
        region.by,
        round(region.bytes_rate),
        round(region.keys_rate),
        round(region.query_rate),
        region.hot_degree,
    ]


def _percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.1%}"


def _busiest(flows: Sequence[StoreFlow], direction: Direction) -> str:
    rates = {f"store:{flow.store_id}": flow.write_bytes if direction == "write" else flow.read_bytes for flow in flows}
    if not rates:
        return "unknown"
    ordered = sorted(rates.items(), key=lambda pair: -pair[1])[:BUSY_STORES]
    told = ", ".join(f"{name} {rate / 1e6:.3g} MB/s" for name, rate in ordered)
    return f"{told}; median of {len(rates)}: {statistics.median(rates.values()) / 1e6:.3g} MB/s"


async def _holds(pd: Pd, facts: TikvFacts, direction: Direction, ids: Sequence[str]) -> dict[str, str]:
    """Return whose keys these regions hold; one that cannot be asked about is left out."""
    if not ids:
        return {}
    try:
        if facts.region_count is not None and facts.region_count <= WHOLE_AT_MOST:
            listed = {region.id: (region.start_key, region.end_key) for region in await pd.every_region()}
        else:
            listed = await _one_by_one(pd, direction, ids)
    except SourceError:
        return {}  # an extra: the regions are named by id all the same
    return {one: owner_of_range(*listed[one]).sentence for one in ids if one in listed}


async def _one_by_one(pd: Pd, direction: Direction, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    try:
        asked = [await pd.region(one) for one in ids]
    except NotRecorded:  # a recording holds the busiest ones instead
        return {one.id: (one.start_key, one.end_key) for one in await pd.busiest_regions(direction)}
    return {region.id: (region.start_key, region.end_key) for region in asked if region is not None}
