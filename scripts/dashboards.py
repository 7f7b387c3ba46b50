"""Write compose/tikv/grafana/dashboards from opsai's own named metrics: `make dashboards`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsai_subjects.registry import subject_kind
from opsai_subjects.subject import Signal

FOLDER = Path(__file__).resolve().parents[1] / "compose" / "tikv" / "grafana" / "dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "opsai-prometheus"}
LOKI = {"type": "loki", "uid": "opsai-loki"}
WIDTH = 24
UNITS = {
    "s": "s",
    "ms": "ms",
    "µs": "µs",
    "1/s": "cps",
    "1/min": "cpm",
    "count": "short",
    "0/1": "short",
    "ratio": "percentunit",
    "cores": "short",
    "bytes": "bytes",
    "bytes/s": "Bps",
    "files": "short",
    "entries": "short",
    "score": "short",
}
"""Of the catalogue, to Grafana's names (its packages/grafana-data/src/valueFormats)."""

Panel = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A row of panels of one width, under a title."""

    title: str
    signals: tuple[str, ...]
    columns: int = 3


HEALTH = (
    Row("Nodes", ("up", "restarts", "server_versions"), 3),
    Row("PD", ("pd_leader", "etcd_has_leader", "tso_p99", "wal_fsync_p99", "peer_rtt_p99", "pd_http_p99"), 3),
    Row("Stores", ("store_states", "leaders", "regions", "region_health", "available_ratio", "slow_score"), 3),
    Row("Requests", ("requests_by_type", "grpc_p99", "raftkv_errors"), 3),
    Row("Resources", ("cpu_cores", "rss_bytes", "io_bytes"), 3),
    Row("Scheduling", ("operators", "hot_write_bytes", "hot_read_bytes"), 3),
)
WRITE_PATH = (
    Row("The whole write, per store", ("async_write_p99", "scheduler_p99", "written_keys"), 3),
    Row("Before raft", ("latch_p99", "scheduler_read_p99", "scheduler_commands"), 3),
    Row(
        "The stages in their order",
        (
            "propose_wait_p99",
            "store_write_wait_p99",
            "append_p99",
            "commit_p99",
            "apply_wait_p99",
            "apply_p99",
        ),
        3,
    ),
    Row("The disk below", ("fsync_p99", "raft_engine_write_p99", "inspect_p99"), 3),
    Row("The engine below", ("write_stall", "pending_compaction_bytes", "l0_files"), 3),
    Row("Held back or turned away", ("scheduler_busy", "throttle_flow", "throttle_wait_p99"), 3),
    Row("Threads", ("raftstore_cpu", "apply_cpu", "store_writer_cpu"), 3),
)


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


def files() -> dict[Path, str]:
    """Return each file and its text."""
    signals = {signal.name: signal for signal in subject_kind("tikv").signals}
    boards = {
        "cluster-health": dashboard("TiKV: cluster health", "opsai-health", [*operator(), *rows(HEALTH, signals)]),
        "write-path": dashboard("TiKV: write path", "opsai-write-path", rows(WRITE_PATH, signals)),
        "logs": dashboard("TiKV: logs", "opsai-logs", logs()),
    }
    return {
        FOLDER / f"{name}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n"
        for name, board in boards.items()
    }


def dashboard(title: str, uid: str, panels: Sequence[Panel]) -> dict[str, Any]:
    """Return a dashboard of these panels, laid out in rows, with the open tickets as annotations."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["opsai", "tikv"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "utc",
        "templating": {"list": []},
        "annotations": {"list": [tickets()]},
        "links": [{"type": "dashboards", "tags": ["opsai"], "title": "opsai", "asDropdown": False, "keepTime": True}],
        "panels": [{**panel, "id": number} for number, panel in enumerate(placed(panels), 1)],
    }


def tickets() -> dict[str, Any]:
    """Return the annotation that marks the time for which a ticket is open; one that joined another is left out."""
    return {
        "name": "Tickets",
        "enable": True,
        "iconColor": "red",
        "datasource": PROMETHEUS,
        "expr": 'max by (ticket, invariant, entity, severity) (opsai_ticket_open{parent=""})',
        "step": "10s",
        "titleFormat": "{{invariant}} on {{entity}}",
        "textFormat": "ticket {{ticket}}",
        "tagKeys": "severity",
        "useValueForTime": False,
    }


