"""SignRule: one sign and the look that evaluates it."""

from collections.abc import Callable
from dataclasses import dataclass

from opsai_etcd.seen import ABSENT, Look, Seen
from opsai_subjects.fault import Read, Sign, SignSpec

TOPOLOGY = Read(tool="topology")
LOGS = Read(tool="search_logs", arguments={"nodes": ("{entity}",)}, needs="logs")
TIMELINE = Read(tool="timeline", needs="logs")


@dataclass(frozen=True)
class SignRule:
    """A sign with its pure look."""

    id: str
    says: str
    look: Callable[[Look, str], Seen]
    reassures: bool = False
    metrics: tuple[str, ...] = ()
    """Named metrics that show it."""
    reads: tuple[Read, ...] = ()

    @property
    def spec(self) -> SignSpec:
        """The sign as data."""
        return SignSpec(id=self.id, says=self.says, metrics=self.metrics, reads=self.reads)

    def sign(self, look: Look, entity: str) -> Sign:
        """Evaluate it on one entity."""
        seen = self.look(look, entity)
        says = f"not seen: {self.says}" if seen is ABSENT else seen.says or self.says
        if seen.state == "shown" and seen.says:
            says = f"{self.says}: {seen.says}"
        return Sign(
            id=self.id,
            entity=entity,
            state=seen.state,
            active=seen.active if seen.state == "shown" else False,
            says=says,
            value=seen.value,
            limit=seen.limit,
            since=seen.since,
            reassures=self.reassures,
        )
