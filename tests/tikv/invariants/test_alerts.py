"""Every alert rule that TiKV and PD ship has a counterpart, and those that can never fire are done right."""

from opsai_tikv.alerts import ALERTS, told
from opsai_tikv.invariants import INVARIANTS
from scripts.invariants import PAGE, page

TIKV = """
TiKV_critical_error TiKV_memory_used_too_fast TiKV_GC_can_not_work TiKV_server_report_failure_msg_total
TiKV_channel_full_total TiKV_write_stall TiKV_maybe_write_stall TiKV_raft_log_lag
TiKV_async_request_snapshot_duration_seconds TiKV_async_request_write_duration_seconds
TiKV_coprocessor_request_wait_seconds TiKV_raftstore_thread_cpu_seconds_total TiKV_raft_append_log_duration_secs
TiKV_raft_apply_log_duration_secs TiKV_scheduler_latch_wait_duration_seconds TiKV_thread_apply_worker_cpu_seconds
TiDB_tikvclient_gc_action_fail TiKV_leader_drops TiKV_raft_process_ready_duration_secs
TiKV_raft_process_tick_duration_secs TiKV_scheduler_context_total TiKV_scheduler_command_duration_seconds
TiKV_coprocessor_pending_request TiKV_coprocessor_cpu_util TiKV_pending_task TiKV_low_space
TiKV_approximate_region_size TiKV_node_restart TiKV_cpu_quota TiKV_memory_quota
"""
"""tikv metrics/alertmanager/tikv.rules.yml: master of August 2026; v6.5.11, v7.5.6 and v8.5.4 have no others."""
PD = """
PD_cluster_down_store_nums PD_etcd_write_disk_latency PD_miss_peer_region_count PD_cluster_lost_connect_store_nums
PD_cluster_unhealthy_store_nums PD_cluster_low_space PD_etcd_network_peer_latency PD_tidb_handle_requests_duration
PD_down_peer_region_nums PD_pending_peer_region_count PD_leader_change PD_leader_lease_drop_without_failover
PD_cluster_store_space_used_more_than_80% PD_system_time_slow PD_node_restart PD_cluster_slow_tikv_nums PD_cpu_quota
PD_memory_quota pd_etcd_quota
"""
"""pd metrics/alertmanager/pd.rules.yml: master of August 2026."""
PD_BEFORE = """
PD_cluster_down_tikv_nums PD_cluster_lost_connect_tikv_nums PD_cluster_unhealthy_tikv_nums
TiKV_space_used_more_than_80% PD_no_store_for_making_replica
"""
"""Those of v6.5.11, v7.5.6 and v8.5.4 that the master has no more, or by another name."""
BROKEN = {
    "PD_no_store_for_making_replica",
    "PD_miss_peer_region_count",
    "TiKV_leader_drops",
    "TiKV_coprocessor_pending_request",
    "TiKV_thread_apply_worker_cpu_seconds",
    "TiKV_coprocessor_cpu_util",
}


def test_every_shipped_rule_has_a_counterpart_here_and_no_rule_is_made_up() -> None:
    by_source = {of: [alert.name for alert in ALERTS if alert.of == of] for of in ("tikv", "pd")}

    assert sorted(by_source["tikv"]) == sorted(TIKV.split())
    assert sorted(by_source["pd"]) == sorted([*PD.split(), *PD_BEFORE.split()])


def test_each_counterpart_is_an_invariant() -> None:
    known = {one.id for one in INVARIANTS}

    assert [alert.name for alert in ALERTS if not alert.invariants or set(alert.invariants) - known] == []


def test_rules_that_can_never_fire_are_named_with_the_reason() -> None:
    assert {alert.name for alert in ALERTS if alert.never_fires} == BROKEN


def test_a_rule_that_fired_is_looked_up_by_its_name() -> None:
    assert "- TiKV_raft_log_lag: store_followers_keep_up\n" in told()
    assert "- TiKV_leader_drops (never fires): store_keeps_leaders\n" in told()


def test_the_page_of_the_invariants_is_what_the_code_says() -> None:
    text = page()

    assert PAGE.read_text(encoding="utf-8") == text, "run: make invariants"
    assert [one.id for one in INVARIANTS if f"| `{one.id}` |" not in text] == []
    assert [alert.name for alert in ALERTS if f"| `{alert.name}` |" not in text] == []
