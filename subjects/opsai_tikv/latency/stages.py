"""The stages of a write and of a read, in the order a request goes through them, each with its queries.

Names and labels as registered in tikv v6.5 to master and client-go's metrics/metrics.go (TiDB's prefix is
`tidb_tikvclient`, a program's own `tikv_client_go`).
"""

from dataclasses import dataclass
from typing import Literal

from opsai_tikv.gathering.tracked import CLIENT_READS, CLIENT_WRITES

Path = Literal["write", "read"]
Key = Literal["instance", "store", "type"]
"""The label that says whose a series is; a client's own waits are by `type`."""

_CLIENT_SENDS = '{__name__=~"(tidb_tikvclient|tikv_client_go)_request_seconds_%s",type=~"%s"}'
_CLIENT_WAITS = '{__name__=~"(tidb_tikvclient|tikv_client_go)_%s_%%s"}'
_SENT_WRITES = "Prewrite|Commit|PessimisticLock|Flush|RawPut|RawBatchPut|RawDelete|RawCompareAndSwap"
_SENT_READS = "Get|BatchGet|BufferBatchGet|Scan|Cop|CopStream|BatchCop|RawGet|RawBatchGet|RawScan"
_ASYNC = "tikv_storage_engine_async_request_duration_seconds"
_YATP = "tikv_yatp_pool_schedule_wait_duration"
_WALKED = '{__name__=~"tikv_(scheduler_kv|coprocessor)_scan_details",cf="write",tag=~"next|prev"}'
_USED = '{__name__=~"tikv_(scheduler_kv|coprocessor)_scan_details",cf="write",tag="processed_keys"}'
_SKIPPED = '{__name__=~"tikv_(storage|coprocessor)_rocksdb_perf",metric="internal_delete_skipped_count"}'
_BLOCK_READ = '{__name__=~"tikv_(storage|coprocessor)_rocksdb_perf",metric="block_read_time"}'
_CACHE_MISS = 'tikv_engine_cache_efficiency{db="kv",type="block_cache_miss"}'
_CACHE_ALL = 'tikv_engine_cache_efficiency{db="kv",type=~"block_cache_(hit|miss)"}'


def _rate(selector: str) -> str:
    return f"sum by (instance) (rate({selector}[$range]))"


_READ_COUNT = _rate(f"tikv_grpc_msg_duration_seconds_count{CLIENT_READS}")


@dataclass(frozen=True)
class Stage:
    """One stage: a histogram's selector (`%s` stands for bucket, sum or count), or the query of a figure."""

    id: str
    title: str
    """What it is, in the words of a verdict."""
    selector: str = ""
    figure: str = ""
    key: Key = "instance"
    floor: float = 0.001
    """A rise below that is nobody's trouble: seconds of the mean, or the figure's own unit."""
    unit: Literal["s", "ratio", "keys"] = "s"

    @property
    def queries(self) -> tuple[str, ...]:
        """The one or two range queries that measure it; `$range` is the rate range."""
        if self.figure:
            return (f'label_replace({self.figure}, "is", "figure", "", "")',)
        by, buckets = self.key, self.selector % "bucket"
        halves = [
            f'label_replace(histogram_quantile({q}, sum by (le, {by}) (rate({buckets}[$range]))), "is", "{name}", "", "")'
            for q, name in ((0.5, "p50"), (0.99, "p99"))
        ]
        sums = [
            f'label_replace(sum by ({by}) (rate({self.selector % part}[$range])), "is", "{part}", "", "")'
            for part in ("sum", "count")
        ]
        return (" or ".join(halves), " or ".join(sums))


def _of(stage: str, title: str, metric: str, matchers: str = "", *, key: Key = "instance") -> Stage:
    return Stage(stage, title, f"{metric}_%s{matchers}", key=key)


GRPC_WRITE = _of("write_requests", "client writes inside the store", "tikv_grpc_msg_duration_seconds", CLIENT_WRITES)
GRPC_READ = _of("read_requests", "client reads inside the store", "tikv_grpc_msg_duration_seconds", CLIENT_READS)

