"""How many replicas a region may lose, and which regions have lost too many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd.values import Region, Rule

FRESH_SECONDS = 30.0
"""A store reports to PD every 10 s; after 20 s PD calls it Disconnected."""
_ALIVE_STATES = ("Up", "Offline")
"""An Offline store (one that leaves) serves its peers until the last one is gone."""
_MAY_BE_ALIVE = ("answered", "error", "unresolved", "unknown")


def is_heard(store: StoreFacts) -> bool:
    """Say whether PD hears the store: fresh heartbeats and no other state than up or leaving."""
    age = store.heartbeat_age_seconds
    return store.state in _ALIVE_STATES and age is not None and age < FRESH_SECONDS


def is_gone(store: StoreFacts) -> bool:
    """Say whether the store's peers are lost for now: PD does not hear it, and its process does not answer here either."""
    return not is_heard(store) and store.status_port != "answered"


def is_alive(store: StoreFacts, *, ports_tell: bool) -> bool:
    """Say whether the store certainly serves: PD hears it, and its status port does not stay away.

    `ports_tell` False: from here no store's port is reached at all, so that one stays away says nothing of it.
    """
    return is_heard(store) and (not ports_tell or store.status_port in _MAY_BE_ALIVE)


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


def rules_unread(facts: TikvFacts, rules: Sequence[Rule] | None) -> bool:
    """Say whether placement rules are on by PD's settings and could not be read: then max-replicas says nothing for sure."""
    return rules is None and str((facts.config or {}).get("replication.enable-placement-rules")).lower() == "true"


def majority_of(voters: int) -> int:
    """Return how many of so many voters are a majority."""
    return voters // 2 + 1


def without_majority(regions: Iterable[Region], gone: frozenset[str], *, lagging: bool) -> tuple[Region, ...]:
    """Return the regions whose voters off those stores (ids), the down ones left out, are fewer than a majority.

    `lagging` leaves pending ones out as well: to be sure of a majority, not to say that one is lost, since just after an
    election every follower counts as pending.
    """
    return tuple(one for one in regions if serving(one, gone, lagging=lagging) < majority_of(len(one.voters)))


def serving(region: Region, gone: frozenset[str], *, lagging: bool) -> int:
    """Return how many voters of the region could take part in a vote."""
    lost = gone | region.down_peers.keys() | (set(region.pending_store_ids) if lagging else set[str]())
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
