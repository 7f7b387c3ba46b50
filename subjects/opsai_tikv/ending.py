"""When what is under way will have ended, as far as it can be told. Pure."""

from collections.abc import Iterator

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.majority import is_alive
from opsai_tikv.pd_values import Progress
from opsai_tikv.region_health import down_after_seconds
from opsai_tikv.schedulers import UNLIMITED, store_limits
from opsai_tikv.scheduling import Scheduling
from opsai_tikv.wording import lasting, named, plural

SHOWN = 8


def ending(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Return a sentence for each thing that runs or is due; empty when nothing is."""
    sentences = [*_silent(facts), *_leaving(facts, found), *_joining(facts, found), *_operators(facts, found)]
    more = len(sentences) - SHOWN
    return sentences if more <= 0 else [*sentences[:SHOWN], f"… and {more} more, see evidence."]


def _silent(facts: TikvFacts) -> Iterator[str]:
    limit = down_after_seconds(facts)
    for store in facts.data_stores:
        age = store.heartbeat_age_seconds
        if is_alive(store) or age is None or store.state == "Offline":
            continue
        peers = plural(store.region_count or 0, "replica")
        least = _least(store, facts)
        if store.state == "Down" or (limit is not None and age >= limit):
            yield f"{store.entity} counts as Down: its {peers} are being replaced{least}, or it returns."
        elif limit is None:
            yield f"{store.entity} is silent for {lasting(age)}; after how long PD replaces it is unknown."
        else:
            yield f"{store.entity} is silent for {lasting(age)}: in {lasting(limit - age)} it counts as Down, then PD replaces its {peers}{least}."


def _least(store: StoreFacts, facts: TikvFacts) -> str:
    """Say how long giving away all replicas takes at least, by the store limit (replicas over 20 MiB count in full)."""
    rate = store_limits(facts.config or {}).get(store.entity, {}).get("remove-peer")
    if not rate or rate >= UNLIMITED or not store.region_count:
        return ""
    return f", {lasting(store.region_count / rate * 60)} at least by its store limit ({rate:g} a minute)"


def _leaving(facts: TikvFacts, found: Scheduling) -> Iterator[str]:
    leaving = [store for store in facts.stores if store.state == "Offline"]
    if not leaving:
        return
    told = _progress(found.progress.get("removing"))
    for store in leaving[:SHOWN]:
        own = told or "PD tells no progress"
        yield f"{store.entity} leaves with {plural(store.region_count or 0, 'replica')} left: {own}."
    if not any(is_alive(store) for store in leaving):
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
