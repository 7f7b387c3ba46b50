"""Named metrics of the stores' memory."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import most, signal, topic, total

_QUOTA = "tikv_scheduler_memory_quota_size"

MEMORY: tuple[Signal, ...] = topic(
    "memory",
    signal(
        "rss_bytes",
        'max by (instance, job) (process_resident_memory_bytes{job=~".*(tikv|pd)"})',
        "bytes",
        "memory in use",
        "under 80 % of memory_quota_bytes (alert TiKV_memory_quota)",
        pitfalls="It grows for hours after a start until the block cache is full; that is no leak.",
        grain=128 * 2.0**20,
    ),
    signal(
        "memory_quota_bytes",
        most("tikv_server_memory_quota_bytes"),
        "bytes",
        "what the process may use, cgroups counted (v8.5 and later)",
        "-",
        versions="v8.1+",
    ),
    signal(
        "memory_by_component",
        most("tikv_server_mem_trace_sum", by="instance, name") + " > 0",
        "bytes",
        "which part of TiKV holds the memory it traces",
        "steady",
        pitfalls="The names nest: `raftstore` holds the others that begin so.",
        grain=64 * 2.0**20,
    ),
    signal(
        "allocator_bytes",
        most("tikv_allocator_stats", '{type=~"allocated|resident|dirty|fragmentation"}', by="instance, type"),
        "bytes",
        "what jemalloc holds: resident far above allocated is memory it has not given back",
        "resident within a quarter of allocated (rule of thumb)",
        grain=128 * 2.0**20,
    ),
    signal(
        "scheduler_memory_ratio",
        most(_QUOTA, '{type="in_use"}') + " / " + most(_QUOTA, '{type="capacity"}'),
        "ratio",
        "how much of its memory quota the write scheduler uses; at 1 writes are refused as busy",
        "under 0.8 (rule of thumb)",
        versions="v8.1+",
    ),
    signal(
        "pessimistic_lock_bytes",
        total("tikv_pessimistic_lock_memory_size"),
        "bytes",
        "memory of pessimistic locks kept in memory only",
        "under 100 MiB a store (pessimistic-txn.in-memory-instance-size-limit)",
        grain=2.0**20,
    ),
)
