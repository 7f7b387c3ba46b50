"""What makes a piece of a path slow: the disk or not, the network or a peer, garbage or cold blocks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from opsai_tikv.latency.look import SAME_TROUBLE, Look
from opsai_tikv.latency.spoken import plain, spoken

Where = Literal["client", "network", "tikv", "nothing grew", "unknown"]
STANDS_OUT = 1.5
"""One store's messages are late by itself when they are so many times later than those of the next."""


@dataclass(frozen=True)
class Cause:
    """Where to look, at which stage, and what speaks for it."""

    where: Where
    stage: str
    why: str = ""
    entities: tuple[str, ...] = ()
    """Where they are others than those of the piece."""


def cause(look: Look, piece: str, stores: tuple[str, ...]) -> Cause:
    """Say what makes a piece of the path slow on these stores."""
    refine = _REFINED.get(piece)
    return refine(look, stores) if refine else Cause("tikv", piece)


def _log(look: Look, stores: tuple[str, ...]) -> Cause:
    """Tell a slow disk from a slow raft log: the fsync by itself is the disk."""
    append, fsync = look.rise("append", stores[0]), look.of("fsync", stores[0])
    if append == 0.0:
        return Cause("tikv", "log_queue", "the append itself is as quick as before: the writer's thread is late")
    if fsync is None or fsync.state == "unknown":
        return Cause("tikv", "append", "the fsync by itself is not known")
    if fsync.rise() < SAME_TROUBLE * append:
        return Cause("tikv", "append", "the fsync by itself does not take longer: not the disk")
    disks = "the disk" if len(stores) == 1 else "the disks, what they share, or the load on all"
    return Cause("tikv", "fsync", f"the fsync by itself takes that long: {disks}")


def _commit(look: Look, stores: tuple[str, ...]) -> Cause:
    """Tell a late network from late peers."""
    late = {store: rise for store in look.every if (rise := look.rise("message_delay", store)) > 0}
    if late:
        entities = look.alike(late)
        if len(late) > 1 and late[entities[0]] >= STANDS_OUT * sorted(late.values())[-2]:
            entities = entities[:1]
        says = (
            f"no store writes its log slower, and raft messages reach {entities[0]} {spoken(late[entities[0]])} later"
        )
        return Cause("network", "message_delay", says, entities)
    if not look.found.entities("message_delay"):
        says = "no store writes its log slower: a late peer, or the network (this version does not measure it)"
        return Cause("tikv", "commit", says)
    return Cause("tikv", "commit", "no store writes its log slower and messages are not late: a peer answers late")


def _apply(look: Look, stores: tuple[str, ...]) -> Cause:
    if look.rise("write_stall", stores[0]) > 0:
        says = "RocksDB stalls writes, compaction or flush cannot keep up: tikv_engine_write_stall_reason says which"
        return Cause("tikv", "write_stall", says)
    return Cause("tikv", "apply", "RocksDB reports no write stall")


def _unexplained(look: Look, stores: tuple[str, ...]) -> Cause:
    says = "no stage inside explains it: gRPC threads, or a stage that has no metric in this version"
    return Cause("tikv", look.total, says)


def _work(look: Look, stores: tuple[str, ...]) -> Cause:
    """Say why a read's own work takes longer."""
    for stage, why in _WORK_BECAUSE:
        growth = look.of(stage, stores[0])
        if growth is not None and look.rise(stage, stores[0]) > 0:
            before, now = growth.before.get("figure"), growth.now.get("figure")
            return Cause("tikv", stage, why.format(before=plain(before), now=plain(now)))
    stage = "coprocessor_handle" if look.rise("coprocessor_handle", stores[0]) else "point_reads"
    return Cause("tikv", stage, "neither old versions nor reads from disk grew: larger scans, or too little CPU")


_WORK_BECAUSE = (
    (
        "versions_walked",
        "{now} versions are walked for each key used, before {before}: see gc_advances, and long transactions",
    ),
    ("tombstones_skipped", "each read skips {now} tombstones, before {before}: many deletes, compaction behind"),
    ("block_read", "each read waits {now} s for blocks from disk, before {before}: a cold cache or a slow disk"),
    ("cache_misses", "{now} of the block lookups miss the cache, before {before}"),
)


def _snapshot(look: Look, stores: tuple[str, ...]) -> Cause:
    if look.rise("read_index", stores[0]) > 0:
        says = "leases lapse, so reads ask the peers who leads: late peers, network, or leaders that moved"
        return Cause("tikv", "read_index", says)
    return Cause("tikv", "snapshot", "not by read index: the raftstore answers late")


_REFINED: dict[str, Callable[[Look, tuple[str, ...]], Cause]] = {
    "append": _log,
    "commit": _commit,
    "apply": _apply,
    "coprocessor_handle": _work,
    "point_reads": _work,
    "snapshot": _snapshot,
    "write_requests": _unexplained,
    "read_requests": _unexplained,
}
