"""What must hold of each store."""

from opsai_subjects.invariant import Invariant
from opsai_tikv.invariants.rule import InvariantRule, either
from opsai_tikv.seen import ABSENT, Look, Seen, ago, unknown
from opsai_tikv.signs.leadership import evicting, leaders_lost, leaders_piled_up, leaving_and_stuck, settings_differ
from opsai_tikv.signs.process import restarted, restarted_repeatedly, stopped_in_order
from opsai_tikv.signs.reach import (
    heartbeats_missing,
    pd_disconnected,
    pd_reconnecting,
    peers_accuse,
    process_gone,
    status_silent,
    unreachable_again_and_again,
)
from opsai_tikv.signs.stages import (
    append_late,
    apply_late,
    commit_late,
    commit_late_at_median,
    cpu_late,
    critical_errors,
    disk_full,
    disk_low,
    fsync_late,
    fsync_stuck,
    raft_deaf,
    raft_dropped,
    reads_fail,
    requests_late,
    scheduler_late,
    slow_score_high,
    throttled,
    traffic_gone,
    turns_away,
    write_late,
)

ORDERLY_SECONDS = 75.0
"""An orderly restart may take so long before a store counts as down."""
NEEDS_METRICS = "Prometheus gives no samples of it: set `prometheus`, or look at its target."
NEEDS_PD = "PD cannot be asked: set `pd`, or look at PD's members."
PD_TROUBLE = ("pd_has_leader", "pd_quorum", "pd_member_up", "pd_leader_stable")


def store_down(look: Look, entity: str) -> Seen:
    """It does not reach PD, or neither answers nor is reached by its peers; a restart in order has its minute."""
    seen = pd_disconnected(look, entity)
    if seen.state != "shown":
        gone = process_gone(look, entity)
        silent = status_silent(look, entity)
        accused = peers_accuse(look, entity)
        mute = gone if gone.state == "shown" else silent
        if mute.state == "shown" and accused.state == "shown" and accused.active:
            seen = Seen("shown", f"{mute.says}; {accused.says}", value=mute.value)
    if seen.state == "shown" and _restarting_in_order(look, entity):
        return Seen("absent", "it is restarting in order")
    return seen


def _restarting_in_order(look: Look, entity: str) -> bool:
    stopped = stopped_in_order(look, entity)
    age = ago(look.facts, stopped.since)
    return stopped.state == "shown" and age is not None and age < ORDERLY_SECONDS


def peers_lost(look: Look, entity: str) -> Seen:
    """Its peers cannot reach it, and it is not just restarting in order."""
    seen = peers_accuse(look, entity)
    return Seen("absent", "it is restarting in order") if _restarting_in_order(look, entity) else seen


def lost_leaders(look: Look, entity: str) -> Seen:
    """It lost its leaders though nothing moves them away on purpose."""
    seen = leaders_lost(look, entity)
    if seen.state != "shown" or evicting(look, entity).state == "shown":
        return seen if seen.state == "unknown" else ABSENT
    again = restarted(look, entity)
    if again.state == "shown" and stopped_in_order(look, entity).state != "absent":
        return Seen("absent", "it restarted in order and its leaders are on their way back")
    return ABSENT if _restarting_in_order(look, entity) else seen


def crashed(look: Look, entity: str) -> Seen:
    """It restarted and nobody had asked it to."""
    again = restarted(look, entity)
    if again.state != "shown":
        return again
    order = stopped_in_order(look, entity)
    if order.state == "unknown":
        often = restarted_repeatedly(look, entity)
        return often if often.state == "shown" else unknown(order.says)
    return again if order.state == "absent" else ABSENT


def network_late(look: Look, entity: str) -> Seen:
    """Its leaders wait for their quorum although its disk and processor are quick."""
    late = commit_late(look, entity)
    if late.state != "shown":
        return late
    if any(
        other(look, entity).state == "shown" for other in (fsync_late, append_late, cpu_late, apply_late, fsync_stuck)
    ):
        return ABSENT
    middle = commit_late_at_median(look, entity)
    return Seen(
        "shown",
        f"{late.says}{'; ' + middle.says if middle.state == 'shown' else ''}",
        late.active,
        late.value,
        late.limit,
        late.since,
    )


def _rule(
    invariant_id: str,
    says: str,
    why: str,
    look: object,
    *,
    severity: str = "warning",
    grade: str = "cause",
    for_seconds: float = 20.0,
    unit: str = "",
    limit: float | None = None,
    source: str,
    unknown_means: str = NEEDS_METRICS,
    explained_by: tuple[str, ...] = (),
) -> InvariantRule:
    invariant = Invariant.model_validate(
        {
            "id": invariant_id,
            "says": says,
            "why": why,
            "severity": severity,
            "grade": grade,
            "for_seconds": for_seconds,
            "unit": unit,
            "limit": limit,
            "source": source,
            "unknown_means": unknown_means,
            "explained_by": explained_by,
        }
    )
    assert callable(look)
    return InvariantRule(invariant, "store", look)


