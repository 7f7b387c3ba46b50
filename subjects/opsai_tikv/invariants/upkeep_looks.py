"""Looks at what a cluster needs over days: versions, labels, settings, GC, snapshots, PD's picture of a store."""

from collections import Counter
from statistics import median

from opsai_tikv.facts import StoreFacts
from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown

DAY = 86_400.0
PICTURE_POINTS = 5
"""Points of the store's own count that PD's may agree with: a heartbeat is 10 s apart, a scrape up to 30 s."""
FEW_LEADERS = 10
MISROUTED_PER_SECOND = 1.0
"""Fewer say nothing: each leader that moves makes some."""


def versions_differ(look: Look, entity: str) -> Seen:
    """Stores, or PD members, run several versions."""
    stores = [store.version.removeprefix("v") for store in look.facts.data_stores if store.version]
    members = [member.version.removeprefix("v") for member in look.facts.members if member.version]
    if not stores:
        return unknown("nobody says which version the stores run")
    mixed = [
        f"{what}: {', '.join(f'{version} on {count}' for version, count in sorted(Counter(found).items()))}"
        for what, found in (("stores", stores), ("PD members", members))
        if len(set(found)) > 1
    ]
    return Seen("shown", "; ".join(mixed), value=len({*stores, *members})) if mixed else ABSENT


def tombstones_linger(look: Look, entity: str) -> Seen:
    """Stores that left long ago are still listed."""
    if not look.facts.stores_known:
        return unknown("PD's stores are not known")
    limit = look.limit("tombstones_cleared")
    old = [store for store in look.facts.stores if store.state == "Tombstone" and _silent_for(store) > limit]
    if not old:
        return ABSENT
    oldest = max(old, key=_silent_for)
    says = f"{len(old)} tombstones, {oldest.entity} for {_silent_for(oldest) / DAY:.0f} days"
    return Seen("shown", says, value=round(_silent_for(oldest)), limit=limit)


def _silent_for(store: StoreFacts) -> float:
    return store.heartbeat_age_seconds or 0.0


def gc_lags_on_store(look: Look, entity: str) -> Seen:
    """Its GC is far behind the safe point that PD gives."""
    safe = look.facts.gc_safe_point_age_seconds
    if not look.facts.gc_known:
        return unknown("PD does not say how far GC may go")
    if safe is None:
        return Seen("absent", "GC is not used here")
    own = look.now("gc_safe_point_age", entity)
    if own is None:
        return unknown("the store does not say how far its GC has come")
    limit = look.limit("store_gc_follows")
    if own - safe > limit:
        says = f"its GC is at {own / 60:.0f} min ago, PD allows {safe / 60:.0f} min ago"
        return Seen("shown", says, value=round(own - safe), limit=limit)
    return ABSENT


def resolved_ts_stuck(look: Look, entity: str) -> Seen:
    """Its resolved timestamp is far behind and falls further back."""
    limit = look.limit("store_resolved_ts_advances")
    seen = look.when("resolved_ts_gap", entity, lambda _, value: value > limit, 3)
    track = look.track("resolved_ts_gap", entity)
    if seen.state != "shown" or track is None:
        return seen
    points = [point for point in track.points if point is not None]
    if points[-1] < max(points[-6:]):
        return Seen("absent", "it is behind and catches up")
    says = f"its oldest resolved timestamp is {points[-1] / 1000:.0f} s behind"
    return Seen("shown", says, seen.active, round(points[-1]), limit, seen.since)


def requests_misrouted(look: Look, entity: str) -> Seen:
    """Many requests come to it for regions that it does not lead."""
    limit = look.limit("store_requests_routed")

    def test(index: int, value: float) -> bool:
        track = look.track("requests", entity)
        served = track.points[index] if track else None
        return served is not None and value > MISROUTED_PER_SECOND and value > limit * (served + value)

    seen = look.when("misrouted_rate", entity, test, 4)
    requests = look.now("requests", entity)
    if requests is None and (look.now("misrouted_rate", entity) or 0.0) > MISROUTED_PER_SECOND:
        return unknown("how many requests it serves is not known")
    if seen.state != "shown" or not isinstance(seen.value, float):
        return seen
    share = seen.value / max(1e-9, (requests or 0.0) + seen.value)
    says = f"{figure(seen.value)} requests/s find no leader here, {share:.0%} of what it gets"
    return Seen("shown", says, seen.active, round(share, 3), limit, seen.since)


def picture_stale(look: Look, entity: str) -> Seen:
    """PD counts other leaders on it than it counts itself."""
    track = look.track("leaders", entity)
    theirs = look.store(entity).leader_count
    if track is None or theirs is None or not look.facts.stores_known:
        return unknown("its own count of leaders or PD's is not known")
    own = [point for point in track.points[-PICTURE_POINTS:] if point is not None]
    if len(own) < PICTURE_POINTS:
        return unknown("its own count of leaders has too few samples")
    limit = look.limit("store_picture_true")
    nearest = min(own, key=lambda point: abs(point - theirs))
    apart = abs(nearest - theirs)
    share = apart / max(nearest, theirs, 1.0)
    if apart > FEW_LEADERS and share > limit:
        says = f"PD counts {theirs} leaders on it, it leads {own[-1]:.0f}"
        return Seen("shown", says, value=round(share, 3), limit=limit)
    return ABSENT


def clock_apart(look: Look, entity: str) -> Seen:
    """Its clock differs from the clocks of the other nodes."""
    clocks = look.facts.clocks or {}
    own, others = clocks.get(entity), [ahead for other, ahead in clocks.items() if other != entity]
    if own is None or len(others) < 2:
        return unknown("its answers, or those of two other nodes, do not tell the time")
    apart, limit = own - median(others), look.limit("node_clock_true")
    if abs(apart) > limit:
        where = "ahead of" if apart > 0 else "behind"
        says = f"its clock is {abs(apart):.1f} s {where} those of the other nodes"
        return Seen("shown", says, value=round(apart, 1), limit=limit)
    return ABSENT


def certificate_ends(look: Look, entity: str) -> Seen:
    """The certificate of an endpoint that we speak to ends soon."""
    certificates = look.facts.certificates
    if certificates is None:
        return unknown("nobody noted the certificates")
    if not certificates:
        return Seen("absent", "nothing here is spoken to over TLS")
    ends = {origin: (at - look.facts.at).total_seconds() / DAY for origin, at in certificates.items() if at is not None}
    limit = look.limit("certificates_last")
    if ends and min(ends.values()) < limit:
        origin = min(ends, key=lambda name: ends[name])
        return Seen(
            "shown",
            f"the certificate of {origin} ends in {ends[origin]:.1f} days",
            value=round(ends[origin], 1),
            limit=limit,
        )
    unchecked = sorted(set(certificates) - set(ends))
    return unknown(f"the certificate of {unchecked[0]} was not checked (verify is off)") if unchecked else ABSENT
