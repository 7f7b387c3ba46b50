"""ALERTS: the alert rules that TiKV and PD ship, and what judges here what each is about.

Read from metrics/alertmanager/tikv.rules.yml and pd.rules.yml of their repositories, v6.5 to the masters of August 2026.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Alert:
    """One shipped rule."""

    name: str
    of: Literal["tikv", "pd"]
    invariants: tuple[str, ...]
    differs: str = ""
    """What is judged otherwise than by the rule, and why."""
    never_fires: str = ""
    """Why it cannot fire as it is shipped; empty when it can."""


def _tikv(name: str, *invariants: str, differs: str = "", never_fires: str = "") -> Alert:
    return Alert(name, "tikv", invariants, differs, never_fires)


def _pd(name: str, *invariants: str, differs: str = "", never_fires: str = "") -> Alert:
    return Alert(name, "pd", invariants, differs, never_fires)


_PEERS = "a second is far above what users bear: here against its peers and its own past"
_STORE = "each store by itself, not their number"

ALERTS: tuple[Alert, ...] = (
    _tikv("TiKV_critical_error", "store_data_sound"),
    _tikv("TiKV_memory_used_too_fast", "store_memory_steady"),
    _tikv(
        "TiKV_GC_can_not_work",
        "gc_advances",
        "store_gc_follows",
        differs="it counts GC's work of a day; how old the safe point is shows within the hour",
    ),
    _tikv(
        "TiKV_server_report_failure_msg_total",
        "store_reachable",
        differs="10 reports/s over 10 minutes miss short and one-way cuts: here 0.2/s, by who reports whom",
    ),
    _tikv("TiKV_channel_full_total", "store_takes_requests"),
    _tikv(
        "TiKV_write_stall",
        "store_not_throttled",
        differs="it fires on any rise of a percentile; here a stall above 0.1 s, or flow control at work",
    ),
    _tikv(
        "TiKV_maybe_write_stall",
        "store_l0_compacted",
        differs="at 20 files, where flow control begins, not at 80",
    ),
    _tikv("TiKV_raft_log_lag", "store_followers_keep_up"),
    _tikv("TiKV_async_request_snapshot_duration_seconds", "store_reads_begin_fast"),
    _tikv("TiKV_async_request_write_duration_seconds", "store_writes_fast", differs=_PEERS),
    _tikv("TiKV_coprocessor_request_wait_seconds", "store_coprocessor_starts"),
    _tikv(
        "TiKV_raftstore_thread_cpu_seconds_total",
        "store_pools_free",
        differs="1.6 cores suppose two threads; here the share of the pool, whatever its size",
    ),
    _tikv("TiKV_raft_append_log_duration_secs", "store_append_fast", differs=_PEERS),
    _tikv("TiKV_raft_apply_log_duration_secs", "store_apply_fast", differs=_PEERS),
    _tikv("TiKV_scheduler_latch_wait_duration_seconds", "transactions_flow", differs=_PEERS),
    _tikv(
        "TiKV_thread_apply_worker_cpu_seconds",
        "store_pools_free",
        never_fires='it asks for a thread named "apply_.*", letter for letter',
    ),
    _tikv(
        "TiDB_tikvclient_gc_action_fail",
        "gc_advances",
        differs="a counter of TiDB's, which is not looked at: what follows of it is",
    ),
    _tikv(
        "TiKV_leader_drops",
        "store_keeps_leaders",
        never_fires="no version has its metric tikv_pd_heartbeat_tick_total",
    ),
    _tikv("TiKV_raft_process_ready_duration_secs", "store_raft_loop_fast"),
    _tikv("TiKV_raft_process_tick_duration_secs", "store_raft_loop_fast"),
    _tikv(
        "TiKV_scheduler_context_total",
        "store_writes_drain",
        differs="it fires on a step of 1,000, down as well as up; here on 1,000 that stay",
    ),
    _tikv(
        "TiKV_scheduler_command_duration_seconds",
        "store_scheduler_fast",
        differs="its division by 1,000 inside the quantile does nothing; " + _PEERS,
    ),
    _tikv(
        "TiKV_coprocessor_pending_request",
        "store_coprocessor_starts",
        never_fires="no version has its metric tikv_coprocessor_pending_request",
    ),
    _tikv(
        "TiKV_coprocessor_cpu_util",
        "store_pools_free",
        never_fires="it asks for threads cop_*, which the unified read pool (the default since v4.0) does not have",
    ),
    _tikv("TiKV_pending_task", "store_workers_keep_up"),
    _tikv("TiKV_low_space", "store_space_left", "store_disk_space"),
    _tikv(
        "TiKV_approximate_region_size",
        "regions_split",
        differs="PD's count of regions too large to stay whole, not a quantile over those that were just checked",
    ),
    _tikv("TiKV_node_restart", "store_stays_up", differs="a restart in order is none"),
    _tikv(
        "TiKV_cpu_quota",
        "store_cpu_enough",
        differs="use near the quota is no trouble while nothing waits: here what waits for the processor",
    ),
    _tikv("TiKV_memory_quota", "store_memory_enough"),
    _pd("PD_cluster_down_store_nums", "store_up", differs=_STORE + "; at 20 s without heartbeat, not at 30 minutes"),
    _pd("PD_cluster_down_tikv_nums", "store_up", differs="as PD_cluster_down_store_nums, its name up to v8.5"),
    _pd("PD_cluster_lost_connect_store_nums", "store_up", differs=_STORE),
    _pd("PD_cluster_lost_connect_tikv_nums", "store_up", differs=_STORE),
    _pd("PD_cluster_unhealthy_store_nums", "store_up", differs=_STORE),
    _pd("PD_cluster_unhealthy_tikv_nums", "store_up", differs=_STORE),
    _pd("PD_etcd_write_disk_latency", "pd_disk_fast", differs="a second is a third of a lease: here against its peers"),
    _pd(
        "PD_miss_peer_region_count",
        "regions_whole",
        never_fires="it asks for type miss_peer_region_count, and PD says miss-peer-region-count",
    ),
    _pd("PD_cluster_low_space", "store_space_left", differs=_STORE),
    _pd(
        "PD_etcd_network_peer_latency",
        "pd_network_fast",
        differs="a second is a third of a lease: here against its peers",
    ),
    _pd("PD_tidb_handle_requests_duration", "pd_timestamps_fast"),
    _pd("PD_down_peer_region_nums", "replicas_alive"),
    _pd(
        "PD_pending_peer_region_count",
        "regions_whole",
        differs="a share of all regions: 100 are nothing while a large cluster balances, and all that a small one has",
    ),
    _pd(
        "PD_leader_change",
        "pd_leader_stable",
        differs="it counts members that saved timestamps: a first start counts, a change back does not",
    ),
    _pd("PD_leader_lease_drop_without_failover", "pd_leader_stable"),
    _pd(
        "PD_cluster_store_space_used_more_than_80%",
        "store_space_left",
        differs=_STORE + ": the first that is full refuses writes",
    ),
    _pd("TiKV_space_used_more_than_80%", "store_space_left", differs="as the one before, its name up to v8.5"),
    _pd(
        "PD_system_time_slow",
        "pd_clock_true",
        differs="how far timestamps are from the clock, not that it once stepped back by a millisecond",
    ),
    _pd(
        "PD_no_store_for_making_replica",
        "replicas_find_stores",
        never_fires="it asks for the event no_target_store, and PD says no-target-store; placement rules say no-store-add",
    ),
    _pd("PD_node_restart", "pd_member_stays_up", differs="a restart in order is none"),
    _pd("PD_cluster_slow_tikv_nums", "store_not_slow", differs=_STORE),
    _pd(
        "PD_cpu_quota",
        "pd_cpu_enough",
        differs="use near the quota is no trouble while nothing waits: here what waits for the processor",
    ),
    _pd("PD_memory_quota", "pd_memory_enough"),
    _pd("pd_etcd_quota", "pd_disk_space"),
)


def told() -> str:
    """Return the rules as a page that is looked up by a rule's name: what judges it here, and what is wrong with it."""
    lines = [_line(alert) for alert in ALERTS]
    return (
        "What fired, and which invariant says the same of one node, with its figure and since when. Rules that can never fire"
        " as they are shipped say so.\n\n" + "\n".join(lines)
    )


def _line(alert: Alert) -> str:
    never = " (never fires)" if alert.never_fires else ""
    return f"- {alert.name}{never}: {', '.join(alert.invariants)}"
