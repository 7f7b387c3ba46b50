"""Named metrics of processor time: the process, each pool of threads, and what waits for a thread."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import FIRST_EVENT, most, p99, rate, signal, topic, total

_THREADS = "tikv_thread_cpu_seconds_total"
_NAMES = "Thread names are cut at 15 characters and differ between versions; the query's prefix holds for v6.1 to v8.5."

CPU: tuple[Signal, ...] = topic(
    "cpu",
    signal(
        "cpu_cores",
        'sum by (instance) (rate(process_cpu_seconds_total{job=~".*tikv"}[$range]))',
        "cores",
        "processor time the process uses",
        "under 80 % of cpu_quota_cores (alert TiKV_cpu_quota)",
        pitfalls="Low with high waits: it is held below its quota by the host or its cgroup, so it cannot use more.",
        grain=0.1,
    ),
    signal(
        "cpu_quota_cores",
        most("tikv_server_cpu_cores_quota"),
        "cores",
        "what the process may use, cgroups counted",
        "-",
        pitfalls="Read once at start: a cgroup changed since does not show.",
        grain=0.5,
    ),
    signal(
        "raftstore_cpu",
        rate(_THREADS, '{name=~"(raftstore|rs)_.*"}'),
        "cores",
        "the raftstore threads",
        "under 0.85 × store-pool-size, 2 by default (docs massive-regions-best-practices)",
        pitfalls="The alert's 1.6 supposes two threads.",
    ),
    signal(
        "apply_cpu",
        rate(_THREADS, '{name=~"apply_[0-9]+"}'),
        "cores",
        "the apply threads; one region applies on one thread",
        "under 0.9 × apply-pool-size, 2 by default (docs grafana-tikv-dashboard)",
        pitfalls="The shipped alert compares with `=` where `=~` is meant and can never fire.",
    ),
    signal(
        "store_writer_cpu",
        rate(_THREADS, '{name=~"store_write.*"}'),
        "cores",
        "the threads that write the raft log",
        "under 0.8 × store-io-pool-size (rule of thumb)",
        pitfalls="No series where store-io-pool-size is 0: raftstore threads write then.",
        needs="store-io-pool-size above 0",
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
        pitfalls="The alert TiKV_coprocessor_cpu_util looks at `cop_*` threads that no longer exist.",
    ),
    signal(
        "rocksdb_cpu",
        rate(_THREADS, '{name=~"rocksdb.*"}'),
        "cores",
        "flush and compaction",
        "under max-background-jobs (rule of thumb)",
        pitfalls=_NAMES,
    ),
    signal(
        "gc_cpu",
        rate(_THREADS, '{name=~"gc_worker.*"}'),
        "cores",
        "the GC threads",
        "under 0.9 × gc.num-threads, 1 by default",
    ),
    signal(
        "schedule_wait_p99",
        p99("tikv_yatp_pool_schedule_wait_duration"),
        "s",
        "how long tasks of all pools wait for a thread: starvation of CPU shows here first",
        "under 0.01 s (rule of thumb)",
        grain=0.02,
        versions="v6.5+",
    ),
    signal(
        "worker_pending",
        most("tikv_worker_pending_task_total", by="instance, name") + " > 0",
        "count",
        "tasks queued at background workers",
        "under 100; 1,000 alarms (alert TiKV_pending_task)",
        pitfalls="A gauge in spite of `_total`. Many at pd-worker: PD is late or out of reach.",
        needs=FIRST_EVENT,
        grain=10.0,
    ),
    signal(
        "thread_states",
        total("tikv_threads_state", '{state=~"D|R|T"}', by="instance, state"),
        "count",
        "threads by the kernel's state: D waits for the disk, R wants or has a CPU, T is stopped",
        "D about 0 (rule of thumb)",
        pitfalls="A stopped process answers no scrape, so T is seldom seen.",
        grain=4.0,
    ),
)
