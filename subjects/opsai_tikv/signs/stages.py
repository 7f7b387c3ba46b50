"""Signs of a store's stages: disk, processor, the write path, the engine, its traffic."""

from opsai_tikv.seen import ABSENT, Look, Seen, figure, unknown
from opsai_tikv.signs.rule import SignRule

APPLY_WAIT_SECONDS = 0.1
PROPOSE_LATE_SECONDS = 0.05
COMMIT_LATE_SECONDS = 0.1


def fsync_late(look: Look, entity: str) -> Seen:
    """The fsync of its raft log is late: the disk itself."""
    return look.over("fsync_p99", entity, floor=look.limit("store_disk_fast"), factor=4, own=2)


def fsync_stuck(look: Look, entity: str) -> Seen:
    """Its raft log completes no fsync while its peers' do."""
    if (look.before("fsync_rate", entity) or 0) < 1:
        return unknown("it wrote too little before to tell")

    stuck = look.limit("store_disk_completes")

    def also(index: int, value: float) -> bool:
        return value < stuck and (look.peer_median("fsync_rate", entity, index) or 0.0) > 1

    return look.fell("fsync_rate", entity, ratio=0.05, also=also)


def append_late(look: Look, entity: str) -> Seen:
    """Appending to its raft log is late."""
    return look.over("append_p99", entity, floor=look.limit("store_append_fast"), factor=4, own=2)


def apply_late(look: Look, entity: str) -> Seen:
    """Applying committed entries is late: no fsync in it, processor and memtable only."""
    late = look.over("apply_p99", entity, floor=look.limit("store_apply_fast"), factor=5, own=3)
    if late.state == "shown":
        return late
    waiting = look.over("apply_wait_p99", entity, floor=APPLY_WAIT_SECONDS, factor=5, own=3)
    return waiting if waiting.state == "shown" else late


def propose_late(look: Look, entity: str) -> Seen:
    """Proposals wait for the raftstore thread."""
    return look.over("propose_wait_p99", entity, floor=PROPOSE_LATE_SECONDS, factor=5, own=3)


def commit_late(look: Look, entity: str) -> Seen:
    """Its leaders wait long for their quorum."""
    return look.over("commit_p99", entity, floor=COMMIT_LATE_SECONDS, factor=3, own=2)


def commit_late_at_median(look: Look, entity: str) -> Seen:
    """Even the middle one of its commits is late: a delay, not a loss now and then."""
    return look.over("commit_p50", entity, floor=0.02, factor=3, own=3)


def scheduler_late(look: Look, entity: str) -> Seen:
    """Its transaction scheduler's commands are late."""
    return look.over("scheduler_p99", entity, floor=look.limit("store_scheduler_fast"), factor=3, own=2)


def write_late(look: Look, entity: str) -> Seen:
    """Writing through raft is late on it: propose, commit and apply together."""
    return look.over("async_write_p99", entity, floor=look.limit("store_writes_fast"), factor=3, own=2)


def requests_late(look: Look, entity: str) -> Seen:
    """Its clients wait longer than those of other stores."""
    return look.over("grpc_p99", entity, floor=look.limit("store_serves_fast"), factor=3, own=2)


def reads_late(look: Look, entity: str) -> Seen:
    """Its reads are late and its peers' are not."""
    return look.over("read_grpc_p99", entity, floor=0.1, factor=3, own=3)


def send_wait_late(look: Look, entity: str) -> Seen:
    """Its raft messages wait long before they are sent: the way out is narrow, or full."""
    return look.over("send_wait_p99", entity, floor=0.05, factor=4, own=4)


def disk_probe_timed_out(look: Look, entity: str) -> Seen:
    """Its log says that its disk's probe timed out: it ends itself because the disk hangs."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable")
    found = log.patterns.get("disk_probe_timeout")
    return Seen("shown", found.sample, value=found.count, since=found.first_at) if found else ABSENT


def scrape_late(look: Look, entity: str) -> Seen:
    """Answering a scrape takes it long."""
    return look.over("scrape_seconds", entity, floor=0.8, factor=4, own=3)


def message_late(look: Look, entity: str) -> Seen:
    """Raft messages reach it, or leave it, late."""
    return look.over("message_delay_p50", entity, floor=0.01, factor=2.5, own=3)


def probe_late(look: Look, entity: str) -> Seen:
    """Its probes of the way to its peers take long."""
    return look.over("network_probe_best", entity, floor=0.015, factor=3, own=3)


def schedule_wait_late(look: Look, entity: str) -> Seen:
    """Tasks wait for a thread in its pools."""
    return look.over("schedule_wait_p99", entity, floor=0.03, factor=4, own=3)


CPU_STAGES = (apply_late, propose_late, schedule_wait_late, scrape_late)


def cpu_late(look: Look, entity: str) -> Seen:
    """Stages that share nothing but the processor are late together."""
    message = look.over("message_delay_p99", entity, floor=0.05, factor=5, own=3)
    found = [stage(look, entity) for stage in CPU_STAGES] + [message]
    shown = [seen for seen in found if seen.state == "shown"]
    enough = look.limit("store_cpu_enough")
    if len(shown) >= enough:
        active = sum(seen.active for seen in shown) >= 2
        since = min((seen.since for seen in shown if seen.since), default=None)
        return Seen("shown", "; ".join(seen.says for seen in shown), active, len(shown), enough, since)
    if len(shown) + sum(seen.state == "unknown" for seen in found) >= enough and not shown:
        return unknown("too few of its processor-bound stages have samples")
    return ABSENT


def inspect_late(look: Look, entity: str) -> Seen:
    """TiKV's own disk probe is late."""
    return look.over("inspect_p99", entity, floor=0.2, factor=4, own=2)


