"""Looks at a store's queues, threads and memory."""

from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown

POOL_SIGNAL = "pool_busy:"
GROWTH_SECONDS = 300.0
WARM_SECONDS = 900.0
"""A store that started fills its block cache, by gibibytes a minute under load."""
GIB = 2.0**30


def pool_busy(look: Look, entity: str) -> Seen:
    """The threads of one of its pools hardly rest."""
    limit = look.limit("store_pools_free")
    pools = sorted(name for name in look.facts.tracks.by_name if name.startswith(POOL_SIGNAL))
    busiest = ABSENT
    known = False
    for name in pools:
        seen = look.when(name, entity, lambda _, value: value > limit, 3)
        known = known or seen.state != "unknown"
        value = seen.value
        if seen.state != "shown" or not seen.active or not isinstance(value, float):
            continue
        if not isinstance(busiest.value, float) or value > busiest.value:
            says = f"the threads of its pool {name.removeprefix(POOL_SIGNAL)} work {value:.0%} of the time"
            busiest = Seen("shown", says, True, round(value, 3), limit, seen.since)
    return busiest if known else unknown("the processor time of its threads has no samples here")


def memory_grows_fast(look: Look, entity: str) -> Seen:
    """Its memory grew by more than the limit within five minutes."""
    track = look.track("rss_bytes", entity)
    back = round(GROWTH_SECONDS / look.facts.tracks.step_seconds)
    if track is None or len(track.points) <= back or track.now is None or track.points[-back - 1] is None:
        return unknown("its memory of five minutes ago is not known")
    grown = track.now - (track.points[-back - 1] or 0.0)
    limit = look.limit("store_memory_steady")
    start = look.now("start_time", entity)
    if grown > limit and start is not None and look.facts.at.timestamp() - start < WARM_SECONDS:
        return Seen("absent", "it started lately and fills its caches")
    if grown > limit:
        return Seen("shown", f"it grew by {figure(grown / GIB)} GiB in five minutes", value=round(grown), limit=limit)
    return ABSENT
