"""Decisive messages of PD's log (etcd's lines among them)."""

from opsai_tikv.logs.pattern import Pattern, pattern

PD_PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "pd_stop",
        "pd",
        "Got signal to exit",
        "server is closed",
        "closing server",
        says="this PD member was asked to stop",
    ),
    pattern(
        "campaign",
        "pd",
        "start to campaign",
        says="it tries to become PD leader",
        regex=r"(?i)start to campaign pd leader",
    ),
    pattern(
        "campaign_skipped", "pd", "skip campaigning of pd leader", says="etcd's leader is another member, so it waits"
    ),
    pattern(
        "pd_leader_ready",
        "pd",
        "leader is ready to serve",
        says="it is PD leader and serves: here a failover ends",
    ),
    pattern("pd_leader_followed", "pd", "start to watch pd leader", says="it follows a PD leader"),
    pattern(
        "lease_expired",
        "pd",
        "lease has expired",
        "lease timeout",
        says="the PD leader could not renew its lease in time: disk, CPU or network",
    ),
    pattern(
        "lease_slow",
        "pd",
        "keep alive lease too slow",
        "lease keep alive failed",
        says="renewing the leader's lease is slow",
    ),
    pattern(
        "pd_leader_resigned",
        "pd",
        "resigns pd leadership",
        "PD leader will step down",
        "pd leader will step down",
        says="the PD leader gives up its leadership",
    ),
    pattern(
        "etcd_leader_lost",
        "pd",
        "lost leader",
        says="this member's etcd has lost its leader",
        regex=r"raft\.node: .* lost leader",
    ),
    pattern(
        "etcd_leader_elected",
        "pd",
        "elected leader",
        says="this member's etcd has a leader",
        regex=r"raft\.node: .* elected leader",
    ),
    pattern(
        "etcd_no_leader",
        "pd",
        "no etcd leader",
        "serving /health false",
        "etcdserver: no leader",
        says="this member sees no etcd leader: no majority, or it is cut off",
    ),
    pattern(
        "pd_peer_unreachable",
        "pd",
        "peer became inactive",
        "prober detected unhealthy status",
        "lost TCP streaming connection",
        "lost the TCP streaming connection",
        "failed to reach the peer URL",
        says="another PD member cannot be reached from this one",
    ),
    pattern("pd_peer_active", "pd", "peer became active", says="another PD member can be reached again"),
    pattern(
        "slow_fdatasync",
        "pd",
        "slow fdatasync",
        says="writing etcd's log to disk took over a second: PD's disk is slow",
    ),
    pattern(
        "slow_etcd",
        "pd",
        "kv gets too slow",
        "txn runs too slow",
        says="an etcd read or write took over a second: disk, CPU, or no quorum",
    ),
    pattern(
        "slow_etcd_apply",
        "pd",
        "apply request took too long",
        says="etcd took over 100 ms for a request; a few are normal under load",
    ),
    pattern(
        "read_index_slow",
        "pd",
        "waiting for ReadIndex response took too long",
        "timed out waiting for read index response",
        says="this member waits for etcd's leader: no quorum, or a slow network",
    ),
    pattern(
        "heartbeat_overload",
        "pd",
        "leader failed to send out heartbeat on time",
        "server is likely overloaded",
        says="etcd's leader sends its heartbeats late: slow disk or too little CPU",
    ),
    pattern(
        "clock_offset",
        "pd",
        "clock offset",
        says="the timestamp service updates late: a clock that jumped, or a slow etcd or CPU (more often)",
    ),
    pattern(
        "clock_jump",
        "any",
        "system time jumps backward",
        "system time jumped back",
        says="this machine's clock went backwards",
        unless=("monotonic",),
    ),
    pattern(
        "tso_exhausted",
        "pd",
        "logical part outside of max logical interval",
        says="timestamps of this instant are used up: a flood of requests, or a clock that stands still",
    ),
    pattern(
        "store_disconnected",
        "pd",
        "store maybe disconnected",
        says="PD's stream to a store (the field target-store-id) broke",
    ),
    pattern(
        "store_low_space", "pd", "does not have enough disk space", says="a store has less than 20 % of its disk free"
    ),
    pattern("store_offline", "pd", "store has been offline", says="somebody takes a store out of the cluster"),
    pattern("store_tombstone", "pd", "store has been Tombstone", says="a store has left the cluster"),
    pattern("store_up_again", "pd", "store has been up", says="somebody has called a leaving store back"),
    pattern("store_serving", "pd", "store has changed to serving", says="a new store serves"),
    pattern("slow_store_evicted", "pd", "detected slow store", says="PD moves the leaders off a slow store"),
    pattern("slow_store_recovered", "pd", "slow store has been recovered", says="PD takes a slow store for well again"),
    pattern(
        "stopping_store_evicted",
        "pd",
        "detected stopping store",
        says="a store that shuts down in order gives its leaders away",
    ),
    pattern(
        "hibernation_woken",
        "any",
        "forcely awaken hibernated regions",
        says="idle regions are woken because a store is slow or down",
    ),
    pattern(
        "scheduler_added",
        "pd",
        "add scheduler successfully",
        says="somebody added a scheduler (the field scheduler-name)",
    ),
    pattern(
        "scheduler_removed",
        "pd",
        "scheduler has been stopped",
        "remove scheduler successfully",
        says="a scheduler was removed, or PD's leader stepped down",
    ),
    pattern(
        "leader_transfer_paused", "pd", "pause store leader transfer", says="a store takes or gives no leaders any more"
    ),
    pattern(
        "leader_transfer_resumed", "pd", "resume store leader transfer", says="a store takes and gives leaders again"
    ),
    pattern(
        "config_changed",
        "pd",
        "config is updated",
        "set scheduling halt",
        says="somebody changed a setting of PD",
        unless=("scheduler config is updated",),
    ),
    pattern(
        "version_changed", "pd", "cluster version changed", says="every store runs the new version: an upgrade is done"
    ),
    pattern(
        "region_leader_changed",
        "pd",
        "leader changed",
        says="a region's leader moved (fields from and to)",
        regex=r"^leader changed$",
    ),
    pattern("operator_timeout", "pd", "operator timeout", says="a scheduling operator did not end in time"),
    pattern("operator_canceled", "pd", "operator canceled", says="a scheduling operator was given up"),
    pattern(
        "operator_added", "pd", "add operator", says="PD begins to move a leader or replica", regex=r"^add operator$"
    ),
    pattern(
        "rejected_connection",
        "pd",
        "rejected connection",
        says="a connection failed its TLS handshake: certificate or http for https",
    ),
    pattern(
        "pd_request_passed_on_failed", "pd", "redirect but server is not leader", says="a request reached no leader"
    ),
)
