"""What must hold of PD, of settings and of the load."""

from collections.abc import Callable
from typing import Any

from opsai_subjects.invariant import Invariant
from opsai_tikv.invariants.rule import Group, InvariantRule, either
from opsai_tikv.invariants.stores import NEEDS_METRICS, NEEDS_PD
from opsai_tikv.seen import ABSENT, Look, Seen, unknown
from opsai_tikv.signs.leadership import majority_of_stores_gone
from opsai_tikv.signs.load import (
    contended,
    data_grows,
    everyone_late,
    gc_held_back,
    hot_read_region,
    hot_write_region,
    pd_without_leader,
    reads_skewed,
    turned_away_everywhere,
    writes_skewed,
)
from opsai_tikv.signs.members import (
    leader_changes,
    majority_of_members_gone,
    member_cpu_late,
    member_disk_error,
    member_disk_full,
    member_isolated,
    member_refused,
    member_silent,
    quota_near,
    rtt_late,
    rtt_late_at_times,
    stores_cut_from_pd,
    wal_late,
    wal_stuck,
)
from opsai_tikv.signs.settings import bad_setting, scheduler_left_behind, scheduler_missing, scheduler_paused

LISTED_REGIONS = {"miss-peer": 0, "down-peer": 0, "pending-peer": 0, "offline-peer": 0}
PENDING_SHARE = 0.05
TARGET_MISSES = 2


def any_member_majority_gone(look: Look, entity: str) -> Seen:
    """Most members do not answer."""
    found = [majority_of_members_gone(look, member) for member in look.members]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    return shown or (ABSENT if found else unknown("no member is known"))


def any_store_majority_gone(look: Look, entity: str) -> Seen:
    """Stores are gone beyond what the replicas cover."""
    found = [majority_of_stores_gone(look, store) for store in look.stores]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    return shown or (ABSENT if found else unknown("no store is known"))


def leader_unsteady(look: Look, entity: str) -> Seen:
    """The PD leader changed more than once within the look-back."""
    if not look.facts.tracks.known("leading"):
        return unknown("Prometheus does not say who led before")
    count = leader_changes(look)
    return (
        Seen("shown", f"{count} changes of the PD leader within the look-back", value=count, limit=1)
        if count >= 2
        else ABSENT
    )


def peers_missing(look: Look, entity: str) -> Seen:
    """Regions lack a healthy peer."""
    states = look.facts.region_states
    if states is None:
        return unknown("PD's region states are not known")
    total = max(1, look.facts.region_count or sum(states.values()))
    found = {name: count for name, count in states.items() if name in LISTED_REGIONS and count > PENDING_SHARE * total}
    if not found:
        return ABSENT
    says = ", ".join(f"{count} regions {name}" for name, count in sorted(found.items()))
    return Seen("shown", f"{says} of {total}", value=sum(found.values()), limit=round(PENDING_SHARE * total, 1))


def target_unseen(look: Look, entity: str) -> Seen:
    """Prometheus cannot scrape a node that answers otherwise."""
    member = entity in look.members
    group = look.members if member else look.stores
    covered = look.once(f"targets {member}", lambda: any(look.track("up", other) for other in group))
    if not covered:
        return unknown("Prometheus has no target of any such node")
    track = look.track("up", entity)
    if track is None:
        return Seen("shown", "Prometheus has no target for it and has some for others", value="no target")
    port = look.member(entity).client_port if member else look.store(entity).status_port
    if all(point == 0 for point in track.points[-TARGET_MISSES:]) and port == "answered":
        return Seen("shown", "its scrape fails and it answers otherwise", value="down")
    return ABSENT


def source_unseen(look: Look, entity: str) -> Seen:
    """Prometheus as a whole cannot be read, or scrapes none of the nodes."""
    if not look.facts.tracks.by_name:
        why = next((entry.why for entry in look.facts.unread if entry.source == "prometheus"), "")
        if "no Prometheus is set" in why:
            return unknown(why)
        return Seen("shown", f"Prometheus cannot be read: {why[:200]}", value="prometheus")
    for says, group in (("stores", look.stores), ("PD members", look.members)):
        if group and not any(look.track("up", entity) for entity in group):
            return Seen("shown", f"Prometheus has a target for none of the {len(group)} {says}", value=says)
    return ABSENT


