"""SIGNALS: the metrics worth a name, each with its query, unit, meaning, and what is normal."""

from opsai_subjects.subject import Signal
from opsai_tikv import metrics_engine, metrics_pd, metrics_stores

SIGNALS: tuple[Signal, ...] = (
    *metrics_stores.LIVENESS,
    *metrics_stores.WRITE_PATH,
    *metrics_stores.READS,
    *metrics_stores.RAFT,
    *metrics_stores.THREADS,
    *metrics_engine.ENGINE,
    *metrics_engine.DISK,
    *metrics_engine.MEMORY,
    *metrics_engine.TIMESTAMPS,
    *metrics_engine.PD_CLIENT,
    *metrics_pd.LEADERSHIP,
    *metrics_pd.TIMESTAMPS,
    *metrics_pd.ETCD,
    *metrics_pd.REGIONS,
    *metrics_pd.SCHEDULING,
    *metrics_pd.HOTSPOTS,
)

ABSENT_WHILE_WELL: frozenset[str] = frozenset(
    {
        "critical_errors",
        "request_failures",
        "raftkv_errors",
        "pd_reconnects",
        "worker_pending",
        "scheduler_busy",
        "channel_full",
        "raft_dropped",
        "unreachable_reports",
        "coprocessor_wait_p99",
        "gc_safe_point_age",
        "operators",
    }
)
"""Metrics that have no series until something happened, or that need what not every cluster has."""
