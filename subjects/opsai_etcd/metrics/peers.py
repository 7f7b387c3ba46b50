"""Named metrics of the ways between members (etcd server/etcdserver/api/rafthttp/metrics.go)."""

from functools import partial

from opsai_etcd.metric import FIRST_EVENT, MIXIN, most, p99, rate, signal
from opsai_subjects.subject import Signal

_peers = partial(signal, topic="peers")

PEERS: tuple[Signal, ...] = (
    _peers(
        "active_peers",
        most("etcd_network_active_peers", by="instance, Local, Remote"),
        "0/1",
        "whether the way from the member (Local) to a peer (Remote, its id in hexadecimal) is open",
        "1 for each peer",
        pitfalls="A peer that dies goes to 0 at once, one that hangs after 5 s (the stream's read timeout). A member that was never reached has no series.",
    ),
    _peers(
        "peer_disconnects",
        rate("etcd_network_disconnected_peers_total", by="instance, Remote") + " * 60",
        "1/min",
        "how often the way to a peer broke",
        "0",
        needs=FIRST_EVENT,
    ),
    _peers(
        "peer_send_failures",
        rate("etcd_network_peer_sent_failures_total", by="instance, To"),
        "1/s",
        "raft messages to a peer that could not be sent",
        f"at most 0.01 ({MIXIN})",
        pitfalls="Mostly the leader has them: followers seldom speak to each other. A peer that hangs causes few.",
        needs=FIRST_EVENT,
        grain=0.1,
    ),
    _peers(
        "peer_receive_failures",
        rate("etcd_network_peer_received_failures_total", by="instance, From"),
        "1/s",
        "raft messages from a peer that could not be read",
        "0",
        needs=FIRST_EVENT,
        grain=0.1,
    ),
    _peers(
        "peer_rtt_p99",
        p99("etcd_network_peer_round_trip_time_seconds", by="instance, To"),
        "s",
        "round trips to a peer",
        f"under 0.15 s ({MIXIN}); the heartbeat interval should be about a round trip",
        pitfalls="Its prober notes one figure in 30 s, or in 5 s while the peer is unwell: a short range holds few.",
        grain=0.01,
    ),
    _peers(
        "peer_sent",
        rate("etcd_network_peer_sent_bytes_total", by="instance, To"),
        "bytes/s",
        "what is sent to a peer",
        "the load; the leader sends to all",
    ),
    _peers(
        "snapshot_send_failures",
        rate("etcd_network_snapshot_send_failures", by="instance, To") + " * 60",
        "1/min",
        "snapshots to a peer that failed on their way",
        "0",
        needs=FIRST_EVENT,
    ),
)