def operator() -> list[Panel]:
    """Return what opsai-watch itself says: open tickets, what is violated and unknown, and whether it still looks."""
    figures = (
        ("Open tickets", "count(max by (ticket) (opsai_ticket_open)) or vector(0)", "short", "Open tickets."),
        (
            "Invariants violated",
            'sum(opsai_invariant_entities{verdict="violated"}) or vector(0)',
            "short",
            "Invariants that are violated on an entity, each counted once.",
        ),
        (
            "Invariants unknown",
            'sum(opsai_invariant_entities{verdict="unknown"})',
            "short",
            "What could not be judged. Unknown is not health.",
        ),
        (
            "Last look",
            "time() - max(opsai_watch_last_tick_timestamp_seconds)",
            "s",
            "How long ago opsai-watch last looked. Without it nothing on this row means anything.",
        ),
    )
    panels = [
        {
            **panel("stat", title, says, columns=4, height=4),
            "targets": [target(expr, instant=True)],
            "fieldConfig": defaults(unit),
        }
        for title, expr, unit, says in figures
    ]
    tables = (
        ("Tickets that are open", "max by (ticket, invariant, entity, severity, status, parent) (opsai_ticket_open)"),
        (
            "What is violated or unknown",
            "max by (verdict, invariant, entity, severity) (opsai_invariant)",
        ),
    )
    return [
        heading("opsai"),
        *panels,
        *(
            {
                **panel("table", title, "As opsai-watch told it last.", columns=2, height=8),
                "targets": [{**target(expr, instant=True), "format": "table"}],
                "transformations": [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}],
            }
            for title, expr in tables
        ),
    ]


def rows(described: Iterable[Row], signals: Mapping[str, Signal]) -> list[Panel]:
    """Return the panels of these rows, each with a heading."""
    return [
        one
        for row in described
        for one in (heading(row.title), *(graph(signals[name], columns=row.columns) for name in row.signals))
    ]


def graph(signal: Signal, *, columns: int) -> Panel:
    """Return the panel of one named metric; what the catalogue knows of it is its description."""
    says = [signal.says, f"Normal: {signal.normal}."]
    says += [signal.pitfalls] if signal.pitfalls else []
    says += [f"Needs: {signal.needs}."] if signal.needs else []
    return {
        **panel("timeseries", signal.name, "\n\n".join(says), columns=columns, height=7),
        "targets": [target(signal.promql.replace("$range", "$__rate_interval"))],
        "fieldConfig": defaults(UNITS[signal.unit]),
    }


def logs() -> list[Panel]:
    """Return the panels over Loki: how much is logged at which level, and the lines themselves."""
    described = (
        ("timeseries", "Lines by level", 'sum by (level) (count_over_time({job=~"pd|tikv"}[1m]))', 1, 7),
        ("timeseries", "Warnings and worse by node", _BAD_BY_NODE, 1, 7),
        ("logs", "Warnings and worse", '{job=~"pd|tikv", level=~"WARN|ERROR|FATAL"}', 1, 14),
    )
    return [
        {
            **panel(kind, title, "From Loki: comes with the profile `logs`.", columns=columns, height=height),
            "datasource": LOKI,
            "targets": [{"refId": "A", "datasource": LOKI, "expr": expr, "queryType": "range"}],
        }
        for kind, title, expr, columns, height in described
    ]


_BAD_BY_NODE = 'sum by (node) (count_over_time({job=~"pd|tikv", level=~"WARN|ERROR|FATAL"}[1m]))'


def heading(title: str) -> Panel:
    """Return the line above a row."""
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": WIDTH, "h": 1}}


def panel(kind: str, title: str, says: str, *, columns: int, height: int) -> Panel:
    """Return what every panel has."""
    return {
        "type": kind,
        "title": title,
        "description": says,
        "datasource": PROMETHEUS,
        "gridPos": {"w": WIDTH // columns, "h": height},
    }


def target(expr: str, *, instant: bool = False) -> dict[str, Any]:
    """Return one query."""
    return {
        "refId": "A",
        "datasource": PROMETHEUS,
        "expr": expr,
        "legendFormat": "__auto",
        "instant": instant,
        "range": not instant,
    }


def defaults(unit: str) -> dict[str, Any]:
    """Return the unit of a panel."""
    return {"defaults": {"unit": unit, "min": 0}, "overrides": []}


def placed(panels: Iterable[Panel]) -> list[Panel]:
    """Return the panels from left to right and top to bottom."""
    x = y = below = 0
    found: list[Panel] = []
    for one in panels:
        size = one["gridPos"]
        if x + size["w"] > WIDTH:
            x, y = 0, below
        found.append({**one, "gridPos": {**size, "x": x, "y": y}})
        x, below = x + size["w"], max(below, y + size["h"])
    return found


if __name__ == "__main__":
    main()
