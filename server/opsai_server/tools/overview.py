"""The tool `overview`: one call to start with."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from opsai_server.tickets.ticket import OPEN, Heartbeat
from opsai_server.tools.desk import Desk
from opsai_server.tools.entities import name_of
from opsai_server.tools.judged import SEVERITIES, by_id, counts, row, unknown_reasons, worst_first
from opsai_server.tools.shaping import by_count, moment
from opsai_server.tools.ticket_rows import listed
from opsai_server.tools.timeline import brief
from opsai_server.tools.unsettled import unsettled
from opsai_server.tools.weighing import weigh
from opsai_subjects.fault import Candidate
from opsai_subjects.invariant import Verdict
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_subjects.subject import Facts

RECENT_SECONDS = 900.0
CAUSES = 4
VIOLATED = 12
UNKNOWN = 5
TICKETS = 8
EVENTS = 6
NODES = 12


async def overview(desk: Desk) -> Answer:
    """Say how this cluster stands: likely causes, violated and unknown invariants, open tickets, recent events, the watcher.

    Start here; it tells whether anything is wrong. Returns `healthy` (false: something is violated; null: too much is unknown) and
    the worst of each list. Every verdict: check_invariants; a cause's signs, rivals, remedy: differential. Reads the cluster once
    (1 s), shared with both.
    """
    weighed = await weigh(desk, None)
    facts, found, verdicts = weighed.facts, weighed.differential, weighed.verdicts
    events = await weighed.look.events(RECENT_SECONDS)
    tickets = await desk.store.tickets(desk.name, status=OPEN, limit=200)
    invariants = by_id(desk.subject.invariants)
    violated = [row(v, invariants) for v in worst_first((v for v in verdicts if v.state == "violated"), invariants)]
    unknown = unknown_reasons(verdicts)
    causes = [_cause(facts, cause) for cause in (*found.causes, *unsettled(found, verdicts, invariants))]
    unread = (*facts.unread, *events.unread)
    watcher = _watcher(desk, await desk.store.heartbeat(desk.name), desk.now())
    recent = [without_empty(event.model_dump()) for event in reversed(events.events)]
    summary = _summary(desk, facts, verdicts)
    nodes, not_well = _nodes(facts, verdicts)
    rows = listed(sorted(tickets, key=lambda ticket: SEVERITIES.index(ticket.severity)))
    value = {
        "summary": summary,
        "causes": causes,
        "nodes": {**nodes, "not_well": not_well},
        "violated": violated,
        "unknown": unknown,
        "tickets": rows,
        "events": recent,
        "watcher": watcher,
        "unread": unread,
    }
    shown = {
        "summary": summary,
        "watcher": watcher,
        "causes": Rows(causes[:CAUSES], len(causes), "all by differential"),
        "nodes": {**nodes, "not_well": Rows(not_well[:NODES], len(not_well), "all by topology")},
        "violated": _worst(violated),
        "unknown": Rows(unknown[:UNKNOWN], len(unknown), "all by check_invariants(state='unknown')"),
        "tickets": Rows(rows[:TICKETS], len(rows), "all by tickets"),
        "events": Rows([brief(event) for event in recent[:EVENTS]], len(recent), "all by timeline(minutes=15)"),
    }
    return Answer(at=facts.at, value=value, shown=shown | unread_rows(unread))


def _cause(facts: Facts, cause: Candidate) -> dict[str, object]:
    return {
        "kind": cause.kind,
        "entity": cause.entity,
        "name": name_of(facts, cause.entity),
        "standing": cause.standing,
        "active": cause.active,
    }


def _summary(desk: Desk, facts: Facts, verdicts: tuple[Verdict, ...]) -> dict[str, object]:
    return {
        "subject": desk.kind.name,
        "cluster_id": facts.cluster_id,
        "healthy": _healthy(verdicts, {one.id for one in desk.subject.invariants if one.grade == "sight"}),
        "verdicts": counts(verdicts),
        "nodes": len(facts.nodes),
    }


def _healthy(verdicts: tuple[Verdict, ...], sight: set[str]) -> bool | None:
    """Return False when something of the cluster is violated, None when too little is seen to say; sight is not health."""
    if any(verdict.state == "violated" and verdict.invariant not in sight for verdict in verdicts):
        return False
    return True if verdicts and all(verdict.state == "held" for verdict in verdicts) else None


def _worst(violated: Sequence[Mapping[str, object]]) -> Rows:
    """Return the first of the violated with what matters at first sight."""
    names = ("invariant", "entity", "severity", "grade", "says", "since")
    rows = [{name: one[name] for name in names if name in one} for one in violated[:VIOLATED]]
    return Rows(rows, len(violated), "all by check_invariants(state='violated')")


def _nodes(facts: Facts, verdicts: tuple[Verdict, ...]) -> tuple[dict[str, object], list[dict[str, object]]]:
    broken: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.state == "violated":
            broken.setdefault(verdict.entity, []).append(verdict.invariant)
    not_well = [
        without_empty(
            {
                "entity": node.entity,
                "name": node.name,
                "role": node.role,
                "state": node.state,
                "violated": broken.get(node.entity, []),
            }
        )
        for node in facts.nodes
        if node.entity in broken or node.state == "unknown"
    ]
    by_role = by_count([{"role": node.role} for node in facts.nodes], lambda one: str(one["role"]))
    return {"total": len(facts.nodes), "by_role": by_role}, not_well


def _watcher(desk: Desk, beat: Heartbeat | None, now: datetime) -> dict[str, object]:
    recording = desk.cluster.recording
    of = ""
    if recording is not None:
        incident = recording.incident
        of = (
            f"This is a recording ({incident.name}, {moment(incident.start)} to {moment(incident.end)}), "
            f"seen as of {moment(now)}: nothing later is known and nothing can be asked of the cluster itself. "
        )
    if beat is None:
        return {
            "alive": False,
            "last_at": None,
            "says": f"{of}No watcher has ever looked at this cluster: no tickets are raised. Start opsai-watch.",
        }
    return {"alive": beat.alive(now), "last_at": beat.at, "says": of + _beat_says(beat, now, recorded=bool(of))}


def _beat_says(beat: Heartbeat, now: datetime, *, recorded: bool) -> str:
    age_seconds = (now - beat.at).total_seconds()
    if recorded:
        return f"The watcher was played over it up to {moment(beat.at)}."
    if beat.alive(now):
        return f"The watcher looked {age_seconds:.0f} s ago, every {beat.interval_seconds:g} s."
    why = "was stopped" if beat.stopped else f"has not been heard of for {age_seconds:.0f} s"
    return f"The watcher {why} (last look {moment(beat.at)}): tickets are out of date. Start opsai-watch."
