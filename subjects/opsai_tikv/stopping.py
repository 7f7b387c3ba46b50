"""Whether nodes could be taken away now without losing a quorum: unknown unless facts are fresh and whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from opsai_subjects.subject import Risk
from opsai_tikv.facts import StoreFacts, TikvFacts, location_labels
from opsai_tikv.pd.values import Region, Rule
from opsai_tikv.regions.majority import is_alive, least_voters, majority_of, places, without_majority
from opsai_tikv.scope import Scope
from opsai_tikv.wording import named, plural

State = Literal["safe", "at_risk", "unknown"]
LACKING = ("miss-peer", "down-peer", "pending-peer")
"""The states of a region in which it has a replica less than it should."""
_WORST_FIRST: tuple[State, ...] = ("at_risk", "unknown", "safe")
SEEN_RATIO = 0.99
"""Regions come and go between two scrapes: of so many the isolation must be known, the rest counts as not isolated."""


@dataclass(frozen=True)
class Closer:
    """What a closer look than the facts saw; None is what nobody could read."""

    regions: tuple[Region, ...] | None = None
    """Every region, where they are few enough to be listed."""
    lacking: Mapping[str, tuple[Region, ...]] = field(default_factory=dict[str, tuple[Region, ...]])
    """Cause (`down-peer`) to its regions, where a count said that they are few."""
    isolation: Mapping[str, int] | None = None
    """Location label to how many regions have every peer in another place of that label (`none`: not even on other hosts)."""
    rules: tuple[Rule, ...] | None = None
    rules_unread: bool = False
    """Rules hold and could not be read: some range may have fewer voters than max-replicas."""


@dataclass(frozen=True)
class Judged:
    """Whether it could be stopped."""

    state: State
    reasons: tuple[str, ...]
    losing: tuple[Region, ...] = ()
    """Regions that would lose their majority, those known by name."""

    @property
    def says(self) -> str:
        """The reasons in one line."""
        return "; ".join(self.reasons)


NOTHING = Closer()


def stop_risk(facts: TikvFacts, entity: str) -> Risk:
    """Say whether stopping this store or member would put a quorum at risk."""
    store, member = facts.store(entity), facts.member(entity)
    if store is None and member is None:
        return Risk(state="unknown", says=f"{entity} is no store and no PD member of this cluster")
    scope = Scope(entity, stores=(store,) if store else (), members=(member,) if member else ())
    judged = judge(facts, scope, NOTHING)
    return Risk(state=judged.state, says=judged.says)


def judge(facts: TikvFacts, scope: Scope, closer: Closer) -> Judged:
    """Say whether all nodes of the scope could be stopped together."""
    parts: list[Judged] = []
    if scope.stores:
        parts.append(_stores(facts, scope, closer))
    if scope.members or scope.unplaced:
        parts.append(_members(facts, scope))
    if not parts:
        return Judged("unknown", ("nothing is named that could be stopped",))
    ordered = sorted(parts, key=lambda part: _WORST_FIRST.index(part.state))
    reasons = tuple(reason for part in ordered for reason in part.reasons)
    return Judged(ordered[0].state, reasons, tuple(region for part in parts for region in part.losing))


def _ports_tell(facts: TikvFacts) -> bool:
    """Say whether any store's status port is reached from here."""
    return any(store.status_port == "answered" for store in facts.data_stores)


def leader_is_new(facts: TikvFacts, within_seconds: float = 60.0) -> bool:
    """Say whether PD's leader has led for less than that: until then it knows heartbeats from etcd alone, 5 min old at worst.

    False where no metric tells.
    """
    track = facts.tracks.of("leading", facts.leader) if facts.leader else None
    if track is None or not facts.tracks.step_seconds:
        return False
    recent = track.points[-round(within_seconds / facts.tracks.step_seconds) - 1 :]
    return any(point is not None and point < 1 for point in recent)


