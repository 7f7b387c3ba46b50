"""When what is under way will have ended, as far as it can be told. Pure."""

from collections.abc import Iterator, Sequence

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd.values import Progress
from opsai_tikv.regions.health import down_after_seconds
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.scheduling.schedulers import UNLIMITED, store_limits
from opsai_tikv.scheduling.values import Scheduling
from opsai_tikv.wording import lasting, named, plural

TOGETHER = 3
"""So many silent stores or more are told in one sentence."""


def ending(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Return a sentence for each thing that runs or is due; empty when nothing is."""
    return [
        *_silent(facts),
        *_leaving(facts, found),
        *_joining(facts, found),
        *_repair(facts),
        *_operators(facts, found),
    ]


def _silent(facts: TikvFacts) -> Iterator[str]:
    limit = down_after_seconds(facts)
    silent = [
        (store, store.heartbeat_age_seconds)
        for store in facts.data_stores
        if not is_heard(store) and store.heartbeat_age_seconds is not None and store.state != "Offline"
    ]
    down = [store for store, age in silent if store.state == "Down" or (limit is not None and age >= limit)]
    gone = {store.entity for store in down}
    yield from _down(down, facts)
    for store, age in silent:
        peers = plural(store.region_count or 0, "replica")
        if store.entity in gone:
            continue
        if limit is None:
            yield f"{store.entity} is silent for {lasting(age)}; after how long PD replaces it is unknown."
        else:
            least = _least([store], facts)
            yield f"{store.entity} is silent for {lasting(age)}: in {lasting(limit - age)} it counts as Down, then PD replaces its {peers}{least}."


def _down(stores: Sequence[StoreFacts], facts: TikvFacts) -> Iterator[str]:
    """Say what repair of Down stores takes: one by one where they are few, else all in one sentence."""
    if len(stores) >= TOGETHER:
        peers = plural(sum(store.region_count or 0 for store in stores), "replica")
        names = named([store.entity for store in stores])
        yield f"{names} count as Down: their {peers} are being replaced{_least(stores, facts)}, or they return."
        return
    for store in stores:
        peers = plural(store.region_count or 0, "replica")
        yield f"{store.entity} counts as Down: its {peers} are being replaced{_least([store], facts)}, or it returns."


def _least(stores: Sequence[StoreFacts], facts: TikvFacts) -> str:
    """Say how long giving away all replicas takes at least, by the store limit (replicas over 20 MiB count in full)."""
    limits = _limits(facts)
    rates = {store.entity: limits.get(store.entity, {}).get("remove-peer") or UNLIMITED for store in stores}
    slowest = max(stores, key=lambda store: (store.region_count or 0) / rates[store.entity])
    rate = rates[slowest.entity]
    if rate >= UNLIMITED or not slowest.region_count:
        return ""
    of = "its" if len(stores) == 1 else "each one's"
    return f", {lasting(slowest.region_count / rate * 60)} at least by {of} store limit ({rate:g} a minute)"


def _limits(facts: TikvFacts) -> dict[str, dict[str, float]]:
    """Return the store limits; version 2 counts snapshots in flight, not operations a minute, and foretells nothing."""
    config = facts.config or {}
    return {} if config.get("schedule.store-limit-version") == "v2" else store_limits(config)


def _repair(facts: TikvFacts) -> Iterator[str]:
    """Say how long making up all lacking replicas takes at least, if every store takes as many as it is let."""
    states = facts.region_states or {}
    work = {cause: states.get(cause, 0) for cause in ("miss-peer", "offline-peer")}
    if any(store.state == "Down" for store in facts.data_stores):
        work["down-peer"] = states.get("down-peer", 0)
    total = sum(work.values())
    limits = _limits(facts)
    taking = [store.entity for store in facts.data_stores if store.state == "Up" and is_heard(store)]
    rate = sum(limits.get(entity, {}).get("add-peer", 0.0) for entity in taking)
    if total and rate and facts.stores_known and len(facts.stores) > 1:
        told = ", ".join(f"{count:,} {cause}" for cause, count in work.items() if count)
        yield (
            f"{plural(total, 'replica')} to be made up ({told}): {lasting(total / rate * 60)} at least if every store takes what "
            f"its add-peer limit lets it ({rate:,.0f} a minute together)."
        )


def _leaving(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    leaving = [store for store in facts.stores if store.state == "Offline"]
    if not leaving:
        return
    told = _progress(found.progress.get("removing"))
    for store in leaving:
        own = told or "PD tells no progress"
        yield f"{store.entity} leaves with {plural(store.region_count or 0, 'replica')} left: {own}."
    if not any(is_heard(store) for store in leaving):
        yield f"{named([store.entity for store in leaving])} is silent too: what is there can only be made up from other stores."


def _joining(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    joining = [store.entity for store in facts.stores if store.node_state == "Preparing" and store.state == "Up"]
    if joining:
        told = _progress(found.progress.get("preparing")) or "PD tells no progress"
        yield f"{named(joining)} fills up before it counts as serving: {told}."


def _progress(progress: Progress | None) -> str:
    if progress is None:
        return ""
    if progress.speed_mib <= 0:
        return f"{progress.ratio:.0%} done and it stands still (0 MiB/s): at this rate it never ends"
    return f"{progress.ratio:.0%} done at {progress.speed_mib:.3g} MiB/s, {lasting(progress.left_seconds)} left by PD's reckoning"


def _operators(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    late = [
        one
        for one in found.operators or ()
        if one.created_at
        and one.timeout_seconds
        and (facts.at - one.created_at).total_seconds() > one.timeout_seconds / 2
    ]
    if late:
        regions = named([f"region:{one.region_id}" for one in late], 3)
        yield f"{plural(len(late), 'operator')} past half of the timeout ({regions}): PD gives them up at its end and tries anew."
