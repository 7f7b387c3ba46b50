"""What is followed over time for each node: one range query a signal, the same few whatever the cluster's size."""

from dataclasses import dataclass
from typing import Literal

from opsai_tikv.metrics import SIGNALS

Key = Literal["instance", "store", "cluster"]


@dataclass(frozen=True)
class Tracked:
    """One signal: its query and how its series name their entity."""

    promql: str
    """`$range` is the rate range."""
    key: Key = "instance"
    absent_is_zero: bool = False
    """The series appears with its first event, so none means zero while the node's target is scraped."""
    part: str = ""
    """A label whose values part the signal: `pool_busy` becomes `pool_busy:raftstore`, `pool_busy:apply`, …"""


_CATALOGUE = {signal.name: signal.promql for signal in SIGNALS}


def _named(name: str, *, key: Key = "instance", zero: bool = False) -> Tracked:
    """Follow a metric of the catalogue as it is: one series for each node."""
    return Tracked(_CATALOGUE[name], key=key, absent_is_zero=zero)


def _p99(metric: str, matchers: str = "", quantile: float = 0.99) -> Tracked:
    return Tracked(f"histogram_quantile({quantile}, sum by (le, instance) (rate({metric}_bucket{matchers}[$range])))")


def _rate(metric: str, matchers: str = "", *, key: Key = "instance", zero: bool = False) -> Tracked:
    return Tracked(f"sum by ({key}) (rate({metric}{matchers}[$range]))", key=key, absent_is_zero=zero)


def _gauge(metric: str, matchers: str = "", *, zero: bool = False) -> Tracked:
    return Tracked(f"max by (instance) ({metric}{matchers})", absent_is_zero=zero)


def _scraped(role: str) -> Tracked:
    """Follow whether every scrape in the range of a rate succeeded, two at the least: else its zero is not known."""
    up = f'up{{job=~".*{role}"}}[$range]'
    return Tracked(f"min by (instance) (min_over_time({up}) * (count_over_time({up}) > bool 1))")


CLIENT_READS = '{type=~"kv_get|kv_batch_get|kv_scan|raw_get|raw_batch_get|raw_scan|coprocessor.*|kv_scan_lock"}'
CLIENT_WRITES = (
    '{type=~"kv_prewrite|kv_commit|kv_pessimistic_lock|kv_flush|raw_put|raw_batch_put|raw_delete|raw_compare_and_swap"}'
)

