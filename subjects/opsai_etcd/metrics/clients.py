"""Named metrics of what clients ask and how they fare."""

from functools import partial

from opsai_etcd.metric import MIXIN, rate, signal
from opsai_subjects.subject import Signal

_clients = partial(signal, topic="clients")
_FAILED = '{grpc_code=~"Unknown|FailedPrecondition|ResourceExhausted|Internal|Unavailable|DataLoss|DeadlineExceeded"}'

CLIENTS: tuple[Signal, ...] = (
    _clients(
        "grpc_requests",
        rate("grpc_server_started_total"),
        "1/s",
        "requests that clients began",
        "the load",
    ),
    _clients(
        "grpc_failures",
        rate("grpc_server_handled_total", _FAILED),
        "1/s",
        "requests that failed on the server's side: no leader, no space, overloaded, timed out",
        f"under 1 % of the requests ({MIXIN})",
        pitfalls="Watches that end count as Unavailable on versions before 3.5.",
        grain=0.5,
    ),
    _clients(
        "slow_reads",
        rate("etcd_server_slow_read_indexes_total"),
        "1/s",
        "linearizable reads that waited long for the leader's word",
        "0",
        grain=0.1,
    ),
    _clients(
        "failed_reads",
        rate("etcd_server_read_indexes_failed_total"),
        "1/s",
        "linearizable reads that failed: there is no leader, or it does not answer",
        "0",
        grain=0.1,
    ),
    _clients(
        "client_received",
        rate("etcd_network_client_grpc_received_bytes_total"),
        "bytes/s",
        "what clients send",
        "the load",
    ),
    _clients(
        "client_sent",
        rate("etcd_network_client_grpc_sent_bytes_total"),
        "bytes/s",
        "what clients are sent: large ranges and watches",
        "the load",
    ),
    _clients(
        "health_failures",
        rate("etcd_server_health_failures") + " * 60",
        "1/min",
        "how often /health was answered with false",
        "0",
        versions="v3.3+",
        absent="zero",
    ),
)
