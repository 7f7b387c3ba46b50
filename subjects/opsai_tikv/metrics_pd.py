"""Named metrics of PD: leadership, timestamps, etcd, what it counts of regions and stores, scheduling, hot spots."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import most, p99, rate, signal

LEADERSHIP: tuple[Signal, ...] = (
    signal(
        "pd_leader",
        'max by (instance) (service_member_role{service="PD"}) or on () max by (instance) (pd_tso_role)',
        "0/1",
        "which PD member leads (v6.5: by its part in timestamps)",
        "exactly one member at 1",
    ),
    signal(
        "etcd_leader",
        most("etcd_server_is_leader"),
        "0/1",
        "which member leads PD's etcd",
        "exactly one at 1, PD's leader",
    ),
    signal(
        "etcd_has_leader",
        "min by (instance) (etcd_server_has_leader)",
        "0/1",
        "whether the member sees an etcd leader: 0 is one that is cut off, or no quorum",
        "1 on all",
    ),
    signal(
        "etcd_leader_changes",
        "max by (instance) (increase(etcd_server_leader_changes_seen_total[10m]))",
        "count",
        "changes of etcd's leader within 10 minutes",
        "0",
    ),
)

TIMESTAMPS: tuple[Signal, ...] = (
    signal(
        "tso_p99",
        p99("pd_server_handle_tso_duration_seconds"),
        "s",
        "what PD takes to give out timestamps",
        "under 0.005 s (rule of thumb)",
    ),
    signal(
        "tso_rate",
        rate("pd_server_handle_tso_duration_seconds_count"),
        "1/s",
        "timestamp requests PD handles",
        "the load",
    ),
    signal(
        "tso_events",
        rate("pd_tso_events", by="instance, type") + " > 0",
        "1/s",
        "what happens to the timestamp window: slow_save, system_time_slow, not_leader, … A save every few seconds is normal",
        "save every 3 to 5 s, no err_*",
    ),
    signal(
        "tso_ahead",
        'max(pd_cluster_tso{type="tso"}) / 1000 - time()',
        "s",
        "how far timestamps are from the clock: far ahead means the clock once was",
        "within 1 s, scrape interval counted",
    ),
)

ETCD: tuple[Signal, ...] = (
    signal(
        "wal_fsync_p99",
        p99("etcd_disk_wal_fsync_duration_seconds"),
        "s",
        "what PD's disk takes to sync etcd's log; over a lease's 3 to 5 s PD's leader steps down",
        "under 0.01 s; 1 s is critical (alert PD_etcd_write_disk_latency)",
    ),
    signal(
        "backend_commit_p99",
        p99("etcd_disk_backend_commit_duration_seconds"),
        "s",
        "what a commit of etcd's database takes",
        "under 0.025 s (etcd tuning guide)",
    ),
    signal(
        "peer_rtt_p99",
        p99("etcd_network_peer_round_trip_time_seconds", by="instance, To"),
        "s",
        "the way between PD members (To is etcd's id of the other)",
        "under 0.05 s; 1 s alarms (alert PD_etcd_network_peer_latency)",
    ),
    signal(
        "etcd_txn_p99",
        p99("pd_txn_handle_txns_duration_seconds", by="instance, result") + " >= 0",
        "s",
        "what PD's own transactions on etcd take",
        "under 0.05 s (rule of thumb)",
    ),
    signal(
        "etcd_quota_ratio",
        "max by (instance) (etcd_mvcc_db_total_size_in_bytes / etcd_server_quota_backend_bytes)",
        "ratio",
        "how full etcd's database is; at 1 PD can save nothing any more",
        "under 0.8 (alert pd_etcd_quota)",
    ),
    signal(
        "pd_cpu_cores",
        'sum by (instance) (rate(process_cpu_seconds_total{job=~".*pd.*"}[$range]))',
        "cores",
        "processor time a PD member uses",
        "under 80 % of pd_service_maxprocs (alert PD_cpu_quota)",
    ),
)

REGIONS: tuple[Signal, ...] = (
    signal(
        "store_states",
        'sum by (type) (max by (type, store) (pd_cluster_status{type=~"store_.*_count"}))',
        "count",
        "how many stores PD holds for up, disconnected, down, slow, …; a slow store is not counted as up",
        "all up, the rest 0",
    ),
    signal(
        "region_health",
        'max by (type) (pd_regions_status{type=~".*-region-count"})',
        "count",
        "regions with missing, down, pending, extra, offline or learner peers; late by a minute and more",
        "0; empty and undersized regions do no harm",
    ),
    signal(
        "region_total",
        'max(sum by (instance) (pd_cluster_status{type="region_count"}))',
        "count",
        "peers over all stores as PD counts them",
        "steady",
    ),
    signal(
        "region_heartbeat_handle_p99",
        p99("pd_scheduler_handle_region_heartbeat_duration_seconds"),
        "s",
        "what PD takes for one region heartbeat: high is a PD that is overloaded",
        "under 0.01 s (rule of thumb)",
    ),
)

SCHEDULING: tuple[Signal, ...] = (
    signal(
        "operators",
        rate("pd_schedule_operators_count", by="type, event") + " * 60",
        "1/min",
        "operators by kind and event: create, finish, timeout, cancel. No series until the first",
        "finish about equals create, no timeout",
    ),
    signal(
        "scheduler_allowed",
        'max by (kind) (pd_scheduler_status{type="allow"})',
        "0/1",
        "whether each scheduler may run: 0 is paused, or its limit is 0",
        "1",
    ),
    signal(
        "scheduling_halted",
        "max by (kind) (pd_scheduling_allowance_status)",
        "0/1",
        "whether all scheduling is halted, by cause",
        "0",
    ),
)

HOTSPOTS: tuple[Signal, ...] = (
    signal(
        "store_write_rate",
        most("pd_scheduler_store_status", '{type="store_write_rate_bytes"}', by="store, address"),
        "bytes/s",
        "what each store writes as PD sees it, followers' writes counted",
        "the largest under twice the mean",
    ),
    signal(
        "store_read_rate",
        most("pd_scheduler_store_status", '{type="store_read_rate_bytes"}', by="store, address"),
        "bytes/s",
        "what each store reads as PD sees it",
        "the largest under twice the mean",
    ),
    signal(
        "hot_write_leaders",
        most("pd_hotspot_status", '{type="hot_write_region_as_leader"}', by="store, address"),
        "count",
        "hot regions led by each store; PD's bar is low, so a count by itself is no hot spot",
        "even among stores",
    ),
    signal(
        "store_leader_count",
        most("pd_scheduler_store_status", '{type="leader_count"}', by="store, address"),
        "count",
        "regions each store leads, as PD counts; it stands still when the store's heartbeats end",
        "even among stores, within 5 %",
    ),
)
