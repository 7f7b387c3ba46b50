"""How a named metric is written: the few shapes that most queries have. `$range` is filled with a rate range."""

from opsai_subjects.subject import Signal

CLIENT = '{type=~"(kv|raw|coprocessor).*",type!~"kv_gc|kv_check_txn_status|kv_txn_heart_beat"}'
"""Requests of clients: without GC and what clients send to keep transactions alive."""
METRICS_DOC = "tikv metrics/alertmanager and pingcap/docs grafana-tikv-dashboard"


def p99(metric: str, matchers: str = "", *, by: str = "instance", quantile: float = 0.99) -> str:
    """Return the query of a histogram's quantile."""
    return f"histogram_quantile({quantile:g}, sum by (le, {by}) (rate({metric}_bucket{matchers}[$range])))"


def rate(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a counter's rate per second."""
    return f"sum by ({by}) (rate({metric}{matchers}[$range]))"


def most(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a gauge."""
    return f"max by ({by}) ({metric}{matchers})"


def signal(name: str, promql: str, unit: str, says: str, normal: str) -> Signal:
    """Return a named metric."""
    return Signal(name=name, promql=promql, unit=unit, says=says, normal=normal)
