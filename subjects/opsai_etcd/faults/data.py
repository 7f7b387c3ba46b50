"""What befalls the data kept: room and consistency."""

from opsai_etcd.faults.members import UNSTEADY
from opsai_subjects.fault import FaultKind

SPACE_EXCEEDED = FaultKind(
    id="etcd_space_exceeded",
    says="the backend has reached its quota and the cluster takes no writes",
    on="member",
    must_show=("alarm_nospace",),
    must_not_show=("majority_gone",),
    supports=("quota_near",),
    rivals=("etcd_disk_full", "etcd_quorum_loss"),
    explains=(*UNSTEADY, "etcd_space_exceeded"),
    collective=True,
    red_herrings=(
        "the disk itself may have plenty of room: the quota is etcd's own",
        "the alarm stays after there is room again, until it is disarmed",
        "/health is false on every member: the alarm is the cluster's",
    ),
    do="Compact old revisions, defragment the members one after another, then disarm the alarm; find the writer, and see that compaction runs.",
    because="One member at its quota raises the alarm NOSPACE for all: puts fail with 'database space exceeded', reads and deletes go on.",
    verify="No alarm is listed, db_size is well under the quota, and a put succeeds.",
    weight=20,
)
CORRUPT = FaultKind(
    id="etcd_corrupt",
    says="a member's data differ from its peers' or are damaged",
    on="member",
    must_show=(),
    one_of=(("alarm_corrupt", "says_corrupt"),),
    must_not_show=("majority_gone",),
    supports=("says_corrupt", "restarted_repeatedly", "process_gone"),
    rivals=("etcd_disk_error", "etcd_crash_loop"),
    explains=UNSTEADY,
    collective=True,
    red_herrings=("it may answer and follow the leader: raft's log is right, what was applied is not",),
    do="Take a snapshot of a member that is right, then remove this one, clear its data and add it anew; only while the rest is a healthy majority.",
    because="Reads from it are wrong, and nothing mends it by itself.",
    verify="The hash of all members at one revision agrees (etcdctl endpoint hashkv), and no alarm is listed.",
    touches="remove",
    weight=21,
)

DATA_FAULTS: tuple[FaultKind, ...] = (SPACE_EXCEEDED, CORRUPT)
