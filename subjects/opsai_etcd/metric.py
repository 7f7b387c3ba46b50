"""How a named metric is written: the few shapes that most queries have. `$range` is filled with a rate range."""

from typing import Literal

from opsai_subjects.subject import Signal

NO_GRAIN = 1e12
"""For figures that are not compared: a time, an id. No difference reaches it."""
FIRST_EVENT = "the first such event"
"""What a counter with labels needs before it has a series; absence then means zero."""
MIXIN = "etcd contrib/mixin/alerts/alerts.libsonnet"
FAQ = "etcd.io docs, FAQ and metrics pages, v3.4 to v3.6"
GRAINS: dict[str, float] = {
    "s": 0.005,
    "1/s": 1.0,
    "1/min": 1.0,
    "count": 1.0,
    "0/1": 0.02,
    "ratio": 0.02,
    "cores": 0.05,
    "bytes": 16 * 2.0**20,
    "bytes/s": 2.0**20,
    "entries": 32.0,
    "files": 10.0,
}
"""By unit: the smallest difference that tells anything, where the signal has no grain of its own (rule of thumb)."""


def p99(metric: str, *, by: str = "instance", quantile: float = 0.99) -> str:
    """Return the query of a histogram's quantile."""
    return f"histogram_quantile({quantile:g}, sum by (le, {by}) (rate({metric}_bucket[$range])))"


def rate(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a counter's rate per second."""
    return f"sum by ({by}) (rate({metric}{matchers}[$range]))"


def most(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a gauge."""
    return f"max by ({by}) ({metric}{matchers})"


def signal(
    name: str,
    promql: str,
    unit: str,
    says: str,
    normal: str,
    *,
    topic: str,
    pitfalls: str = "",
    versions: str = "",
    needs: str = "",
    absent: Literal["unknown", "zero"] | None = None,
    grain: float | None = None,
) -> Signal:
    """Return a named metric. What needs its first event is zero without a series unless it is said otherwise."""
    return Signal(
        name=name,
        promql=promql,
        unit=unit,
        says=says,
        normal=normal,
        topic=topic,
        pitfalls=pitfalls,
        versions=versions,
        needs=needs,
        absent=absent or ("zero" if needs == FIRST_EVENT else "unknown"),
        grain=GRAINS[unit] if grain is None else grain,
    )
