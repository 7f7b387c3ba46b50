"""Why one region is not well, in sentences, from its last heartbeat and what is known of its stores."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd.go_values import duration_seconds
from opsai_tikv.pd.values import Peer, Region, Rule
from opsai_tikv.regions.majority import is_gone, is_heard, majority_of, rules_unread, serving
from opsai_tikv.wording import lasting, named, plural

EMPTY_MIB = 1.0
"""core.EmptyRegionApproximateSize: PD counts a region of at most so much as empty."""


@dataclass(frozen=True)
class RegionHealth:
    """One region, judged."""

    well: bool
    has_majority: bool | None
    """None while PD does not say how the stores are."""
    why: tuple[str, ...]
    """The worst first; what is well is said too when nothing else is to say."""


def region_health(region: Region, facts: TikvFacts, rules: Sequence[Rule] | None) -> RegionHealth:
    """Say whether the region serves and what it lacks."""
    silent = frozenset(store.id for store in facts.stores if is_gone(store))
    left, need = serving(region, silent, lagging=False), majority_of(len(region.voters))
    has_majority = left >= need if facts.stores_known else None
    why = [
        *_majority(region, facts, silent, left, need),
        *_leader(region, facts, silent, has_majority=left >= need),
        *_down(region, facts),
        *_unheard(region, facts),
        *_behind(region, facts),
        *_moving(region, facts),
        *_counts(region, rules, facts),
    ]
    if why:
        return RegionHealth(well=False, has_majority=has_majority, why=tuple(why))
    size = "it is empty" if region.size_mib <= EMPTY_MIB else f"{region.size_mib:,.0f} MiB, {region.keys:,} keys"
    leader = f"led on store:{region.leader_store_id}"
    says = f"It is well: {plural(len(region.voters), 'voter')} on stores that serve, {leader}; {size}."
    return RegionHealth(well=True, has_majority=True, why=(says,))


def _majority(region: Region, facts: TikvFacts, silent: frozenset[str], left: int, need: int) -> list[str]:
    if left >= need or not facts.stores_known:
        return []
    lost = [peer for peer in region.voters if peer.store_id in silent or peer.store_id in region.down_peers]
    gone = named([_silent_store(peer.store_id, facts) for peer in lost])
    says = f"It has no majority: {left} of {len(region.voters)} voters could take part in a vote and {need} are needed"
    return [f"{says}; gone: {gone}. It serves neither reads nor writes until one of them is back."]


def _silent_store(store_id: str, facts: TikvFacts) -> str:
    store = facts.store(f"store:{store_id}")
    if store is None:
        return f"store:{store_id}, which PD does not list"
    age = store.heartbeat_age_seconds
    return f"store:{store_id} ({store.state}{f', silent for {lasting(age)}' if age is not None and age > 1 else ''})"


def _leader(region: Region, facts: TikvFacts, silent: frozenset[str], *, has_majority: bool) -> list[str]:
    leader = region.leader_store_id
    if leader is None:
        return ["PD has heard of no leader of it: nobody reports it."]
    if leader in silent and facts.stores_known:
        then = "an election takes 10 to 20 s" if has_majority else "PD keeps the last leader it heard of"
        return [f"Its leader is on {_silent_store(leader, facts)} as far as PD knows: {then}."]
    return []


def _down(region: Region, facts: TikvFacts) -> list[str]:
    found: list[str] = []
    for store_id, seconds in region.down_peers.items():
        found.append(
            f"The replica on {_silent_store(store_id, facts)} has been silent for {lasting(seconds)}: one replica less. "
            f"{_replaced(store_id, facts)}"
        )
    return found


def _unheard(region: Region, facts: TikvFacts) -> list[str]:
    """Tell of replicas on stores that PD does not hear: the region's leader counts one as down only after ten minutes."""
    if not facts.stores_known:
        return ["Whether the stores of its replicas serve is not known: PD did not say how they are."]
    found: list[str] = []
    for peer in region.peers:
        store = facts.store(f"store:{peer.store_id}")
        if peer.store_id in region.down_peers or (store is not None and is_heard(store)):
            continue
        answers = store is not None and not is_gone(store)
        then = "its process answers here, so it may be cut off from PD alone" if answers else "one replica less"
        found.append(
            f"PD does not hear {_silent_store(peer.store_id, facts)}, which holds a replica: {then}. "
            f"{_replaced(peer.store_id, facts)}"
        )
    return found


