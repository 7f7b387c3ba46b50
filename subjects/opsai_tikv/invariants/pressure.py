"""What must hold of feeds, snapshots, catching up, sleeping regions, and of whole places."""

from opsai_tikv.invariants.rule import NEEDS_PD, InvariantRule, rule
from opsai_tikv.invariants.store_looks import restarting_in_order
from opsai_tikv.seen import ABSENT, Look, Seen
from opsai_tikv.signs.idle import raft_crowded, reads_slow, regions_woken, versions_skipped
from opsai_tikv.signs.load import requests_surge, writes_surge
from opsai_tikv.signs.places import labels_disagree, place_gone, stores_of
from opsai_tikv.signs.pressure import applies_late_after_start, feed_scans_pile_up, snapshots_wait
from opsai_tikv.signs.process import restarted, stopped_in_order


def _both(one: Seen, other: Seen) -> Seen:
    """Return the first when both are shown, else what keeps the two from it."""
    if one.state == "shown" and other.state == "shown":
        return one
    if "absent" in (one.state, other.state):
        return ABSENT
    return one if one.state == "unknown" else other


def place_lost(look: Look, entity: str) -> Seen:
    """All its stores are gone, and none of them is just restarting in order."""
    seen = place_gone(look, entity)
    if seen.state == "shown" and any(restarting_in_order(look, store) for store in stores_of(look, entity)):
        return Seen("absent", "a store of it is restarting in order")
    return seen


def woken_and_crowded(look: Look, entity: str) -> Seen:
    """Sleeping regions woke together, and raft is late for it, without clients or a restart in order to wake them."""
    seen = _both(regions_woken(look, entity), raft_crowded(look, entity))
    if seen.state != "shown":
        return seen
    if any(surge(look, entity).state == "shown" for surge in (requests_surge, writes_surge)):
        return Seen("absent", "clients ask more, and wake the regions that they ask")
    if any(restarting_in_order(look, store) or _came_back_in_order(look, store) for store in look.stores):
        return Seen("absent", "a store restarts in order, and wakes the regions that it holds")
    return seen


def _came_back_in_order(look: Look, store: str) -> bool:
    again = restarted(look, store)
    return again.state == "shown" and again.active and stopped_in_order(look, store).state == "shown"


def garbage_and_slow(look: Look, entity: str) -> Seen:
    """Reads step over old versions, and take long."""
    return _both(versions_skipped(look, entity), reads_slow(look, entity))


PRESSURE_RULES: tuple[InvariantRule, ...] = (
    rule(
        "place",
        "place_up",
        "A machine or zone with several stores has one that is up.",
        "Its stores have one cause; no other place may be stopped until it is back.",
        place_lost,
        "status ports, store heartbeats, location labels and addresses",
        severity="critical",
        for_seconds=0.0,
        unit="stores",
        unknown_means=NEEDS_PD,
        explained_by=("stores_within_replicas",),
    ),
    rule(
        "store",
        "store_labels_true",
        "Stores of one machine have the same location labels.",
        "PD takes them for apart and may put two copies of a region on one machine.",
        labels_disagree,
        "store labels, addresses and replication.location-labels",
        severity="info",
        for_seconds=60.0,
        unknown_means=NEEDS_PD,
    ),
    rule(
        "store",
        "store_feeds_keep_up",
        "Scans for changefeeds and log backup do not pile up on the store.",
        "They take processor, disk and memory from clients, and the store may be killed for its memory.",
        feed_scans_pile_up,
        "tikv_cdc_scan_tasks, tikv_log_backup_pending_initial_scan",
        for_seconds=120.0,
        unit="scans",
        explained_by=("store_up", "place_up"),
    ),
    rule(
        "store",
        "store_applies_snapshots",
        "Snapshots do not wait long on the store.",
        "Until they are applied its peers are no copies.",
        snapshots_wait,
        "tikv_raftstore_snapshot_pending_applies",
        for_seconds=60.0,
        unit="snapshots",
        explained_by=("store_not_throttled", "store_disk_fast", "store_disk_space"),
    ),
    rule(
        "store",
        "store_catches_up",
        "A store that started has applied its log.",
        "PD gives it no leaders before, and its regions stand on their other copies.",
        applies_late_after_start,
        "tikv_raftstore_busy_on_apply_region_total within an hour of its start",
        severity="info",
        for_seconds=120.0,
        unit="peers",
        explained_by=("store_stays_up", "store_up", "place_up"),
    ),
    rule(
        "load",
        "regions_sleep",
        "Idle regions do not wake together and crowd raft.",
        "Messages are dropped, commits are late, leaders change.",
        woken_and_crowded,
        "tikv_raftstore_hibernated_peer_state, raft messages dropped, commit time",
        for_seconds=60.0,
        unit="peers",
        explained_by=("store_up", "place_up", "pd_member_up", "pd_leader_stable", "load_carried"),
    ),
    rule(
        "load",
        "reads_meet_live_data",
        "Reads do not wade through old versions.",
        "Scans of few rows take seconds and all of a disk.",
        garbage_and_slow,
        "rocksdb_perf internal_key_skipped_count and internal_delete_skipped_count against keys read",
        for_seconds=120.0,
        unit="for each key read",
        explained_by=("gc_advances", "load_carried"),
    ),
)
