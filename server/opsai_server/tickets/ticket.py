"""Ticket: what the watcher raised, and every transition it went through."""

from datetime import datetime, timedelta
from typing import Literal

from opsai_server.tickets.diagnosis import Diagnosis
from opsai_subjects.invariant import Grade, Severity
from opsai_subjects.model import Value

Status = Literal["created", "diagnosed", "resolved"]
OPEN: tuple[Status, ...] = ("created", "diagnosed")
"""The statuses of a ticket whose violation is not known to be over."""
Step = Literal["created", "joined", "diagnosed", "resolved", "reopened", "escalated"]


MISSED_INTERVALS = 3
"""A watcher that has not been heard of for so many of its intervals counts as gone."""


class Transition(Value):
    """One step of a ticket's life."""

    at: datetime
    step: Step
    says: str


class Ticket(Value):
    """One violated invariant on one entity, from its first violation to its resolution.

    A ticket without `parent` is an incident of its own: what joined it later has it as parent. The key of an open ticket is
    (cluster, invariant, entity): refreshed, never doubled.
    """

    id: str
    """`T-12`: counted per store."""
    cluster: str
    invariant: str
    entity: str
    grade: Grade
    severity: Severity
    """For a parent: the worst of its family."""
    status: Status
    title: str
    """One line: the invariant's violation in words."""
    headline: str
    """For a parent: the title of the most causal ticket of its family, which may be a child; else its own title."""
    lead: str | None = None
    """For a parent: the id of that most causal ticket; None: itself."""
    parent: str | None = None
    recurs: str | None = None
    """The ticket that was resolved too long ago to be reopened, when this is the same violation again."""
    violated_at: datetime
    """When the violation was first seen."""
    raised_at: datetime
    """When it had lasted `for_seconds` and the ticket was made."""
    last_violated_at: datetime
    held_since: datetime | None = None
    """Since when the invariant has been seen held again, without a break."""
    resolved_at: datetime | None = None
    last_says: str
    """The newest verdict's sentence."""
    evidence_ids: tuple[str, ...] = ()
    """Evidence stored with it: the facts and verdicts at the raising."""
    history: tuple[Transition, ...] = ()
    diagnosis: Diagnosis | None = None

    @property
    def number(self) -> int:
        """The number in its id: the order in which tickets were raised."""
        return int(self.id.removeprefix("T-"))


class Heartbeat(Value):
    """A watcher's sign of life."""

    cluster: str
    watcher: str
    """host:pid."""
    at: datetime
    tick_seconds: float
    """How long its last tick took."""
    interval_seconds: float
    stopped: bool = False
    """It said goodbye: it was stopped in order and is not expected to be heard of again."""

    def alive(self, now: datetime) -> bool:
        """Say whether it can be taken to go on looking."""
        return not self.stopped and now - self.at <= timedelta(seconds=MISSED_INTERVALS * self.interval_seconds)
