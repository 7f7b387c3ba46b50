"""LIMITS: the one figure that an invariant stands on, by its id. What says it elsewhere reads it from here."""

from collections.abc import Mapping

LIMITS: Mapping[str, float] = {
    "pd_leader_stable": 1.0,
    "pd_disk_fast": 0.07,
    # above the histogram's 64 ms bucket: one slow fsync among few lifts a p99 into it, where scrapes are 15 s apart for longer
    "pd_network_fast": 0.02,
    "pd_cpu_enough": 0.03,
    "pd_disk_space": 0.8,  # pd.rules.yml pd_etcd_quota
    "regions_whole": 0.05,
    "gc_advances": 3600.0,  # GC life time and interval are 10 min each by default
    "store_up": 20.0,  # pd pkg/core/store.go storeDisconnectDuration
    "store_reachable": 0.2,
    "store_pd_link": 0.5,
    "store_disk_fast": 0.05,
    "store_disk_completes": 0.5,  # fewer complete on a hung disk only
    "store_cpu_enough": 3.0,
    "store_append_fast": 0.05,  # docs troubleshoot-high-disk-io
    "store_apply_fast": 0.03,
    "store_scheduler_fast": 0.15,
    "store_writes_fast": 0.15,
    "store_serves_fast": 0.15,
    "store_not_slow": 80.0,  # pd pkg/core/store.go slowStoreThreshold
    "store_takes_requests": 0.5,
    "store_reads_succeed": 0.5,
    "store_disk_space": 0.05,  # what TiKV keeps in reserve: storage.reserve-space, 5 % or 5 GiB
    "store_space_left": 0.2,  # pd low-space-ratio 0.8; tikv.rules.yml TiKV_low_space
    "leaders_spread": 1.8,
    "load_even": 0.25,
    "load_carried": 5.0,
    "transactions_flow": 5.0,
    "space_lasts": 0.1,
}
