"""Grouping: which open incident a new violation belongs to, and which ticket of a family names its cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsai_server.tickets.ticket import Ticket
from opsai_subjects.invariant import Grade, Invariant, Severity

GRADES: tuple[Grade, ...] = ("cause", "symptom", "sight")
"""From the sick part itself to our own eyes."""
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""Worst first."""

Invariants = Mapping[str, Invariant]


@dataclass(frozen=True, slots=True)
class Family:
    """One incident: a parent and what joined it."""

    members: tuple[Ticket, ...]
    """The parent first, then all its children in order, the resolved ones too."""

    @property
    def parent(self) -> Ticket:
        """The ticket that stands for the incident."""
        return self.members[0]

    @property
    def open_members(self) -> tuple[Ticket, ...]:
        """Those not resolved."""
        return tuple(ticket for ticket in self.members if ticket.status != "resolved")

    @property
    def causes(self) -> tuple[Ticket, ...]:
        """Those that name a sick part."""
        return tuple(ticket for ticket in self.members if ticket.grade == "cause")

    def recent(self, at: datetime, join_seconds: float) -> bool:
        """Say whether what begins now may belong to it: it was raised, or still violated, a short time ago."""
        newest = max(self.parent.raised_at, *(ticket.last_violated_at for ticket in self.open_members))
        return at - newest <= timedelta(seconds=join_seconds)


@dataclass(frozen=True, slots=True)
class Match:
    """Why a violation belongs to a family, and how surely."""

    strength: int
    why: str


def families(tickets: Iterable[Ticket]) -> tuple[Family, ...]:
    """Return the families whose parent is open."""
    members: dict[str, list[Ticket]] = {}
    for ticket in sorted(tickets, key=lambda one: (one.parent is not None, one.number)):
        members.setdefault(ticket.parent or ticket.id, []).append(ticket)
    return tuple(
        Family(tuple(family))
        for family in members.values()
        if family[0].parent is None and family[0].status != "resolved"
    )


def home(
    invariant: Invariant, entity: str, among: Iterable[Family], invariants: Invariants
) -> tuple[Family, Match] | None:
    """Return the family that a violation belongs to and why, the newest of equals; None: it is an incident of its own."""
    found = [
        (family, match) for family in among if (match := _belongs(invariant, entity, family, invariants)) is not None
    ]
    return max(found, key=lambda one: (one[1].strength, one[0].parent.number), default=None)


def lead(family: Family, invariants: Invariants) -> Ticket:
    """Return the ticket that names the cause: the most causal, then the most severe, then the first."""

    def rank(ticket: Ticket) -> tuple[int, bool, int, datetime]:
        others = (other.invariant for other in family.members if other.id != ticket.id)
        explained = any(other in explainers(ticket.invariant, invariants) for other in others)
        return (
            GRADES.index(ticket.grade),
            explained,
            SEVERITIES.index(own_severity(ticket, invariants)),
            ticket.violated_at,
        )

    return min(family.members, key=rank)


def worst(family: Family, invariants: Invariants) -> Severity:
    """Return the worst severity in a family."""
    found = {own_severity(ticket, invariants) for ticket in family.members}
    return next(severity for severity in SEVERITIES if severity in found)


def explained_wholly(family: Family, cause: str, invariants: Invariants) -> bool:
    """Say whether a family has causes, and each is a consequence of a violation of this invariant."""
    causes = family.causes
    return bool(causes) and all(cause in explainers(ticket.invariant, invariants) for ticket in causes)


def own_severity(ticket: Ticket, invariants: Invariants) -> Severity:
    """Return the severity of a ticket's own invariant, whatever its family made of it."""
    known = invariants.get(ticket.invariant)
    return known.severity if known else ticket.severity


def explainers(invariant: str, invariants: Invariants) -> tuple[str, ...]:
    """Return the invariants that explain one when violated elsewhere."""
    known = invariants.get(invariant)
    return known.explained_by if known else ()


def _belongs(invariant: Invariant, entity: str, family: Family, invariants: Invariants) -> Match | None:
    here = entity in {ticket.entity for ticket in family.members}
    if invariant.grade == "sight" or all(ticket.grade == "sight" for ticket in family.members):
        # Our own eyes say nothing of the cluster: only the same node makes one incident of the two.
        return Match(5, "the same entity") if here else None
    explained = [ticket for ticket in family.open_members if ticket.invariant in invariant.explained_by]
    if explained:
        return Match(4, f"{explained[0].id} explains it")
    if invariant.grade == "symptom":
        return Match(3, "the same entity") if here else Match(1, "a symptom while it is open")
    return _belongs_as_cause(invariant, entity, family, invariants)


def _belongs_as_cause(invariant: Invariant, entity: str, family: Family, invariants: Invariants) -> Match | None:
    if any(ticket.entity == entity for ticket in family.causes):
        return Match(5, "the same entity")
    if not family.causes:
        return Match(3, "the cause of its symptoms")
    if explained_wholly(family, invariant.id, invariants):
        return Match(3, f"it explains {family.causes[0].id}")
    return None
