"""Named metrics of the disk: the write-ahead log, the backend (bbolt) and snapshots (etcd server/storage/wal/metrics.go, backend/metrics.go)."""

from functools import partial

from opsai_etcd.metric import FAQ, MIXIN, most, p99, rate, signal
from opsai_subjects.subject import Signal

_disk = partial(signal, topic="disk")

DISK: tuple[Signal, ...] = (
    _disk(
        "wal_fsync_p99",
        p99("etcd_disk_wal_fsync_duration_seconds"),
        "s",
        "how long an fsync of the raft log takes: every write waits for it on a majority",
        f"under 0.01 s ({FAQ}); above 0.5 s it is an alert ({MIXIN})",
    ),
    _disk(
        "wal_fsyncs",
        rate("etcd_disk_wal_fsync_duration_seconds_count"),
        "1/s",
        "fsyncs of the raft log",
        "the load",
    ),
    _disk(
        "wal_written",
        rate("etcd_disk_wal_write_bytes_total"),
        "bytes/s",
        "what is written to the raft log",
        "the load",
        versions="v3.4+",
    ),
    _disk(
        "backend_commit_p99",
        p99("etcd_disk_backend_commit_duration_seconds"),
        "s",
        "how long a commit of the key-value store takes: it happens every 100 ms and once in 10,000 writes",
        f"under 0.025 s ({FAQ}); above 0.25 s it is an alert ({MIXIN})",
    ),
    _disk(
        "defrag_running",
        most("etcd_disk_defrag_inflight"),
        "0/1",
        "whether the member defragments: it answers nothing meanwhile",
        "0",
        versions="v3.4+",
        absent="zero",
    ),
    _disk(
        "snapshot_save_p99",
        p99("etcd_snap_db_save_total_duration_seconds"),
        "s",
        "how long it takes to save a snapshot that came from the leader",
        "the size over the disk's rate",
        grain=1.0,
    ),
)
