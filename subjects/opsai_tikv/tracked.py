"""What is followed over time for each node: one range query a signal, the same few whatever the cluster's size."""

from dataclasses import dataclass
from typing import Literal

Key = Literal["instance", "store"]


@dataclass(frozen=True)
class Tracked:
    """One signal: its query and how its series name their entity."""

    promql: str
    """`$range` is the rate range."""
    key: Key = "instance"
    absent_is_zero: bool = False
    """The series appears with its first event, so none means zero while the node's target is scraped."""


def _p99(metric: str, matchers: str = "", quantile: float = 0.99) -> Tracked:
    return Tracked(f"histogram_quantile({quantile}, sum by (le, instance) (rate({metric}_bucket{matchers}[$range])))")


def _rate(metric: str, matchers: str = "", *, key: Key = "instance", zero: bool = False) -> Tracked:
    return Tracked(f"sum by ({key}) (rate({metric}{matchers}[$range]))", key=key, absent_is_zero=zero)


def _gauge(metric: str, matchers: str = "", *, zero: bool = False) -> Tracked:
    return Tracked(f"max by (instance) ({metric}{matchers})", absent_is_zero=zero)


CLIENT_READS = '{type=~"kv_get|kv_batch_get|kv_scan|raw_get|raw_batch_get|raw_scan|coprocessor.*|kv_scan_lock"}'
CLIENT_WRITES = (
    '{type=~"kv_prewrite|kv_commit|kv_pessimistic_lock|kv_flush|raw_put|raw_batch_put|raw_delete|raw_compare_and_swap"}'
)
CLIENT_ALL = '{type=~"(kv|raw|coprocessor).*",type!~"kv_gc|kv_check_txn_status|kv_txn_heart_beat"}'

STORE_SIGNALS: dict[str, Tracked] = {
    "up": Tracked('max by (instance) (up{job=~".*tikv.*"})'),
    "scrape_seconds": Tracked('max by (instance) (scrape_duration_seconds{job=~".*tikv.*"})'),
    "start_time": Tracked('max by (instance) (process_start_time_seconds{job=~".*tikv.*"})'),
    "up_flips": Tracked('max by (instance) (changes(up{job=~".*tikv.*"}[5m]))'),
    "leaders": _gauge("tikv_raftstore_region_count", '{type="leader"}'),
    "regions": _gauge("tikv_raftstore_region_count", '{type="region"}'),
    "slow_score": _gauge("tikv_raftstore_slow_score", '{type!="network"}'),
    "network_slow_score": _gauge("tikv_raftstore_slow_score", '{type="network"}'),
    # the write path, in its order
    "scheduler_p99": _p99("tikv_scheduler_command_duration_seconds"),
    "latch_p99": _p99("tikv_scheduler_latch_wait_duration_seconds"),
    "async_write_p99": _p99("tikv_storage_engine_async_request_duration_seconds", '{type="write"}'),
    "propose_wait_p99": _p99("tikv_raftstore_request_wait_time_duration_secs"),
    "store_write_wait_p99": _p99("tikv_raftstore_store_write_task_wait_duration_secs"),
    "append_p99": _p99("tikv_raftstore_append_log_duration_seconds"),
    "raftdb_p99": _p99("tikv_raftstore_store_write_raftdb_duration_seconds"),
    "fsync_p99": _p99("raft_engine_sync_log_duration_seconds"),
    "fsync_rate": _rate("raft_engine_sync_log_duration_seconds_count"),
    "commit_p99": _p99("tikv_raftstore_commit_log_duration_seconds"),
    "commit_p50": _p99("tikv_raftstore_commit_log_duration_seconds", quantile=0.5),
    "apply_wait_p99": _p99("tikv_raftstore_apply_wait_time_duration_secs"),
    "apply_p99": _p99("tikv_raftstore_apply_log_duration_seconds"),
    "apply_rate": _rate("tikv_raftstore_apply_log_duration_seconds_count"),
    # reads and clients
    "snapshot_p99": _p99("tikv_storage_engine_async_request_duration_seconds", '{type="snapshot"}'),
    "grpc_p99": _p99("tikv_grpc_msg_duration_seconds", CLIENT_ALL),
    "write_grpc_p99": _p99("tikv_grpc_msg_duration_seconds", CLIENT_WRITES),
    "read_grpc_p99": _p99("tikv_grpc_msg_duration_seconds", CLIENT_READS),
    "requests": _rate("tikv_grpc_msg_duration_seconds_count", CLIENT_ALL),
    "writes": _rate("tikv_grpc_msg_duration_seconds_count", CLIENT_WRITES),
    "reads": _rate("tikv_grpc_msg_duration_seconds_count", CLIENT_READS),
    "scans": _rate("tikv_grpc_msg_duration_seconds_count", '{type=~"kv_scan|raw_scan|coprocessor.*"}', zero=True),
    "written_keys": _rate("tikv_region_written_keys_sum"),
    "read_keys": _rate("tikv_region_read_keys_sum"),
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
    "not_leader": _rate("tikv_storage_engine_async_request_total", '{status="err_not_leader"}', zero=True),
    "conflicts": Tracked(
        "sum by (instance) (rate(tikv_storage_mvcc_conflict_counter[$range]) or rate(tikv_lock_manager_waiter_lifetime_duration_count[$range]))",
        absent_is_zero=True,
    ),
    "scheduler_writing_bytes": _gauge("tikv_scheduler_writing_bytes", zero=True),
    # raft
    "votes": _rate("tikv_raftstore_raft_sent_message_total", '{type=~"vote|prevote"}', zero=True),
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
    "cpu_cores": Tracked('sum by (instance) (rate(process_cpu_seconds_total{job=~".*tikv.*"}[$range]))'),
    "cpu_quota_cores": _gauge("tikv_server_cpu_cores_quota"),
    "schedule_wait_p99": _p99("tikv_yatp_pool_schedule_wait_duration"),
    "read_pool_cores": _rate("tikv_thread_cpu_seconds_total", '{name=~"unified_read.*"}'),
    "inspect_p99": _p99("tikv_raftstore_inspect_duration_seconds"),
    "rss_bytes": Tracked('max by (instance) (process_resident_memory_bytes{job=~".*tikv.*"})'),
    "memory_quota_bytes": _gauge("tikv_server_memory_quota_bytes"),
    "available_bytes": _gauge("tikv_store_size_bytes", '{type="available"}'),
    "capacity_bytes": _gauge("tikv_store_size_bytes", '{type="capacity"}'),
    "critical_errors": _rate("tikv_critical_error_total", zero=True),
    "throttle": Tracked("max by (instance) (tikv_scheduler_throttle_flow) > 0", absent_is_zero=True),
    "write_stall_us": _gauge("tikv_engine_write_stall", '{db="kv",type="write_stall_max"}', zero=True),
    "immutable_memtables": _gauge("tikv_engine_num_immutable_mem_table", '{db="kv"}', zero=True),
    "l0_files": _gauge("tikv_engine_num_files_at_level", '{db="kv",level="0"}'),
    # PD as the store meets it, and the store as PD meets it
    "pd_reconnects": _rate("tikv_pd_reconnect_total", '{type!="no_need"}', zero=True),
    "pd_request_p99": _p99("tikv_pd_request_duration_seconds"),
    "region_heartbeats": _rate("pd_scheduler_region_heartbeat", '{type="report",status="ok"}', key="store"),
    "resolved_ts_gap_ms": _gauge("tikv_resolved_ts_min_resolved_ts_gap_millis"),
    "gc_safe_point": _gauge("tikv_gcworker_autogc_safe_point"),
}