def _rule(
    group: Group,
    invariant_id: str,
    says: str,
    why: str,
    look: Callable[[Look, str], Seen],
    source: str,
    **more: Any,
) -> InvariantRule:
    base: dict[str, Any] = {
        "severity": "warning",
        "grade": "cause",
        "for_seconds": 20.0,
        "unknown_means": NEEDS_METRICS,
    }
    return InvariantRule(Invariant(id=invariant_id, says=says, why=why, source=source, **(base | more)), group, look)


PD_RULES: tuple[InvariantRule, ...] = (
    _rule(
        "cluster",
        "pd_quorum",
        "Most PD members answer.",
        "Without a majority there is no timestamp and no routing: transactions stop everywhere.",
        any_member_majority_gone,
        "each member asked for itself",
        severity="critical",
        for_seconds=0.0,
        unknown_means=NEEDS_PD,
        explained_by=("pd_member_up",),
    ),
    _rule(
        "cluster",
        "pd_has_leader",
        "PD has a leader.",
        "Without one there is no timestamp, no routing and no scheduling.",
        pd_without_leader,
        "each member's own view (PD-Allow-follower-handle)",
        severity="critical",
        for_seconds=10.0,
        unknown_means=NEEDS_PD,
        explained_by=("pd_member_up", "pd_quorum"),
    ),
    _rule(
        "pd",
        "pd_member_up",
        "The PD member answers.",
        "PD stands one failure nearer to losing its majority.",
        either(member_refused, member_silent),
        "its client port",
        severity="critical",
        for_seconds=0.0,
        unknown_means="It was never reached from here: map its address in `addresses`.",
        explained_by=("pd_quorum", "pd_has_leader"),
    ),
    _rule(
        "pd",
        "pd_member_in_touch",
        "The PD member sees the leader that the others see.",
        "It is cut off and counts for nothing.",
        member_isolated,
        "its own view of the membership; etcd_server_has_leader",
        explained_by=("pd_quorum", "pd_has_leader"),
    ),
    _rule(
        "cluster",
        "pd_leader_stable",
        "The PD leader stays.",
        "Each change stops timestamps for seconds and scheduling for minutes.",
        leader_unsteady,
        "service_member_role",
        for_seconds=0.0,
        unit="changes",
        limit=1.0,
        explained_by=(
            "pd_member_up",
            "pd_quorum",
            "pd_has_leader",
            "pd_disk_fast",
            "pd_member_in_touch",
            "pd_network_fast",
            "pd_cpu_enough",
        ),
    ),
    _rule(
        "pd",
        "pd_reached_by_stores",
        "Stores reach the PD leader.",
        "It leads and nobody can use it.",
        stores_cut_from_pd,
        "store heartbeats and tikv_pd_reconnect_total",
        severity="critical",
        explained_by=("pd_quorum", "pd_has_leader", "pd_member_up", "store_up"),
    ),
    _rule(
        "pd",
        "pd_disk_fast",
        "The PD member's disk is quick.",
        "A late log fsync loses the leader's lease.",
        wal_late,
        "etcd_disk_wal_fsync_duration_seconds",
        unit="s",
    ),
    _rule(
        "pd",
        "pd_disk_completes",
        "The PD member's disk completes its writes.",
        "It may still call itself leader while nothing is saved.",
        wal_stuck,
        "rate of etcd_disk_wal_fsync_duration_seconds_count",
        severity="critical",
        unit="fsyncs/s",
        explained_by=("pd_quorum", "pd_has_leader", "pd_member_up"),
    ),
    _rule(
        "pd",
        "pd_network_fast",
        "The way between the PD member and the others is quick.",
        "Every timestamp save and lease renewal waits for it.",
        either(rtt_late, rtt_late_at_times),
        "etcd_network_peer_round_trip_time_seconds",
        unit="s",
        explained_by=("pd_member_up", "pd_cpu_enough", "pd_network_fast", "pd_disk_fast", "pd_quorum"),
    ),
    _rule(
        "pd",
        "pd_cpu_enough",
        "The PD member gets the processor time it needs.",
        "Everything PD does is late.",
        member_cpu_late,
        "go_sched_latencies_seconds",
        unit="s",
    ),
    _rule(
        "pd",
        "pd_disk_space",
        "The PD member has space to write.",
        "etcd stops at a full disk or quota.",
        either(member_disk_full, quota_near),
        "its log; etcd_mvcc_db_total_size_in_bytes",
        severity="critical",
        for_seconds=0.0,
    ),
    _rule(
        "pd",
        "pd_disk_sound",
        "The PD member's disk gives no errors.",
        "It will not start again, or serve wrong data.",
        member_disk_error,
        "its log",
        severity="critical",
        for_seconds=0.0,
        unknown_means="Its log is not readable: set `logs`.",
    ),
)
PLACEMENT_RULES: tuple[InvariantRule, ...] = (
    _rule(
        "cluster",
        "stores_within_replicas",
        "No more stores are gone than the replicas cover.",
        "Regions that lost their majority neither read nor write.",
        any_store_majority_gone,
        "status ports, store heartbeats and max-replicas",
        severity="critical",
        for_seconds=0.0,
        unknown_means=NEEDS_PD,
        explained_by=("store_up", "store_reachable"),
    ),
    _rule(
        "cluster",
        "regions_whole",
        "Regions have their peers.",
        "A region with a peer less is nearer to losing its majority.",
        peers_missing,
        "pd_regions_status",
        grade="symptom",
        for_seconds=60.0,
        unit="regions",
        explained_by=("store_up",),
    ),
    _rule(
        "scheduler",
        "schedulers_as_meant",
        "PD's schedulers are the ones it comes with.",
        "One left behind, paused or removed keeps leaders or regions where they are.",
        either(scheduler_left_behind, scheduler_missing, scheduler_paused),
        "/pd/api/v1/schedulers",
        for_seconds=30.0,
        unknown_means=NEEDS_PD,
    ),
    _rule(
        "config",
        "settings_sane",
        "PD's settings keep the cluster well.",
        "A limit of 0 or a switch turned off ends repair or balance without a word.",
        bad_setting,
        "/pd/api/v1/config",
        for_seconds=20.0,
        unknown_means=NEEDS_PD,
    ),
    _rule(
        "cluster",
        "gc_advances",
        "GC advances.",
        "Old versions pile up: scans slow down, space goes.",
        gc_held_back,
        "/pd/api/v1/gc/safepoint",
        for_seconds=60.0,
        unit="s behind",
        limit=3600.0,
        unknown_means="GC is not used (no TiDB), or PD cannot be asked.",
    ),
)
LOAD_RULES: tuple[InvariantRule, ...] = (
    _rule(
        "region",
        "load_even",
        "No single place carries a quarter of the traffic.",
        "One region is led by one store: balance cannot spread it.",
        either(writes_skewed, hot_write_region, reads_skewed, hot_read_region),
        "tikv_grpc_msg_duration_seconds_count by store; each region's keys written and read",
        for_seconds=20.0,
        explained_by=(
            "store_up",
            "schedulers_as_meant",
            "leaders_spread",
            "store_keeps_leaders",
            "store_not_slow",
            "store_stays_up",
        ),
    ),
    _rule(
        "load",
        "load_carried",
        "The cluster carries its load.",
        "Clients wait far longer than before on every store.",
        either(everyone_late, turned_away_everywhere),
        "tikv_grpc_msg_duration_seconds against its own past",
        for_seconds=20.0,
        explained_by=(
            "store_disk_fast",
            "store_cpu_enough",
            "store_up",
            "load_even",
            "pd_has_leader",
            "pd_member_up",
            "store_disk_completes",
            "store_commit_fast",
            "store_apply_fast",
        ),
    ),
    _rule(
        "load",
        "transactions_flow",
        "Transactions do not wait for each other.",
        "Hot rows serialise everything that touches them.",
        contended,
        "tikv_scheduler_latch_wait_duration_seconds, conflicts, lock waits",
        grade="symptom",
        for_seconds=30.0,
    ),
    _rule(
        "load",
        "space_lasts",
        "Free space does not shrink by a tenth within minutes.",
        "The reserve is reached before anybody can add stores.",
        data_grows,
        "tikv_store_size_bytes",
        for_seconds=30.0,
        unit="ratio of capacity",
        limit=0.1,
    ),
)
SIGHT_RULES: tuple[InvariantRule, ...] = (
    _rule(
        "target",
        "target_scraped",
        "Prometheus scrapes the node.",
        "Without its samples most invariants of it are unknown.",
        target_unseen,
        "up",
        grade="sight",
        severity="info",
        for_seconds=45.0,
    ),
    _rule(
        "cluster",
        "prometheus_read",
        "Prometheus can be read.",
        "Without it most invariants are unknown.",
        source_unseen,
        "the queries of this tick",
        grade="sight",
        for_seconds=45.0,
        unknown_means="No Prometheus is set.",
    ),
)
