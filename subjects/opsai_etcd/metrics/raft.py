"""Named metrics of raft: who leads, what is proposed, committed and applied (etcd server/etcdserver/metrics.go)."""

from functools import partial

from opsai_etcd.metric import FAQ, MIXIN, NO_GRAIN, most, rate, signal
from opsai_subjects.subject import Signal

_raft = partial(signal, topic="raft")

RAFT: tuple[Signal, ...] = (
    _raft(
        "has_leader",
        most("etcd_server_has_leader"),
        "0/1",
        "whether the member knows a leader: without one it serves nothing but serializable reads",
        f"1 ({FAQ})",
    ),
    _raft(
        "is_leader",
        most("etcd_server_is_leader"),
        "0/1",
        "whether the member leads",
        "1 on one member",
        pitfalls="A leader that is cut off keeps 1 until its election timeout has passed.",
    ),
    _raft(
        "leader_changes",
        most("etcd_server_leader_changes_seen_total"),
        "count",
        "changes of leader that the member has seen since it started",
        f"fewer than 4 in 15 min ({MIXIN})",
        pitfalls="It counts from the member's own start: compare increases, not values.",
    ),
    _raft(
        "is_learner",
        most("etcd_server_is_learner"),
        "0/1",
        "whether the member is a learner: it gets the log and does not vote",
        "0 once it has caught up and was promoted",
        versions="v3.4+",
    ),
    _raft(
        "committed_index",
        most("etcd_server_proposals_committed_total"),
        "entries",
        "the last committed entry of the raft log that the member knows",
        f"alike on all members; one far behind is slow or cut off ({FAQ})",
        grain=NO_GRAIN,
    ),
    _raft(
        "applied_index",
        most("etcd_server_proposals_applied_total"),
        "entries",
        "the last entry that the member has applied",
        "close behind committed_index",
        grain=NO_GRAIN,
    ),
    _raft(
        "apply_lag",
        "max by (instance) (etcd_server_proposals_committed_total) - max by (instance) (etcd_server_proposals_applied_total)",
        "entries",
        "committed entries that the member has not applied yet",
        "about 0; above 5,000 etcd refuses requests: too many requests (etcdserver/v3_server.go, maxGapBetweenApplyAndCommitIndex)",
    ),
    _raft(
        "proposals_committed",
        rate("etcd_server_proposals_committed_total"),
        "1/s",
        "entries that are committed: writes, leases, and reads through raft",
        "the load",
    ),
    _raft(
        "proposals_pending",
        most("etcd_server_proposals_pending"),
        "count",
        "proposals that wait to be committed",
        f"about 0; it rises with load or where nothing can be committed ({FAQ})",
        grain=5.0,
    ),
    _raft(
        "proposals_failed",
        rate("etcd_server_proposals_failed_total"),
        "1/s",
        "proposals that failed: a lost leader for a moment, a lost majority for long",
        f"0, at most 5 ({MIXIN})",
        grain=0.1,
    ),
    _raft(
        "heartbeat_failures",
        rate("etcd_server_heartbeat_send_failures_total"),
        "1/s",
        "heartbeats that the leader could not send in time: it is overloaded, mostly by its disk",
        "0",
        grain=0.05,
    ),
    _raft(
        "slow_applies",
        rate("etcd_server_slow_apply_total"),
        "1/s",
        "requests whose application took over 100 ms: a slow disk, too little processor, or very large ranges",
        "0 (rule of thumb: at most 1)",
        grain=0.1,
    ),
    _raft(
        "snapshots_applying",
        most("etcd_server_snapshot_apply_in_progress_total"),
        "count",
        "snapshots that the member is applying: it had fallen so far behind that the log no longer reached back",
        "0",
        absent="zero",
    ),
)
