"""How facts are looked at: a signal against its peers and its own past, point by point."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar, cast

from opsai_subjects.hits import last_run
from opsai_tikv.facts import MemberFacts, StoreFacts, TikvFacts, Track
from opsai_tikv.limits import LIMITS

T = TypeVar("T")
State = Literal["shown", "absent", "unknown"]


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


def unknown(why: str) -> Seen:
    """Return a look that could not be taken."""
    return Seen("unknown", why)


class Look:
    """Facts, with what most signs ask of them."""

    def __init__(self, facts: TikvFacts, limits: Mapping[str, float] | None = None) -> None:
        """`limits` are those set for this cluster, by invariant; the others are as in LIMITS."""
        self.facts = facts
        self._limits = {**LIMITS, **(limits or {})}
        self.stores = tuple(store.entity for store in facts.data_stores)
        self.members = tuple(member.entity for member in facts.members)
        self._stores = {store.entity: store for store in facts.stores}
        self._members = {member.entity: member for member in facts.members}
        self._once: dict[str, object] = {}
        self._ordered: dict[tuple[str, str, int], list[float]] = {}

    def limit(self, invariant: str) -> float:
        """Return the limit of an invariant, as it is set for this cluster."""
        return self._limits[invariant]

    def store(self, entity: str) -> StoreFacts:
        """Return the facts of a store."""
        return self._stores[entity]

    def member(self, entity: str) -> MemberFacts:
        """Return the facts of a PD member."""
        return self._members[entity]

    def started_at(self, entity: str) -> datetime | None:
        """Return when PD says the entity's process started."""
        node = self._stores.get(entity) or self._members.get(entity)
        return node.started_at if node else None

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return what does not depend on the entity looked at, computed once for all of them."""
        if key not in self._once:
            self._once[key] = compute()
        return cast("T", self._once[key])  # one key, one computation, one type

    def track(self, name: str, entity: str) -> Track | None:
        """Return the track of a signal on an entity."""
        return self.facts.tracks.of(name, entity)

    def now(self, name: str, entity: str) -> float | None:
        """Return the newest value of a signal, None when there is none now."""
        track = self.track(name, entity)
        return track.now if track else None

    def before(self, name: str, entity: str) -> float | None:
        """Return the entity's own past of a signal."""
        track = self.track(name, entity)
        return track.before if track else None

    def peers_of(self, entity: str) -> tuple[str, ...]:
        """Return the entities of the same role: stores that may lead compare with such, followers with followers."""
        return tuple(other for other in self._group(entity)[1] if other != entity)

    def _group(self, entity: str) -> tuple[str, tuple[str, ...]]:
        if entity in self._members:
            return "member", self.members
        leads = entity not in self._stores or self._stores[entity].may_lead
        return (
            ("leading", self.once("stores that may lead", lambda: self._of_role(leads=True)))
            if leads
            else ("following", self.once("stores that may not lead", lambda: self._of_role(leads=False)))
        )

    def _of_role(self, *, leads: bool) -> tuple[str, ...]:
        return tuple(store for store in self.stores if self._stores[store].may_lead == leads)

    def peer_median(self, name: str, entity: str, index: int = -1) -> float | None:
        """Return the median of the peers' values of a signal at one point; None when no peer has one."""
        role, group = self._group(entity)
        key = (name, role, index)
        ordered = self._ordered.get(key)
        if ordered is None:
            ordered = sorted(self._values(name, group, index))
            self._ordered[key] = ordered
        track = self.track(name, entity)
        own = track.points[index] if track and track.points else None
        return _median_without(ordered, own)

    def _values(self, name: str, entities: tuple[str, ...], index: int) -> Iterator[float]:
        tracks = self.facts.tracks.by_name.get(name, {})
        for entity in entities:
            track = tracks.get(entity)
            value = track.points[index] if track and track.points else None
            if value is not None:
                yield value

    def moment(self, index: int) -> datetime:
        """Return the time of one point."""
        return self.facts.tracks.start + timedelta(seconds=self.facts.tracks.step_seconds * index)

    def when(self, name: str, entity: str, test: Callable[[int, float], bool], at_least: int = 2) -> Seen:
        """Look for points that pass the test: shown when so many stand in a row, active when one of the last two does."""
        track = self.track(name, entity)
        if track is None and not self.facts.tracks.known(name):
            return unknown(f"the query of {name} was not answered in full")
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

    def fell(
        self,
        name: str,
        entity: str,
        *,
        ratio: float,
        also: Callable[[int, float], bool] | None = None,
        at_least: int = 2,
    ) -> Seen:
        """Look for points below `ratio` times its own past, after it had been at half of that past or more."""
        track = self.track(name, entity)
        past = track.before if track else None
        if track is None or past is None:
            return unknown(f"{name} has no samples here")
        points = track.points

        def test(index: int, value: float) -> bool:
            was_high = any(point is not None and point >= 0.5 * past for point in points[:index])
            return was_high and value <= ratio * past and (also is None or also(index, value))

        seen = self.when(name, entity, test, at_least)
        if seen.state != "shown" or not isinstance(seen.value, float):
            return seen
        says = f"{name} {figure(seen.value)}{unit(name)}, before {figure(past)}{unit(name)}"
        return Seen("shown", says, seen.active, seen.value, round(ratio * past, 3), seen.since)

    def over(
        self, name: str, entity: str, *, floor: float, factor: float = 1.0, own: float = 0.0, at_least: int = 2
    ) -> Seen:
        """Look for points above the floor, above `factor` times the peers' median and above `own` times its own past."""
        past = self.before(name, entity)

        def test(index: int, value: float) -> bool:
            if value <= floor or (own and past is not None and value <= own * past):
                return False
            peers = self.peer_median(name, entity, index)
            return peers is None or value > factor * peers

        seen = self.when(name, entity, test, at_least)
        if seen.state != "shown" or not isinstance(seen.value, float):
            return seen
        of = unit(name)
        peers = self.peer_median(name, entity)
        against = f", peers {figure(peers)}{of}" if peers is not None else ""
        before = f", before {figure(past)}{of}" if past is not None else ""
        return Seen(
            "shown", f"{name} {figure(seen.value)}{of}{against}{before}", seen.active, seen.value, floor, seen.since
        )


def _median_without(ordered: list[float], own: float | None) -> float | None:
    """Return the median of sorted values, one of which is left out."""
    count = len(ordered) - (own is not None)
    if count <= 0:
        return None
    skipped = bisect_left(ordered, own) if own is not None else len(ordered)

    def at(index: int) -> float:
        return ordered[index + (index >= skipped)]

    middle = count // 2
    return at(middle) if count % 2 else (at(middle - 1) + at(middle)) / 2


def figure(value: float | None) -> str:
    """Return a number in three significant digits."""
    return "none" if value is None else f"{value:.3g}"


_UNITS = (
    (("_p99", "_p50", "_seconds", "_best"), " s"),
    (("_bytes",), " bytes"),
    (("_us",), " µs"),
    (("_rate", "requests", "writes", "reads", "_received", "_rejects", "_dropped", "_failures"), "/s"),
)


def unit(name: str) -> str:
    """Return the unit of a signal, by its name, ready to stand behind a figure."""
    return next((text for endings, text in _UNITS if name.endswith(endings)), "")


def ago(facts: TikvFacts, moment: datetime | None) -> float | None:
    """Return how many seconds before the facts a moment lies."""
    return None if moment is None else (facts.at - moment).total_seconds()
