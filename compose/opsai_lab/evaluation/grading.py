"""What an evaluated incident is worth: pure comparisons of what was raised and concluded with what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.cost import Cost
from opsai_lab.evaluation.naming import NamedCause, entities_match, kinds_match, vocabulary
from opsai_lab.truth import Truth
from opsai_server.tickets.diagnosis import Diagnosis, Outcome
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.model import Value

GRAVITY: tuple[Outcome, ...] = ("fault", "recovered", "inconclusive", "healthy")
"""Of several diagnoses of one moment, the first of these that one of them says is what was said."""


class Graded(Value):
    """One incident's line. What needs a truth is None where there is none."""

    name: str
    healthy: bool | None
    parent_tickets: int | None = None
    """Tickets about the cluster that are incidents of their own, over the whole recording."""
    sight_tickets: int | None = None
    """Tickets about our own sight."""
    tickets_before_injection: int | None = None
    """Tickets about the cluster raised while it was healthy."""
    detected_after_seconds: float | None = None
    """From the injection to the first ticket about the cluster."""
    verdict: Outcome | None = None
    verdict_right: bool | None = None
    causes: tuple[NamedCause, ...] = ()
    entity_right: bool | None = None
    kind_right: bool | None = None
    claims: int = 0
    claims_held: int = 0
    tool_calls: int = 0
    reply_chars: int = 0
    seconds: float = 0.0
    """The investigation's wall time."""
    backend: str
    read: Cost | None = None
    """What overview, differential and the read that it names cost until the right cause stood there; None: it never did."""
    error: str | None = None
    """Why there is no grade: the incident could not be run to its end."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What watching a recording from start to end left behind."""

    tickets: Sequence[Ticket]


@dataclass(frozen=True, slots=True)
class Investigated:
    """What the investigations as of one moment came to."""

    diagnoses: Sequence[Diagnosis]
    tool_calls: int
    reply_chars: int
    seconds: float
    backend: str
    """Who investigated, as it says of itself."""


def grade(
    name: str,
    truth: Truth | None,
    aliases: Aliases,
    watched: Watched,
    investigated: Investigated,
    read: Cost | None = None,
) -> Graded:
    """Return the incident's line."""
    about_cluster = [ticket for ticket in watched.tickets if ticket.grade != "sight"]
    named = united(investigated.diagnoses, aliases)
    said = verdict_of(investigated.diagnoses)
    checked = [claim for diagnosis in investigated.diagnoses for claim in diagnosis.checked]
    return Graded(
        name=name,
        healthy=truth.healthy if truth else None,
        parent_tickets=sum(ticket.parent is None for ticket in about_cluster),
        sight_tickets=len(watched.tickets) - len(about_cluster),
        tickets_before_injection=_before(about_cluster, truth),
        detected_after_seconds=_detected(about_cluster, truth),
        verdict=said,
        verdict_right=said == truth.verdict if truth else None,
        causes=named,
        entity_right=entities_match(truth.causes, named, aliases) if truth else None,
        kind_right=kinds_match(truth.causes, named) if truth else None,
        claims=len(checked),
        claims_held=sum(claim.held for claim in checked),
        tool_calls=investigated.tool_calls,
        reply_chars=investigated.reply_chars,
        seconds=round(investigated.seconds, 2),
        backend=investigated.backend,
        read=read,
    )


def united(diagnoses: Sequence[Diagnosis], aliases: Aliases) -> tuple[NamedCause, ...]:
    """Return the causes of all diagnoses, each once however it is spelled, in the order in which they were named."""
    found: dict[tuple[str, str], NamedCause] = {}
    for diagnosis in diagnoses:
        for cause in diagnosis.submission.root_causes:
            named = NamedCause(kind=vocabulary(cause.kind), entity=cause.entity)
            found.setdefault((named.kind, aliases.canonical(named.entity)), named)
    return tuple(found.values())


def verdict_of(diagnoses: Sequence[Diagnosis]) -> Outcome | None:
    """Return what the diagnoses of one moment say together; None when there is none."""
    said = {diagnosis.submission.verdict for diagnosis in diagnoses}
    return next((verdict for verdict in GRAVITY if verdict in said), None)


def _before(tickets: Sequence[Ticket], truth: Truth | None) -> int | None:
    if truth is None:
        return None
    healthy_until = None if truth.healthy else truth.injected_at
    return sum(healthy_until is None or ticket.raised_at < healthy_until for ticket in tickets)


def _detected(tickets: Sequence[Ticket], truth: Truth | None) -> float | None:
    if truth is None or truth.healthy or truth.injected_at is None:
        return None
    injected: datetime = truth.injected_at
    delays = [(ticket.raised_at - injected).total_seconds() for ticket in tickets if ticket.raised_at >= injected]
    return round(min(delays), 1) if delays else None