@dataclass(frozen=True)
class _Case:
    """One question about stores: who would be gone, and what a region can bear."""

    facts: TikvFacts
    closer: Closer
    stopped: tuple[StoreFacts, ...]
    silent: tuple[StoreFacts, ...]
    """Stores outside the scope that do not serve now."""
    voters: int

    @property
    def gone(self) -> tuple[StoreFacts, ...]:
        return self.stopped + self.silent

    @property
    def changes(self) -> bool:
        """Whether any of those to be stopped serves now."""
        return any(self.alive(store) for store in self.stopped)

    def alive(self, store: StoreFacts) -> bool:
        """Say whether the store certainly serves."""
        return is_alive(store, ports_tell=_ports_tell(self.facts))

    @property
    def tolerated(self) -> int:
        return (self.voters - 1) // 2

    @property
    def gone_ids(self) -> frozenset[str]:
        return frozenset(store.id for store in self.gone)


def _stores(facts: TikvFacts, scope: Scope, closer: Closer) -> Judged:
    stopped = tuple(store for store in scope.stores if store.engine == "tikv" and store.state != "Tombstone")
    if not stopped:
        if all(store.state == "Tombstone" for store in scope.stores):
            return Judged("safe", ("it is a tombstone: PD has moved everything off it already",))
        return Judged("safe", ("only learners would be gone (TiFlash): no region loses a vote, queries there fail",))
    voters = least_voters(facts, closer.rules)
    if not facts.stores_known or voters is None or (facts.region_states is None and closer.regions is None):
        return Judged("unknown", ("PD's stores, region states or replica count could not be read",))
    if closer.rules_unread and closer.regions is None:
        return Judged("unknown", ("placement rules hold and could not be read: some regions may have fewer voters",))
    chosen = {store.entity for store in stopped}
    others = [store for store in facts.data_stores if store.entity not in chosen]
    case = _Case(
        facts,
        closer,
        stopped,
        tuple(store for store in others if not is_alive(store, ports_tell=_ports_tell(facts))),
        voters,
    )
    if case.silent and leader_is_new(facts):
        return Judged("unknown", ("PD's leader is new and has not heard from every store yet: ask again in a minute",))
    if len(others) - len(case.silent) < majority_of(voters):
        left = len(others) - len(case.silent)
        return Judged("at_risk", (*_silence(case), f"{left} other stores cannot hold a majority of {voters} replicas"))
    return _listed(case) if closer.regions is not None else _counted(case, len(others))


def _listed(case: _Case) -> Judged:
    """Judge region by region: PD listed them all."""
    regions = case.closer.regions or ()
    if not regions:
        return Judged("unknown", ("PD lists no region",))
    listed = {store.id for store in case.facts.data_stores}
    # whoever PD does not list, or as a tombstone, is not counted on
    strange = frozenset(peer.store_id for region in regions for peer in region.voters if peer.store_id not in listed)
    already = strange | {store.id for store in case.gone if not case.alive(store)}
    before = {region.id for region in without_majority(regions, already, lagging=True)}
    gone = strange | case.gone_ids
    losing = tuple(region for region in without_majority(regions, gone, lagging=True) if region.id not in before)
    reasons = [*_silence(case)]
    if before:
        lost = plural(len(before), "region")
        reasons.append(f"{lost} without a majority already: any store may hold the last good replica")
    if losing:
        reasons.append(f"{len(losing)} of {len(regions)} regions would lose their majority")
    if before or losing:
        return Judged("at_risk", tuple(reasons), losing)
    reasons.append(f"each of all {len(regions)} regions keeps a majority of its voters on other stores")
    return Judged("safe", tuple(reasons))


def _counted(case: _Case, others: int) -> Judged:
    """Judge by counts and labels: there are too many regions to look at each."""
    spread = _spread(case)
    lacking = _lacking(case) if case.changes else Judged("safe", ())
    state = min((spread.state, lacking.state), key=_WORST_FIRST.index)
    if state != "safe" or case.silent:
        return Judged(state, (*_silence(case), *spread.reasons, *lacking.reasons), lacking.losing)
    lack = "" if lacking.reasons else " and no region lacks a peer elsewhere"
    well = f"all {others} other stores are up with fresh heartbeats{lack}"
    return Judged("safe", (well, *spread.reasons, *lacking.reasons))


