"""Signs of what clients do: hot spots, overload, scans, contention, growth."""

from opsai_tikv.facts import HotRegion
from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown
from opsai_tikv.signs.reach import store_recently_troubled
from opsai_tikv.signs.rule import SignRule

SKEW = 2.5
"""One store's traffic against the median of the others."""
HOT_KEYS_PER_SECOND = 10.0
"""A region with less is hot nowhere, whatever its share of an idle cluster."""
SURGE = 2.0
LATE_SECONDS = 0.1


def _total(look: Look, name: str, index: int) -> float:
    return sum(_point(look, name, store, index) or 0.0 for store in look.stores)


def _point(look: Look, name: str, store: str, index: int) -> float | None:
    track = look.track(name, store)
    return track.points[index] if track else None


def _indices(look: Look, name: str) -> range:
    return range(max((len(track.points) for track in look.facts.tracks.by_name.get(name, {}).values()), default=0))


def _past_total(look: Look, name: str) -> float | None:
    tracks = [look.track(name, store) for store in look.stores]
    known = [track.before for track in tracks if track and track.before is not None]
    return sum(known) if known and len(known) == len(look.stores) else None


def _skewed(look: Look, name: str) -> Seen:
    """Look for one store whose traffic stands far above the others' and above its own past."""
    if not look.facts.tracks.known(name) or len(look.stores) < 2:
        return unknown(f"{name} of the stores is not known")
    best = ABSENT
    for store in look.stores:
        past = look.before(name, store) or 0.0

        def test(index: int, value: float, store: str = store, past: float = past) -> bool:
            peers = look.peer_median(name, store, index)
            return peers is not None and value > 20 and value > SKEW * peers and value > SURGE * past

        seen = look.when(name, store, test)
        if seen.state == "shown" and not store_recently_troubled(look, look.peers_of(store)):
            says = f"{store} takes {figure(_number(seen))}/s, before {figure(past)}, other stores {figure(look.peer_median(name, store))}"
            best = Seen("shown", says, seen.active, seen.value, None, seen.since)
    return best


def _number(seen: Seen) -> float | None:
    return seen.value if isinstance(seen.value, (int, float)) else None


def _hot(look: Look, regions: tuple[HotRegion, ...] | None, traffic: str) -> Seen:
    if regions is None:
        return unknown("the regions' traffic could not be read")
    limit = look.limit("load_even")
    if not regions or regions[0].share < limit or regions[0].keys_per_second < HOT_KEYS_PER_SECOND:
        return ABSENT
    if store_recently_troubled(look, look.stores):
        return unknown("a store came or went lately: shares of regions are not yet comparable")
    top = regions[0]
    past, now = _past_total(look, traffic), _total(look, traffic, -1)
    if past and now < 1.2 * past:
        return Seen("absent", f"region {top.region_id} carries {top.share:.0%}, and the load is what it was before")
    owner = f"{top.owner}, " if top.owner else ""
    return Seen(
        "shown",
        f"region {top.region_id} ({owner}leader on {top.leader_store}) carries {top.share:.0%} of the cluster's keys",
        value=round(top.share, 3),
        limit=limit,
    )


def hot_write_region(look: Look, entity: str) -> Seen:
    """One region carries a quarter or more of all writes since the load grew."""
    return _hot(look, look.facts.hot_writes, "writes")


def hot_read_region(look: Look, entity: str) -> Seen:
    """One region carries a quarter or more of all reads since the load grew."""
    return _hot(look, look.facts.hot_reads, "reads")


def writes_skewed(look: Look, entity: str) -> Seen:
    """One store takes far more writes than the others and than before."""
    return _skewed(look, "writes")


def reads_skewed(look: Look, entity: str) -> Seen:
    """One store takes far more reads than the others and than before."""
    return _skewed(look, "reads")


