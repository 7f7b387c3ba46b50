"""How a live demo is watched: the same invariants by the same limits, looked at more often and judged sooner. Pure."""

from pydantic import Field

from opsai_subjects.config import ClusterSettings, WatchSettings
from opsai_subjects.invariant import Invariant
from opsai_subjects.model import Value

LEAST_SCRAPE_SECONDS = 5.0
"""Between two scrapes, where there is no Prometheus."""
PATIENT_SECONDS = 15.0
"""An invariant that has to be violated for longer before a ticket is about what comes and goes: haste would make false tickets of it."""


class Haste(Value):
    """How much sooner than usual."""

    interval_seconds: float = 2.0
    """Between two looks (usually 30)."""
    most_for_seconds: float = 6.0
    """A violation that usually has to last up to 15 s becomes a ticket after so long."""
    hold_seconds: float = 6.0
    """An invariant that holds again for so long resolves its ticket (usually 60)."""
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    """Invariant to a limit that is not the usual one: the blueprint's `demo_limits`."""

    @property
    def watch(self) -> WatchSettings:
        """The watcher's settings."""
        return WatchSettings(interval_seconds=self.interval_seconds, hold_seconds=self.hold_seconds)

    def applied(self, cluster: ClusterSettings, invariants: tuple[Invariant, ...]) -> ClusterSettings:
        """Return the cluster's settings with the holding times of this haste; what they set themselves stays."""
        shorter = {
            one.id: self.most_for_seconds
            for one in invariants
            if self.most_for_seconds < one.for_seconds <= PATIENT_SECONDS
        }
        return cluster.model_copy(
            update={
                "scrape_seconds": LEAST_SCRAPE_SECONDS,
                "for_seconds": {**shorter, **cluster.for_seconds},
                "limits": {**self.limits, **cluster.limits},
            }
        )

    def says(self) -> str:
        """Return what is not as usual, for whoever watches."""
        limits = "; ".join(f"the limit of {name} is {limit:g}" for name, limit in self.limits.items())
        return (
            f"Watched in haste, so that it can be watched at all: a look every {self.interval_seconds:g} s (usually 30), a violation "
            f"that usually has to last up to {PATIENT_SECONDS:g} s becomes a ticket after {self.most_for_seconds:g} s, and a ticket is "
            f"resolved after {self.hold_seconds:g} s of health (usually 60){'; ' if limits else ''}{limits}."
        )
