"""Named metrics of what feeds on TiKV or feeds it: change data capture, log backup, import and restore."""

from opsai_subjects.subject import Signal
from opsai_tikv.metric import FIRST_EVENT, most, p99, rate, signal, topic, total

_CDC = "TiCDC"
_LOG_BACKUP = "log backup (BR)"
_IMPORT = "an import or restore (Lightning, BR, IMPORT INTO)"

CDC: tuple[Signal, ...] = topic(
    "cdc",
    signal(
        "cdc_resolved_ts_lag",
        most("tikv_cdc_min_resolved_ts_lag"),
        "ms",
        "how far the oldest captured region of the store is behind",
        "under 5,000 ms (rule of thumb)",
        pitfalls="The lag inside TiKV only; a changefeed may lag with this well. A stuck one rises by 1 s a second.",
        needs=_CDC,
        grain=5_000.0,
        versions="v6.5+",
    ),
    signal(
        "cdc_regions",
        most("tikv_cdc_captured_region_total"),
        "count",
        "regions captured on the store (a gauge in spite of `_total`)",
        "0 without TiCDC",
        grain=20.0,
    ),
    signal(
        "cdc_unresolved_regions",
        total("tikv_cdc_region_resolve_status", '{status="unresolved"}'),
        "count",
        "captured regions that cannot advance yet: their scan is not done",
        "about 0",
        grain=5.0,
    ),
    signal(
        "cdc_scan_tasks",
        total("tikv_cdc_scan_tasks", by="instance, type"),
        "count",
        "incremental scans by state: ongoing ones for long hold the changefeed back",
        "ongoing about 0",
        needs=_CDC,
        grain=5.0,
    ),
    signal(
        "cdc_scan_p99",
        p99("tikv_cdc_scan_duration_seconds"),
        "s",
        "how long an incremental scan takes",
        "under 30 s (rule of thumb)",
        needs=_CDC,
        grain=5.0,
    ),
    signal(
        "cdc_sink_memory_ratio",
        f"{most('tikv_cdc_sink_memory_bytes')} / {most('tikv_cdc_sink_memory_capacity')}",
        "ratio",
        "events that wait to be taken by TiCDC: at 1 TiKV stops sending, the changefeed is congested",
        "under 0.5 (rule of thumb)",
        grain=0.1,
    ),
    signal(
        "cdc_old_value_miss_ratio",
        f"{rate('tikv_cdc_old_value_cache_miss')} / ({rate('tikv_cdc_old_value_cache_access')} > 0)",
        "ratio",
        "old values that had to be read from the engine for CDC",
        "low (rule of thumb)",
        needs=_CDC,
        grain=0.1,
    ),
)

BACKUP: tuple[Signal, ...] = topic(
    "log-backup",
    signal(
        "log_backup_checkpoint_age",
        "time() - max by (instance, task) (tikv_log_backup_store_checkpoint_ts > 0) / 262144 / 1000",
        "s",
        "how far the store's part of the log backup is behind",
        "under 600 s (log-backup.max-flush-interval 3 min)",
        needs=_LOG_BACKUP,
        grain=120.0,
        versions="v6.5+",
    ),
    signal(
        "log_backup_errors",
        rate("tikv_log_backup_errors", by="instance, type") + " * 60",
        "1/min",
        "errors of the log backup, by kind; it tries again",
        "0",
        pitfalls="KV:LogBackup:Pd is also counted where no backup runs, whenever PD cannot be reached.",
        needs=FIRST_EVENT,
        grain=2.0,
        versions="v6.5+",
    ),
    signal(
        "log_backup_fatal",
        rate("tikv_log_backup_fatal_errors", by="instance, type") + " * 60",
        "1/min",
        "errors that pause the backup's task",
        "0",
        needs=FIRST_EVENT,
        grain=0.5,
    ),
    signal(
        "log_backup_flush_p99",
        p99("tikv_log_backup_flush_duration_sec", by="instance, stage"),
        "s",
        "saving what was gathered to the external storage",
        "under 60 s (rule of thumb)",
        needs=_LOG_BACKUP,
        grain=10.0,
        versions="v6.5+",
    ),
    signal(
        "log_backup_pending_scans",
        total("tikv_log_backup_pending_initial_scan"),
        "count",
        "regions that wait for their first scan",
        "0",
        needs=_LOG_BACKUP,
        grain=5.0,
        versions="v6.5+",
    ),
)

IMPORT: tuple[Signal, ...] = topic(
    "import",
    signal(
        "import_p99",
        p99("tikv_import_rpc_duration", by="instance, request"),
        "s",
        "requests of importers, by kind",
        "the load",
        needs=_IMPORT,
        grain=1.0,
    ),
    signal(
        "import_errors",
        rate("tikv_import_error_counter", by="instance, type, error"),
        "1/s",
        "requests of importers that failed",
        "about 0",
        needs=FIRST_EVENT,
        grain=0.2,
    ),
    signal(
        "import_ingest_p99",
        p99("tikv_import_ingest_duration", by="instance, type"),
        "s",
        "putting ready-made files into the engine: it stalls writers when they overlap",
        "under 1 s (rule of thumb)",
        needs=_IMPORT,
        grain=0.5,
    ),
)