def _replaced(store_id: str, facts: TikvFacts) -> str:
    store = facts.store(f"store:{store_id}")
    limit = down_after_seconds(facts)
    if store is None or store.state == "Down":
        return "PD replaces it as its limits allow."
    if is_heard(store):
        return "Its store serves, so only this replica is stuck: see that store's log."
    age = store.heartbeat_age_seconds
    if age is None or limit is None:
        return "PD replaces it once the store counts as Down."
    return f"PD replaces it once the store counts as Down, in {lasting(max(0.0, limit - age))}."


def down_after_seconds(facts: TikvFacts) -> float | None:
    """Return after how much silence PD calls a store Down and begins to replace its replicas; None when not known."""
    setting = (facts.config or {}).get("schedule.max-store-down-time")
    try:
        return duration_seconds(str(setting)) if setting else None
    except ValueError:
        return None


def _behind(region: Region, facts: TikvFacts) -> list[str]:
    lagging = [store for store in region.pending_store_ids if store not in region.down_peers]
    if not lagging:
        return []
    stores = named([_silent_store(store, facts) for store in lagging])
    return [f"The replica on {stores} lags behind its leader: it waits for log entries or a snapshot."]


def _moving(region: Region, facts: TikvFacts) -> list[str]:
    found: list[str] = []
    joint = [peer for peer in region.peers if peer.role in ("IncomingVoter", "DemotingVoter")]
    if joint:
        found.append(
            "It is in the middle of a change of members (joint consensus): both the old and the new majority must agree."
        )
    for peer in region.peers:
        store = facts.store(f"store:{peer.store_id}")
        if store is not None and store.state == "Offline":
            found.append(f"{store.entity} leaves the cluster: the replica there waits to be moved.")
        if peer.role == "Learner" and not _is_columnar(store):
            found.append(
                f"The replica on store:{peer.store_id} is a learner that has no vote yet (it is being caught up)."
            )
    return found


def _is_columnar(store: StoreFacts | None) -> bool:
    return store is not None and store.engine == "tiflash"


def _counts(region: Region, rules: Sequence[Rule] | None, facts: TikvFacts) -> list[str]:
    if rules_unread(facts, rules):
        return ["How many voters it should have is unknown: the placement rules could not be read."]
    wanted = facts.max_replicas if rules is None else wanted_voters(region, rules)
    have = sum(peer.role not in ("Learner", "DemotingVoter") for peer in region.peers)
    if wanted is None or have == wanted:
        return []
    if have < wanted:
        return [f"It has {have} voters and the rules ask for {wanted}: PD has to add one."]
    return [f"It has {have} voters and the rules ask for {wanted}: PD has to remove one."]


def wanted_voters(region: Region, rules: Sequence[Rule]) -> int | None:
    """Return how many voters the rules over its whole range ask for.

    None where no group of rules does, or more than one: which overrides which is not read.
    """
    groups: dict[str, int] = {}
    for rule in rules:
        if rule.role != "learner" and _covers(rule, region):
            groups[rule.group_id] = groups.get(rule.group_id, 0) + rule.count
    return next(iter(groups.values())) if len(groups) == 1 else None


def _covers(rule: Rule, region: Region) -> bool:
    starts = rule.start_key.upper() <= region.start_key.upper()
    return starts and (not rule.end_key or bool(region.end_key and region.end_key.upper() <= rule.end_key.upper()))


def peer_rows(region: Region, facts: TikvFacts) -> tuple[list[str], ...]:
    """Return its peers as rows: peer, store, role, what the store is like."""
    return tuple(
        [peer.id, f"store:{peer.store_id}", _role(peer, region), _state(peer, region, facts)] for peer in region.peers
    )


def _role(peer: Peer, region: Region) -> str:
    return f"{peer.role}, leader" if peer.store_id == region.leader_store_id else peer.role


def _state(peer: Peer, region: Region, facts: TikvFacts) -> str:
    store = facts.store(f"store:{peer.store_id}")
    said = store.state if store else "unknown"
    labels = ",".join(f"{key}={value}" for key, value in sorted(store.labels.items())) if store else ""
    down = region.down_peers.get(peer.store_id)
    notes = [
        said,
        f"down for {lasting(down)}" if down is not None else "",
        "pending" if peer.store_id in region.pending_store_ids else "",
        labels,
    ]
    return ", ".join(note for note in notes if note)
