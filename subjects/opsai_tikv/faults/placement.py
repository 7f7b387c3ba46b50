"""What is wrong with settings, schedulers and placement."""

from opsai_subjects.fault import FaultKind

CONFIG = FaultKind(
    id="pd_config",
    says="a setting of PD switches off or endangers what keeps the cluster well",
    on="config",
    must_show=("bad_setting",),
    rivals=(),
    explains=("leader_skew", "store_offline"),
    do="Set it back to its default or to the value it had before, with pd-ctl, after asking who changed it.",
    because="With this value PD does not do what keeps replicas and balance in order.",
    verify="The setting reads as meant and operators are made again.",
    touches="settings",
    weight=9,
)
SCHEDULER = FaultKind(
    id="pd_scheduler",
    says="a scheduler is left behind, paused or removed",
    on="scheduler",
    must_show=(),
    one_of=(("scheduler_left_behind", "scheduler_missing", "scheduler_paused"),),
    rivals=(),
    explains=(
        "leader_skew",
        "tikv_client_partition",
        "tikv_raft_drop",
        "tikv_peer_partition",
        "hotspot_read",
        "hotspot_write",
    ),
    red_herrings=("leaders moved away on purpose during a restart or upgrade that is still going on",),
    do="Ask who added, paused or removed it; when its work is done, put PD's schedulers back as they were with pd-ctl.",
    because="Nothing removes it by itself: leaders stay where it keeps them and the other stores carry the load.",
    verify="The scheduler list is as meant and leaders spread over all stores.",
    touches="settings",
    weight=10,
)
TIKV_CONFIG = FaultKind(
    id="tikv_config",
    says="a store's settings differ from the others'",
    on="store",
    must_show=("settings_differ",),
    one_of=(
        (
            "write_late",
            "requests_late",
            "commit_late",
            "append_late",
            "apply_late",
            "scheduler_late",
            "reads_late",
            "throttled",
            "turns_away",
            "leaders_lost",
            "elections",
            "slow_score_high",
            "memory_grew",
            "traffic_gone",
        ),
    ),
    rivals=(),
    do="Compare its settings with the others' and set it right, online where TiKV allows it.",
    because="Stores of one kind are meant to be set alike.",
    verify="No setting differs any more.",
    touches="settings",
    weight=9,
)
OFFLINE = FaultKind(
    id="store_offline",
    says="a store is being taken out and cannot leave",
    on="store",
    must_show=("leaving_and_stuck",),
    rivals=("tikv_down", "pd_config"),
    do="Give its regions somewhere to go: another store with space that fits the labels, or call the removal off.",
    because="PD found no target for its replicas: with too few stores there is none.",
    verify="Its region count falls, or it is Up again.",
    touches="settings",
    weight=13,
)
LEADER_SKEW = FaultKind(
    id="leader_skew",
    says="leaders pile up on one store",
    on="store",
    must_show=("leaders_piled_up",),
    must_not_show=("pd_without_leader",),
    supports=("weight_set",),
    rivals=("pd_scheduler", "hotspot_write"),
    do="See what keeps them there: a weight, a grant-leader scheduler, a limit of 0, a policy.",
    because="The one store carries the others' work while all are well.",
    verify="Leaders spread within 5 % of each other.",
    touches="settings",
    weight=4,
)
GC = FaultKind(
    id="tikv_gc_blocked",
    says="GC does not advance",
    on="cluster",
    must_show=("gc_held_back",),
    rivals=("mvcc_garbage",),
    explains=("mvcc_garbage",),
    do="See who holds the safe point (a backup, a changefeed, a long transaction) and end or advance it.",
    because="Old versions pile up and scans slow down.",
    verify="The safe point moves again.",
    touches="settings",
    weight=3,
)


PLACEMENT_FAULTS = (
    CONFIG,
    SCHEDULER,
    TIKV_CONFIG,
    OFFLINE,
    LEADER_SKEW,
    GC,
)