STORES: tuple[InvariantRule, ...] = (
    _rule(
        "store_up",
        "The store is up: its heartbeats reach PD, or it answers.",
        "A store that is gone leaves its regions one failure from losing their majority.",
        store_down,
        severity="critical",
        for_seconds=0.0,
        unit="s since its last heartbeat",
        limit=20.0,
        source="pd pkg/core/store.go storeDisconnectDuration; the status port; tikv_server_report_failure_msg_total",
        unknown_means=NEEDS_PD,
        explained_by=("pd_has_leader", "pd_quorum", "store_up"),
    ),
    _rule(
        "store_reachable",
        "The other stores reach the store.",
        "Raft cannot replicate to it: its regions stand on one replica less, its leaders go.",
        peers_lost,
        severity="critical",
        unit="reports/s",
        source="tikv_server_report_failure_msg_total{type=unreachable}",
        explained_by=("store_up", "store_reachable"),
    ),
    _rule(
        "store_stays_up",
        "The store's process runs on without dying.",
        "A process that dies and returns costs elections and catch-up each time, and has a reason.",
        crashed,
        severity="critical",
        for_seconds=0.0,
        unit="restarts",
        source="process_start_time_seconds; the log's `receive signal`",
        unknown_means="Without its log an orderly restart cannot be told from a crash: set `logs`.",
        explained_by=("store_up",),
    ),
    _rule(
        "store_link_steady",
        "The way to the store does not come and go.",
        "Each break costs elections.",
        unreachable_again_and_again,
        source="tikv_server_report_failure_msg_total{type=unreachable}",
        explained_by=("store_up", "store_stays_up"),
    ),
    _rule(
        "store_pd_link",
        "The store keeps its connection to PD.",
        "PD's picture of it and of its regions goes stale, and it gets no scheduling.",
        either(pd_reconnecting, heartbeats_missing),
        unit="reconnects/s",
        limit=0.5,
        source="tikv_pd_reconnect_total; pd_scheduler_region_heartbeat",
        explained_by=PD_TROUBLE,
    ),
    _rule(
        "store_disk_fast",
        "The store's disk is quick: raft log fsync p99 is not far above its peers'.",
        "Every write waits for it; leaders on it are late, and PD moves them away at slow score 100.",
        fsync_late,
        unit="s",
        source="raft_engine_sync_log_duration_seconds; 50 ms and four times the peers' median",
    ),
    _rule(
        "store_disk_completes",
        "The store's disk completes its writes.",
        "A hung disk looks quick: nothing is measured because nothing ends.",
        fsync_stuck,
        severity="critical",
        unit="fsyncs/s",
        source="rate of raft_engine_sync_log_duration_seconds_count against its own past and its peers",
        explained_by=(*PD_TROUBLE, "store_up"),
    ),
    _rule(
        "store_cpu_enough",
        "The store gets the processor time it needs.",
        "Everything on it is late, elections follow.",
        cpu_late,
        unit="late stages",
        source="apply, propose wait, thread wait, raft message delay and scrape duration together",
    ),
    _rule(
        "store_append_fast",
        "Appending to the store's raft log is quick.",
        "Every write passes it.",
        append_late,
        grade="symptom",
        unit="s",
        source="tikv_raftstore_append_log_duration_seconds; docs: p99 below 50 ms",
    ),
    _rule(
        "store_apply_fast",
        "Applying committed entries is quick on the store.",
        "Writes wait for it after they are committed.",
        apply_late,
        unit="s",
        source="tikv_raftstore_apply_log_duration_seconds; docs: p99 below 100 ms",
        explained_by=("store_cpu_enough", "store_disk_fast"),
    ),
    _rule(
        "store_commit_fast",
        "The store's leaders get their quorum quickly.",
        "With quick disks on all sides it is the network that is late.",
        network_late,
        unit="s",
        source="tikv_raftstore_commit_log_duration_seconds, with fsync and processor quick",
        explained_by=("store_disk_fast", "store_cpu_enough", "load_carried", "load_even", "store_up"),
    ),
    _rule(
        "store_scheduler_fast",
        "The store's transaction scheduler is quick.",
        "Commands wait there before they reach raft.",
        scheduler_late,
        grade="symptom",
        unit="s",
        source="tikv_scheduler_command_duration_seconds; docs: p99 below 1 s, here against peers",
    ),
    _rule(
        "store_writes_fast",
        "Writing through raft is as quick on the store as on its peers.",
        "It is what a transaction waits for.",
        write_late,
        grade="symptom",
        unit="s",
        source="tikv_storage_engine_async_request_duration_seconds{type=write}",
    ),
    _rule(
        "store_serves_fast",
        "The store's clients do not wait longer than those of its peers.",
        "It is what users feel.",
        requests_late,
        grade="symptom",
        unit="s",
        source="tikv_grpc_msg_duration_seconds",
    ),
    _rule(
        "store_serves",
        "Clients' requests reach the store.",
        "Its leaders are there and nobody can use them.",
        traffic_gone,
        grade="symptom",
        for_seconds=45.0,
        unit="requests/s",
        source="tikv_grpc_msg_duration_seconds_count against its own past and its peers",
    ),
    _rule(
        "store_keeps_leaders",
        "The store keeps its leaders unless something moves them on purpose.",
        "Leaders that go by themselves went by election: something is wrong with it.",
        lost_leaders,
        grade="symptom",
        unit="leaders",
        source="tikv_raftstore_region_count{type=leader}",
    ),
    _rule(
        "store_not_slow",
        "The store does not call itself slow.",
        "At 80 PD counts it as slow, at 100 it moves its leaders away.",
        slow_score_high,
        grade="symptom",
        unit="of 100",
        limit=80.0,
        source="tikv_raftstore_slow_score; pd slowStoreThreshold",
    ),
    _rule(
        "store_takes_requests",
        "The store does not turn requests away as busy.",
        "Clients back off and retry.",
        turns_away,
        unit="requests/s",
        source="err_server_is_busy, tikv_scheduler_too_busy_total, tikv_channel_full_total",
        explained_by=("store_cpu_enough", "store_disk_fast", "store_disk_space", "load_carried"),
    ),
    _rule(
        "store_not_throttled",
        "The store's engine takes writes without throttling.",
        "Compaction or flush cannot keep up.",
        throttled,
        source="tikv_scheduler_throttle_flow, tikv_engine_write_stall",
        explained_by=("store_disk_fast", "store_cpu_enough", "load_carried", "load_even"),
    ),
    _rule(
        "store_reads_succeed",
        "Reads do not fail in the store.",
        "Damaged files or a failing disk.",
        reads_fail,
        unit="errors/s",
        source="tikv_storage_engine_async_request_total{type=snapshot}, tikv_coprocessor_request_error",
        explained_by=(*PD_TROUBLE, "store_up"),
    ),
    _rule(
        "store_data_sound",
        "The store reports no critical errors.",
        "Corruption, or a disk that gives errors.",
        critical_errors,
        severity="critical",
        for_seconds=0.0,
        source="tikv_critical_error_total; its log",
    ),
    _rule(
        "store_raft_flows",
        "Raft messages reach the store and are not dropped inside it.",
        "Its replicas fall behind and its leaders go.",
        either(raft_deaf, raft_dropped),
        unit="messages/s",
        source="tikv_server_raft_message_recv_total, tikv_raftstore_raft_dropped_message_total",
        explained_by=("store_up", "store_reachable", *PD_TROUBLE),
    ),
    _rule(
        "store_disk_space",
        "The store has the space it needs to take writes.",
        "Below its reserve it refuses writes to the regions it leads.",
        disk_full,
        severity="critical",
        for_seconds=0.0,
        source="err_disk_full; its log; 5 % free",
    ),
    _rule(
        "store_space_left",
        "The store has more than a fifth of its disk free.",
        "PD moves nothing to a store with less.",
        disk_low,
        unit="free ratio",
        limit=None,
        source="tikv_store_size_bytes; pd pkg/core/store.go IsLowSpace",
        explained_by=("store_disk_space",),
    ),
    _rule(
        "store_leaves",
        "A store that is being taken out gives its regions away.",
        "It will never become a tombstone.",
        leaving_and_stuck,
        for_seconds=30.0,
        unit="regions",
        source="/pd/api/v1/stores; tikv_raftstore_region_count",
        unknown_means=NEEDS_PD,
    ),
    _rule(
        "leaders_spread",
        "Leaders are spread over the stores.",
        "One store carries the others' work.",
        leaders_piled_up,
        for_seconds=30.0,
        unit="leaders",
        source="/pd/api/v1/stores: more than 1.8 times a fair share",
        unknown_means=NEEDS_PD,
        explained_by=("schedulers_as_meant", "settings_sane"),
    ),
    _rule(
        "settings_alike",
        "The store's settings are those of the other stores.",
        "A store set differently behaves differently.",
        settings_differ,
        severity="info",
        for_seconds=60.0,
        unit="settings",
        source="TiKV /config of every store",
        unknown_means="The settings of fewer than three stores could be read.",
    ),
)
