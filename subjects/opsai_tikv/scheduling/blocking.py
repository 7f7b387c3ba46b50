"""What keeps PD from scheduling, and why, each in a sentence with its consequence first. Pure."""

from collections.abc import Iterator

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.scheduling.placing import unmet
from opsai_tikv.scheduling.schedulers import missing_schedulers, paused, scheduler_stores, store_limits
from opsai_tikv.scheduling.values import Scheduling
from opsai_tikv.wording import named, plural

_LIMITS = {
    "replica-schedule-limit": "lost and misplaced replicas are not replaced",
    "region-schedule-limit": "regions are not balanced",
    "leader-schedule-limit": "leaders are not balanced",
    "hot-region-schedule-limit": "hot regions are not spread",
    "merge-schedule-limit": "small regions are not merged",
}
_SWITCHES = {
    "enable-make-up-replica": "missing replicas are not made up",
    "enable-remove-down-replica": "replicas on Down stores are not replaced",
    "enable-replace-offline-replica": "a store that leaves keeps its replicas",
    "enable-remove-extra-replica": "surplus replicas stay",
    "enable-location-replacement": "replicas are not moved apart by location labels",
}
SLOW_SCORE = 80.0
_FEW_REGIONS = 100
_FIRST_MIN_SPACE = 8 * 1024.0**3
"""A store of fewer regions with more free bytes is never low on space (pd pkg/core/store.go IsLowSpace)."""


def blocking(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Return what blocks, the widest effect first; empty when nothing that could be read does."""
    if facts.leader is None:
        known = facts.leader_known
        return ["Nothing is scheduled: PD has no leader." if known else "Unknown: no PD member answers from here."]
    return [
        *_halted(facts, found),
        *_settings(facts),
        *_schedulers(facts, found),
        *unmet(found.rules or (), facts),
        *_labels(found),
        *_stores(facts),
        *_limits(facts),
    ]


def _halted(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    config = facts.config or {}
    if config.get("schedule.halt-scheduling") is True:
        yield "Nothing is scheduled, not even repair: halt-scheduling is true."
    if found.recovery:
        yield f"Nothing is scheduled while an unsafe recovery is under way: {found.recovery}."
    sync = found.replication
    if sync is not None and sync.mode == "dr-auto-sync" and sync.state != "sync":
        yield f"Replication between sites (dr-auto-sync by {sync.label_key}) is in state {sync.state}: the second site is behind."
    if facts.paused_checkers:
        yield f"Checkers are paused ({', '.join(facts.paused_checkers)}): what they repair or merge stays as it is."


def _settings(facts: TikvFacts) -> Iterator[str]:
    config = facts.config or {}
    for name, says in _LIMITS.items():
        if config.get(f"schedule.{name}") == 0:
            yield f"{says[0].upper()}{says[1:]}: {name} is 0."
    for name, says in _SWITCHES.items():
        if config.get(f"schedule.{name}") is False:
            yield f"{says[0].upper()}{says[1:]}: {name} is false."


def _schedulers(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    for pause in found.pauses or ():
        yield f"{pause.name} {paused(pause, facts)}."
    for name in missing_schedulers(facts, found):
        yield f"{name} is {'disabled' if name in (found.disabled or ()) else 'not there'}: what it balances is left as it is."
    evicting = {
        scheduler: [s for s, by in facts.evicting.items() if by == scheduler] for scheduler in facts.evicting.values()
    }
    for scheduler, stores in evicting.items():
        verb = "keeps leaders off" if scheduler.startswith("evict") else "keeps all leaders on"
        yield f"{scheduler} {verb} {named(stores)} until somebody removes it."
    slow = scheduler_stores("evict-slow-store-scheduler", found)
    if slow:
        yield f"evict-slow-store-scheduler keeps leaders off {named(slow)} until they are quick again."


def _labels(found: Scheduling) -> Iterator[str]:
    for rule in found.label_rules or ():
        if rule.labels.get("schedule", "").lower() == "deny":
            yield (
                f"Regions of {plural(rule.ranges, 'key range')} are left out of scheduling by region-label rule {rule.id} "
                "(schedule=deny; BR and Lightning set it and take it back)."
            )


def _stores(facts: TikvFacts) -> Iterator[str]:
    """Say which stores take part in nothing or not in all, grouped by why."""
    config = facts.config or {}
    ratio = config.get("schedule.low-space-ratio")
    low = 1.0 - (float(ratio) if isinstance(ratio, int | float) and not isinstance(ratio, bool) else 0.8)
    snapshots, pending = config.get("schedule.max-snapshot-count"), config.get("schedule.max-pending-peer-count")
    reasons: dict[str, list[str]] = {}
    for store in facts.data_stores:
        for why in _why_not(store, low, snapshots, pending):
            reasons.setdefault(why, []).append(store.entity)
    for why, stores in reasons.items():
        yield f"{named(stores)}: {why}."


def _why_not(store: StoreFacts, low: float, snapshots: object, pending: object) -> Iterator[str]:
    if store.state in ("Disconnected", "Down"):
        yield f"{store.state}: neither replicas nor leaders go there"
        return
    if store.state == "Offline":
        yield "leaves the cluster: neither replicas nor leaders go there"
    elif store.state == "Up" and not is_heard(store):
        yield "its heartbeats stay away though PD calls it Up"
    if _is_low(store, low):
        yield f"less than {low:.0%} of the disk is free (low-space-ratio): no replicas go there"
    if store.is_busy:
        yield "busy: no replicas go there"
    if (store.slow_score or 0.0) >= SLOW_SCORE:
        yield f"slow (score {SLOW_SCORE:.0f} or more): no leaders go there"
    if isinstance(snapshots, int) and max(store.sending_snapshots, store.receiving_snapshots) > snapshots:
        yield f"more than {snapshots} snapshots at once (max-snapshot-count): no replicas go there for now"
    if isinstance(pending, int) and 0 < pending < store.pending_peer_count:
        yield f"more than {pending} replicas that lag (max-pending-peer-count): no replicas go there for now"
    yield from _set_so(store)


def _set_so(store: StoreFacts) -> Iterator[str]:
    if store.leader_transfer_in_paused:
        yield "leader transfers there are paused"
    if store.leader_weight == 0:
        yield "leader weight 0: no leaders go there"
    if store.region_weight == 0:
        yield "region weight 0: no replicas go there"


def _is_low(store: StoreFacts, low: float) -> bool:
    if not store.capacity_bytes or store.available_bytes is None:
        return False
    if (store.region_count or 0) < _FEW_REGIONS and store.available_bytes > _FIRST_MIN_SPACE:
        return False
    return store.available_bytes / store.capacity_bytes < low


def _limits(facts: TikvFacts) -> Iterator[str]:
    limits = store_limits(facts.config or {})
    for action, does in (("add-peer", "take"), ("remove-peer", "give away")):
        none = [store for store, own in limits.items() if own.get(action) == 0 and facts.store(store) is not None]
        if none:
            yield f"{named(none)} may {does} no replicas: store limit {action} is 0."
