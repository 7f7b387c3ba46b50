"""How facts are looked at: a member as it met us, a signal against its peers and its own past, what a log says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from opsai_etcd.facts import EtcdFacts, LogCount, MemberFacts, Track
from opsai_etcd.limits import LIMITS
from opsai_etcd.metrics import SIGNALS
from opsai_subjects.hits import last_run

State = Literal["shown", "absent", "unknown"]
_UNITS = {signal.name: signal.unit for signal in SIGNALS}


@dataclass(frozen=True)
class Seen:
    """What one look found."""

    state: State
    says: str
    active: bool = True
    value: float | str | None = None
    limit: float | None = None
    since: datetime | None = None


ABSENT = Seen("absent", "not seen")


def shown(
    says: str,
    value: float | str | None = None,
    *,
    limit: float | None = None,
    since: datetime | None = None,
    active: bool = True,
) -> Seen:
    """Return a look that found what it looked for."""
    return Seen("shown", says, active, value, limit, since)


def unknown(why: str) -> Seen:
    """Return a look that could not be taken."""
    return Seen("unknown", why)


class Look:
    """Facts, with what most looks ask of them."""

    def __init__(self, facts: EtcdFacts, limits: Mapping[str, float] | None = None) -> None:
        """`limits` are those set for this cluster, by invariant; the others are as in LIMITS."""
        self.facts = facts
        self._limits = {**LIMITS, **(limits or {})}
        self._members = {member.entity: member for member in facts.members}
        self.entities = tuple(self._members)

    def limit(self, invariant: str) -> float:
        """Return the limit of an invariant, as it is set for this cluster."""
        return self._limits[invariant]

    def member(self, entity: str) -> MemberFacts:
        """Return the facts of a member."""
        return self._members[entity]

    def others(self, entity: str) -> tuple[str, ...]:
        """Return the other members."""
        return tuple(other for other in self.entities if other != entity)

    def ago(self, moment: datetime | None) -> float | None:
        """Return how many seconds before the facts a moment lies."""
        return None if moment is None else (self.facts.at - moment).total_seconds()

    def track(self, name: str, entity: str) -> Track | None:
        """Return the track of a signal on an entity."""
        return self.facts.tracks.of(name, entity)

    def now(self, name: str, entity: str) -> float | None:
        """Return the newest value of a signal, None when there is none now."""
        track = self.track(name, entity)
        return track.now if track else None

    def points(self, name: str, entity: str) -> list[float]:
        """Return the values of a signal that are known, oldest first."""
        track = self.track(name, entity)
        return [point for point in track.points if point is not None] if track else []

    def peer_median(self, name: str, entity: str, index: int) -> float | None:
        """Return the median of the other members' values of a signal at one point; None when none has one."""
        tracks = (self.track(name, other) for other in self.others(entity))
        values = [point for track in tracks if track and (point := track.points[index]) is not None]
        return median(values) if values else None

    def moment(self, index: int) -> datetime:
        """Return the time of one point."""
        return self.facts.tracks.start + timedelta(seconds=self.facts.tracks.step_seconds * index)

    def when(self, name: str, entity: str, test: Callable[[int, float], bool], at_least: int = 2) -> Seen:
        """Look for points that pass the test: shown when so many stand in a row, active when one of the last two does."""
        track = self.track(name, entity)
        if track is None or all(point is None for point in track.points):
            return unknown(f"{name} has no samples here")
        hits = [point is not None and test(index, point) for index, point in enumerate(track.points)]
        start, length = last_run(hits, at_least)
        if length == 0:
            return ABSENT
        active = any(hits[-2:])
        values = [point for point in track.points[start : start + length] if point is not None]
        value = track.now if active and track.now is not None else max(values, key=abs)
        return Seen("shown", "", active, value, None, self.moment(start))

    def over(
        self, name: str, entity: str, *, floor: float, factor: float = 1.0, own: float = 0.0, at_least: int = 2
    ) -> Seen:
        """Look for points above the floor, above `factor` times the peers' median and above `own` times its own past."""
        track = self.track(name, entity)
        past = track.before if track else None

        def test(index: int, value: float) -> bool:
            if value <= floor or (own and past is not None and value <= own * past):
                return False
            peers = self.peer_median(name, entity, index)
            return peers is None or value > factor * peers

        seen = self.when(name, entity, test, at_least)
        if seen.state != "shown" or not isinstance(seen.value, float):
            return seen
        peers = self.peer_median(name, entity, -1)
        against = f", its peers {figure(peers)}{unit(name)}" if peers is not None else ""
        before = f", before {figure(past)}{unit(name)}" if past is not None else ""
        says = f"{name} {figure(seen.value)}{unit(name)}{against}{before}"
        return Seen("shown", says, seen.active, seen.value, floor, seen.since)

    def logged(self, pattern: str, entity: str) -> LogCount | None:
        """Return how often a message stands in a member's log."""
        log = self.facts.logs.get(entity)
        return log.patterns.get(pattern) if log else None

    def logged_of(self, pattern: str, teller: str, peer_id: str) -> LogCount | None:
        """Return how often one member's log has a message about a peer, given by id."""
        log = self.facts.logs.get(teller)
        return log.peers.get(pattern, {}).get(peer_id) if log else None


def figure(value: float | None) -> str:
    """Return a number in three significant digits."""
    return "none" if value is None else f"{value:.3g}"


def unit(name: str) -> str:
    """Return the unit of a signal, ready to stand behind a figure."""
    of = _UNITS.get(name, "")
    if of in ("", "0/1", "ratio", "count"):
        return ""
    return of[1:] if of.startswith("1/") else f" {of}"
