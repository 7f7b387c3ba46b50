"""How many replicas a region may lose, and which regions have lost too many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd_values import Region, Rule

FRESH_SECONDS = 30.0
"""A store reports to PD every 10 s; after 20 s PD calls it Disconnected."""
_ALIVE_STATES = ("Up", "Offline")
"""An Offline store (one that leaves) serves its peers until the last one is gone."""
_MAY_BE_ALIVE = ("answered", "error", "unresolved", "unknown")


def is_alive(store: StoreFacts) -> bool:
    """Say whether the store's peers serve: fresh heartbeats, and a status port that does not stay away."""
    age = store.heartbeat_age_seconds
    return (
        store.state in _ALIVE_STATES and age is not None and age < FRESH_SECONDS and store.status_port in _MAY_BE_ALIVE
    )


def least_voters(facts: TikvFacts, rules: Sequence[Rule] | None) -> int | None:
    """Return how many voters the least replicated key range should have; None when nobody could say.

    Rules of one group and range add up (a group may override others: how is not read, so each counts by itself);
    `rules` None: there are none, max-replicas holds.
    """
    ranges: dict[tuple[str, str, str], int] = {}
    for rule in rules or ():
        if rule.role != "learner":
            key = (rule.group_id, rule.start_key, rule.end_key)
            ranges[key] = ranges.get(key, 0) + rule.count
    counts = [count for count in ranges.values() if count > 0]
    return min(counts) if counts else facts.max_replicas


def without_majority(regions: Iterable[Region], gone: frozenset[str]) -> tuple[Region, ...]:
    """Return the regions whose voters off those stores (ids), neither down nor pending, are fewer than a majority."""
    return tuple(region for region in regions if serving(region, gone) < len(region.voters) // 2 + 1)


def serving(region: Region, gone: frozenset[str]) -> int:
    """Return how many voters of the region could take part in a vote."""
    lost = gone | region.down_peers.keys() | set(region.pending_store_ids)
    return sum(peer.store_id not in lost for peer in region.voters)


@dataclass(frozen=True)
class Isolated:
    """How far stores stand in the same places, by the location labels."""

    level: str
    """The label whose places are counted; empty: every store is a place of its own."""
    places: tuple[str, ...]
    """`zone=z1`, or a store's entity where it has no such label."""
    labels_above: tuple[str, ...] = ()


def places(stores: Sequence[StoreFacts], location_labels: Sequence[str], tolerated: int) -> Isolated:
    """Return the finest level at which these stores are in no more places than replicas may be lost, else single stores."""
    best = Isolated("", tuple(store.entity for store in stores))
    if len(best.places) <= tolerated:
        return best
    for index, label in reversed(list(enumerate(location_labels))):
        above = tuple(location_labels[: index + 1])
        found = tuple(dict.fromkeys(_place(store, above) for store in stores))
        if len(found) <= tolerated:
            return Isolated(label, found, above)
    return best


def _place(store: StoreFacts, labels: Sequence[str]) -> str:
    if any(not store.labels.get(label) for label in labels):
        return store.entity
    return ", ".join(f"{label}={store.labels[label]}" for label in labels)