def everyone_late(look: Look, entity: str) -> Seen:
    """Clients wait far longer than before on every store."""
    return _everywhere(look, "grpc_p99", look.limit("load_carried"), LATE_SECONDS)


def _everywhere(look: Look, name: str, times: float, floor: float) -> Seen:
    """Look for points at which half of the stores are `times` above their past and every store is well above it."""
    tracks = [track for store in look.stores if (track := look.track(name, store)) and track.before]
    if len(tracks) < max(1, len(look.stores) - 1):
        return unknown(f"{name} has too few samples")
    hits: list[bool] = []
    for index in _indices(look, name):
        ratios = [(track.points[index] or 0.0) / (track.before or 1.0) for track in tracks]
        high = sum(
            ratio > times and (track.points[index] or 0.0) > floor for ratio, track in zip(ratios, tracks, strict=True)
        )
        hits.append(2 * high >= len(tracks) and min(ratios) > 0.5 * times)
    if sum(hits) < 3:
        return ABSENT
    ratio = max((track.peak or 0) / (track.before or 1) for track in tracks)
    first = hits.index(True)
    return Seen(
        "shown",
        f"{name} up to {ratio:.0f} times its past on every store",
        any(hits[-3:]),
        round(ratio, 1),
        times,
        look.moment(first),
    )


def requests_surge(look: Look, entity: str) -> Seen:
    """Clients ask far more than before."""
    return _surge(look, "requests", 1.5)


def scans_surge(look: Look, entity: str) -> Seen:
    """Clients read far more keys for each request than before: they scan."""
    keys, requests = _past_total(look, "read_keys"), _past_total(look, "requests")
    if not keys or not requests:
        return unknown("keys read and requests have no past to compare with")
    past = keys / requests
    now = [
        _total(look, "read_keys", index) / max(1.0, _total(look, "requests", index))
        for index in _indices(look, "read_keys")
    ]
    hits = [ratio > 2.5 * past and _total(look, "read_keys", index) > 1.5 * keys for index, ratio in enumerate(now)]
    if sum(hits) < 3:
        return ABSENT
    return Seen(
        "shown",
        f"{figure(max(now))} keys read for each request, before {figure(past)}",
        any(hits[-3:]),
        round(max(now), 2),
        round(2.5 * past, 2),
    )


def writes_surge(look: Look, entity: str) -> Seen:
    """Clients write far more than before."""
    return _surge(look, "written_keys", 2.0)


def _surge(look: Look, name: str, times: float) -> Seen:
    past = _past_total(look, name)
    if past is None or past < 1:
        return unknown(f"{name} has no past to compare with")
    totals = [_total(look, name, index) for index in _indices(look, name)]
    hits = [total > times * past for total in totals]
    if sum(hits) < 3:
        return ABSENT
    return Seen(
        "shown",
        f"{name} {figure(max(totals))}/s in all, before {figure(past)}",
        any(hits[-3:]),
        round(max(totals) / past, 2),
        times,
    )


def turned_away_everywhere(look: Look, entity: str) -> Seen:
    """Requests are refused as busy on most stores."""
    rates = [look.now("busy", store) for store in look.stores]
    known = [rate for rate in rates if rate is not None]
    if not known:
        return unknown("the stores' refusals are not known")
    refusing = [rate for rate in known if rate > 0.5]
    if len(refusing) > len(known) / 2:
        return Seen(
            "shown", f"{len(refusing)} stores refuse {figure(sum(refusing))} requests/s", value=sum(refusing), limit=0.5
        )
    return ABSENT


def contended(look: Look, entity: str) -> Seen:
    """Transactions wait for each other's latches or conflict, and storage is not late."""
    conflicts = _surge(look, "conflicts", 3.0)
    latch = _everywhere_or_one(look, "latch_p99", 0.05, 10.0)
    rates = [look.now("conflicts", store) or 0.0 for store in look.stores]
    limit = look.limit("transactions_flow")
    if sum(rates) > limit and (conflicts.state != "absent" or latch):
        return Seen("shown", f"{figure(sum(rates))} conflicts or lock waits/s", value=round(sum(rates), 2), limit=limit)
    if latch:
        return Seen("shown", latch, value=latch)
    return ABSENT if look.facts.tracks.known("latch_p99") else unknown("latch waits are not known")


