"""Named metrics of the data kept: size, quota, keys, watchers, leases (etcd server/storage/mvcc/metrics.go)."""

from functools import partial

from opsai_etcd.metric import MIXIN, most, rate, signal
from opsai_subjects.subject import Signal

_data = partial(signal, topic="data")

DATA: tuple[Signal, ...] = (
    _data(
        "db_size",
        most("etcd_mvcc_db_total_size_in_bytes"),
        "bytes",
        "the size of the backend's file, free pages in it included",
        f"under 95 % of the quota ({MIXIN})",
        pitfalls="It never shrinks by itself: compaction frees pages, only defragmentation gives them back.",
    ),
    _data(
        "db_in_use",
        most("etcd_mvcc_db_total_size_in_use_in_bytes"),
        "bytes",
        "how much of the backend's file is in use",
        f"above half of db_size ({MIXIN})",
    ),
    _data(
        "quota",
        most("etcd_server_quota_backend_bytes"),
        "bytes",
        "the quota of the backend: above it the alarm NOSPACE is raised and the cluster takes no writes",
        "2 GiB unless set; etcd.io advises at most 8 GiB",
        pitfalls="Set for each member by itself: the smallest one stops them all.",
    ),
    _data(
        "quota_ratio",
        "max by (instance) (etcd_mvcc_db_total_size_in_bytes) / max by (instance) (etcd_server_quota_backend_bytes)",
        "ratio",
        "how much of the quota the backend's file takes",
        f"under 0.8 (rule of thumb), an alert at 0.95 ({MIXIN})",
    ),
    _data(
        "fragmentation_ratio",
        "1 - max by (instance) (etcd_mvcc_db_total_size_in_use_in_bytes) / max by (instance) (etcd_mvcc_db_total_size_in_bytes)",
        "ratio",
        "which part of the backend's file is free pages",
        f"under 0.5 where more than 100 MiB are in use ({MIXIN})",
    ),
    _data(
        "keys",
        most("etcd_debugging_mvcc_keys_total"),
        "count",
        "keys that exist",
        "the data",
        pitfalls="A debugging metric: it may change between versions.",
        grain=1000.0,
    ),
    _data(
        "revision",
        most("etcd_debugging_mvcc_current_revision"),
        "count",
        "the store's revision: one more with each write",
        "alike on all members",
        grain=1e12,
    ),
    _data(
        "watchers",
        most("etcd_debugging_mvcc_watcher_total"),
        "count",
        "watches that are open",
        "the clients",
        grain=100.0,
    ),
    _data(
        "slow_watchers",
        most("etcd_debugging_mvcc_slow_watcher_total"),
        "count",
        "watches that lag behind and are being caught up",
        "0",
        grain=5.0,
    ),
    _data("puts", rate("etcd_mvcc_put_total"), "1/s", "puts", "the load"),
    _data(
        "leases_expired",
        rate("etcd_debugging_server_lease_expired_total"),
        "1/s",
        "leases that ran out because nobody renewed them",
        "the clients",
    ),
)
