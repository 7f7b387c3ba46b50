"""Hot regions read from JSON, with what share of the flow each carries.

PD lists every peer that passes its own low bar (a region of 1 KiB/s is "hot"), so the list alone says nothing: a region
matters by its share of the store's and of the cluster's flow.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator

from opsai_tikv.pd.shapes import Finite, Id, Json, or_empty_list, or_empty_map
from opsai_tikv.pd.values import HotRegion, StoreFlow

Direction = Literal["read", "write"]
LEAST_QUERIES = 32.0
LEAST_KEYS = 128.0
LEAST_BYTES = 64.0 * 1024
"""Per second. Where the whole cluster has less than that, no share of it is heat (PD's own floors: 32 queries, 128 keys)."""


class _Peer(Json):
    region_id: Id
    store_id: Id = ""
    stores: Annotated[tuple[Id, ...], BeforeValidator(or_empty_list)] = ()
    is_leader: bool = False
    hot_degree: int = 0
    flow_bytes: Finite = 0.0
    flow_keys: Finite = 0.0
    flow_query: Finite = 0.0


class _OfStore(Json):
    statistics: Annotated[tuple[_Peer, ...], BeforeValidator(or_empty_list)] = ()


class _Hot(Json):
    as_leader: Annotated[dict[Id, _OfStore], BeforeValidator(or_empty_map)]


def read_hot_regions(
    json: object, flows: Sequence[StoreFlow], direction: Direction, least_share_ratio: float
) -> tuple[HotRegion, ...]:
    """Read `/hotspot/regions/…`: leaders that carry at least that share of the cluster's flow, the largest first.

    `flows` is what `/hotspot/stores` said. Null (a PD whose cluster is not ready) is no region. Raises ValueError.
    """
    found = _Hot.model_validate({"as_leader": None} if json is None else json)
    peers = [peer for of_store in found.as_leader.values() for peer in of_store.statistics]
    regions = [_region(peer, flows, direction) for peer in peers]
    shown = [region for region in regions if (region.cluster_share_ratio or 0.0) >= least_share_ratio]
    return tuple(sorted(shown, key=lambda region: region.cluster_share_ratio or 0.0, reverse=True))


def _region(peer: _Peer, flows: Sequence[StoreFlow], direction: Direction) -> HotRegion:
    own = (peer.flow_bytes, peer.flow_keys, peer.flow_query)
    # A store's written bytes and keys count what it writes as follower too; queries count on the leader alone.
    copies = max(1, len(peer.stores)) if direction == "write" else 1
    of_cluster = _shares(own, _totals(flows, direction, copies))
    store = [flow for flow in flows if flow.store_id == peer.store_id]
    # Whose follower writes a store also carries is not told, so a written share of one store is by queries alone.
    of_store = _shares(own, _totals(store, direction, copies) if direction == "read" else _queries(store))
    by, share = max(of_cluster.items(), key=lambda item: item[1], default=("", None))
    return HotRegion(
        region_id=peer.region_id,
        store_id=peer.store_id,
        store_ids=peer.stores,
        hot_degree=peer.hot_degree,
        bytes_rate=peer.flow_bytes,
        keys_rate=peer.flow_keys,
        query_rate=peer.flow_query,
        store_share_ratio=max(of_store.values(), default=None),
        cluster_share_ratio=share,
        by=by,
    )


def _totals(flows: Sequence[StoreFlow], direction: Direction, copies: int) -> tuple[float, float, float]:
    if direction == "read":
        return (
            sum(flow.read_bytes for flow in flows),
            sum(flow.read_keys for flow in flows),
            sum(flow.read_queries for flow in flows),
        )
    return (
        sum(flow.write_bytes for flow in flows) / copies,
        sum(flow.write_keys for flow in flows) / copies,
        sum(flow.write_queries for flow in flows),
    )


def _queries(flows: Sequence[StoreFlow]) -> tuple[float, float, float]:
    return (0.0, 0.0, sum(flow.write_queries for flow in flows))


def _shares(own: tuple[float, float, float], total: tuple[float, float, float]) -> dict[str, float]:
    names = ("bytes", "keys", "queries")
    least = (LEAST_BYTES, LEAST_KEYS, LEAST_QUERIES)
    return {
        name: min(1.0, part / whole)
        for name, part, whole, floor in zip(names, own, total, least, strict=True)
        if whole >= floor
    }