def _spread(case: _Case) -> Judged:
    """Say whether a region can have more replicas on the stores gone than it may lose."""
    labels = _location_labels(case)
    found = places(case.gone, labels, case.tolerated)
    if len(found.places) > case.tolerated:
        return Judged("at_risk", (_too_wide(case, labels),))
    if not found.level:
        return Judged("safe", ())
    isolation, where = case.closer.isolation, " and ".join(found.places)
    total = case.facts.region_count
    if not isolation or not total or sum(isolation.values()) < SEEN_RATIO * total:
        why = "PD's metric pd_regions_label_level is not there for all of them"
        return Judged("unknown", (f"whether a region has two peers in {where} is not known: {why}",))
    far = sum(count for level, count in isolation.items() if level in found.labels_above)
    close = max(0, total - far)
    if close:
        more = f"{close:,} of {total:,} regions have two or more peers in one {found.level}, maybe in {where}: those lose their majority"
        return Judged("at_risk", (more,))
    return Judged("safe", (f"all {total:,} regions have each peer in another {found.level}, and only {where} goes",))


def _too_wide(case: _Case, labels: Sequence[str]) -> str:
    top = labels[0] if labels else ""
    values = sorted({store.labels.get(top, store.entity) for store in case.gone}) if top else []
    peers = sum(store.region_count or 0 for store in case.silent)
    bear = f"a region of {case.voters} voters bears the loss of {case.tolerated}"
    if case.silent and peers:
        return f"{bear}; {peers:,} peers are on stores that do not serve already, and their regions may have another one here"
    if not labels:
        return f"{bear}; without location labels any two of these {len(case.gone)} stores may hold one region"
    return f"{bear}; these stores are in {len(values)} places of {top} ({named(values)})"


def _lacking(case: _Case) -> Judged:
    """Say what the regions that lack a replica already would suffer."""
    states = case.facts.region_states or {}
    uncounted = [cause for cause in LACKING if cause not in states and cause not in case.closer.lacking]
    if uncounted:
        return Judged("unknown", (f"how many regions lack a peer is not known: nobody counted {named(uncounted)}",))
    counts = {cause: states.get(cause, 0) for cause in LACKING}
    unseen = {cause: count for cause, count in counts.items() if count and cause not in case.closer.lacking}
    regions = {region.id: region for listed in case.closer.lacking.values() for region in listed}
    losing = without_majority(regions.values(), case.gone_ids, lagging=True)
    reasons: list[str] = []
    if losing:
        reasons.append(
            f"of the regions that lack a peer already ({len(regions)}), {len(losing)} would lose their majority"
        )
    elif regions:
        reasons.append(f"the regions that lack a peer already ({len(regions)}) keep a majority elsewhere")
    if unseen:
        says = ", ".join(f"{count:,} {cause}" for cause, count in unseen.items())
        reasons.append(f"regions lack peers already, and which of them stand here was not seen: {says}")
    return Judged("at_risk" if losing or unseen else "safe", tuple(reasons), losing)


def _location_labels(case: _Case) -> tuple[str, ...]:
    """Return the cluster's labels, by which PD counts how far regions are apart; where it has none, those of a rule."""
    ruled = next((rule.location_labels for rule in case.closer.rules or () if rule.location_labels), ())
    return location_labels(case.facts) or ruled


def _silence(case: _Case) -> tuple[str, ...]:
    if not case.silent:
        return ()
    verb = "is" if len(case.silent) == 1 else "are"
    stores = named([store.entity for store in case.silent])
    return (f"{stores} {verb} not well: regions there stand on one replica less already",)


def _members(facts: TikvFacts, scope: Scope) -> Judged:
    leaving = {member.entity for member in scope.members}
    if scope.unplaced:
        return Judged(
            "unknown",
            (
                f"whether PD members stand there too ({', '.join(scope.unplaced)}) is not told by any label: name those that do as well",
            ),
        )
    others = [other for other in facts.members if other.entity not in leaving]
    well = [other for other in others if other.client_port == "answered" and other.sees_leader]
    need = majority_of(len(facts.members))
    if not facts.members or any(other.client_port in ("unresolved", "unknown") for other in others):
        return Judged("unknown", ("not every PD member could be asked",))
    if len(well) >= need:
        return Judged("safe", (f"{len(well)} other PD members answer and see a leader, {need} are needed",))
    return Judged("at_risk", (f"only {len(well)} other PD members are well and {need} are needed for etcd's quorum",))
