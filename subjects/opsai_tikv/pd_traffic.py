"""What each region read and wrote since its last heartbeat but one, and which carry most of it."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator

from opsai_tikv.facts import HotRegion
from opsai_tikv.keys import owner_of_range
from opsai_tikv.pd_json import Finite, Id, Json, Text, or_empty_list

WHOLE_AT_MOST = 2000
"""So many regions are read in one page (1.2 MB), shares are exact then; of more PD is asked for what it holds for hot."""
HEARTBEAT_SECONDS = 60.0
"""raftstore.pd-heartbeat-tick-interval: the interval that the counts stand for."""
SHOWN = 5


class _Leader(Json):
    store_id: Id = ""


class Traffic(Json):
    """One region's traffic; counts are of one heartbeat interval."""

    id: Id
    start_key: Text = ""
    end_key: Text = ""
    leader: _Leader = _Leader()
    written_keys: Finite = 0.0
    read_keys: Finite = 0.0


class _Regions(Json):
    regions: Annotated[tuple[Traffic, ...], BeforeValidator(or_empty_list)] = ()


def read_traffic(json: object) -> tuple[Traffic, ...]:
    """Read a list of regions with their traffic. Raises ValueError."""
    return _Regions.model_validate(json).regions


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
            owner=_owner(region),
            share=round(min(1.0, counts[region.id] / whole), 4),
            keys_per_second=round(counts[region.id] / HEARTBEAT_SECONDS, 2),
        )
        for region in ordered
        if counts[region.id] > 0
    )


def _owner(region: Traffic) -> str:
    owner = owner_of_range(region.start_key, region.end_key)
    return owner.sentence if owner.named else ""
