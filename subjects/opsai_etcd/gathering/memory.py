"""What earlier looks of this process saw, and later ones may need: who led, and who ever answered."""

from dataclasses import dataclass, replace
from datetime import datetime

from opsai_etcd.facts import EtcdFacts, Led

LED_AT_MOST = 20


@dataclass(frozen=True)
class Memory:
    """The leaders that were seen, oldest first, and the ids of the members that answered."""

    led: tuple[Led, ...] = ()
    met: frozenset[str] = frozenset()

    def until(self, now: datetime) -> "Memory":
        """Return what was seen until that moment: a recording's clock may be set back."""
        kept = tuple(one for one in self.led if one.at <= now)
        return self if len(kept) == len(self.led) else replace(self, led=kept)

    def after(self, facts: EtcdFacts) -> "Memory":
        """Return what is remembered once these facts have been seen."""
        met = self.met | {member.id for member in facts.members if member.id and member.port == "answered"}
        leader = facts.member(facts.leader) if facts.leader else None
        if leader is None:
            return Memory(self.led, met)
        now = Led(at=facts.at, term=leader.raft_term or 0, leader_id=leader.id)
        rest = [one for one in self.led if (one.term, one.leader_id) != (now.term, now.leader_id)]
        return Memory((*rest, now)[-LED_AT_MOST:], met)