STORE_SIGNALS: dict[str, Tracked] = {
    "up": Tracked('max by (instance) (up{job=~".*tikv"})'),
    "scraped": _scraped("tikv"),
    "scrape_seconds": Tracked('max by (instance) (scrape_duration_seconds{job=~".*tikv"})'),
    "start_time": Tracked('max by (instance) (process_start_time_seconds{job=~".*tikv"})'),
    "up_flips": Tracked('max by (instance) (changes(up{job=~".*tikv"}[5m]))'),
    "leaders": _named("leaders"),
    "regions": _named("regions"),
    "slow_score": _gauge("tikv_raftstore_slow_score", '{type!="network"}'),
    # the write path, in its order
    "scheduler_p99": _named("scheduler_p99"),
    "latch_p99": _named("latch_p99"),
    "async_write_p99": _named("async_write_p99"),
    "propose_wait_p99": _named("propose_wait_p99"),
    "append_p99": _named("append_p99"),
    "fsync_p99": _named("fsync_p99"),
    "fsync_rate": _named("fsync_rate"),
    "commit_p99": _named("commit_p99"),
    "commit_p50": _p99("tikv_raftstore_commit_log_duration_seconds", quantile=0.5),
    "apply_wait_p99": _named("apply_wait_p99"),
    "apply_p99": _named("apply_p99"),
    # reads and clients
    "grpc_p99": _named("grpc_p99"),
    "read_grpc_p99": _p99("tikv_grpc_msg_duration_seconds", CLIENT_READS),
    "requests": _named("requests"),
    "writes": _rate("tikv_grpc_msg_duration_seconds_count", CLIENT_WRITES),
    "reads": _rate("tikv_grpc_msg_duration_seconds_count", CLIENT_READS),
    "written_keys": _named("written_keys"),
    "read_keys": _named("read_keys"),
    "request_failures": _rate("tikv_grpc_msg_fail_total", '{type!~"kv_gc"}', zero=True),
    "read_failures": _rate(
        "tikv_storage_engine_async_request_total", '{type="snapshot",status=~"err_other|err_io|err_timeout"}', zero=True
    ),
    "cop_failures": _rate(
        "tikv_coprocessor_request_error",
        '{reason!~"meet_lock|not_leader|epoch_not_match|region_not_found|stale_command|lock_error"}',
        zero=True,
    ),
    "busy": Tracked(
        "sum by (instance) ("
        'rate(tikv_storage_engine_async_request_total{status="err_server_is_busy"}[$range])'
        " or rate(tikv_scheduler_too_busy_total[$range]) or rate(tikv_channel_full_total[$range])"
        ' or rate(tikv_coprocessor_request_error{reason=~"max_pending_tasks_exceeded|server_is_busy|busy"}[$range]))',
        absent_is_zero=True,
    ),
    "disk_full_errors": _rate("tikv_storage_engine_async_request_total", '{status="err_disk_full"}', zero=True),
    "conflicts": Tracked(
        "sum by (instance) (rate(tikv_storage_mvcc_conflict_counter[$range]) or rate(tikv_lock_manager_waiter_lifetime_duration_count[$range]))",
        absent_is_zero=True,
    ),
    # raft
    "votes": _named("votes", zero=True),
    "raft_dropped": Tracked(
        'sum by (instance) (rate(tikv_raftstore_raft_sent_message_total{status="drop"}[$range])'
        " or rate(tikv_raftstore_raft_dropped_message_total[$range]))",
        absent_is_zero=True,
    ),
    "raft_received": _rate("tikv_server_raft_message_recv_total"),
    "message_delay_p99": _p99("tikv_server_raft_message_duration_seconds", '{type="receive_delay"}'),
    "message_delay_p50": _p99("tikv_server_raft_message_duration_seconds", '{type="receive_delay"}', 0.5),
    "send_wait_p99": _p99("tikv_server_raft_message_duration_seconds", '{type="send_wait"}'),
    "raft_rejects": _rate("tikv_server_raft_append_rejects", zero=True),
    # the quickest of its ways: one dead or late peer makes one way late, a late network of its own makes all late
    "network_probe_best": Tracked(
        "min by (instance) (histogram_quantile(0.5, sum by (le, instance, target)"
        " (rate(tikv_raftstore_inspect_network_duration_seconds_bucket[$range]))))"
    ),
    "unreachable_reports": _rate("tikv_server_report_failure_msg_total", '{type="unreachable"}', zero=True),
    "accused": Tracked(
        'label_replace(sum by (store_id) (rate(tikv_server_report_failure_msg_total{type="unreachable"}[$range])), "store", "$1", "store_id", "(.+)")',
        key="store",
        absent_is_zero=True,
    ),
    # processor, memory, engine
    "schedule_wait_p99": _named("schedule_wait_p99"),
    "inspect_p99": _p99("tikv_raftstore_inspect_duration_seconds"),
    "rss_bytes": Tracked('max by (instance) (process_resident_memory_bytes{job=~".*tikv"})'),
    "memory_quota_bytes": _named("memory_quota_bytes"),
    "available_bytes": _gauge("tikv_store_size_bytes", '{type="available"}'),
    "capacity_bytes": _gauge("tikv_store_size_bytes", '{type="capacity"}'),
    "critical_errors": _rate("tikv_critical_error_total", zero=True),
    "throttle": Tracked("max by (instance) (tikv_scheduler_throttle_flow) > 0", absent_is_zero=True),
    "write_stall_us": _gauge("tikv_engine_write_stall", '{db="kv",type="write_stall_max"}', zero=True),
    "immutable_memtables": _gauge("tikv_engine_num_immutable_mem_table", '{db="kv"}', zero=True),
    "memory_ratio": Tracked(
        'max by (instance) (process_resident_memory_bytes{job=~".*tikv"}) / max by (instance) (tikv_server_memory_quota_bytes)'
    ),
    # queues: pools of threads, mailboxes, what waits to be done
    "pool_busy": Tracked(
        "avg by (instance, pool) (label_replace(rate(tikv_thread_cpu_seconds_total"
        '{name=~"(raftstore|rs|store_write|apply|grpc|sched|unified_read).*"}[$range]),'
        ' "pool", "$1", "name", "(raftstore|rs|store_write|apply|grpc|sched|unified_read).*"))',
        part="pool",
    ),
    "raft_loop_p999": Tracked(
        "max by (instance) (histogram_quantile(0.999, sum by (le, instance, type)"
        ' (rate(tikv_raftstore_raft_process_duration_secs_bucket{type=~"ready|tick"}[$range]))))'
    ),
    "log_lag_p99": _named("log_lag_p99"),
    "snapshot_p99": _named("snapshot_p99"),
    "coprocessor_wait_p9999": Tracked(
        "histogram_quantile(0.9999, sum by (le, instance)"
        ' (rate(tikv_coprocessor_request_wait_seconds_bucket{type="all"}[$range])))',
        absent_is_zero=True,
    ),
    "worker_pending": _gauge("tikv_worker_pending_task_total", zero=True),
    "scheduler_contexts": _gauge("tikv_scheduler_contex_total"),  # so spelt in TiKV
    "l0_files": _gauge("tikv_engine_num_files_at_level", '{db="kv",level="0"}'),
    "pending_compaction_bytes": _gauge("tikv_engine_pending_compaction_bytes", '{db="kv"}'),
    # what regions tell
    "leader_missing": _named("leader_missing"),
    "misrouted_rate": _rate(
        "tikv_storage_engine_async_request_total",
        '{status=~"err_not_leader|err_epoch_not_match|err_region_not_found|err_stale_command"}',
        zero=True,
    ),
    "snapshot_failures": _rate("tikv_server_report_failure_msg_total", '{type="snapshot"}', zero=True),
    "resolved_ts_gap": _named("resolved_ts_gap"),
    "gc_safe_point_age": _named("gc_safe_point_age"),
    # what presses on it besides clients: feeds, snapshots, catching up, compaction, waking regions, old versions
    "feed_scans": Tracked(
        'sum by (instance) (tikv_cdc_scan_tasks{type="ongoing"} or tikv_log_backup_pending_initial_scan)',
        absent_is_zero=True,
    ),
    "feed_memory_ratio": Tracked(
        "max by (instance) (tikv_cdc_sink_memory_bytes) / max by (instance) (tikv_cdc_sink_memory_capacity)",
        absent_is_zero=True,
    ),
    "snapshots_to_apply": _named("snapshots_to_apply"),
    "busy_on_apply": _gauge("tikv_raftstore_busy_on_apply_region_total", '{type="busy_apply_peers"}'),
    "destroyed_ranges": _rate("tikv_gcworker_gc_tasks_vec", '{task="unsafe_destroy_range"}', zero=True),
    "awake_peers": _gauge("tikv_raftstore_hibernated_peer_state", '{state="awaken"}'),
    "skipped_versions": Tracked(
        "sum by (instance) ("
        'rate(tikv_storage_rocksdb_perf{metric=~"internal_(key|delete)_skipped_count"}[$range])'
        ' or rate(tikv_coprocessor_rocksdb_perf{metric=~"internal_(key|delete)_skipped_count"}[$range]))',
        absent_is_zero=True,
    ),
    # PD as the store meets it, and the store as PD meets it
    "pd_reconnects": _rate("tikv_pd_reconnect_total", '{type!="no_need"}', zero=True),
    "region_heartbeats": _named("region_heartbeats", key="store"),
}