MEMBER_SIGNALS: dict[str, Tracked] = {
    "up": Tracked('max by (instance) (up{job=~".*pd.*"})'),
    "scrape_seconds": Tracked('max by (instance) (scrape_duration_seconds{job=~".*pd.*"})'),
    "start_time": Tracked('max by (instance) (process_start_time_seconds{job=~".*pd.*"})'),
    "leading": Tracked(
        'max by (instance) (service_member_role{service="PD"}) or on () max by (instance) (pd_tso_role) or on () max by (instance) (etcd_server_is_leader)'
    ),
    "etcd_leading": Tracked("max by (instance) (etcd_server_is_leader)"),
    "etcd_has_leader": Tracked("min by (instance) (etcd_server_has_leader)"),
    "etcd_leader_changes": Tracked("max by (instance) (etcd_server_leader_changes_seen_total)"),
    "wal_fsync_p99": _p99("etcd_disk_wal_fsync_duration_seconds"),
    "wal_fsync_rate": _rate("etcd_disk_wal_fsync_duration_seconds_count"),
    "backend_commit_p99": _p99("etcd_disk_backend_commit_duration_seconds"),
    "peer_rtt_p99": _p99("etcd_network_peer_round_trip_time_seconds"),
    "peer_rtt_best": Tracked(
        "min by (instance) (histogram_quantile(0.5, sum by (le, instance, To)"
        " (rate(etcd_network_peer_round_trip_time_seconds_bucket[$range]))))"
    ),
    "heartbeat_send_failures": _rate("etcd_server_heartbeat_send_failures_total", zero=True),
    "peer_send_failures": _rate("etcd_network_peer_sent_failures_total", zero=True),
    "proposals_committed": _rate("etcd_server_proposals_committed_total"),
    "tso_p99": _p99("pd_server_handle_tso_duration_seconds"),
    "tso_rate": _rate("pd_server_handle_tso_duration_seconds_count", zero=True),
    "cpu_cores": Tracked('sum by (instance) (rate(process_cpu_seconds_total{job=~".*pd.*"}[$range]))'),
    "rss_bytes": Tracked('max by (instance) (process_resident_memory_bytes{job=~".*pd.*"})'),
    "schedule_latency_p99": _p99("go_sched_latencies_seconds"),
    "etcd_quota_ratio": Tracked(
        "max by (instance) (etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes)"
    ),
}
