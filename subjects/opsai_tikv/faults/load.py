"""What clients do to a cluster: hot spots, overload, contention, growth."""

from opsai_subjects.fault import FaultKind

HOTSPOT_WRITE = FaultKind(
    id="hotspot_write",
    says="clients write mostly to one place",
    on="region",
    must_show=(),
    one_of=(("hot_write_region", "writes_skewed"),),
    rivals=("hotspot_read",),
    explains=("overload", "txn_contention", "leader_skew", "data_growth", "tikv_client_partition", "overload_scan"),
    red_herrings=("region counts are balanced", "after a split the newest part stays hot"),
    do="Spread the keys (shard or hash the prefix, pre-split and scatter the range); find the client that writes there.",
    because="One region is led by one store and applied by one thread: balance cannot spread it.",
    verify="No region carries more than a few per cent of the writes.",
    touches="nothing",
    weight=6,
)
HOTSPOT_READ = FaultKind(
    id="hotspot_read",
    says="clients read mostly from one place",
    on="region",
    must_show=(),
    one_of=(("hot_read_region", "reads_skewed"),),
    must_not_show=("hot_write_region", "writes_skewed"),
    rivals=("hotspot_write",),
    explains=("overload", "leader_skew", "tikv_client_partition", "overload_scan"),
    do="Cache it at the client, read from followers, or split the range by hand.",
    because="One region is read on one store: balance cannot spread it.",
    verify="No region carries more than a few per cent of the reads.",
    weight=5,
)
OVERLOAD_SCAN = FaultKind(
    id="overload_scan",
    says="scans overload the cluster",
    on="load",
    must_show=("scans_surge",),
    one_of=(("everyone_late", "turned_away_everywhere"),),
    rivals=("overload",),
    explains=("overload", "txn_contention"),
    do="Find the queries that scan and stop or limit them.",
    because="Keys read rose many times over and every store is late.",
    verify="Latency back at its former level.",
    weight=5,
)
OVERLOAD = FaultKind(
    id="overload",
    says="clients ask more than the cluster can carry",
    on="load",
    must_show=(),
    one_of=(("everyone_late", "turned_away_everywhere"),),
    must_not_show=("scans_surge",),
    supports=("requests_surge", "writes_surge"),
    rivals=("overload_scan", "txn_contention"),
    explains=("txn_contention", "data_growth"),
    do="Slow the clients down or add stores; find which client grew.",
    because="Every store is late together and no part is sick by itself.",
    verify="Latency back at its former level.",
    weight=3,
)
CONTENTION = FaultKind(
    id="txn_contention",
    says="transactions wait for each other",
    on="load",
    must_show=("contended",),
    must_not_show=("everyone_late",),
    rivals=("overload",),
    do="Find the hot rows and the clients that update them; order or batch their transactions.",
    because="Conflicts and latch waits rose while storage is quick.",
    verify="Conflicts and lock waits fall.",
    weight=2,
)
GROWTH = FaultKind(
    id="data_growth",
    says="data grows so fast that space will not last",
    on="load",
    must_show=("data_grows",),
    rivals=("overload",),
    explains=("tikv_disk_low",),
    do="Find the client that writes; add space or stores before the reserve is reached.",
    because="Free space falls on every store together.",
    verify="Free space no longer falls.",
    weight=2,
)

LOAD_FAULTS = (
    HOTSPOT_WRITE,
    HOTSPOT_READ,
    OVERLOAD_SCAN,
    OVERLOAD,
    CONTENTION,
    GROWTH,
)