BOTH: tuple[Stage, ...] = (
    Stage("client_network", "network between client and store", _CLIENT_WAITS % "rpc_net_latency_seconds", key="store"),
    Stage("client_backoff", "clients' backoff before they try again", _CLIENT_WAITS % "backoff_seconds", key="type"),
    Stage("client_timestamp", "clients' wait for PD's timestamp", _CLIENT_WAITS % "ts_future_wait_seconds", key="type"),
    _of("read_pool_wait", "wait for a thread of the read pool", _YATP, '{name=~"unified-read.*"}'),
    _of("scheduler_pool_wait", "wait for a thread of the scheduler's pool", _YATP, '{name=~"sched.*"}'),
    _of("propose_wait", "wait for a raftstore thread", "tikv_raftstore_request_wait_time_duration_secs"),
    _of("apply_wait", "wait for an apply thread", "tikv_raftstore_apply_wait_time_duration_secs"),
)
"""What either path may wait for; the four waits for a thread tell a starved processor."""

WRITE: tuple[Stage, ...] = (
    Stage("client_writes", "writes as the client sees them", _CLIENT_SENDS % ("%s", _SENT_WRITES), key="store"),
    GRPC_WRITE,
    _of("lock_wait", "wait for another transaction's lock", "tikv_lock_manager_waiter_lifetime_duration"),
    _of(
        "scheduler",
        "scheduler command",
        "tikv_scheduler_command_duration_seconds",
        '{type!~"get|batch_get.*|buffer_batch_get|scan|scan_lock"}',
    ),
    _of("latch", "wait for latches on the same keys", "tikv_scheduler_latch_wait_duration_seconds"),
    _of("flow_control", "flow control", "tikv_scheduler_throttle_duration_seconds"),
    _of("async_write", "raft write, end to end", _ASYNC, '{type="write"}'),
    _of("log_queue", "queue to the raft log's writer", "tikv_raftstore_store_write_task_wait_duration_secs"),
    _of("append", "raft log append", "tikv_raftstore_append_log_duration_seconds"),
    _of("fsync", "fsync of the raft log", "raft_engine_sync_log_duration_seconds"),
    _of("commit", "commit by a majority", "tikv_raftstore_commit_log_duration_seconds"),
    _of(
        "message_delay",
        "raft messages on their way",
        "tikv_server_raft_message_duration_seconds",
        '{type="receive_delay"}',
    ),
    _of("apply", "apply to RocksDB", "tikv_raftstore_apply_log_duration_seconds"),
    Stage(
        "write_stall",
        "RocksDB write stall",
        figure='max by (instance) (tikv_engine_write_stall{db="kv",type="write_stall_max"}) / 1e6',
        floor=0.01,
    ),
)

READ: tuple[Stage, ...] = (
    Stage("client_reads", "reads as the client sees them", _CLIENT_SENDS % ("%s", _SENT_READS), key="store"),
    GRPC_READ,
    _of("snapshot", "snapshot (lease or read index)", _ASYNC, '{type="snapshot"}'),
    _of("read_index", "confirming the leader by read index", _ASYNC, '{type="snapshot_read_index_confirm"}'),
    _of("coprocessor_wait", "coprocessor wait", "tikv_coprocessor_request_wait_seconds", '{type="all"}'),
    _of("coprocessor_handle", "coprocessor work", "tikv_coprocessor_request_handle_seconds"),
    _of(
        "point_reads",
        "work of gets and scans",
        "tikv_scheduler_processing_read_duration_seconds",
        '{type=~"get|batch_get.*|scan"}',
    ),
    Stage(
        "versions_walked",
        "versions walked for each key that is used (MVCC garbage)",
        figure=f"{_rate(_WALKED)} / {_rate(_USED)}",
        floor=5.0,
        unit="keys",
    ),
    Stage(
        "tombstones_skipped",
        "tombstones skipped by each read",
        figure=f"{_rate(_SKIPPED)} / {_READ_COUNT}",
        floor=100.0,
        unit="keys",
    ),
    Stage(
        "block_read",
        "block reads from disk, for each read",
        figure=f"{_rate(_BLOCK_READ)} / 1e9 / {_READ_COUNT}",
    ),
    Stage(
        "cache_misses",
        "block cache misses",
        figure=f"{_rate(_CACHE_MISS)} / {_rate(_CACHE_ALL)}",
        floor=0.1,
        unit="ratio",
    ),
)
