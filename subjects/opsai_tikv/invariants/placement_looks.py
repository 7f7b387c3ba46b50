"""Looks at regions and at how they are placed."""

from collections.abc import Sequence

from opsai_tikv.facts import CLUSTER, StoreFacts, Track
from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown
from opsai_tikv.signs.leadership import majority_of_stores_gone, store_gone
from opsai_tikv.signs.reach import pd_disconnected, status_answers

LISTED_REGIONS = ("miss-peer", "pending-peer")
LEADERLESS_POINTS = 4
"""Points in a row: an election takes 10 to 20 s, and stores count their leaders every 10 s."""
FEW_REGIONS = 5
MANY_REGIONS = 1000
"""Below that, empty or large regions cost nothing."""
SAME_CAPACITY = 1.5
"""Stores whose disks differ by no more hold about the same."""


def any_store_majority_gone(look: Look, entity: str) -> Seen:
    """Stores are gone beyond what the replicas cover."""
    found = [majority_of_stores_gone(look, store) for store in look.stores]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    if shown:
        return shown
    covered = ((look.facts.max_replicas or 3) - 1) // 2
    unseen = [store for store in look.stores if _unseen(look, store)]
    gone = [store for store in look.stores if store_gone(look, store)]
    if not found or (unseen and len({*unseen, *gone}) > covered):
        return unknown(f"whether {len(unseen) or 'any'} of the stores live is not known")
    return ABSENT


def _unseen(look: Look, entity: str) -> bool:
    return pd_disconnected(look, entity).state == "unknown" and status_answers(look, entity).state == "unknown"


def peers_missing(look: Look, entity: str) -> Seen:
    """Regions lack a healthy peer."""
    states = look.facts.region_states
    if states is None:
        return unknown("PD's region states are not known")
    total = max(1, look.facts.region_count or sum(states.values()))
    limit = look.limit("regions_whole")
    found = {name: count for name, count in states.items() if name in LISTED_REGIONS and count > limit * total}
    if not found:
        return ABSENT
    says = ", ".join(f"{count} regions {name}" for name, count in sorted(found.items()))
    return Seen("shown", f"{says} of {total}", value=round(max(found.values()) / total, 3), limit=limit)


def peers_silent(look: Look, entity: str) -> Seen:
    """Regions report a replica that has been silent for ten minutes."""
    states = look.facts.region_states
    if states is None:
        return unknown("PD's region states are not known")
    limit = look.limit("replicas_alive")
    count = states.get("down-peer", 0)
    return (
        Seen("shown", f"{count} regions have a replica that is down", value=count, limit=limit)
        if count > limit
        else ABSENT
    )


def regions_leaderless(look: Look, entity: str) -> Seen:
    """Stores count peers without a leader, or lead fewer regions together than there are."""
    missing = {store: count for store in look.stores if (count := look.now("leader_missing", store))}
    if missing:
        says = ", ".join(f"{store} {count:.0f}" for store, count in sorted(missing.items()))
        return Seen("shown", f"peers without a leader for over ten minutes: {says}", value=sum(missing.values()))
    total = look.facts.region_count
    counts = [look.track("leaders", store) for store in look.stores if not store_gone(look, store)]
    if not total or not counts or any(track is None for track in counts):
        return unknown("the number of regions, or how many each store leads, is not known")
    led = [_sum_at(counts, back) for back in range(1, LEADERLESS_POINTS + 1)]
    if any(one is None for one in led):
        return unknown("not every store's count of leaders has fresh samples")
    limit = look.limit("regions_led")
    most = max(one for one in led if one is not None)
    if total - most > max(FEW_REGIONS, limit * total):
        says = f"the stores lead {most:.0f} of {total} regions together"
        return Seen("shown", says, value=round((total - most) / total, 3), limit=limit)
    return ABSENT


def _sum_at(tracks: Sequence[Track | None], back: int) -> float | None:
    points = [track.points[-back] if track and len(track.points) >= back else None for track in tracks]
    known = [point for point in points if point is not None]
    return sum(known) if len(known) == len(points) else None


def empty_regions(look: Look, entity: str) -> Seen:
    """Most regions of a larger cluster are empty."""
    return _share_of(look, "regions_merged", "empty", "empty")


def large_regions(look: Look, entity: str) -> Seen:
    """Many regions have grown beyond the size at which they split."""
    return _share_of(look, "regions_split", "oversized", "too large")


def _share_of(look: Look, invariant: str, kind: str, says: str) -> Seen:
    states, total = look.facts.region_states, look.facts.region_count
    if states is None or kind not in states or not total:
        return unknown("PD's region states, or the number of regions, are not known")
    limit, share = look.limit(invariant), states[kind] / total
    if total < MANY_REGIONS:
        return Seen("absent", f"of {total} regions, which are few")
    if share > limit:
        return Seen("shown", f"{states[kind]} of {total} regions are {says}", value=round(share, 3), limit=limit)
    return ABSENT


def checkers_paused(look: Look, entity: str) -> Seen:
    """Somebody paused a checker of PD."""
    paused = look.facts.paused_checkers
    if paused is None:
        return unknown("PD does not say which checkers are paused")
    names = ", ".join(sorted(paused))
    return Seen("shown", f"paused: {names}", value=names) if paused else ABSENT


def operators_time_out(look: Look, entity: str) -> Seen:
    """Operators end by timing out."""
    return _counted(look, "operators_finish", "operator_timeouts", "operators time out: {} a minute")


def no_store_for_replicas(look: Look, entity: str) -> Seen:
    """PD looks for a store to place a replica on and finds none."""
    return _counted(look, "replicas_find_stores", "no_store_events", "no store suits a replica: {} times a second")


def _counted(look: Look, invariant: str, signal: str, says: str) -> Seen:
    limit = look.limit(invariant)
    seen = look.when(signal, CLUSTER, lambda _, value: value > limit, 3)
    if seen.state != "shown" or not isinstance(seen.value, float):
        return seen
    return Seen("shown", says.format(figure(seen.value)), seen.active, round(seen.value, 3), limit, seen.since)


def regions_piled_up(look: Look, entity: str) -> Seen:
    """It holds far more regions than stores of its size and role, and they do not move."""
    store = look.store(entity)
    if store.region_count is None or not store.capacity_bytes or not look.facts.stores_known:
        return unknown("PD does not say how many regions the stores hold, or how large they are")
    class_of_it = [one for one in look.facts.data_stores if _same_class(one, store)]
    counts = [one.region_count / max(one.region_weight, 0.01) for one in class_of_it if one.region_count is not None]
    if len(counts) < 2 or any(one.state != "Up" or one.node_state == "Preparing" for one in look.facts.data_stores):
        return Seen("absent", "it has no peers of its size, or a store comes or goes")
    fair = sum(counts) / len(counts)
    own = store.region_count / max(store.region_weight, 0.01)
    limit = look.limit("regions_spread")
    if fair < MANY_REGIONS / 10 or own <= limit * fair:
        return ABSENT
    track = look.track("regions", entity)
    if track and track.before is not None and track.now is not None and track.now < track.before:
        return Seen("absent", "regions are moving away from it")
    says = f"{store.region_count} regions, a fair share is {fair:.0f}"
    return Seen("shown", says, value=round(own / fair, 2), limit=limit)


def _same_class(one: StoreFacts, other: StoreFacts) -> bool:
    if one.may_lead != other.may_lead or not one.capacity_bytes or not other.capacity_bytes:
        return False
    return 1 / SAME_CAPACITY <= one.capacity_bytes / other.capacity_bytes <= SAME_CAPACITY
