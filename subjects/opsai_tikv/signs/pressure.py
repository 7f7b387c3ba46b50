"""Signs of what presses on a store besides its clients: feeds, snapshots, catching up, dropped ranges."""

from opsai_tikv.seen import ABSENT, Look, Seen, ago, figure, unknown
from opsai_tikv.signs.leadership import leaving_and_stuck
from opsai_tikv.signs.reach import pd_disconnected, process_gone
from opsai_tikv.signs.rule import SignRule

EVICT = "evict-leader-scheduler"
MINUTE = 4
"""Points that make a minute."""
FAILED_SNAPSHOTS = 3
CATCH_UP_SECONDS = 3600.0
COMPACTION_DEBT_BYTES = 8.0 * 2**30


def feed_scans_pile_up(look: Look, entity: str) -> Seen:
    """Scans for changefeeds or log backup run or wait by the dozen."""
    return _above(look, "feed_scans", entity, look.limit("store_feeds_keep_up"), "scans at once")


def feed_memory_full(look: Look, entity: str) -> Seen:
    """What changefeeds may hold in memory is nearly used up."""
    return _above(look, "feed_memory_ratio", entity, 0.8, "of what changefeeds may hold")


def snapshots_wait(look: Look, entity: str) -> Seen:
    """Snapshots wait to be applied, for a minute and longer."""
    return _above(look, "snapshots_to_apply", entity, look.limit("store_applies_snapshots"), "snapshots wait")


def snapshots_fail(look: Look, entity: str) -> Seen:
    """Its log tells of snapshots that did not get through."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable")
    failed = log.patterns.get("snapshot_failed")
    if failed is None or failed.count < FAILED_SNAPSHOTS:
        return ABSENT
    age = ago(look.facts, failed.last_at)
    active = age is not None and age < 120
    return Seen("shown", f"{failed.count} times: {failed.sample}", active, failed.count, since=failed.first_at)


def peers_unwell(look: Look, entity: str) -> Seen:
    """Regions have peers that are down or pending while no store is away."""
    states = look.facts.region_states
    if states is None or not look.facts.stores_known:
        return unknown("PD's region states or its stores are not known")
    if look.once("a store is away", lambda: any(_away(look, store) for store in look.stores)):
        return ABSENT
    found = {name: states.get(name, 0) for name in ("down-peer", "pending-peer") if states.get(name, 0)}
    if not found:
        return ABSENT
    says = ", ".join(f"{count} regions {name}" for name, count in found.items())
    return Seen("shown", f"{says} with every store Up", value=max(found.values()), limit=0)


def _away(look: Look, store: str) -> bool:
    return process_gone(look, store).state == "shown" or pd_disconnected(look, store).state == "shown"


def applies_late_after_start(look: Look, entity: str) -> Seen:
    """It started within the hour, and peers on it still have much of their log to apply."""
    start = look.now("start_time", entity)
    at = start or (started.timestamp() if (started := look.started_at(entity)) else None)
    if at is None:
        return unknown("its start time is not known")
    busy = _above(look, "busy_on_apply", entity, look.limit("store_catches_up"), "peers still apply")
    age = look.facts.at.timestamp() - at
    if busy.state == "shown" and age > CATCH_UP_SECONDS:
        return Seen("absent", f"peers still apply, but it started {age / 3600:.1f} h ago")
    return busy


def drain_waits(look: Look, entity: str) -> Seen:
    """A store that is being emptied of regions or leaders does not get rid of them."""
    if not look.facts.stores_known or look.facts.schedulers is None:
        return unknown("PD's stores or schedulers are not known")
    waiting = [store for store in look.stores if _keeps(look, store)]
    if not waiting:
        untold = [store for store in look.facts.evicting if look.track("leaders", store) is None]
        return unknown(f"nobody says how many leaders {untold[0]} had before") if untold else ABSENT
    return Seen("shown", f"{', '.join(waiting[:8])} cannot be emptied", value=len(waiting), limit=0)


def _keeps(look: Look, store: str) -> bool:
    if leaving_and_stuck(look, store).state == "shown":
        return True
    if store not in look.facts.evicting or look.facts.evicting[store] != EVICT:
        return False
    track = look.track("leaders", store)
    held = track is not None and track.now is not None and track.before is not None
    return bool(held and track and track.now and track.before and track.now >= track.before)


def range_denied(look: Look, entity: str) -> Seen:
    """Rules keep ranges of keys out of scheduling."""
    rules = look.facts.denied_ranges
    if rules is None:
        waits = drain_waits(look, entity)
        return ABSENT if waits.state == "absent" else unknown("PD's region-label rules could not be read")
    if not rules:
        return ABSENT
    return Seen("shown", f"{len(rules)} rules: {', '.join(rules[:4])}", value=len(rules), limit=0)


def ranges_destroyed(look: Look, entity: str) -> Seen:
    """Whole key ranges were deleted in it: a table, partition or index was dropped."""
    seen = look.when("destroyed_ranges", entity, lambda _, value: value > 0, at_least=1)
    if seen.state != "shown":
        return seen
    # what was dropped minutes ago is compacted now
    return Seen("shown", "dropped ranges are deleted", True, seen.value, 0.0, seen.since)


def compaction_debt(look: Look, entity: str) -> Seen:
    """Compaction has far more to do than before."""
    past = look.before("pending_compaction_bytes", entity) or 0.0
    return _above(
        look, "pending_compaction_bytes", entity, max(COMPACTION_DEBT_BYTES, 2 * past), "bytes wait for compaction"
    )


def _above(look: Look, name: str, entity: str, limit: float, what: str) -> Seen:
    seen = look.when(name, entity, lambda _, value: value >= limit, at_least=MINUTE)
    if seen.state != "shown" or not isinstance(seen.value, float):
        return seen
    return Seen("shown", f"{figure(seen.value)} {what}", seen.active, seen.value, limit, seen.since)


PAUSED = (
    SignRule("range_denied", "a range of keys is kept out of scheduling", range_denied),
    SignRule("drain_waits", "a store that is being emptied is not", drain_waits, metrics=("leaders", "regions")),
)
PRESSURE = (
    SignRule(
        "feed_scans_pile_up",
        "scans for changefeeds or log backup pile up on it",
        feed_scans_pile_up,
        metrics=("cdc_scan_tasks", "log_backup_pending_scans"),
    ),
    SignRule(
        "feed_memory_full", "changefeeds use up their memory", feed_memory_full, metrics=("cdc_sink_memory_ratio",)
    ),
    SignRule(
        "snapshots_wait", "snapshots wait to be applied", snapshots_wait, metrics=("snapshots_to_apply", "l0_files")
    ),
    SignRule("snapshots_fail", "snapshots fail", snapshots_fail, metrics=("snapshot_traffic",)),
    SignRule(
        "peers_unwell", "peers are down or pending while every store is Up", peers_unwell, metrics=("region_health",)
    ),
    SignRule(
        "applies_late_after_start",
        "it started lately and still applies its log",
        applies_late_after_start,
        metrics=("busy_on_apply", "uptime"),
    ),
    SignRule("ranges_destroyed", "whole ranges of keys are deleted in it", ranges_destroyed, metrics=("gc_tasks",)),
    SignRule(
        "compaction_debt", "compaction falls behind", compaction_debt, metrics=("pending_compaction_bytes", "l0_files")
    ),
)
