"""What in the logs of TiKV and PD is a row's key or value, and what only looks like one."""

from opsai_subjects.redaction import Redaction

ROWS = Redaction(
    names=("primary", "primary_lock", "lower_bound", "upper_bound"),
    harmless_names=("snap_key", "snapshot_key", "request_key", "num_keys"),
    harmless_values=r"""[\\"]*/(?:pd|ms)/[\w./-]*[\\"]*""",
    hex_prefixes=("7480",),
)
"""Ids of regions, stores and tables stay. `snap_key` is a snapshot's region, term and index; a path below /pd or /ms is one in
PD's own etcd, which its log calls a key too; rows of tables begin with 7480 (`t` and the sign bit), and TiKV prints keys in
capitals (tikv components/log_wrappers, v8.5). Its `redact-info-log = "marker"` prints them in ‹›, `true` as `?`."""