def _everywhere_or_one(look: Look, name: str, floor: float, times: float) -> str:
    for store in look.stores:
        seen = look.over(name, store, floor=floor, own=times)
        if seen.state == "shown" and seen.active:
            return f"{store}: {seen.says}"
    return ""


def data_grows(look: Look, entity: str) -> Seen:
    """Free space shrinks on every store together, quickly."""
    shrunk: list[float] = []
    for store in look.stores:
        track, capacity = look.track("available_bytes", store), look.now("capacity_bytes", store)
        if track is None or track.before is None or track.now is None or not capacity:
            return unknown("the stores' free space is not known")
        shrunk.append((track.before - track.now) / capacity)
    if not shrunk:
        return unknown("no store is known")
    limit = look.limit("space_lasts")
    if min(shrunk) > limit:
        return Seen(
            "shown",
            f"each store lost {min(shrunk):.0%} or more of its capacity within the look-back",
            value=round(min(shrunk), 3),
            limit=limit,
        )
    return ABSENT


def gc_held_back(look: Look, entity: str) -> Seen:
    """GC does not advance."""
    age = look.facts.gc_safe_point_age_seconds
    if not look.facts.gc_known:
        return unknown("PD does not say how far GC may go")
    if age is None:
        return Seen("absent", "GC is not used here")
    limit = look.limit("gc_advances")
    if age > limit:
        return Seen(
            "shown",
            f"the safe point is {age / 3600:.1f} h old, held by {look.facts.gc_blocker or 'nobody named'}",
            value=round(age),
            limit=limit,
        )
    return ABSENT


def pd_without_leader(look: Look, entity: str) -> Seen:
    """PD has no leader."""
    if not look.facts.leader_known:
        return unknown("no member could be asked")
    return ABSENT if look.facts.leader else Seen("shown", "the members that answer know no leader", value="none")


REGION = (
    SignRule(
        "hot_write_region", "one region carries a quarter of the writes", hot_write_region, metrics=("written_keys",)
    ),
    SignRule("hot_read_region", "one region carries a quarter of the reads", hot_read_region, metrics=("read_keys",)),
    SignRule(
        "writes_skewed",
        "one store takes far more writes than the others",
        writes_skewed,
        metrics=("requests", "written_keys"),
    ),
    SignRule(
        "reads_skewed",
        "one store takes far more reads than the others",
        reads_skewed,
        metrics=("requests", "read_keys"),
    ),
)
LOAD = (
    SignRule("everyone_late", "clients wait far longer than before everywhere", everyone_late, metrics=("grpc_p99",)),
    SignRule("requests_surge", "clients ask far more than before", requests_surge, metrics=("requests",)),
    SignRule("scans_surge", "clients scan far more than before", scans_surge, metrics=("read_keys",)),
    SignRule("writes_surge", "clients write far more than before", writes_surge, metrics=("written_keys",)),
    SignRule(
        "turned_away_everywhere",
        "most stores refuse requests as busy",
        turned_away_everywhere,
        metrics=("scheduler_busy",),
    ),
    SignRule("contended", "transactions wait for each other", contended, metrics=("latch_p99",)),
    SignRule("data_grows", "data grows quickly everywhere", data_grows, metrics=("available_ratio",)),
)
CLUSTER_SIGNS = (
    SignRule("pd_without_leader", "PD has no leader", pd_without_leader, metrics=("pd_leader", "tso_rate")),
    SignRule("gc_held_back", "GC does not advance", gc_held_back, metrics=("gc_safe_point_age",)),
)
