"""Messages of what somebody changed by hand, and of regions and snapshots at work."""

from opsai_tikv.logs.pattern import Pattern, pattern

CHANGE_PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "asked_by_hand",
        "pd",
        "audit log",
        says="somebody called PD's API (the field service-info: what, from where, with what)",
        regex=r"^audit log$",
    ),
    pattern("store_limit_changed", "pd", "store limit changed", says="somebody changed how fast a store may be moved"),
    pattern(
        "placement_rule_changed",
        "pd",
        "placement rule updated",
        "placement rule removed",
        says="somebody changed a placement rule: replicas will move",
    ),
    pattern("snapshot_sent", "tikv", "sent snapshot", says="a replica was sent whole to another store"),
    pattern("snapshot_applied", "tikv", "apply new data", says="a replica that was received whole is in place"),
    pattern("peers_changed", "tikv", "conf change successfully", says="regions gained or lost replicas"),
    pattern("regions_split", "tikv", "notify pd with split", says="regions were split"),
    pattern("regions_merged", "tikv", "execute CommitMerge", says="regions were merged"),
)