MEMBER_SIGNALS: dict[str, Tracked] = {
    "up": Tracked('max by (instance) (up{job=~".*pd"})'),
    "scraped": _scraped("pd"),
    "scrape_seconds": Tracked('max by (instance) (scrape_duration_seconds{job=~".*pd"})'),
    "start_time": Tracked('max by (instance) (process_start_time_seconds{job=~".*pd"})'),
    "leading": Tracked(
        'max by (instance) (service_member_role{service="PD"}) or on () max by (instance) (pd_tso_role) or on () max by (instance) (etcd_server_is_leader)'
    ),
    "etcd_leading": Tracked("max by (instance) (etcd_server_is_leader)"),
    "etcd_has_leader": _named("etcd_has_leader"),
    "wal_fsync_p99": _named("wal_fsync_p99"),
    "wal_fsync_rate": _rate("etcd_disk_wal_fsync_duration_seconds_count"),
    # etcd notes its smoothed round trips every 30 s only (rafthttp monitorProbingStatus): two minutes hold enough of them
    "peer_rtt_p99": Tracked(
        "histogram_quantile(0.99, sum by (le, instance) (rate(etcd_network_peer_round_trip_time_seconds_bucket[2m])))"
    ),
    "peer_rtt_best": Tracked(
        "min by (instance) (histogram_quantile(0.5, sum by (le, instance, To)"
        " (rate(etcd_network_peer_round_trip_time_seconds_bucket[2m]))))"
    ),
    "rss_bytes": Tracked('max by (instance) (process_resident_memory_bytes{job=~".*pd"})'),
    "schedule_latency_p99": _p99("go_sched_latencies_seconds"),
    "etcd_quota_ratio": _named("etcd_quota_ratio"),
    "memory_ratio": _named("pd_memory_ratio"),
    "etcd_txn_p99": Tracked(
        "max by (instance) (histogram_quantile(0.99, sum by (le, instance, result) (rate(pd_txn_handle_txns_duration_seconds_bucket[$range]))))",
        absent_is_zero=True,  # a member that does not lead saves nothing
    ),
}

CLUSTER_SIGNALS: dict[str, Tracked] = {
    # as PD gives them out, and as its clients (TiDB) get them; a client on PD's own instance counts once
    "tso_p99": Tracked(
        "max(histogram_quantile(0.99, sum by (le, instance) (rate(pd_server_handle_tso_duration_seconds_bucket[$range])))"
        " or histogram_quantile(0.99, sum by (le, instance)"
        ' (rate(pd_client_request_handle_requests_duration_seconds_bucket{type="tso"}[$range]))))',
        key="cluster",
    ),
    # against Prometheus's clock at the scrape; members that do not lead show 0
    "tso_ahead_seconds": Tracked(
        'max((pd_cluster_tso{type="tso"} > 0) / 1000 - timestamp(pd_cluster_tso{type="tso"}))', key="cluster"
    ),
    "operator_timeouts": Tracked(
        'sum(rate(pd_schedule_operators_count{event="timeout"}[$range])) * 60', key="cluster", absent_is_zero=True
    ),
    "no_store_events": Tracked(
        'sum(rate(pd_checker_event_count{name=~"no-target-store|no-store-add|no-store-replace"}[$range]))',
        key="cluster",
        absent_is_zero=True,
    ),
    "scrapes_in_range": Tracked('max(count_over_time(up{job=~".*(tikv|pd)"}[$range]))', key="cluster"),
}
