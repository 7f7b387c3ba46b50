"""All named metrics."""

from opsai_etcd.metrics.clients import CLIENTS
from opsai_etcd.metrics.data import DATA
from opsai_etcd.metrics.disk import DISK
from opsai_etcd.metrics.peers import PEERS
from opsai_etcd.metrics.process import PROCESS
from opsai_etcd.metrics.raft import RAFT
from opsai_subjects.subject import Signal

SIGNALS: tuple[Signal, ...] = (*RAFT, *PEERS, *DISK, *DATA, *CLIENTS, *PROCESS)
