"""Looks worked into tickets in memory, as the store would do it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsai_server.tickets.tick import Changes, Judged, Key, Pending, WatchState
from opsai_server.tickets.ticket import Ticket
from opsai_server.watching import watch
from opsai_subjects.config import WatchSettings
from opsai_subjects.invariant import Grade, Invariant, Severity, Verdict
from opsai_subjects.model import Node
from opsai_subjects.subject import Facts
from tests.server.toy import NOON


def invariant(
    ident: str,
    grade: Grade,
    severity: Severity = "warning",
    *,
    for_seconds: float = 30,
    explained_by: tuple[str, ...] = (),
) -> Invariant:
    return Invariant(
        id=ident,
        says=ident,
        why="-",
        severity=severity,
        grade=grade,
        for_seconds=for_seconds,
        source="-",
        unknown_means="-",
        explained_by=explained_by,
    )


DOWN = invariant("down", "cause", "critical")
FULL = invariant("full", "cause", explained_by=("down",))
SLOW = invariant("slow", "symptom", "critical")
LATE = invariant("late", "symptom", "info", for_seconds=0)
BLIND = invariant("blind", "sight", "info")
ALL = (DOWN, FULL, SLOW, LATE, BLIND)


@dataclass
class Looks:
    """A watcher's memory; each look moves the time on."""

    invariants: tuple[Invariant, ...] = ALL
    settings: WatchSettings = field(default_factory=WatchSettings)
    nodes: tuple[str, ...] = ("n1", "n2", "n3")
    at: datetime = NOON
    tickets: dict[str, Ticket] = field(default_factory=dict[str, Ticket])
    pending: tuple[Pending, ...] = ()

    def look(self, after_seconds: float, *verdicts: Mapping[Key, str]) -> Changes:
        """See these verdicts so many seconds after the look before; a key is (invariant, entity)."""
        self.at += timedelta(seconds=after_seconds)
        keys = {key for some in verdicts for key in some}
        changes = watch(self.state(keys), self.judged(*verdicts), self.invariants, self.settings)
        self.tickets |= {ticket.id: ticket for ticket in changes.tickets}
        self.pending = changes.pending
        return changes

    def repeat(self, times: int, verdicts: Mapping[Key, str], *, every_seconds: float = 30) -> list[Changes]:
        return [self.look(every_seconds, verdicts) for _ in range(times)]

    def raised(self, *keys: Key) -> tuple[Ticket, ...]:
        """Let these keys be violated until each has its ticket; return the tickets."""
        self.repeat(2, dict.fromkeys(keys, "violated"))
        return tuple(self.of(*key) for key in keys)

    def of(self, invariant_id: str, entity: str) -> Ticket:
        """Return the newest ticket of a key."""
        return max(
            (one for one in self.tickets.values() if (one.invariant, one.entity) == (invariant_id, entity)),
            key=lambda one: one.number,
        )

    def open(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets.values() if ticket.status != "resolved"]

    def state(self, keys: Iterable[Key]) -> WatchState:
        newest: dict[Key, Ticket] = {}
        for ticket in sorted(self.tickets.values(), key=lambda one: one.number):
            newest[ticket.invariant, ticket.entity] = ticket
        return WatchState(
            cluster="toy",
            next_number=len(self.tickets) + 1,
            tickets=dict(self.tickets),
            resolved={key: one.id for key, one in newest.items() if one.status == "resolved" and key in set(keys)},
            pending={(one.invariant, one.entity): one for one in self.pending},
        )

    def judged(self, *verdicts: Mapping[Key, str]) -> Judged:
        return Judged(
            cluster="toy",
            facts=Facts(cluster="toy", cluster_id=None, at=self.at, nodes=tuple(_nodes(self.nodes)), unread=()),
            verdicts=tuple(
                Verdict.model_validate(
                    {"invariant": ident, "entity": entity, "state": state, "says": f"{ident} is {state} on {entity}"}
                )
                for some in verdicts
                for (ident, entity), state in some.items()
            ),
            signs=(),
            took_seconds=0.1,
        )


def _nodes(entities: Iterable[str]) -> Iterable[Node]:
    return (Node(entity=entity, name=entity, role="node", address=entity, state="up") for entity in entities)


def steps(changes: Changes) -> list[tuple[str, str]]:
    """Return what a look did: (ticket, step), in order."""
    return [(ident, transition.step) for ident, transition in changes.steps]
