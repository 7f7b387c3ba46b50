"""Signs that concern the load as a whole and are not made by more requests: woken regions, old versions."""

from collections.abc import Sequence

from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown
from opsai_tikv.signs.rule import SignRule

WOKEN_TIMES = 2.0
WOKEN_PEERS = 100.0
DROPPED_PER_SECOND = 1.0
COMMIT_LATE_SECONDS = 0.1
SKIPPED_PER_SECOND = 10_000.0
READS_SLOW_SECONDS = 0.1
MINUTE = 4


def regions_woken(look: Look, entity: str) -> Seen:
    """On most stores far more peers are awake than before."""
    woken: list[str] = []
    more = 0.0
    known = 0
    for store in look.stores:
        track = look.track("awake_peers", store)
        if track is None or track.before is None or track.now is None:
            continue
        known += 1
        if track.now > WOKEN_TIMES * track.before and track.now - track.before >= WOKEN_PEERS:
            woken.append(store)
            more += track.now - track.before
    if not known:
        return unknown("how many peers are awake is not known")
    if 2 * len(woken) <= known:
        return ABSENT
    return Seen("shown", f"{figure(more)} more peers awake on {len(woken)} of {known} stores", value=more)


def raft_crowded(look: Look, entity: str) -> Seen:
    """On most stores raft messages are dropped, or commits are late."""
    crowded = [store for store in look.stores if _crowded(look, store)]
    known = [store for store in look.stores if look.now("commit_p99", store) is not None]
    if not known:
        return unknown("the stores' commits are not known")
    if 2 * len(crowded) <= len(look.stores):
        return ABSENT
    return Seen("shown", f"on {len(crowded)} of {len(look.stores)} stores", value=len(crowded))


def _crowded(look: Look, store: str) -> bool:
    past, now = look.before("commit_p99", store), look.now("commit_p99", store)
    late = now is not None and now > COMMIT_LATE_SECONDS and (past is None or now > 3 * past)
    return late or (look.now("raft_dropped", store) or 0.0) > DROPPED_PER_SECOND


def versions_skipped(look: Look, entity: str) -> Seen:
    """Reads step over far more old versions and tombstones than keys they return."""
    times = look.limit("reads_meet_live_data")
    if not look.facts.tracks.known("skipped_versions") or not look.facts.tracks.known("read_keys"):
        return unknown("what reads step over is not known")
    points = max((len(track.points) for track in look.facts.tracks.by_name["skipped_versions"].values()), default=0)
    readers = [store for store in look.stores if look.track("read_keys", store)]
    hits = [_garbage(look, readers or look.stores, index) for index in range(points)]
    high = [skipped > times * max(1.0, read) and skipped > SKIPPED_PER_SECOND for skipped, read in hits]
    if sum(high[-2 * MINUTE :]) < MINUTE:
        return ABSENT
    if not readers:
        return unknown("how many keys reads return is not known")
    skipped, read = hits[-1]
    ratio = skipped / max(1.0, read)
    return Seen(
        "shown",
        f"{figure(ratio)} stepped over for each key read, {figure(skipped)}/s",
        value=round(ratio, 1),
        limit=times,
    )


def _garbage(look: Look, stores: Sequence[str], index: int) -> tuple[float, float]:
    def total(name: str) -> float:
        tracks = (look.track(name, store) for store in stores)
        return sum(track.points[index] or 0.0 for track in tracks if track and len(track.points) > index)

    return total("skipped_versions"), total("read_keys")


def reads_slow(look: Look, entity: str) -> Seen:
    """Reads take long on most stores, whatever they took before."""
    known = [value for store in look.stores if (value := look.now("read_grpc_p99", store)) is not None]
    if not known:
        return unknown("how long reads take is not known")
    slow = [value for value in known if value > READS_SLOW_SECONDS]
    if 2 * len(slow) <= len(known):
        return ABSENT
    return Seen("shown", f"p99 up to {figure(max(slow))} s", value=round(max(slow), 3), limit=READS_SLOW_SECONDS)


IDLE = (
    SignRule("regions_woken", "sleeping regions have woken", regions_woken, metrics=("hibernated_peers",)),
    SignRule(
        "raft_crowded",
        "raft messages are dropped or commits late everywhere",
        raft_crowded,
        metrics=("raft_dropped", "commit_p99"),
    ),
    SignRule(
        "versions_skipped",
        "reads step over old versions and tombstones",
        versions_skipped,
        metrics=("mvcc_versions_p99", "coprocessor_scanned_keys"),
    ),
    SignRule("reads_slow", "reads take long", reads_slow, metrics=("grpc_p99_by_type",)),
)
