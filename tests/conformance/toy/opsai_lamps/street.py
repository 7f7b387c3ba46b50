"""One street, looked at."""

from collections.abc import Callable, Collection, Mapping

from pydantic import BaseModel, TypeAdapter, ValidationError

from opsai_lamps.facts import Lamp, StreetFacts, judge, signs, stop_risk
from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import SourceError, SourceMalformed
from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Verdict, adjusted
from opsai_subjects.known_bug import BugSeen
from opsai_subjects.model import Events, Node, ScrapeTarget, Topology, Unread, Window, clean
from opsai_subjects.subject import Facts, Risk, Sight, Sources, SubjectKind

LAMPS = "/lamps"


class _Told(BaseModel):
    name: str
    at: str
    lit: bool
    celsius: float | None = None


_LAMPS = TypeAdapter(list[_Told])


class Street:
    """The lamps that one of them knows."""

    def __init__(self, kind: SubjectKind, name: str, settings: ClusterSettings, sources: Sources) -> None:
        self.kind = kind
        self.cluster = name
        self.sources = sources
        self.invariants = adjusted(kind.invariants, settings.limits, settings.for_seconds)
        self._endpoints = settings.endpoints

    async def facts(self) -> StreetFacts:
        """Ask the lamps that the settings name, one after another, until one tells."""
        unread: list[Unread] = []
        lamps: tuple[Lamp, ...] = ()
        for url in self._endpoints:
            try:
                lamps = await self._lamps(url)
                break
            except (SourceError, ValidationError) as error:
                why = error.came_back if isinstance(error, SourceError) else "JSON that is no list of lamps"
                unread.append(Unread(source=f"lamp:{_address(url)}", asked=LAMPS, why=clean(why, 300)))
        named = tuple(Lamp(entity=_address(url), address=_address(url)) for url in self._endpoints)
        return StreetFacts(
            cluster=self.cluster,
            cluster_id=None,
            at=self.sources.clock.now(),
            nodes=tuple(_node(lamp) for lamp in lamps or named),
            unread=tuple(unread),
            lamps=lamps or named,
        )

    async def _lamps(self, url: str) -> tuple[Lamp, ...]:
        reply = await self.sources.web.get(f"{url}{LAMPS}", of=f"lamp {_address(url)}")
        told = _LAMPS.validate_python(reply.json())
        if not told:
            raise SourceMalformed(LAMPS, f"lamp {_address(url)}", "an empty list")
        return tuple(
            Lamp(entity=f"lamp:{clean(one.name, 60)}", address=clean(one.at, 60), lit=one.lit, celsius=one.celsius)
            for one in told
        )

    async def topology(self) -> Topology:
        """Return the lamps."""
        facts = await self.facts()
        return Topology(
            cluster=self.cluster,
            cluster_id=None,
            at=facts.at,
            nodes=facts.nodes,
            summary={"lamps": len(facts.nodes)},
            unread=facts.unread,
        )

    def judge(self, facts: Facts) -> tuple[Verdict, ...]:
        """Judge by the limit that is set here."""
        hottest = next(one.limit for one in self.invariants if one.limit is not None)
        return judge(_own(facts), hottest)

    def signs(self, facts: Facts) -> tuple[Sign, ...]:
        """Evaluate the sign."""
        return signs(_own(facts))

    def groups(self, facts: Facts) -> Mapping[str, tuple[str, ...]]:
        """Return the lamps."""
        return {"lamp": tuple(lamp.entity for lamp in _own(facts).lamps)}

    def bugs_seen(self, facts: Facts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
        """Nobody keeps a table of bugs of lamps."""
        return ()

    def stop_risk(self, facts: Facts, entity: str) -> Risk:
        """Say whether a lamp could be taken down."""
        return stop_risk(_own(facts), entity)

    def same_entity(self, facts: Facts, name: str) -> str | None:
        """Return the lamp meant by its name or address."""
        return next((one.entity for one in facts.nodes if name in (one.entity, one.name, one.address)), None)

    def foreign(self, facts: Facts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
        """No series is told apart."""
        return lambda labels: ""

    async def scrape_targets(self) -> tuple[ScrapeTarget, ...]:
        """Lamps have no metrics."""
        return ()

    async def scrape_seconds(self) -> float | None:
        """Lamps have no metrics."""
        return None

    async def events(self, window: Window) -> Events:
        """Lamps keep no history; whether they can be read now is said."""
        return Events(window=window, events=(), unread=(await self.facts()).unread)

    async def check(self) -> tuple[Sight, ...]:
        """Try the lamps."""
        facts = await self.facts()
        seen = len(facts.unread) < len(self._endpoints)
        says = f"it tells of {len(facts.lamps)} lamps" if seen else "no lamp tells of the street"
        return (
            Sight(source="lamps", state="ok" if seen else "blind", says=says, advice="" if seen else "give --endpoint"),
        )


def _own(facts: Facts) -> StreetFacts:
    assert isinstance(facts, StreetFacts)
    return facts


def _address(url: str) -> str:
    return url.rpartition("/")[2]


def _node(lamp: Lamp) -> Node:
    state = "unknown" if lamp.lit is None else "lit" if lamp.lit else "dark"
    name = lamp.entity.removeprefix("lamp:")
    return Node(entity=lamp.entity, name=name, role="lamp", address=lamp.address, state=state)
