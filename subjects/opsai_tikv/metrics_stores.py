"""Named metrics of TiKV, in the order of a write, then reads, raft, threads, engine, disk, memory and timestamps."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import CLIENT, most, p99, rate, signal

_ASYNC = "tikv_storage_engine_async_request_duration_seconds"
_CACHE = "tikv_engine_cache_efficiency"
_THREADS = "tikv_thread_cpu_seconds_total"

LIVENESS: tuple[Signal, ...] = (
    signal(
        "up",
        'max by (instance, job) (up{job=~".*(tikv|pd).*"})',
        "0/1",
        "whether Prometheus could scrape the target: 0 is a dead process, a hung one, or no way to it",
        "1",
    ),
    signal(
        "uptime",
        'time() - max by (instance, job) (process_start_time_seconds{job=~".*(tikv|pd).*"})',
        "s",
        "since the process started; a fall is a restart",
        "over 600 s: below that the block cache is cold and leaders are still coming back",
    ),
    signal(
        "critical_errors",
        rate("tikv_critical_error_total", by="instance, type"),
        "1/s",
        "states that must not be: damaged data, failed reads of the engine. No series until the first",
        "none, ever (alert TiKV_critical_error)",
    ),
)

WRITE_PATH: tuple[Signal, ...] = (
    signal(
        "requests", rate("tikv_grpc_msg_duration_seconds_count", CLIENT), "1/s", "client requests by store", "the load"
    ),
    signal(
        "requests_by_type",
        rate("tikv_grpc_msg_duration_seconds_count", CLIENT, by="type"),
        "1/s",
        "client requests by kind over all stores: what clients do",
        "the load",
    ),
    signal(
        "grpc_p99",
        p99("tikv_grpc_msg_duration_seconds", CLIENT),
        "s",
        "how long client requests take inside the store. Closed-loop clients make all stores look slow when one is",
        "point reads under 0.01 s, writes under 0.1 s (rule of thumb)",
    ),
    signal(
        "grpc_p99_by_type",
        p99("tikv_grpc_msg_duration_seconds", CLIENT, by="type"),
        "s",
        "the same by kind of request; lock waits and coprocessor reads are long by nature",
        "point reads under 0.01 s, prewrite and commit under 0.1 s (rule of thumb)",
    ),
    signal(
        "request_failures",
        rate("tikv_grpc_msg_fail_total", '{type!="kv_gc"}', by="instance, type"),
        "1/s",
        "requests that failed in transport; clients that give up count too",
        "about 0",
    ),
    signal(
        "raftkv_errors",
        rate("tikv_storage_engine_async_request_total", '{status!~"success|all"}', by="instance, status") + " > 0",
        "1/s",
        "requests turned away below the scheduler, by reason: not leader, epoch, busy, disk full. A spike when leaders move",
        "about 0",
    ),
    signal(
        "scheduler_p99",
        p99("tikv_scheduler_command_duration_seconds"),
        "s",
        "a whole write command: latches, snapshot, check, and the raft write below it",
        "under 0.1 s; 1 s alarms (alert TiKV_scheduler_command_duration_seconds)",
    ),
    signal(
        "latch_p99",
        p99("tikv_scheduler_latch_wait_duration_seconds"),
        "s",
        "waiting for other commands on the same keys: hot keys, or a slow raft write that holds the latches",
        "under 0.01 s; 1 s alarms (alert TiKV_scheduler_latch_wait_duration_seconds)",
    ),
    signal(
        "scheduler_busy",
        rate("tikv_scheduler_too_busy_total"),
        "1/s",
        "writes turned away because more than 100 MiB wait or flow control says so (ServerIsBusy)",
        "0",
    ),
    signal(
        "scheduler_writing_bytes",
        most("tikv_scheduler_writing_bytes"),
        "bytes",
        "writes under way below the scheduler: grows when raft or apply is slow",
        "under 50 MiB (rule of thumb; 100 MiB is the threshold for busy)",
    ),
    signal(
        "async_write_p99",
        p99(_ASYNC, '{type="write"}'),
        "s",
        "one raft write end to end: propose, replicate, apply. The best single figure of write health",
        "under 0.1 s, 0.3 s on cloud disks; 1 s alarms (alert TiKV_async_request_write_duration_seconds)",
    ),
    signal(
        "propose_wait_p99",
        p99("tikv_raftstore_request_wait_time_duration_secs"),
        "s",
        "write stage 1: waiting for a raftstore thread. High: too little CPU, too many regions, a long loop",
        "under 0.05 s (docs massive-regions-best-practices)",
    ),
    signal(
        "store_write_wait_p99",
        p99("tikv_raftstore_store_write_task_wait_duration_secs"),
        "s",
        "write stage 2: queueing for the store-writer thread (store-io-pool-size); no series when that is 0",
        "under 0.05 s (rule of thumb)",
    ),
    signal(
        "append_p99",
        p99("tikv_raftstore_append_log_duration_seconds"),
        "s",
        "write stage 3: writing the raft log on this store, queueing included. High with fsync_p99: the disk",
        "under 0.05 s (docs troubleshoot-high-disk-io); 1 s alarms",
    ),
    signal(
        "commit_p99",
        p99("tikv_raftstore_commit_log_duration_seconds"),
        "s",
        "write stage 4: until a majority has the log, measured where the leader is. High with low append_p99: a peer or the network",
        "under 0.1 s (rule of thumb)",
    ),
    signal(
        "apply_wait_p99",
        p99("tikv_raftstore_apply_wait_time_duration_secs"),
        "s",
        "write stage 5: queueing for an apply thread",
        "under 0.05 s (rule of thumb)",
    ),
    signal(
        "apply_p99",
        p99("tikv_raftstore_apply_log_duration_seconds"),
        "s",
        "write stage 6: writing into the engine's memtable; it does not sync. High: RocksDB stalls, or too little CPU",
        "under 0.1 s (docs troubleshoot-high-disk-io); 1 s alarms",
    ),
)

READS: tuple[Signal, ...] = (
    signal(
        "snapshot_p99",
        p99(_ASYNC, '{type="snapshot"}'),
        "s",
        "a read's wait for the region's state: quick with a valid lease, a round of raft without one",
        "under 0.01 s; 1 s alarms (alert TiKV_async_request_snapshot_duration_seconds)",
    ),
    signal(
        "coprocessor_wait_p99",
        p99("tikv_coprocessor_request_wait_seconds", '{type="all"}'),
        "s",
        "queueing of coprocessor reads in the read pool. Only with coprocessor requests (TiDB)",
        "under 1 s; 10 s alarms (alert TiKV_coprocessor_request_wait_seconds)",
    ),
    signal(
        "read_keys",
        rate("tikv_region_read_keys_sum"),
        "1/s",
        "keys read by store; one far above the others is a read hot spot",
        "even among stores",
    ),
    signal(
        "written_keys",
        rate("tikv_region_written_keys_sum"),
        "1/s",
        "keys written by store; one far above the others is a write hot spot",
        "even among stores",
    ),
    signal(
        "block_cache_hit_ratio",
        rate(_CACHE, '{db="kv",type="block_cache_hit"}')
        + " / "
        + rate(_CACHE, '{db="kv",type=~"block_cache_(hit|miss)"}'),
        "ratio",
        "reads served from the block cache: low after a start, or when it is too small",
        "over 0.95 once warm (rule of thumb)",
    ),
)

RAFT: tuple[Signal, ...] = (
    signal(
        "leaders",
        most("tikv_raftstore_region_count", '{type="leader"}'),
        "count",
        "regions this store leads, by its own count; 0 on a store that is Up: evicted, slow, or just started",
        "even among stores, within 5 % (balance-leader)",
    ),
    signal(
        "regions",
        most("tikv_raftstore_region_count", '{type="region"}'),
        "count",
        "peers on this store, by its own count",
        "under 30,000 a store (docs massive-regions-best-practices)",
    ),
    signal(
        "raft_ready_p999",
        p99("tikv_raftstore_raft_process_duration_secs", '{type="ready"}', quantile=0.999),
        "s",
        "one turn of the raftstore loop",
        "under 0.5 s; 2 s alarms (alert TiKV_raft_process_ready_duration_secs)",
    ),
    signal(
        "log_lag_p99",
        p99("tikv_raftstore_log_lag"),
        "entries",
        "how far the slowest follower is behind, on the leader's store",
        "under 100; 5,000 alarms (alert TiKV_raft_log_lag)",
    ),
    signal(
        "votes",
        rate("tikv_raftstore_raft_sent_message_total", '{type=~"vote|prevote"}'),
        "1/s",
        "votes asked for: a burst when a store is lost, lasting when one is cut off or starved",
        "about 0",
    ),
    signal(
        "unreachable_reports",
        rate("tikv_server_report_failure_msg_total", '{type="unreachable"}', by="instance, store_id"),
        "1/s",
        "who says that he cannot reach which store. One store accused by all: that store; one that accuses all: itself",
        "0; 10/s alarms (alert TiKV_server_report_failure_msg_total)",
    ),
    signal(
        "raft_dropped",
        rate("tikv_raftstore_raft_sent_message_total", '{status="drop"}', by="instance, type") + " > 0",
        "1/s",
        "raft messages that were not sent: a full buffer, or a peer out of reach",
        "0",
    ),
    signal(
        "channel_full",
        rate("tikv_channel_full_total", by="instance, type"),
        "1/s",
        "mailboxes of raftstore or apply that were full: requests turned away as busy",
        "0 (alert TiKV_channel_full_total)",
    ),
    signal(
        "leader_missing",
        most("tikv_raftstore_leader_missing"),
        "count",
        "peers without a leader for over 10 minutes; it rises only 10 to 20 minutes after the loss",
        "0",
    ),
    signal(
        "snapshot_traffic",
        most("tikv_raftstore_snapshot_traffic_total", by="instance, type"),
        "count",
        "snapshots being sent, received, applied",
        "0 to a few",
    ),
)

THREADS: tuple[Signal, ...] = (
    signal(
        "cpu_cores",
        'sum by (instance) (rate(process_cpu_seconds_total{job=~".*tikv.*"}[$range]))',
        "cores",
        "processor time the process uses",
        "under 80 % of cpu_quota_cores (alert TiKV_cpu_quota)",
    ),
    signal(
        "cpu_quota_cores",
        most("tikv_server_cpu_cores_quota"),
        "cores",
        "what the process may use, cgroups counted",
        "-",
    ),
    signal(
        "raftstore_cpu",
        rate(_THREADS, '{name=~"(raftstore|rs)_.*"}'),
        "cores",
        "the raftstore threads",
        "under 0.85 × store-pool-size, 2 by default (docs massive-regions-best-practices)",
    ),
    signal(
        "apply_cpu",
        rate(_THREADS, '{name=~"apply_[0-9]+"}'),
        "cores",
        "the apply threads; one region applies on one thread",
        "under 0.9 × apply-pool-size, 2 by default (docs grafana-tikv-dashboard)",
    ),
    signal(
        "grpc_cpu",
        rate(_THREADS, '{name=~"grpc.*"}'),
        "cores",
        "the gRPC threads",
        "under 0.8 × grpc-concurrency, 5 by default (docs grafana-tikv-dashboard)",
    ),
    signal(
        "scheduler_cpu",
        rate(_THREADS, '{name=~"sched_.*"}'),
        "cores",
        "the threads that run write commands",
        "under 0.9 × scheduler-worker-pool-size (docs grafana-tikv-dashboard)",
    ),
    signal(
        "read_pool_cpu",
        rate(_THREADS, '{name=~"unified_read.*"}'),
        "cores",
        "the read pool; one store far above the others: a read hot spot",
        "under 0.8 × its max-thread-count (rule of thumb)",
    ),
    signal(
        "schedule_wait_p99",
        p99("tikv_yatp_pool_schedule_wait_duration"),
        "s",
        "how long tasks of all pools wait for a thread: starvation of CPU shows here first",
        "under 0.01 s (rule of thumb)",
    ),
    signal(
        "worker_pending",
        most("tikv_worker_pending_task_total", by="instance, name") + " > 0",
        "count",
        "tasks queued at background workers",
        "under 100; 1,000 alarms (alert TiKV_pending_task)",
    ),
)
