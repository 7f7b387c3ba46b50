"""Incident: everything that opsai holds of one, gathered for a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, JsonValue

from opsai_server.evidence import EvidenceSummary
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desk import Desk
from opsai_server.tools.judged import by_id, unknown_reasons
from opsai_server.tools.shaping import is_list
from opsai_server.tools.timeline import Happened, happened
from opsai_subjects.errors import UnknownName
from opsai_subjects.fault import FaultKind
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.model import Unread, Window

BEFORE = timedelta(minutes=10)
"""So long before the onset the timeline begins: what was changed then is often why."""
AFTER = timedelta(minutes=5)
EVIDENCE = 200


@dataclass(frozen=True, slots=True)
class Raising:
    """What could not be seen when the incident was raised."""

    evidence_id: str
    unknown: tuple[str, ...]
    """One sentence for each reason, with how many verdicts it left unknown."""
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: the parent ticket, what joined it, and what is known around it."""

    asked: Ticket
    """The ticket that was asked for: the parent, or one that joined it."""
    family: tuple[Ticket, ...]
    """The parent first, then what joined it, oldest first."""
    now: datetime
    """The cluster's time at which it was gathered."""
    diagnosis: Diagnosis | None
    """The parent's, else the newest of what joined it."""
    invariants: Mapping[str, Invariant]
    faults: Mapping[str, FaultKind]
    span: Window
    """From ten minutes before the onset to five minutes after its end, or to now."""
    happened: Happened
    raising: Raising | None
    """None: what the watcher kept when it raised the ticket is no longer there."""
    evidence: tuple[EvidenceSummary, ...]
    """What was stored for the ticket and what it cites, newest first, at most 200."""

    @property
    def parent(self) -> Ticket:
        """The ticket that stands for the incident."""
        return self.family[0]

    @property
    def joined(self) -> tuple[Ticket, ...]:
        """What joined it."""
        return self.family[1:]


async def gather(desk: Desk, ticket: Ticket) -> Incident:
    """Gather the incident that a ticket belongs to: from the store, and what the sources still tell of that time."""
    family = await desk.store.family(ticket.id)
    parent = family[0]
    span = _span(family, desk.now())
    return Incident(
        asked=ticket,
        family=family,
        now=desk.now(),
        diagnosis=_standing(family),
        invariants=by_id(desk.subject.invariants),
        faults={fault.id: fault for fault in desk.kind.faults},
        span=span,
        happened=await happened(desk, span),
        raising=await _raising(desk, parent),
        evidence=await desk.store.list_evidence(desk.name, ticket=parent.id, limit=EVIDENCE),
    )


def _span(family: tuple[Ticket, ...], now: datetime) -> Window:
    start = min(ticket.violated_at for ticket in family) - BEFORE
    ended = family[0].resolved_at
    end = now if ended is None else min(now, max(ended, *(ticket.last_violated_at for ticket in family)) + AFTER)
    return Window(start=min(start, end), end=end)


def _standing(family: tuple[Ticket, ...]) -> Diagnosis | None:
    if family[0].diagnosis is not None:
        return family[0].diagnosis
    of_others = [ticket.diagnosis for ticket in family if ticket.diagnosis is not None]
    return max(of_others, key=lambda one: one.at, default=None)


class _Verdict(BaseModel):
    state: str
    says: str = ""


class _Facts(BaseModel):
    unread: tuple[Unread, ...] = ()


class _Seen(BaseModel):
    """What `Judged.evidence_value` keeps, as far as it tells what was not seen."""

    verdicts: dict[str, dict[str, _Verdict]] = Field(default_factory=dict[str, dict[str, _Verdict]])
    facts: _Facts = _Facts()


async def _raising(desk: Desk, ticket: Ticket) -> Raising | None:
    for ident in ticket.evidence_ids[:1]:
        try:
            return _unseen(ident, (await desk.store.evidence(ident)).value)
        except UnknownName:  # forgotten
            return None
    return None


def _unseen(ident: str, value: JsonValue) -> Raising:
    seen = _Seen.model_validate(value)
    unknown = [
        Verdict(invariant=invariant, entity=entity, state="unknown", says=verdict.says)
        for invariant, verdicts in seen.verdicts.items()
        for entity, verdict in verdicts.items()
        if verdict.state == "unknown"
    ]
    return Raising(ident, tuple(_sentence(row) for row in unknown_reasons(unknown)), seen.facts.unread)


def _sentence(row: Mapping[str, object]) -> str:
    invariants = row["invariants"]
    names = ", ".join(map(str, invariants)) if is_list(invariants) else ""
    return f"{row['count']} unknown ({names}): {row['why']}"