def slow_score_high(look: Look, entity: str) -> Seen:
    """It calls itself slow."""
    slow = look.limit("store_not_slow")
    seen = look.when("slow_score", entity, lambda _, value: value >= slow, 1)
    store = look.store(entity)
    if seen.state != "shown" and (store.slow_score or 0) >= slow:
        return Seen("shown", f"slow score {store.slow_score:.0f} of 100", value=store.slow_score, limit=slow)
    if seen.state != "shown":
        return seen
    return Seen("shown", f"slow score {figure(_number(seen))} of 100", seen.active, seen.value, slow, seen.since)


def throttled(look: Look, entity: str) -> Seen:
    """Flow control throttles foreground writes, or RocksDB stalls them."""
    flow = look.when("throttle", entity, lambda _, value: value > 0)
    if flow.state == "shown":
        return Seen(
            "shown",
            f"flow control lets {figure(_number(flow))} bytes/s through",
            flow.active,
            flow.value,
            0.0,
            flow.since,
        )
    stall = look.when("write_stall_us", entity, lambda _, value: value > 100_000)
    if stall.state == "shown":
        return Seen(
            "shown",
            f"RocksDB stalled writes for {figure(_number(stall))} µs",
            stall.active,
            stall.value,
            100_000.0,
            stall.since,
        )
    full = look.over("immutable_memtables", entity, floor=3.5, factor=2)
    if full.state == "shown":
        return full
    return stall if flow.state == "absent" else flow


def turns_away(look: Look, entity: str) -> Seen:
    """It turns requests away as too busy."""
    limit = look.limit("store_takes_requests")
    seen = look.when("busy", entity, lambda _, value: value > limit)
    if seen.state != "shown":
        return seen
    return Seen(
        "shown", f"{figure(_number(seen))} requests/s refused as busy", seen.active, seen.value, limit, seen.since
    )


def reads_fail(look: Look, entity: str) -> Seen:
    """Reads fail in it."""
    for name in ("read_failures", "cop_failures", "request_failures"):
        seen = look.over(name, entity, floor=look.limit("store_reads_succeed"), factor=4)
        if seen.state == "shown":
            return seen
    return ABSENT if look.track("read_failures", entity) else unknown("its error counters have no samples")


def critical_errors(look: Look, entity: str) -> Seen:
    """It counts critical errors, or its log tells of a failing disk."""
    seen = look.when("critical_errors", entity, lambda _, value: value > 0, 1)
    log = look.facts.logs.get(entity)
    if log and "disk_error" in log.patterns:
        found = log.patterns["disk_error"]
        return Seen("shown", found.sample, value=found.count, since=found.first_at)
    return seen


def _space(look: Look, entity: str) -> float | None:
    store = look.store(entity)
    available, capacity = look.now("available_bytes", entity), look.now("capacity_bytes", entity)
    if available is None or not capacity:
        available, capacity = (store.available_bytes, store.capacity_bytes)
    return available / capacity if available is not None and capacity else None


def disk_low(look: Look, entity: str) -> Seen:
    """Less than a fifth of its disk is free."""
    ratio = _space(look, entity)
    if ratio is None:
        return unknown("its free space is not known")
    limit = look.limit("store_space_left")
    if ratio < limit:
        return Seen("shown", f"{ratio:.1%} free", value=round(ratio, 4), limit=limit)
    return ABSENT


def disk_full(look: Look, entity: str) -> Seen:
    """Its disk is full, or below what TiKV keeps in reserve."""
    errors = look.when("disk_full_errors", entity, lambda _, value: value > 0, 1)
    if errors.state == "shown":
        return Seen("shown", "writes are refused for want of space", errors.active, errors.value, 0.0, errors.since)
    log = look.facts.logs.get(entity)
    if log and (found := log.patterns.get("no_space") or log.patterns.get("disk_usage_changed")):
        return Seen("shown", found.sample, value=found.count, since=found.first_at)
    ratio = _space(look, entity)
    if ratio is None:
        return unknown("its free space is not known")
    limit = look.limit("store_disk_space")
    return Seen("shown", f"{ratio:.1%} free", value=round(ratio, 4), limit=limit) if ratio < limit else ABSENT


