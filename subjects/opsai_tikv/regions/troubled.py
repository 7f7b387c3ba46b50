"""Regions that are not well, read without ever asking for all of a large cluster's: counts first, lists where few."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opsai_subjects.attempts import Attempts
from opsai_tikv.facts import TikvFacts
from opsai_tikv.pd.client import REGIONS_LISTED_AT_MOST, Pd, RegionCheck
from opsai_tikv.pd.traffic import WHOLE_AT_MOST
from opsai_tikv.pd.values import Region
from opsai_tikv.regions.health import EMPTY_MIB
from opsai_tikv.regions.majority import is_gone, is_heard
from opsai_tikv.wording import tally

HARM: dict[RegionCheck, str] = {
    "down-peer": "a replica has been silent for 10 min and more: one less; PD replaces it once its store is Down",
    "miss-peer": "fewer replicas than the rules ask for: PD has to add one",
    "pending-peer": "a replica lags behind its leader: it waits for log entries or a snapshot",
    "offline-peer": "a replica is on a store that leaves: it waits to be moved",
    "extra-peer": "more replicas than the rules ask for, mostly in the middle of a move",
    "learner-peer": "a replica without a vote: being caught up, or TiFlash",
}
"""Causes whose regions are listed, the most harmful first, and what each means (pd pkg/statistics/region_collection.go)."""
HARMLESS: dict[RegionCheck, str] = {
    "empty-region": "at most 1 MiB: merged by and by",
    "oversized-region": "over the size at which TiKV splits",
    "undersized-region": "small enough to be merged",
}
MEANINGS: dict[RegionCheck, str] = HARM | HARMLESS
CHECKS: tuple[RegionCheck, ...] = tuple(MEANINGS)


@dataclass
class Troubled:
    """What was seen of regions that are not well."""

    counts: dict[RegionCheck, int] = field(default_factory=dict[RegionCheck, int])
    """A cause that is not here could not be counted."""
    listed: dict[RegionCheck, tuple[Region, ...]] = field(default_factory=dict[RegionCheck, tuple[Region, ...]])
    """A cause that is not here has too many regions, or they could not be read."""
    every: tuple[Region, ...] | None = None
    """All regions, of a cluster that has few."""


async def read_troubled(
    pd: Pd, tries: Attempts, facts: TikvFacts, checks: Iterable[RegionCheck] = tuple(HARM)
) -> Troubled:
    """Read the counts, and the lists of those checks that are short. Never raises for what cannot be read."""
    found = Troubled()
    few = facts.region_count is not None and facts.region_count <= WHOLE_AT_MOST
    if few:
        found.every = await tries.of("pd", "regions/key", pd.every_region())
    for check in CHECKS:
        count = _counted(check, facts)
        if count is not None:
            found.counts[check] = count
    for check in checks:
        expected = _at_most(check, facts)
        if expected is None or expected > REGIONS_LISTED_AT_MOST:
            continue
        if expected == 0:
            found.listed[check] = ()
            continue
        listed = await tries.of("pd", f"regions/check/{check}", pd.regions_check(check, expected=expected))
        if listed is not None:
            found.listed[check] = listed.regions
            found.counts[check] = len(listed.regions)
    _complete(found)
    return found


def _at_most(check: RegionCheck, facts: TikvFacts) -> int | None:
    """Return how many regions a check lists at most, as far as anybody can tell; None when nobody can."""
    if facts.region_count is not None and facts.region_count <= REGIONS_LISTED_AT_MOST:
        return facts.region_count
    return _counted(check, facts)


def _counted(check: RegionCheck, facts: TikvFacts) -> int | None:
    if facts.region_states is None or not facts.stores_known:
        return None  # only a leader counts: what the metrics of the others show is zero
    return facts.region_states.get(check.removesuffix("-region"))  # the metric says `empty` and `miss-peer`


def _complete(found: Troubled) -> None:
    """Take from the list of all regions what no check was asked for."""
    for check in ("down-peer", "pending-peer", "learner-peer", "empty-region"):
        if found.every is not None and check not in found.counts:
            found.listed[check] = tuple(region for region in found.every if _is(check, region))
            found.counts[check] = len(found.listed[check])


def _is(check: RegionCheck, region: Region) -> bool:
    if check == "down-peer":
        return bool(region.down_peers)
    if check == "pending-peer":
        return bool(region.pending_store_ids)
    if check == "learner-peer":
        return any(peer.role == "Learner" for peer in region.peers)
    return region.size_mib <= EMPTY_MIB


def by_store(check: RegionCheck, regions: Sequence[Region], facts: TikvFacts) -> dict[str, int]:
    """Count the regions by the store that the cause lies with; nothing where it lies with none."""
    leaving = {store.id for store in facts.stores if store.state == "Offline"}
    return tally(f"store:{store}" for region in regions for store in sorted(set(_at(check, region, leaving))))


def _at(check: RegionCheck, region: Region, leaving: set[str]) -> Iterable[str]:
    if check == "down-peer":
        return region.down_peers
    if check == "pending-peer":
        return region.pending_store_ids
    if check == "learner-peer":
        return (peer.store_id for peer in region.peers if peer.role == "Learner")
    if check == "offline-peer":
        return (peer.store_id for peer in region.peers if peer.store_id in leaving)
    return ()


def suspects(check: RegionCheck, facts: TikvFacts) -> dict[str, int]:
    """Return the stores that a cause which is too long to list must lie with, and how many peers each holds."""
    if check == "offline-peer":
        return {store.entity: store.region_count or 0 for store in facts.data_stores if store.state == "Offline"}
    if check == "down-peer":
        return {store.entity: store.region_count or 0 for store in facts.data_stores if not is_heard(store)}
    return {}


def leaderless(facts: TikvFacts, after_seconds: float = 60.0) -> Mapping[str, int]:
    """Return stores that are gone and still lead regions in PD's books, long after others should have been elected.

    PD counts leaders from the regions' own heartbeats, and a new leader reports at once. So what a store that has been
    silent for a minute still leads, nobody else reports: those regions have no leader.
    """
    return {
        store.entity: store.leader_count
        for store in facts.data_stores
        if store.leader_count and is_gone(store) and (store.heartbeat_age_seconds or 0.0) > after_seconds
    }
