"""Named queries on TiKV and PD, one for every kind of question an operator asks of their metrics."""


def _per_second(metric: str, by: str, matchers: str = "", window: str = "1m") -> str:
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[{window}]))"


def _quantile(q: float, histogram: str, by: str = "instance", matchers: str = "", window: str = "1m") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{{{matchers}}}[{window}])))"


def _threads(name: str) -> str:
    return _per_second("tikv_thread_cpu_seconds_total", "instance", f'name=~"{name}"')


_HIT = _per_second("tikv_engine_cache_efficiency", "instance", 'db="kv", type="block_cache_hit"')
_MISS = _per_second("tikv_engine_cache_efficiency", "instance", 'db="kv", type="block_cache_miss"')
_AVAILABLE = 'tikv_store_size_bytes{type="available"}'

ALIVE = {
    "tikv_scraped": 'up{job=~".*tikv"}',
    "pd_scraped": 'up{job=~".*pd"}',
    "tikv_restarts": 'changes(process_start_time_seconds{job=~".*tikv"}[5m])',
    "pd_restarts": 'changes(process_start_time_seconds{job=~".*pd"}[5m])',
    "tikv_uptime": 'time() - process_start_time_seconds{job=~".*tikv"}',
    "store_states": 'sum by (type) (pd_cluster_status{type=~"store_.*_count"})',
    "pd_leader": 'service_member_role{service="PD"}',
    "etcd_has_leader": "etcd_server_has_leader",
    "etcd_is_leader": "etcd_server_is_leader",
    "etcd_leader_changes": "increase(etcd_server_leader_changes_seen_total[10m])",
    "tso_savers": 'count(changes(pd_tso_events{type="save"}[10m]) > 0)',
    "critical_errors": _per_second("tikv_critical_error_total", "type, instance"),
    "damaged_files": "tikv_rocksdb_damaged_files",
}
SERVICE = {
    "grpc_rate": _per_second("tikv_grpc_msg_duration_seconds_count", "instance, type", 'type!="kv_gc"'),
    "grpc_p99": _quantile(0.99, "tikv_grpc_msg_duration_seconds", "type, instance", 'type!="kv_gc"'),
    "grpc_errors": _per_second("tikv_grpc_msg_fail_total", "instance, type", 'type!="kv_gc"'),
    "write_p99": _quantile(0.99, "tikv_storage_engine_async_request_duration_seconds", matchers='type="write"'),
    "snapshot_p99": _quantile(0.99, "tikv_storage_engine_async_request_duration_seconds", matchers='type="snapshot"'),
    "request_errors": _per_second(
        "tikv_storage_engine_async_request_total", "instance, status", 'status!~"success|all"'
    ),
    "command_p99": _quantile(0.99, "tikv_scheduler_command_duration_seconds", "type, instance"),
    "latch_p99": _quantile(0.99, "tikv_scheduler_latch_wait_duration_seconds", "type, instance"),
    "too_busy": _per_second("tikv_scheduler_too_busy_total", "instance, type"),
    "scheduler_pending": "sum by (instance) (tikv_scheduler_contex_total)",
    "scheduler_writing": "sum by (instance) (tikv_scheduler_writing_bytes)",
    "coprocessor_p99": _quantile(0.99, "tikv_coprocessor_request_duration_seconds", "req, instance"),
    "coprocessor_wait": _quantile(0.9999, "tikv_coprocessor_request_wait_seconds", "req, instance", 'type="all"'),
    "coprocessor_handle": _quantile(0.99, "tikv_coprocessor_request_handle_seconds", "req, instance"),
    "coprocessor_errors": _per_second("tikv_coprocessor_request_error", "instance, reason"),
    "propose_wait": _quantile(0.99, "tikv_raftstore_request_wait_time_duration_secs"),
    "write_task_wait": _quantile(0.99, "tikv_raftstore_store_write_task_wait_duration_secs"),
    "append_log": _quantile(0.99, "tikv_raftstore_append_log_duration_seconds"),
    "commit_log": _quantile(0.99, "tikv_raftstore_commit_log_duration_seconds"),
    "apply_wait": _quantile(0.99, "tikv_raftstore_apply_wait_time_duration_secs"),
    "apply_log": _quantile(0.99, "tikv_raftstore_apply_log_duration_seconds"),
    "ready_loop": _quantile(0.999, "tikv_raftstore_raft_process_duration_secs", matchers='type="ready"'),
    "tick_loop": _quantile(0.999, "tikv_raftstore_raft_process_duration_secs", matchers='type="tick"'),
}
RAFT = {
    "log_lag": _quantile(0.99, "tikv_raftstore_log_lag"),
    "proposals": _per_second("tikv_raftstore_proposal_total", "type, instance"),
    "admin_commands": _per_second("tikv_raftstore_admin_cmd_total", "type", 'status="success"'),
    "messages_dropped": _per_second("tikv_raftstore_raft_dropped_message_total", "type, instance"),
    "sends_dropped": _per_second("tikv_raftstore_raft_sent_message_total", "type, instance", 'status="drop"'),
    "votes": _per_second("tikv_raftstore_raft_sent_message_total", "instance", 'type=~"vote|prevote"'),
    "unreachable": _per_second(
        "tikv_server_report_failure_msg_total", "store_id, instance", 'type="unreachable"', "10m"
    ),
    "append_rejects": _per_second("tikv_server_raft_append_rejects", "instance"),
    "message_delay": _quantile(0.99, "tikv_server_raft_message_duration_seconds", "type, instance"),
    "channel_full": _per_second("tikv_channel_full_total", "type, instance", window="10m"),
    "busy_flags": "max by (instance, type) (tikv_raftstore_process_busy)",
    "regions": 'sum by (instance, type) (tikv_raftstore_region_count{type=~"leader|region"})',
    "leaders_lost": 'sum by (instance) (delta(tikv_raftstore_region_count{type="leader"}[30s]))',
    "leader_missing": "sum by (instance) (tikv_raftstore_leader_missing)",
    "hibernation": "sum by (instance, state) (tikv_raftstore_hibernated_peer_state)",
    "region_size": _quantile(0.99, "tikv_raftstore_region_size", "", window="10m"),
    "split_checks": _per_second("tikv_raftstore_check_split_total", "type, instance", 'type!="ignore"'),
    "log_gc_failed": _per_second("tikv_raftstore_raft_log_gc_failed", "instance", window="5m"),
    "entry_cache": "sum by (instance) (tikv_raft_entries_caches)",
    "entry_fetches": _per_second(
        "tikv_raftstore_entry_fetches", "type, instance", 'type=~"async_fetch|sync_fetch|miss"'
    ),
    "engine_write": _quantile(0.99, "raft_engine_write_duration_seconds"),
    "engine_sync": _quantile(0.999, "raft_engine_sync_log_duration_seconds"),
    "engine_files": "avg by (type, instance) (raft_engine_log_file_count)",
}
THREADS = {
    "raftstore_cpu": _threads("(raftstore|rs)_.*"),
    "apply_cpu": _threads("apply_[0-9]+"),
    "writer_cpu": _threads("store_write.*"),
    "grpc_cpu": _threads("grpc.*"),
    "scheduler_cpu": _threads("sched_.*"),
    "read_pool_cpu": _threads("unified_read_po.*"),
    "rocksdb_cpu": _threads("rocksdb.*"),
    "gc_cpu": _threads("gc_worker.*"),
    "cpu_of_quota": 'sum by (instance) (rate(process_cpu_seconds_total{job=~".*tikv"}[1m]))'
    " / sum by (instance) (tikv_server_cpu_cores_quota)",
    "thread_states": "sum by (instance, state) (tikv_threads_state)",
    "worker_backlog": "sum by (instance, name) (tikv_worker_pending_task_total)",
    "read_pool_running": "sum by (instance, priority) (avg_over_time(tikv_unified_read_pool_running_tasks[1m]))",
    "pool_wait": _quantile(0.99, "tikv_yatp_pool_schedule_wait_duration", "name, instance"),
}
ENGINE = {
    "stall_time": 'max by (instance, type) (tikv_engine_write_stall{db="kv", type=~"write_stall_(max|percentile99)"})',
    "stall_reasons": _per_second("tikv_engine_write_stall_reason", "type, instance", 'db="kv"'),
    "stall_changed": 'tikv_engine_stall_conditions_changed{db="kv"}',
    "level_0_files": 'max by (instance, cf) (tikv_engine_num_files_at_level{db="kv", level="0"})',
    "compaction_pending": 'sum by (instance, cf) (tikv_engine_pending_compaction_bytes{db="kv"})',
    "memtables": 'max by (instance, cf) (tikv_engine_num_immutable_mem_table{db="kv"})',
    "memtable_bytes": 'sum by (instance, cf) (tikv_engine_memory_bytes{db="kv", type="mem-tables-all"})',
    "cache_hit_ratio": f"{_HIT} / ({_HIT} + {_MISS})",
    "cache_bytes": 'topk(20, avg by (instance) (tikv_engine_block_cache_size_bytes{db="kv"}))',
    "get_p99": 'max by (instance) (tikv_engine_get_micro_seconds{db="kv", type="get_percentile99"})',
    "put_p99": 'max by (instance) (tikv_engine_write_micro_seconds{db="kv", type="write_percentile99"})',
    "wal_sync": 'max by (instance, db) (tikv_engine_wal_file_sync_micro_seconds{type="wal_file_sync_percentile99"})',
    "compaction_flow": _per_second("tikv_engine_compaction_flow_bytes", "instance, type", 'db="kv"'),
    "compactions": _per_second("tikv_engine_event_total", "instance, cf, type", 'db="kv"', "5m"),
    "read_flow": _per_second("tikv_engine_flow_bytes", "instance", 'db="kv", type=~"bytes_read|iter_bytes_read"'),
    "write_flow": _per_second("tikv_engine_flow_bytes", "instance, db", 'type="wal_file_bytes"'),
    "throttle": "sum by (instance) (tikv_scheduler_throttle_flow)",
    "throttle_p99": _quantile(0.99, "tikv_scheduler_throttle_duration_seconds"),
    "discarded": "max by (instance) (tikv_scheduler_discard_ratio) / 10000000",
    "throttled_family": "tikv_scheduler_throttle_cf != 0",
    "throttle_actions": _per_second("tikv_scheduler_throttle_action_total", "cf, type, instance"),
    "level_0_average": "max by (instance, cf) (tikv_scheduler_l0_avg)",
}
DISK = {
    "space_ratio": f'sum by (instance) ({_AVAILABLE}) / sum by (instance) (tikv_store_size_bytes{{type="capacity"}})',
    "pd_space": 'sum(pd_cluster_status{type="storage_size"}) / sum(pd_cluster_status{type="storage_capacity"})',
    "time_to_full": f"sum by (instance) ({_AVAILABLE}) / -sum by (instance) (deriv({_AVAILABLE}[1h]))",
    "family_sizes": "sum by (instance, type) (tikv_engine_size_bytes)",
    "disk_used": "rate(node_disk_io_time_seconds_total[1m])",
    "disk_write": "rate(node_disk_write_time_seconds_total[1m]) / rate(node_disk_writes_completed_total[1m])",
    "disk_read": "rate(node_disk_read_time_seconds_total[1m]) / rate(node_disk_reads_completed_total[1m])",
    "io_by_purpose": _per_second("tikv_io_bytes", "instance, type, op"),
    "limiter_wait": _quantile(0.99, "tikv_rate_limiter_request_wait_duration_seconds", "type, instance"),
    "slow_score": "max by (instance, type) (tikv_raftstore_slow_score)",
    "inspection": _quantile(0.99, "tikv_raftstore_inspect_duration_seconds", "type, instance"),
    "slow_trend": "tikv_raftstore_slow_trend",
    "evicted_slow": "pd_scheduler_evicted_slow_store_status",
    "memory_of_quota": 'sum by (instance) (process_resident_memory_bytes{job=~".*tikv"})'
    " / sum by (instance) (tikv_server_memory_quota_bytes)",
    "memory_growth": 'process_resident_memory_bytes{job=~".*tikv"}'
    ' - (process_resident_memory_bytes{job=~".*tikv"} offset 5m)',
    "memory_parts": "tikv_server_mem_trace_sum",
    "allocator": "sum by (instance, type) (tikv_allocator_stats)",
    "lock_heap": "tikv_resolved_ts_lock_heap_bytes",
}
SCHEDULING = {
    "hot_writes": 'pd_hotspot_status{type="hot_write_region_as_leader"}',
    "hot_cache": 'pd_hotcache_status{name="total_length"}',
    "store_writes": 'pd_scheduler_store_status{type="store_write_rate_bytes"}',
    "store_reads": 'pd_scheduler_store_status{type=~"store_read_rate_bytes|store_read_query_rate"}',
    "store_counts": 'pd_scheduler_store_status{type=~"region_count|leader_count|region_score|leader_score"}',
    "region_health": "sum by (type) (pd_regions_status)",
    "abnormal_peers": _quantile(0.99, "pd_regions_abnormal_peer_duration_seconds", "type", window="5m"),
    "load_splits": _per_second("tikv_load_base_split_event", "instance, type"),
    "operators_created": 'sum by (type) (rate(pd_schedule_operators_count{event="create"}[1m]) * 60)',
    "operators_finished": 'sum by (type) (rate(pd_schedule_operators_count{event="finish"}[1m]) * 60)',
    "operators_late": 'sum by (type) (rate(pd_schedule_operators_count{event="timeout"}[1m]) * 60)',
    "operators_dropped": 'sum by (type) (rate(pd_schedule_operators_count{event=~"cancel|replace"}[1m]) * 60)',
    "operator_time": _quantile(0.99, "pd_schedule_finish_operators_duration_seconds", "type", window="5m"),
    "schedulers": 'pd_scheduler_status{type="allow"}',
    "halted": "pd_scheduling_allowance_status",
    "patrol": "max(pd_checker_patrol_regions_time)",
    "removal": 'pd_cluster_progress{action="removing"}',
    "store_limit": "pd_cluster_store_limit",
}
PD = {
    "tso_handle": _quantile(0.99, "pd_server_handle_tso_duration_seconds", "", window="30s"),
    "tso_wait": _quantile(0.99, "pd_client_request_handle_requests_duration_seconds", matchers='type="tso"'),
    "tso_events": _per_second("pd_tso_events", "type, instance"),
    "tso_gap": "pd_cluster_tso_gap_millionseconds",
    "tso_ahead": 'max(pd_cluster_tso{type="tso"}) / 1000 - time()',
    "etcd_wal": _quantile(0.99, "etcd_disk_wal_fsync_duration_seconds"),
    "etcd_commit": _quantile(0.99, "etcd_disk_backend_commit_duration_seconds"),
    "etcd_peers": _quantile(0.99, "etcd_network_peer_round_trip_time_seconds", "To, instance"),
    "etcd_transactions": _quantile(0.99, "pd_txn_handle_txns_duration_seconds", "result, instance", window="5m"),
    "etcd_size": "etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes",
    "raft_term": 'pd_server_etcd_state{type="term"}',
    "heartbeats": 'sum by (store) (rate(pd_scheduler_region_heartbeat{type="report", status="ok"}[1m]) * 60)',
    "heartbeat_errors": 'sum by (store) (rate(pd_scheduler_region_heartbeat{type="report", status="err"}[1m]) * 60)',
    "region_heartbeat": _quantile(0.99, "pd_scheduler_handle_region_heartbeat_duration_seconds", ""),
    "store_heartbeat": _quantile(0.99, "pd_scheduler_handle_store_heartbeat_duration_seconds", "store"),
    "pd_cpu": 'irate(process_cpu_seconds_total{job=~".*pd"}[30s]) / pd_service_maxprocs',
    "pd_memory": 'process_resident_memory_bytes{job=~".*pd"} / pd_service_memory_quota_bytes',
    "pd_grpc": _quantile(0.99, "grpc_server_handling_seconds", "grpc_method, instance", 'job=~".*pd"', "5m"),
    "pd_requests": _per_second("tikv_pd_request_duration_seconds_sum", "type, instance")
    + " / "
    + _per_second("tikv_pd_request_duration_seconds_count", "type, instance"),
    "pending_heartbeats": "sum by (instance) (tikv_pd_pending_heartbeat_total)",
    "reconnects": 'sum by (type, instance) (increase(tikv_pd_reconnect_total{type!="no_need"}[5m]))',
    "forwarding": "tikv_pd_request_forwarded",
}
BACKGROUND = {
    "snapshot_traffic": "sum by (instance, type) (tikv_raftstore_snapshot_traffic_total)",
    "snapshot_tasks": "sum by (instance, type) (increase(tikv_server_snapshot_task_total[1m]))",
    "snapshot_time": _quantile(0.99, "tikv_raftstore_snapshot_duration_seconds", "type, instance", window="5m"),
    "snapshot_send": _quantile(0.99, "tikv_server_send_snapshot_duration_seconds", window="5m"),
    "snapshot_bytes": _per_second("tikv_snapshot_limit_transport_bytes", "instance, type"),
    "resolved_gap": "max by (instance) (tikv_resolved_ts_min_resolved_ts_gap_millis)",
    "leader_gap": "max by (instance) (tikv_resolved_ts_min_leader_resolved_ts_gap_millis)",
    "follower_gap": "max by (instance) (tikv_resolved_ts_min_follower_safe_ts_gap_millis)",
    "resolved_region": "tikv_resolved_ts_min_resolved_ts_region",
    "advance_failures": "sum by (instance, reason) (increase(tikv_resolved_ts_fail_advance_count[1m]))",
    "safe_point_age": "time() - max by (instance) (tikv_gcworker_autogc_safe_point) / 262144 / 1000",
    "gc_tasks": 'sum(increase(tikv_gcworker_gc_tasks_vec{task="gc"}[1d]))',
    "gc_filters": "sum(increase(tikv_gc_compaction_filter_perform[1d]))",
    "gc_failures": "sum by (instance, task) (increase(tikv_gcworker_gc_task_fail_vec[10m]))",
    "lock_waiters": _quantile(0.99, "tikv_lock_manager_waiter_lifetime_duration"),
    "lock_errors": _per_second("tikv_lock_manager_error_counter", "instance, type"),
    "deadlock_leader": "sum by (instance) (max_over_time(tikv_lock_manager_detector_leader_heartbeat[30s]))",
}

QUERIES = {**ALIVE, **SERVICE, **RAFT, **THREADS, **ENGINE, **DISK, **SCHEDULING, **PD, **BACKGROUND}
