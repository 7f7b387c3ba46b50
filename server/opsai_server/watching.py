"""Watching: what one look means for the tickets. Pure: the same state and look give the same changes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from opsai_server.grouping import (
    GRADES,
    SEVERITIES,
    Family,
    explained_wholly,
    families,
    home,
    lead,
    own_severity,
    worst,
)
from opsai_server.tickets.tick import Changes, Judged, Key, Pending, WatchState
from opsai_server.tickets.ticket import Step, Ticket, Transition
from opsai_subjects.config import WatchSettings
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.model import Node, clean

PENDING_GAP_SECONDS = 600.0
"""A violation that nobody looked at for longer (no watcher ran, or no verdict named it) begins anew."""

TITLE_CHARS = 240

_STATES = ("violated", "unknown", "held")
"""The one that counts first, where an adapter gives two verdicts for one key."""


def watch(state: WatchState, judged: Judged, invariants: Iterable[Invariant], settings: WatchSettings) -> Changes:
    """Decide what to raise, refresh, join, escalate, resolve and reopen.

    A key is (invariant, entity). A violation is pending until it has lasted `for_seconds` over ticks; a held verdict ends
    that, an unknown one neither ends nor ripens it. An open ticket is resolved after its invariant was held, and nothing
    else, for `hold_seconds`; a parent waits for all of its family.
    """
    return _Look(state, judged, invariants, settings).changes()


class _Look:
    """The tickets while one look is worked into them."""

    def __init__(
        self, state: WatchState, judged: Judged, invariants: Iterable[Invariant], settings: WatchSettings
    ) -> None:
        self._state = state
        self._settings = settings
        self._at = judged.at
        self._invariants = {invariant.id: invariant for invariant in invariants}
        self._nodes = {node.entity: node for node in judged.facts.nodes}
        self._verdicts = _by_key(judged.verdicts)
        self._tickets = dict(state.tickets)
        self._next_number = state.next_number
        self._steps: list[tuple[str, Transition]] = []
        self._raised: list[str] = []

    def changes(self) -> Changes:
        for ticket in self._open():
            self._refresh(ticket)
        pending = self._pending()
        for one in self._ripe(pending):
            self._raise(one)
        self._resolve()
        is_open = self._open_keys()
        return Changes(
            tickets=tuple(
                ticket
                for ident, ticket in sorted(self._tickets.items(), key=lambda item: item[1].number)
                if ticket is not self._state.tickets.get(ident)
            ),
            steps=tuple(self._steps),
            raised=tuple(self._raised),
            pending=tuple(one for one in pending if (one.invariant, one.entity) not in is_open),
        )

    def _open(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets.values() if ticket.status != "resolved"]

    def _open_keys(self) -> set[Key]:
        return {(ticket.invariant, ticket.entity) for ticket in self._open()}

    def _refresh(self, ticket: Ticket) -> None:
        verdict = self._verdicts.get((ticket.invariant, ticket.entity))
        if verdict is None:
            gone = self._gone(ticket)
            held_since = self._held_since(ticket) if gone else None
            self._put(ticket, held_since=held_since, last_says=gone or ticket.last_says)
        elif verdict.state == "violated":
            newest = max(self._at, ticket.last_violated_at)
            self._put(ticket, held_since=None, last_says=verdict.says, last_violated_at=newest)
        else:
            held_since = self._held_since(ticket) if verdict.state == "held" else None
            self._put(ticket, held_since=held_since, last_says=verdict.says)

    def _held_since(self, ticket: Ticket) -> datetime:
        # A clock that was set back must not make the hold time start in the future.
        return self._at if ticket.held_since is None else min(ticket.held_since, self._at)

    def _gone(self, ticket: Ticket) -> str:
        """Say that what a ticket is about is no longer there to be judged; empty when that is not sure.

        No verdict is not a held one. But an entity that is in no list of nodes any more, while its invariant is held on
        others, was taken out (a store that became a tombstone, a scheduler that was removed), and an invariant that this
        version does not have will never be held.
        """
        if ticket.invariant not in self._invariants:
            return f"the invariant {ticket.invariant} is no longer judged"
        held_elsewhere = any(
            invariant == ticket.invariant and verdict.state == "held"
            for (invariant, _), verdict in self._verdicts.items()
        )
        if ticket.entity not in self._nodes and held_elsewhere:
            return f"{ticket.entity} is no longer there, and the same is held on the others"
        return ""

    def _pending(self) -> tuple[Pending, ...]:
        gap = timedelta(seconds=PENDING_GAP_SECONDS)
        before = {
            key: one
            for key, one in self._state.pending.items()
            if self._at - one.seen_at <= gap and one.invariant in self._invariants
        }
        pending: dict[Key, Pending] = {}
        for key, one in before.items():
            verdict = self._verdicts.get(key)
            if verdict is None:
                pending[key] = one
            elif verdict.state != "held":
                first_at = min(one.first_at, self._at)
                pending[key] = one.model_copy(update={"first_at": first_at, "seen_at": self._at})
        for key, verdict in self._verdicts.items():
            if verdict.state == "violated" and key not in pending and key[0] in self._invariants:
                pending[key] = Pending(invariant=key[0], entity=key[1], first_at=self._at, seen_at=self._at)
        is_open = self._open_keys()
        return tuple(one for key, one in sorted(pending.items()) if key not in is_open)

    def _ripe(self, pending: Iterable[Pending]) -> list[Pending]:
        ripe = [one for one in pending if self._is_ripe(one)]
        shown = {one.invariant for one in ripe}

        def order(one: Pending) -> tuple[int, bool, int, datetime, Key]:
            invariant = self._invariants[one.invariant]
            explained = any(other in invariant.explained_by for other in shown - {one.invariant})
            return (
                GRADES.index(invariant.grade),
                explained,
                SEVERITIES.index(invariant.severity),
                one.first_at,
                (one.invariant, one.entity),
            )

        return sorted(ripe, key=order)

    def _is_ripe(self, one: Pending) -> bool:
        verdict = self._verdicts.get((one.invariant, one.entity))
        if verdict is None or verdict.state != "violated":
            return False
        return self._at - one.first_at >= timedelta(seconds=self._invariants[one.invariant].for_seconds)

    def _raise(self, one: Pending) -> None:
        last = self._state.resolved.get((one.invariant, one.entity))
        resolved = None if last is None else self._tickets[last]
        if resolved is not None and self._is_fresh(resolved) and self._parent_open(resolved):
            self._reopen(resolved, one)
            return
        found = home(self._invariants[one.invariant], one.entity, self._recent(), self._invariants)
        if found is None and resolved is not None and self._is_fresh(resolved):
            self._reopen(resolved, one)
            return
        ticket = self._create(one, parent=found[0].parent.id if found else None, recurs=last)
        if found:
            self._step(ticket.id, "joined", f"joined {found[0].parent.id}: {found[1].why}")
        self._lead(self._unite(self._tickets[ticket.id]))

    def _recent(self) -> list[Family]:
        window = self._settings.join_seconds
        return [family for family in families(self._tickets.values()) if family.recent(self._at, window)]

    def _unite(self, cause: Ticket) -> str:
        """Make one incident of those that a new ticket turns out to explain, under the oldest; return that one's id.

        Consequences that ripened before their cause stood for themselves until then.
        """
        own = cause.parent or cause.id
        first, *others = sorted(
            (
                family
                for family in self._recent()
                if family.parent.id == own or explained_wholly(family, cause.invariant, self._invariants)
            ),
            key=lambda family: family.parent.number,
        )
        root = first.parent.id
        for family in others:
            for member in family.members:
                severity = own_severity(member, self._invariants)
                self._put(member, parent=root, lead=None, headline=member.title, severity=severity)
            self._step(family.parent.id, "joined", f"joined {root}: {cause.id} explains both")
        return root

    def _is_fresh(self, resolved: Ticket) -> bool:
        window = timedelta(seconds=self._settings.reopen_seconds)
        return resolved.resolved_at is not None and self._at - resolved.resolved_at <= window

    def _parent_open(self, ticket: Ticket) -> bool:
        return ticket.parent is not None and self._tickets[ticket.parent].status != "resolved"

    def _create(self, one: Pending, *, parent: str | None, recurs: str | None) -> Ticket:
        invariant = self._invariants[one.invariant]
        verdict = self._verdicts[one.invariant, one.entity]
        title = _title(verdict, self._nodes.get(one.entity))
        ticket = Ticket(
            id=f"T-{self._next_number}",
            cluster=self._state.cluster,
            invariant=one.invariant,
            entity=one.entity,
            grade=invariant.grade,
            severity=invariant.severity,
            status="created",
            title=title,
            headline=title,
            parent=parent,
            recurs=recurs,
            violated_at=one.first_at,
            raised_at=self._at,
            last_violated_at=self._at,
            last_says=verdict.says,
        )
        self._next_number += 1
        self._tickets[ticket.id] = ticket
        self._raised.append(ticket.id)
        again = f"again, as {recurs}: " if recurs else ""
        self._step(ticket.id, "created", again + title)
        return ticket

    def _reopen(self, ticket: Ticket, one: Pending) -> None:
        """Open a ticket again, and its incident with it, to be looked at anew."""
        verdict = self._verdicts[one.invariant, one.entity]
        self._put(ticket, status="created", resolved_at=None)
        self._refresh(self._tickets[ticket.id])
        self._step(ticket.id, "reopened", f"violated again: {clean(verdict.says, TITLE_CHARS)}")
        self._raised.append(ticket.id)
        parent = None if ticket.parent is None else self._tickets[ticket.parent]
        if parent is not None and parent.status == "resolved":
            self._put(parent, status="created", resolved_at=None, held_since=None)
            self._refresh(self._tickets[parent.id])
            self._step(parent.id, "reopened", f"{ticket.id} of its family is violated again")

    def _lead(self, parent_id: str) -> None:
        """Let a parent stand under the most causal ticket of its family."""
        family = next(one for one in families(self._tickets.values()) if one.parent.id == parent_id)
        parent = family.parent
        first = lead(family, self._invariants)
        severity = worst(family, self._invariants)
        if first.id != (parent.lead or parent.id):
            self._put(parent, severity=severity, headline=first.title, lead=None if first.id == parent_id else first.id)
            self._step(parent_id, "escalated", f"{first.id} is nearer to the cause: {first.title}")
        elif severity != parent.severity:
            self._put(parent, severity=severity)
            self._step(parent_id, "escalated", f"{family.members[-1].id} makes it {severity}")

    def _resolve(self) -> None:
        for ticket in sorted(self._open(), key=lambda one: one.number):
            if ticket.parent is not None:
                self._resolve_if_held(ticket)
        for family in families(self._tickets.values()):
            if family.open_members == (family.parent,):
                self._resolve_if_held(family.parent)

    def _resolve_if_held(self, ticket: Ticket) -> None:
        hold = timedelta(seconds=self._settings.hold_seconds)
        if ticket.held_since is None or self._at - ticket.held_since < hold:
            return
        self._put(ticket, status="resolved", resolved_at=self._at)
        seconds = (self._at - ticket.held_since).total_seconds()
        self._step(ticket.id, "resolved", f"held for {seconds:.0f} s: {clean(ticket.last_says, TITLE_CHARS)}")

    def _put(self, ticket: Ticket, **fields: object) -> None:
        changed = ticket.model_copy(update=fields)
        if changed != ticket:
            self._tickets[ticket.id] = changed

    def _step(self, ident: str, step: Step, says: str) -> None:
        transition = Transition(at=self._at, step=step, says=says)
        self._steps.append((ident, transition))
        ticket = self._tickets[ident]
        self._put(ticket, history=(*ticket.history, transition))


def _by_key(verdicts: Iterable[Verdict]) -> dict[Key, Verdict]:
    by_key: dict[Key, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda one: _STATES.index(one.state), reverse=True):
        by_key[verdict.invariant, verdict.entity] = verdict
    return by_key


def _title(verdict: Verdict, node: Node | None) -> str:
    """Say what is violated, and of whom in the names that people use."""
    if verdict.entity in verdict.says:
        return clean(verdict.says, TITLE_CHARS)
    known = node is not None and node.name not in (node.entity, "")
    who = f"{verdict.entity} ({node.name})" if node is not None and known else verdict.entity
    return clean(f"{who}: {verdict.says}", TITLE_CHARS)
