"""Named metrics of TiKV's engine, disk, memory and timestamps, and of what it has to do with PD."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import most, p99, rate, signal

ENGINE: tuple[Signal, ...] = (
    signal(
        "throttle_flow",
        most("tikv_scheduler_throttle_flow"),
        "bytes/s",
        "to how much flow control holds writes; 0 when it does not",
        "0",
    ),
    signal(
        "discard_ratio",
        most("tikv_scheduler_discard_ratio") + " / 10000000",
        "ratio",
        "share of writes that flow control turns away because compaction is behind",
        "0",
    ),
    signal(
        "l0_files",
        most("tikv_engine_num_files_at_level", '{db="kv",level="0"}', by="instance, cf"),
        "files",
        "files that compaction has not taken up yet; 20 begins to hold writes back (flow control)",
        "under 8 (rule of thumb)",
    ),
    signal(
        "pending_compaction_bytes",
        most("tikv_engine_pending_compaction_bytes", '{db="kv"}', by="instance, cf"),
        "bytes",
        "what compaction has yet to do; 192 GiB holds writes back, 1 TiB stops them (flow control)",
        "under 16 GiB (rule of thumb)",
    ),
    signal(
        "immutable_memtables",
        most("tikv_engine_num_immutable_mem_table", '{db="kv"}', by="instance, cf"),
        "count",
        "full memtables that wait to be flushed; 5 holds writes back (flow control)",
        "under 3 (rule of thumb)",
    ),
    signal(
        "write_stall",
        most("tikv_engine_write_stall", '{db="kv",type="write_stall_percentile99"}'),
        "µs",
        "how long RocksDB made writers wait: a gauge reset every 10 s, so take the max",
        "0 (alert TiKV_write_stall)",
    ),
)

DISK: tuple[Signal, ...] = (
    signal(
        "fsync_p99",
        p99("raft_engine_sync_log_duration_seconds"),
        "s",
        "the pure time of a sync of the raft log: what the disk itself takes",
        "under 0.02 s on NVMe, 0.1 s on cloud disks (rule of thumb)",
    ),
    signal(
        "fsync_rate",
        rate("raft_engine_sync_log_duration_seconds_count"),
        "1/s",
        "syncs that were completed: 0 under load is a disk that hangs (its p99 is NaN then, not high)",
        "the load",
    ),
    signal(
        "raft_engine_write_p99",
        p99("raft_engine_write_duration_seconds"),
        "s",
        "one write of the raft log, queueing inside raft-engine included",
        "under 0.02 s (rule of thumb)",
    ),
    signal(
        "slow_score",
        most("tikv_raftstore_slow_score", by="instance, type"),
        "score",
        "1 is well, 100 as slow as can be: doubles every 3 s while a tenth of the disk's probes are late (15 s on v6.5)",
        "1; PD calls a store slow from 80 and moves its leaders away at 100 (pd evict_slow_store.go)",
    ),
    signal(
        "inspect_p99",
        p99("tikv_raftstore_inspect_duration_seconds", by="instance, type"),
        "s",
        "the store's own probes of its disk and raftstore, by stage",
        "under 0.1 s (inspect-interval since v7.5)",
    ),
    signal(
        "io_bytes",
        rate("tikv_io_bytes", by="instance, type, op") + " > 0",
        "bytes/s",
        "who uses the disk: foreground, flush, compaction, gc, replication, …",
        "the load",
    ),
    signal(
        "available_ratio",
        most("tikv_store_size_bytes", '{type="available"}')
        + " / "
        + most("tikv_store_size_bytes", '{type="capacity"}'),
        "ratio",
        "free share of the store's disk",
        "over 0.2: below, PD moves nothing in any more (low-space-ratio 0.8)",
    ),
)

MEMORY: tuple[Signal, ...] = (
    signal(
        "rss_bytes",
        'max by (instance, job) (process_resident_memory_bytes{job=~".*(tikv|pd).*"})',
        "bytes",
        "memory in use",
        "under 80 % of memory_quota_bytes (alert TiKV_memory_quota)",
    ),
    signal(
        "memory_quota_bytes",
        most("tikv_server_memory_quota_bytes"),
        "bytes",
        "what the process may use, cgroups counted (v8.5 and later)",
        "-",
    ),
    signal(
        "memory_by_component",
        most("tikv_server_mem_trace_sum", by="instance, name") + " > 0",
        "bytes",
        "which part of TiKV holds the memory it traces",
        "steady",
    ),
)

TIMESTAMPS: tuple[Signal, ...] = (
    signal(
        "resolved_ts_gap",
        most("tikv_resolved_ts_min_resolved_ts_gap_millis"),
        "ms",
        "how far the oldest resolved timestamp of the store is behind; a rise of 1 s a second is one that is stuck",
        "up to about 30,000 ms where resolved-ts.advance-ts-interval is 20 s, its default (seen so when well)",
    ),
    signal(
        "leader_resolved_ts_gap",
        most("tikv_resolved_ts_min_leader_resolved_ts_gap_millis"),
        "ms",
        "the same for regions it leads: high by itself means old locks, not replication",
        "up to about 20,000 ms, the advance interval",
    ),
    signal(
        "gc_safe_point_age",
        "time() - max by (instance) (tikv_gcworker_autogc_safe_point > 0) / 262144 / 1000",
        "s",
        "how old versions may be that GC keeps. No series where GC never ran (no TiDB)",
        "under an hour (gc life time 10 min and interval 10 min)",
    ),
)

PD_CLIENT: tuple[Signal, ...] = (
    signal(
        "pd_request_p99",
        p99("tikv_pd_request_duration_seconds", by="instance, type") + " >= 0",
        "s",
        "what requests to PD take as the store feels it",
        "under 0.05 s (rule of thumb)",
    ),
    signal(
        "pd_reconnects",
        rate("tikv_pd_reconnect_total", '{type!="no_need"}', by="instance, type"),
        "1/s",
        "the store looks for PD again: PD's leader changed, or it cannot be reached from this store",
        "0",
    ),
    signal(
        "pd_pending_heartbeats",
        most("tikv_pd_pending_heartbeat_total"),
        "count",
        "region heartbeats that wait to be sent to PD",
        "about 0",
    ),
    signal(
        "region_heartbeats",
        rate("pd_scheduler_region_heartbeat", '{type="report",status="ok"}', by="store"),
        "1/s",
        "region heartbeats that PD took, by store: about one a minute for each leader there",
        "leader count / 60",
    ),
)
