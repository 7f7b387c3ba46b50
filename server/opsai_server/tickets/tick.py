"""Tick: what one look at a cluster saw, what it keeps of it, and what follows for the tickets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from opsai_server.evidence import signs_value, verdicts_value
from opsai_server.tickets.ticket import Ticket, Transition
from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Unread, Value
from opsai_subjects.subject import Facts

Key = tuple[str, str]
"""(invariant, entity): what a ticket is about within its cluster."""


class Tick(Value):
    """What is kept of one look: enough to say later what was seen, not what was in order."""

    cluster: str
    at: datetime
    verdicts: tuple[Verdict, ...]
    """Those violated or unknown."""
    signs: tuple[Sign, ...]
    """Those shown."""
    unread: tuple[Unread, ...]
    held: int
    violated: int
    unknown: int
    took_seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One look in full: the facts and everything judged from them."""

    cluster: str
    facts: Facts
    verdicts: tuple[Verdict, ...]
    signs: tuple[Sign, ...]
    took_seconds: float

    @property
    def at(self) -> datetime:
        """The cluster's time at which it was true."""
        return self.facts.at

    def tick(self) -> Tick:
        """Return what is kept of it."""
        states = [verdict.state for verdict in self.verdicts]
        return Tick(
            cluster=self.cluster,
            at=self.at,
            verdicts=tuple(verdict for verdict in self.verdicts if verdict.state != "held"),
            signs=tuple(sign for sign in self.signs if sign.state == "shown"),
            unread=self.facts.unread,
            held=states.count("held"),
            violated=states.count("violated"),
            unknown=states.count("unknown"),
            took_seconds=self.took_seconds,
        )

    def evidence_value(self) -> JsonValue:
        """Return the full value that the tickets of this tick cite."""
        return {
            "verdicts": verdicts_value(self.verdicts),
            "signs": signs_value(self.signs),
            "facts": self.facts.model_dump(mode="json"),
        }


class Pending(Value):
    """A violation that has not lasted long enough for a ticket."""

    invariant: str
    entity: str
    first_at: datetime
    """The first tick that saw it violated."""
    seen_at: datetime
    """The newest tick that saw it violated or could not say."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """What the store knows of a cluster's tickets when a tick is decided."""

    cluster: str
    next_number: int
    """The number of the next ticket."""
    tickets: Mapping[str, Ticket]
    """By id: all open ones, the resolved ones of their families, `resolved` and their parents."""
    resolved: Mapping[Key, str]
    """The newest ticket of a key, where it is resolved: at least for each key violated in this tick."""
    pending: Mapping[Key, Pending]


class Stepped(Value):
    """One transition of a tick, with its ticket as it stands after the tick."""

    ticket: Ticket
    transition: Transition


class Changes(Value):
    """What a tick means for the tickets."""

    tickets: tuple[Ticket, ...]
    """New and changed ones, as they are to stand."""
    steps: tuple[tuple[str, Transition], ...]
    """The transitions made, by ticket id, in order; each is in its ticket's history too."""
    raised: tuple[str, ...]
    """The tickets raised or reopened: each gets the tick's evidence."""
    pending: tuple[Pending, ...]
    """All that is pending after the tick."""


class Ticked(Value):
    """What a recorded tick came to."""

    tick: Tick
    steps: tuple[Stepped, ...]
    evidence_id: str | None
    """The evidence of this tick; None when it raised nothing."""
    verdicts: tuple[Verdict, ...]
    """All verdicts, those held too; `tick` has what is kept of them."""
