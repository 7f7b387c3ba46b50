"""Named metrics of whether processes live and what clients ask of the stores."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import CLIENT, FIRST_EVENT, most, p99, rate, signal, topic

_GRPC = "tikv_grpc_msg_duration_seconds"
_NODES = '{job=~".*(tikv|pd)"}'

LIVENESS: tuple[Signal, ...] = topic(
    "liveness",
    signal(
        "up",
        f"max by (instance, job) (up{_NODES})",
        "0/1",
        "whether Prometheus could scrape the target: 0 is a dead process, a hung one, or no way to it",
        "1",
        pitfalls="Only the way from Prometheus to the status port: up at 0 with PD calling the store Up is trouble of the monitoring.",
    ),
    signal(
        "uptime",
        f"time() - max by (instance, job) (process_start_time_seconds{_NODES})",
        "s",
        "since the process started; a fall is a restart",
        "over 600 s: below that the block cache is cold and leaders are still coming back",
        grain=120.0,
    ),
    signal(
        "restarts",
        f"max by (instance, job) (changes(process_start_time_seconds{_NODES}[1h]))",
        "count",
        "starts of the process seen within an hour",
        "0 (alerts TiKV_node_restart, PD_node_restart)",
        pitfalls="It counts when the process is back; while it is down there is no series.",
        grain=0.5,
    ),
    signal(
        "scrape_seconds",
        f"max by (instance, job) (scrape_duration_seconds{_NODES})",
        "s",
        "what a scrape of the target takes: a process starved of CPU answers late before it fails",
        "under 1 s; the scrape's timeout (10 s by default) is a stopped process",
        grain=0.3,
    ),
    signal(
        "server_versions",
        "count by (version) (tikv_server_info)",
        "count",
        "stores by version of TiKV: two versions are an upgrade under way or left half done",
        "one version",
        grain=0.5,
    ),
    signal(
        "critical_errors",
        rate("tikv_critical_error_total", by="instance, type"),
        "1/s",
        "states that must not be: damaged data, failed reads of the engine. No series until the first",
        "none, ever (alert TiKV_critical_error)",
        needs=FIRST_EVENT,
        grain=0.005,
    ),
    signal(
        "damaged_files",
        most("tikv_rocksdb_damaged_files"),
        "count",
        "SST files that background recovery found damaged and has not put right",
        "0",
        needs=FIRST_EVENT,
        grain=0.5,
    ),
)

REQUESTS: tuple[Signal, ...] = topic(
    "requests",
    signal(
        "requests",
        rate(f"{_GRPC}_count", CLIENT),
        "1/s",
        "client requests by store",
        "the load",
        pitfalls="Closed-loop clients wait for the slow store, so the rate falls on all stores at once: no evidence of where.",
        grain=20.0,
    ),
    signal(
        "requests_by_type",
        rate(f"{_GRPC}_count", CLIENT, by="type"),
        "1/s",
        "client requests by kind over all stores: what clients do",
        "the load",
        pitfalls="A batch_commands stream is counted by the commands in it.",
        grain=20.0,
    ),
    signal(
        "grpc_p99",
        p99(_GRPC, CLIENT),
        "s",
        "how long client requests take inside the store. Closed-loop clients make all stores look slow when one is",
        "point reads under 0.01 s, writes under 0.1 s (rule of thumb)",
        pitfalls="Buckets double, so a quantile may be off by a factor of two; NaN is no traffic, not zero.",
        grain=0.05,
    ),
    signal(
        "grpc_p99_by_type",
        p99(_GRPC, CLIENT, by="type"),
        "s",
        "the same by kind of request; lock waits and coprocessor reads are long by nature",
        "point reads under 0.01 s, prewrite and commit under 0.1 s (rule of thumb)",
        pitfalls="kv_pessimistic_lock holds the time it waited for another transaction.",
        grain=0.05,
    ),
    signal(
        "request_failures",
        rate("tikv_grpc_msg_fail_total", '{type!="kv_gc"}', by="instance, type"),
        "1/s",
        "requests that failed in transport; clients that give up count too",
        "about 0",
        needs=FIRST_EVENT,
    ),
    signal(
        "raftkv_errors",
        rate("tikv_storage_engine_async_request_total", '{status!~"success|all"}', by="instance, status") + " > 0",
        "1/s",
        "requests turned away below the scheduler, by reason: not leader, epoch, busy, disk full. A spike when leaders move",
        "about 0",
        pitfalls="err_not_leader and err_epoch_not_match follow every move of a leader and every split; clients retry them.",
        needs=FIRST_EVENT,
    ),
    signal(
        "request_sources",
        rate("tikv_grpc_request_source_counter_vec", by="source"),
        "1/s",
        "requests by who made them inside TiDB: user statements, GC, statistics, DDL, TTL",
        "the load",
        pitfalls="`unknown` is a client that does not say (go-ycsb, client-java, TiDB below v6.5).",
        grain=20.0,
        versions="v6.5+",
    ),
)
