"""What is followed over time for each member: one range query a signal."""

from dataclasses import dataclass

from opsai_etcd.metrics import SIGNALS


@dataclass(frozen=True)
class Tracked:
    """One signal: its query, and what no series means."""

    promql: str
    """`$range` is the rate range."""
    absent_is_zero: bool = False
    """The series appears with its first event, so none means zero while the member is scraped."""


_CATALOGUE = {signal.name: signal for signal in SIGNALS}
_AS_THEY_ARE = (
    "up",
    "start_time",
    "has_leader",
    "is_leader",
    "leader_changes",
    "apply_lag",
    "proposals_pending",
    "proposals_failed",
    "heartbeat_failures",
    "slow_applies",
    "snapshots_applying",
    "wal_fsync_p99",
    "wal_fsyncs",
    "backend_commit_p99",
    "defrag_running",
    "quota_ratio",
    "fragmentation_ratio",
    "quota",
    "db_in_use",
    "grpc_failures",
    "failed_reads",
    "slow_reads",
    "cpu",
    "fd_ratio",
)

TRACKED: dict[str, Tracked] = {
    name: Tracked(_CATALOGUE[name].promql, absent_is_zero=_CATALOGUE[name].absent == "zero") for name in _AS_THEY_ARE
} | {
    # of those that succeeded: one that fails takes as long as its timeout
    "scrape_seconds": Tracked("max by (instance) (scrape_duration_seconds and up == 1)"),
    # its prober notes one round trip in 30 s: two minutes hold enough of them
    # of so few one alone, as a peer starts or a cut ends, would be the p99 for two minutes
    "peer_rtt_usual": Tracked(
        "max by (instance) (histogram_quantile(0.5, sum by (le, instance, To)"
        " (rate(etcd_network_peer_round_trip_time_seconds_bucket[2m]))))"
    ),
    "peer_rtt_best": Tracked(
        "min by (instance) (histogram_quantile(0.5, sum by (le, instance, To)"
        " (rate(etcd_network_peer_round_trip_time_seconds_bucket[2m]))))"
    ),
}
ACTIVE = "max by (Local, Remote) (etcd_network_active_peers)"
"""The ways between members: 1 while open, by ids in hexadecimal."""
IDS = "max by (instance, job, server_id) (last_over_time(etcd_server_id[15m]))"
"""Which target is which member: by the member's own id, whatever the target is called."""