def traffic_gone(look: Look, entity: str) -> Seen:
    """Its clients' requests stopped, and the other stores' did not."""
    past = look.before("requests", entity) or 0.0
    if past < 2:
        return unknown("it had too little traffic before to tell")

    def also(index: int, value: float) -> bool:
        # closed-loop clients that wait for this store ask the others less too, never nothing
        return _leads_at(look, entity, index) and (look.peer_median("requests", entity, index) or 0.0) > 0.05 * past

    return look.fell("requests", entity, ratio=0.02, also=also)


def _leads_at(look: Look, entity: str, index: int) -> bool:
    """Say whether it still led a good part of its regions then: without leaders there is nothing to ask it for."""
    track = look.track("leaders", entity)
    point = track.points[index] if track else None
    return track is None or point is None or point > 0.3 * (track.before or 0.0)


def raft_deaf(look: Look, entity: str) -> Seen:
    """It hardly gets raft messages any more, and its peers do."""
    past = look.before("raft_received", entity) or 0
    if past < 2:
        return unknown("it got too few raft messages before to tell")

    def also(index: int, value: float) -> bool:
        return (look.peer_median("raft_received", entity, index) or 0.0) > 0.3 * past

    return look.fell("raft_received", entity, ratio=0.1, also=also)


def raft_dropped(look: Look, entity: str) -> Seen:
    """Raft messages are dropped or rejected inside it."""
    rejected = look.over("raft_rejects", entity, floor=0.2, factor=3)
    if rejected.state == "shown":
        return rejected
    return look.over("raft_dropped", entity, floor=5, factor=4, own=4)


def _number(seen: Seen) -> float | None:
    return seen.value if isinstance(seen.value, (int, float)) else None


STAGES = (
    SignRule("fsync_late", "its raft log's fsync is late", fsync_late, metrics=("fsync_p99",)),
    SignRule("fsync_stuck", "its raft log completes no fsync", fsync_stuck, metrics=("fsync_rate",)),
    SignRule("append_late", "appending to its raft log is late", append_late, metrics=("append_p99",)),
    SignRule("apply_late", "applying is late on it", apply_late, metrics=("apply_p99", "apply_wait_p99")),
    SignRule("propose_late", "proposals wait for its raftstore", propose_late, metrics=("propose_wait_p99",)),
    SignRule("commit_late", "its leaders wait long for their quorum", commit_late, metrics=("commit_p99",)),
    SignRule(
        "commit_late_at_median",
        "even the middle one of its commits is late",
        commit_late_at_median,
        metrics=("commit_p99",),
    ),
    SignRule("scheduler_late", "its scheduler's commands are late", scheduler_late, metrics=("scheduler_p99",)),
    SignRule("write_late", "writing through raft is late on it", write_late, metrics=("async_write_p99",)),
    SignRule("requests_late", "its clients wait long", requests_late, metrics=("grpc_p99",)),
    SignRule("reads_late", "its reads are late", reads_late, metrics=("grpc_p99_by_type",)),
    SignRule("send_wait_late", "its raft messages wait long before they are sent", send_wait_late),
    SignRule("disk_probe_timed_out", "it found its disk hung", disk_probe_timed_out),
    SignRule("scrape_late", "answering a scrape takes it long", scrape_late),
    SignRule("message_late", "raft messages are late at it", message_late),
    SignRule("probe_late", "its probes of its peers take long", probe_late),
    SignRule(
        "schedule_wait_late", "tasks wait for a thread in its pools", schedule_wait_late, metrics=("schedule_wait_p99",)
    ),
    SignRule(
        "cpu_late",
        "stages that share only the processor are late together",
        cpu_late,
        metrics=("cpu_cores", "schedule_wait_p99"),
    ),
    SignRule("inspect_late", "its own disk probe is late", inspect_late, metrics=("inspect_p99",)),
    SignRule("slow_score_high", "it calls itself slow", slow_score_high, metrics=("slow_score",)),
    SignRule(
        "throttled", "its writes are throttled or stalled", throttled, metrics=("throttle_flow", "immutable_memtables")
    ),
    SignRule("turns_away", "it turns requests away as busy", turns_away, metrics=("scheduler_busy", "raftkv_errors")),
    SignRule("reads_fail", "reads fail in it", reads_fail, metrics=("raftkv_errors",)),
    SignRule("critical_errors", "it counts critical errors", critical_errors, metrics=("critical_errors",)),
    SignRule("disk_low", "its disk runs low", disk_low, metrics=("available_ratio",)),
    SignRule("disk_full", "its disk is full", disk_full, metrics=("available_ratio",)),
    SignRule("traffic_gone", "its clients' requests stopped", traffic_gone, metrics=("requests",)),
    SignRule("raft_deaf", "it hardly gets raft messages", raft_deaf),
    SignRule("raft_dropped", "raft messages are dropped inside it", raft_dropped, metrics=("raft_dropped",)),
)
