"""The tool `timeline`: what happened, in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from opsai_server.tickets.tick import Tick
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desk import Desk
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Event, Unread, Window
from opsai_subjects.reply import Answer, Rows, unread_rows
from opsai_subjects.windows import End, Minutes, Start, window

ROWS = 20
BURST_SECONDS = 60.0
"""Events of one kind on one entity that follow each other within this time are one."""
LOOK_BACK = timedelta(minutes=5)
"""How far before the window ticks are read, to tell what began in it from what was there already."""
NOW = timedelta(minutes=1)
SAYS_CHARS = 160
"""Of an event's sentence in the list; the stored value has it whole."""
TICKETS = 500
OURS = ("watcher", "tickets")
"""Sources whose sentences begin with an invariant or a ticket: those of different ones are not one burst."""


async def timeline(
    desk: Desk,
    minutes: Minutes = None,
    start: Start = None,
    end: End = None,
    entity: Annotated[str, Field(description="Only of this: '{entity}'.")] = "",
) -> Answer:
    """Tell what happened in order: restarts, elections, leader moves, setting and scheduler changes, when each symptom began and ended, ticket steps.

    Use it to tell cause from consequence (what began first) and what somebody changed; log lines: search_logs. Returns events,
    oldest first, bursts as one with count and until. Reads metrics and logs.
    """
    span = window(desk.now(), minutes, start, end)
    found = await happened(desk, span, entity)
    merged, unread = found.events, found.unread
    value = {"window": span, "events": merged, "unread": unread}
    shown: dict[str, object] = {
        "window": span,
        "events": Rows(
            [brief(one) for one in merged[-ROWS:]], len(merged), "the newest; narrow with entity, start and end"
        ),
    }
    if not merged:
        shown["note"] = "Nothing was seen to happen in this window." + (
            "" if found.watched else " The watcher did not look then."
        )
    return Answer(at=desk.now(), value=value, shown=shown | unread_rows(unread))


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in a window."""

    events: list[dict[str, object]]
    """Oldest first, bursts folded."""
    unread: tuple[Unread, ...]
    watched: bool
    """Whether the store has looks of the watcher from then: without, when symptoms began is not known."""


async def happened(desk: Desk, span: Window, entity: str = "") -> Happened:
    """Return what the cluster, the watcher and the tickets tell of a window. Raises UnknownName for an entity that is none."""
    seen = await desk.subject.events(span)
    ticks = await desk.ticks(Window(start=span.start - LOOK_BACK, end=span.end))
    tickets = await desk.store.tickets(desk.name, limit=TICKETS)
    events = [*seen.events, *(symptoms(ticks) if ticks else await _present(desk, span)), *_steps(tickets)]
    if entity:
        wanted = desk.entity(await desk.names(), entity)
        events = [event for event in events if event.entity == wanted]
    merged = fold(event for event in events if span.start <= event.at <= span.end)
    return Happened(merged, seen.unread, bool(ticks))


def symptoms(ticks: Sequence[Tick]) -> list[Event]:
    """Return when each invariant's violation began and when it was over, as the watcher saw it.

    An unknown verdict neither begins nor ends one.
    """
    events: list[Event] = []
    running: dict[tuple[str, str], str] = {}
    for tick in ticks:
        violated = {(v.invariant, v.entity): v for v in tick.verdicts if v.state == "violated"}
        unknown = {(v.invariant, v.entity) for v in tick.verdicts if v.state == "unknown"}
        for key, verdict in violated.items():
            if key not in running:
                at = min(verdict.since or tick.at, tick.at)
                events.append(_began(verdict, at))
            running[key] = verdict.says
        for key in [key for key in running if key not in violated and key not in unknown]:
            del running[key]
            events.append(_symptom("symptom_ended", key, tick.at, f"{key[0]} held again"))
    return events


async def _present(desk: Desk, span: Window) -> list[Event]:
    """Return when what is violated now began, where no watcher looked and the window reaches to the present."""
    if desk.now() - span.end > NOW:
        return []
    verdicts = await (await desk.look()).verdicts()
    return [
        _began(verdict, verdict.since)
        for verdict in verdicts
        if verdict.state == "violated" and verdict.since is not None
    ]


def _began(verdict: Verdict, at: datetime) -> Event:
    key = (verdict.invariant, verdict.entity)
    return _symptom("symptom_began", key, at, f"{verdict.invariant} violated: {verdict.says}")


def _symptom(kind: str, key: tuple[str, str], at: datetime, says: str) -> Event:
    return Event(at=at, entity=key[1], kind=kind, says=says, source=OURS[0])


def _steps(tickets: Iterable[Ticket]) -> list[Event]:
    return [
        Event(
            at=step.at,
            entity=ticket.entity,
            kind=f"ticket_{step.step}",
            says=f"{ticket.id}: {step.says}",
            source=OURS[1],
        )
        for ticket in tickets
        for step in ticket.history
    ]


def fold(events: Iterable[Event]) -> list[dict[str, object]]:
    """Sort by time and make one of each burst: `count` of them from `at` `until`."""
    folded: list[dict[str, object]] = []
    newest: dict[tuple[str, str, str], int] = {}
    last_at: dict[tuple[str, str, str], Event] = {}
    for event in sorted(events, key=lambda one: one.at):
        key = (event.kind, event.entity, event.says.split(" ", 1)[0] if event.source in OURS else "")
        before = last_at.get(key)
        last_at[key] = event
        if before is not None and (event.at - before.at).total_seconds() <= BURST_SECONDS:
            burst = folded[newest[key]]
            burst["count"] = _count(burst) + event.count
            burst["until"] = event.at
        else:
            newest[key] = len(folded)
            folded.append(event.model_dump())
    return folded


def _count(burst: dict[str, object]) -> int:
    count = burst["count"]
    return count if isinstance(count, int) else 1


def brief(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event as replies show it."""
    told = {key: value for key, value in event.items() if key != "source" and not (key == "count" and value == 1)}
    says = str(event.get("says", ""))
    return told | ({"says": f"{says[:SAYS_CHARS]}…"} if len(says) > SAYS_CHARS else {})
