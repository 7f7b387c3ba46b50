"""What each scheduler is set to and says of itself. Pure."""

import re
from collections.abc import Mapping, Sequence

from opsai_subjects.foreign import quoted
from opsai_subjects.model import Scalar
from opsai_tikv.facts import DEFAULT_SCHEDULERS, TikvFacts
from opsai_tikv.pd.values import Pause
from opsai_tikv.scheduling.values import Scheduling
from opsai_tikv.wording import lasting, named, plural

_PART = re.compile(r"(\d+) store\(s\) (\w+)")
_WORDS = {
    "StoreNotMatchRule": "a placement rule forbids it",
    "StoreScoreDisallowed": "balanced already",
    "StoreAlreadyHasPeer": "a replica is there already",
    "StoreSnapshotThrottled": "too many snapshots at once, max-snapshot-count",
    "StorePendingPeerThrottled": "too many replicas that lag, max-pending-peer-count",
    "StoreAddPeerThrottled": "at the store limit for adding",
    "StoreRemovePeerThrottled": "at the store limit for removing",
    "StoreRejectLeader": "no leader is let in: evict-leader, a label, or slow",
    "StoreNotMatchIsolation": "replicas would not be apart",
    "StoreLowSpace": "low on space",
    "StoreRemoving": "leaving",
    "StoreRemoved": "gone for good",
    "StoreDisconnected": "disconnected",
    "StoreDown": "down",
    "StoreBusy": "busy",
    "RegionHot": "the regions looked at are too hot to move",
    "RegionUnhealthy": "the regions looked at lack a replica",
    "RegionEmpty": "the regions looked at are empty",
    "RegionNotReplicated": "the regions looked at are not fully replicated",
    "RegionNotMatchRule": "the regions looked at do not fit their rules",
    "RegionNoLeader": "the regions looked at have no leader",
}
"""pd pkg/schedule/plan/status.go, in words."""
_BY_HAND = (
    "evict-leader-scheduler",
    "grant-leader-scheduler",
    "grant-hot-region-scheduler",
    "shuffle-leader-scheduler",
    "shuffle-region-scheduler",
    "shuffle-hot-region-scheduler",
    "random-merge-scheduler",
)


def scheduler_lines(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Return a line for each scheduler that is stopped, made by hand or says something, and one for those that just run."""
    pauses = {pause.name: pause for pause in found.pauses or ()}
    odd: list[str] = []
    plain: list[str] = []
    for name in facts.schedulers or ():
        state, about = (paused(pauses[name], facts) if name in pauses else "runs"), _about(name, found)
        if name in pauses or about:
            odd.append(f"{name} {state}" + (f"; {about}" if about else ""))
        else:
            plain.append(name)
    gone = [
        f"{name} is {'disabled' if name in (found.disabled or ()) else 'not there'}"
        for name in missing_schedulers(facts, found)
    ]
    return [*gone, *odd, *([f"run: {', '.join(plain)}"] if plain else [])]


def paused(pause: Pause, facts: TikvFacts) -> str:
    """Say that a scheduler is paused, and for how long still."""
    left = f" for {lasting(max(0.0, (pause.until - facts.at).total_seconds()))} more" if pause.until else ""
    return f"is paused{left}"


def missing_schedulers(facts: TikvFacts, found: Scheduling) -> tuple[str, ...]:
    """Return the schedulers that are switched off, and the default ones that are not there."""
    if facts.schedulers is None:
        return ()
    gone = [name for name in DEFAULT_SCHEDULERS if name not in facts.schedulers]
    return tuple(dict.fromkeys((*gone, *(found.disabled or ()))))


def is_by_hand(name: str) -> bool:
    """Say whether only a person (or a tool a person ran) adds this scheduler."""
    return name in _BY_HAND or name.startswith("scatter-range")


def _about(name: str, found: Scheduling) -> str:
    stores = scheduler_stores(name, found)
    by_hand = "added by hand" if is_by_hand(name) else ""
    if stores:
        return f"{by_hand + ', ' if by_hand else ''}for {named(stores)}"
    diagnosis = found.diagnoses.get(name)
    if diagnosis is None:
        return by_hand
    return f"{diagnosis.status}: {in_words(diagnosis.summary)}" if diagnosis.summary else diagnosis.status


def in_words(summary: str) -> str:
    """Put `3 store(s) StoreDown; ` into words; what is not known stays as it is."""
    parts = _PART.findall(summary)
    return (
        "; ".join(f"{plural(int(count), 'store')} ({_WORDS.get(why, why)})" for count, why in parts)
        if parts
        else quoted(summary)
    )


def scheduler_stores(name: str, found: Scheduling) -> list[str]:
    """Return the stores that a scheduler's own settings name."""
    config = found.own.get(name)
    return _named_stores(config.values) if config else []


def _named_stores(values: Mapping[str, Scalar]) -> list[str]:
    keyed = [key.split(".")[1] for key in values if key.startswith("store-id-ranges.")]
    lists = ("evict-stores.", "store-id.", "evicted-network-slow-stores.", "paused-network-slow-stores.")
    listed = [str(value) for key, value in values.items() if key.startswith(lists)]
    return [f"store:{number}" for number in dict.fromkeys([*keyed, *listed])]


def store_limits(config: Mapping[str, Scalar]) -> dict[str, dict[str, float]]:
    """Return store to `add-peer` and `remove-peer`, a minute, from PD's configuration."""
    found: dict[str, dict[str, float]] = {}
    for name, value in config.items():
        parts = name.split(".")
        if len(parts) == 4 and parts[:2] == ["schedule", "store-limit"] and isinstance(value, int | float):
            found.setdefault(f"store:{parts[2]}", {})[parts[3]] = float(value)
    return found


UNLIMITED = 100_000.0
"""storelimit.Unlimited is 1e8: PD sets it on what a store that leaves gives away (pd server/cluster/cluster.go)."""


def limit_lines(limits: Mapping[str, Mapping[str, float]], alive: Sequence[str]) -> list[str]:
    """Say the store limit most stores have, and who differs."""
    groups: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for store, own in limits.items():
        if store in alive:
            groups.setdefault(tuple(sorted(own.items())), []).append(store)
    ordered = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    return [
        f"{', '.join(f'{action} {_rate(rate)}' for action, rate in own)}: "
        f"{f'{len(stores)} stores' if len(stores) > 6 else named(stores)}"
        for own, stores in ordered[:6]
    ]


def _rate(rate: float) -> str:
    return "unlimited" if rate >= UNLIMITED else f"{rate:g}/min"
