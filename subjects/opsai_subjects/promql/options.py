"""How the evaluator behaves where Prometheus's versions or operators may differ."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of an engine."""

    lookback_seconds: float = 300.0
    """An instant selector takes the newest sample that is not older than this."""
    left_open: bool = True
    """True, as Prometheus 3: a window and the lookback exclude their oldest instant. False, as 2.42: they include it, and
    `rate` extrapolates to a counter's zero point however long the gap before its first sample is."""
    max_samples: int = 50_000_000
    """So many samples may be read, or values made, by one query."""
    max_points: int = 11_000
    """So many steps a range query may have."""
    subquery_step_seconds: float = 60.0
    """The step of a subquery that names none: Prometheus's global evaluation interval."""

    @property
    def lookback_ms(self) -> int:
        """The lookback in milliseconds."""
        return round(self.lookback_seconds * 1000)

    @property
    def subquery_step_ms(self) -> int:
        """The default step of subqueries in milliseconds."""
        return round(self.subquery_step_seconds * 1000)
