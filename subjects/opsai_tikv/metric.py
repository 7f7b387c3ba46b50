"""How a named metric is written: the few shapes that most queries have. `$range` is filled with a rate range."""

from collections.abc import Iterable
from typing import Literal

from opsai_subjects.subject import Signal

CLIENT = '{type=~"(kv|raw|coprocessor).*",type!~"kv_gc|kv_check_txn_status|kv_txn_heart_beat"}'
"""Requests of clients: without GC and what clients send to keep transactions alive."""
NO_GRAIN = 1e12
"""For figures that are not compared: an id, a forecast. No difference reaches it."""
FIRST_EVENT = "the first such event"
"""What a counter with labels needs before it has a series; absence then means zero."""
GRAINS: dict[str, float] = {
    "s": 0.01,
    "ms": 1_000.0,
    "µs": 1_000.0,
    "1/s": 1.0,
    "1/min": 1.0,
    "count": 1.0,
    "0/1": 0.02,
    "ratio": 0.02,
    "cores": 0.05,
    "bytes": 16 * 2.0**20,
    "bytes/s": 2.0**20,
    "files": 2.0,
    "entries": 32.0,
    "score": 5.0,
}
"""By unit: the smallest difference that tells anything, where the signal has no grain of its own (rule of thumb)."""


def p99(metric: str, matchers: str = "", *, by: str = "instance", quantile: float = 0.99) -> str:
    """Return the query of a histogram's quantile."""
    return f"histogram_quantile({quantile:g}, sum by (le, {by}) (rate({metric}_bucket{matchers}[$range])))"


def rate(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a counter's rate per second."""
    return f"sum by ({by}) (rate({metric}{matchers}[$range]))"


def most(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a gauge."""
    return f"max by ({by}) ({metric}{matchers})"


def total(metric: str, matchers: str = "", *, by: str = "instance") -> str:
    """Return the query of a gauge that is summed over its other labels."""
    return f"sum by ({by}) ({metric}{matchers})"


def signal(
    name: str,
    promql: str,
    unit: str,
    says: str,
    normal: str,
    *,
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
        pitfalls=pitfalls,
        versions=versions,
        needs=needs,
        absent=absent or ("zero" if needs == FIRST_EVENT else "unknown"),
        grain=GRAINS[unit] if grain is None else grain,
    )


def topic(name: str, *signals: Signal) -> tuple[Signal, ...]:
    """Return the signals as those of one topic."""
    return tuple(_of(name, signals))


def _of(name: str, signals: Iterable[Signal]) -> Iterable[Signal]:
    for one in signals:
        yield one.model_copy(update={"topic": name})
