"""What may be asked of a member: four paths by GET, two calls of its JSON gateway.

The list of alarms is not asked for: `Alarm` goes through raft even for reading (etcdserver/v3_server.go, seen on 3.4.23: one
entry of the raft log a question), on 3.5 before 3.5.5 a member may not start again after it and a loss of power (etcd#14429), and
`Status` tells the same alarms from the member's own memory.
"""

from opsai_subjects.subject import Polled, ReadRpc

HEALTH = "/health"
"""A read through raft: one entry of the log on 3.4, a read index from 3.5 on; what a kubelet asks every few seconds."""
VERSION = "/version"
METRICS = "/metrics"
MEMBER_LIST = ReadRpc(path="/v3/cluster/member/list")
"""Answered from the member's own view (3.5 and later read `linearizable` in the body, which is left out)."""
STATUS = ReadRpc(path="/v3/maintenance/status")
"""Answered by the member itself, also without a leader."""

PATHS: tuple[str, ...] = (HEALTH, VERSION, METRICS, r"/(?:livez|readyz)")
RPCS: tuple[ReadRpc, ...] = (MEMBER_LIST, STATUS)
POLLED = {
    "etcd": (
        Polled(path=VERSION),
        Polled(path=STATUS.path, rpc=STATUS),
        Polled(path=MEMBER_LIST.path, rpc=MEMBER_LIST),
        Polled(path=HEALTH),
    )
}
