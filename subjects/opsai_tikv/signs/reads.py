"""READS: where a sign can be looked for by hand, beside the named metrics that show it."""

from opsai_subjects.fault import Read


def _log(*texts: str) -> Read:
    return Read(tool="search_logs", arguments={"nodes": ("{entity}",), "contains": texts}, needs="logs")


NEWEST_LINE = Read(tool="search_logs", arguments={"nodes": ("{entity}",)}, needs="logs")
FATAL = Read(tool="search_logs", arguments={"nodes": ("{entity}",), "levels": ("FATAL",)}, needs="logs")
TOPOLOGY = Read(tool="topology")
SCHEDULING = Read(tool="scheduling")
OF_STORE = Read(tool="scheduling", arguments={"of": "{entity}"})
REGIONS = Read(tool="regions")
HOT = Read(tool="regions", arguments={"check": "hot"})
SLOW_STAGE = Read(tool="latency", arguments={"store": "{entity}"}, needs="metrics")

READS: dict[str, tuple[Read, ...]] = {
    "status_answers": (TOPOLOGY,),
    "member_answers": (TOPOLOGY,),
    "pd_disconnected": (TOPOLOGY,),
    "place_gone": (TOPOLOGY,),
    "weight_set": (TOPOLOGY,),
    "labels_missing": (TOPOLOGY,),
    "labels_disagree": (TOPOLOGY,),
    "settings_differ": (Read(tool="check_invariants", arguments={"invariant": "store_settings_alike"}),),
    "log_silent": (NEWEST_LINE,),
    "log_goes_on": (NEWEST_LINE,),
    "member_log_silent": (NEWEST_LINE,),
    "member_log_goes_on": (NEWEST_LINE,),
    "stopped_in_order": (_log("receive signal"),),
    "crashed_and_back": (_log("Welcome to TiKV", "receive signal"),),
    "member_crashed_and_back": (_log("Welcome to Placement Driver", "Got signal to exit"),),
    "crash_logged": (FATAL,),
    "accuses_peers": (_log("wait connect timeout", "connection abort"),),
    "disk_probe_timed_out": (_log("disk probe timed out"),),
    "member_disk_full": (_log("No space left on device", "database space exceeded"),),
    "member_disk_error": (_log("Input/output error", "Read-only file system"),),
    "snapshots_fail": (_log("failed to send snap", "failed to recv snapshot"),),
    "was_leader": (_log("lost leader", "leader is ready to serve"),),
    "led_lately": (_log("lost leader", "leader is ready to serve"),),
    "evicting": (OF_STORE,),
    "leaving_and_stuck": (OF_STORE,),
    "leaders_piled_up": (SCHEDULING,),
    "bad_setting": (SCHEDULING,),
    "scheduler_left_behind": (SCHEDULING,),
    "scheduler_missing": (SCHEDULING,),
    "scheduler_paused": (SCHEDULING,),
    "gc_held_back": (SCHEDULING,),
    "range_denied": (SCHEDULING,),
    "drain_waits": (SCHEDULING,),
    "peers_unwell": (REGIONS,),
    "majority_of_stores_gone": (REGIONS,),
    "hot_write_region": (HOT,),
    "hot_read_region": (HOT,),
    "send_wait_late": (SLOW_STAGE,),
    "message_late": (SLOW_STAGE,),
    "probe_late": (SLOW_STAGE,),
    "scrape_late": (Read(tool="query_metrics", arguments={"query": "scrape_duration_seconds"}, needs="metrics"),),
    "member_scrape_late": (
        Read(tool="query_metrics", arguments={"query": "scrape_duration_seconds"}, needs="metrics"),
    ),
    "raft_deaf": (
        Read(
            tool="query_metrics",
            arguments={"query": "sum by (instance) (rate(tikv_server_raft_message_recv_total[$range]))"},
            needs="metrics",
        ),
    ),
    "wal_stuck": (
        Read(
            tool="query_metrics",
            arguments={"query": "rate(etcd_disk_wal_fsync_duration_seconds_count[$range])"},
            needs="metrics",
        ),
    ),
    "restarted": (_log("Welcome to TiKV"),),
    "came_back": (_log("Welcome to TiKV"),),
    "member_restarted": (_log("Welcome to Placement Driver"),),
    "killed_for_memory": (Read(tool="query_metrics", arguments={"name": "rss_bytes"}, needs="metrics"),),
    "died_of_itself": (FATAL,),
}
