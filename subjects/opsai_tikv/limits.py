"""LIMITS: the one figure that an invariant stands on, by its id. What says it elsewhere reads it from here."""

from collections.abc import Mapping

LIMITS: Mapping[str, float] = {
    "pd_leader_stable": 1.0,
    "pd_disk_fast": 0.07,
    # above the histogram's 64 ms bucket: one slow fsync among few lifts a p99 into it, where scrapes are 15 s apart for longer
    "pd_network_fast": 0.02,
    "pd_cpu_enough": 0.03,
    "pd_disk_space": 0.8,  # pd.rules.yml pd_etcd_quota
    "pd_saves_fast": 1.1,  # above the 1.024 s bucket of its histogram, a third of a lease; seen at 1.0 s for a moment when well
    "pd_timestamps_fast": 0.1,  # pd.rules.yml PD_tidb_handle_requests_duration
    "pd_clock_true": 1.0,
    "pd_memory_enough": 0.8,  # pd.rules.yml PD_memory_quota
    "pd_members_enough": 3.0,
    "regions_whole": 0.05,
    "replicas_alive": 0.0,  # pd.rules.yml PD_down_peer_region_nums
    "regions_led": 0.05,
    "regions_merged": 0.5,
    "regions_split": 0.1,
    "regions_spread": 1.8,
    "operators_finish": 1.0,
    "replicas_find_stores": 0.0,
    "gc_advances": 3600.0,  # GC life time and interval are 10 min each by default
    "store_up": 20.0,  # pd pkg/core/store.go storeDisconnectDuration
    "store_reachable": 0.2,
    "store_pd_link": 0.5,
    "store_disk_fast": 0.05,
    "store_disk_completes": 0.5,  # fewer complete on a hung disk only
    "store_cpu_enough": 3.0,
    "store_append_fast": 0.05,  # docs troubleshoot-high-disk-io
    "store_apply_fast": 0.03,
    "store_scheduler_fast": 0.15,
    "store_writes_fast": 0.15,
    "store_serves_fast": 0.15,
    "store_not_slow": 80.0,  # pd pkg/core/store.go slowStoreThreshold
    "store_takes_requests": 0.5,
    "store_reads_succeed": 0.5,
    "store_disk_space": 0.05,  # what TiKV keeps in reserve: storage.reserve-space, 5 % or 5 GiB
    "store_space_left": 0.2,  # pd low-space-ratio 0.8; tikv.rules.yml TiKV_low_space
    "leaders_spread": 1.8,
    "store_memory_enough": 0.8,  # tikv.rules.yml TiKV_memory_quota
    "store_memory_steady": 5.0 * 2**30,  # tikv.rules.yml TiKV_memory_used_too_fast
    "store_pools_free": 0.9,
    "store_raft_loop_fast": 2.0,  # tikv.rules.yml TiKV_raft_process_ready_duration_secs
    "store_followers_keep_up": 5000.0,  # tikv.rules.yml TiKV_raft_log_lag
    "store_reads_begin_fast": 1.0,  # tikv.rules.yml TiKV_async_request_snapshot_duration_seconds
    "store_coprocessor_starts": 10.0,  # tikv.rules.yml TiKV_coprocessor_request_wait_seconds
    "store_workers_keep_up": 1000.0,  # tikv.rules.yml TiKV_pending_task
    "store_writes_drain": 1000.0,  # tikv.rules.yml TiKV_scheduler_context_total
    "store_l0_compacted": 20.0,  # tikv src/storage/config.rs l0_files_threshold
    "store_compaction_keeps_up": 192.0 * 2**30,  # soft_pending_compaction_bytes_limit there
    "tombstones_cleared": 604_800.0,
    "store_picture_true": 0.3,
    "store_requests_routed": 0.1,
    "store_snapshots_arrive": 0.0,
    "store_resolved_ts_advances": 300_000.0,
    "store_gc_follows": 3600.0,
    "load_even": 0.25,
    "load_carried": 5.0,
    "transactions_flow": 5.0,
    "space_lasts": 0.1,
    "log_written": 7200.0,
    "node_clock_true": 2.0,  # the time is told in whole seconds
    "our_clock_true": 2.0,
    "certificates_last": 14.0,
    "rates_have_samples": 3.0,
    "store_feeds_keep_up": 20.0,
    "store_applies_snapshots": 4.0,
    "store_catches_up": 4.0,
    "reads_meet_live_data": 20.0,
}
