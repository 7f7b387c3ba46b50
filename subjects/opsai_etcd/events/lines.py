"""Events seen in logs: starts and stops, who lost whom, elections, alarms, members, snapshots, bursts. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from opsai_etcd.logs.patterns import classify, says
from opsai_subjects.foreign import quoted
from opsai_subjects.model import Event, LogLine

ONCE = (
    "signal",
    "started",
    "peer_inactive",
    "peer_active",
    "became_leader",
    "stepped_down",
    "alarm_raised",
    "alarm_cleared",
    "no_space_left",
    "disk_error",
    "corrupt",
    "member_added",
    "member_removed",
    "removed_itself",
    "snapshot_sent",
    "snapshot_applied",
    "clock_apart",
    "cluster_mismatch",
    "panic",
)
"""Told one by one, but the same of one member and peer within a few seconds as one."""
BURSTS = ("election", "slow_apply", "slow_fsync", "slow_heartbeat", "overloaded")
"""Counted: told once with their number while no more than half a minute lies between two."""
SAME = timedelta(seconds=5)
BURST_GAP = timedelta(seconds=30)
LEAST_IN_BURST = {"slow_apply": 3, "election": 2}
AFTER_START = timedelta(seconds=3)
"""What a member says of its members while it reads its log at its start is no change."""


def read_lines(lines: Sequence[LogLine], entities: Mapping[str, str], names: Mapping[str, str]) -> list[Event]:
    """Return the events of log lines; `entities` are the logs' nodes to their members, `names` members' ids to names."""
    told: dict[tuple[str, str, str], Event] = {}
    found: list[Event] = []
    bursts: dict[tuple[str, str], list[LogLine]] = {}
    starts = _starts(lines, entities)
    for line in sorted(lines, key=lambda line: line.at):
        entity = entities.get(line.node, line.node)
        for pattern, about in classify(line).items():
            if pattern in BURSTS:
                bursts.setdefault((pattern, entity), []).append(line)
            elif pattern in ONCE and not _of_its_start(pattern, line, starts.get(entity, ())):
                key = (pattern, entity, f"{about} {line.fields.get('alarm', '')}")
                old = told.get(key)
                if old is None or line.at - old.at > SAME:
                    told[key] = _event(pattern, line, entity, names.get(about, about))
                    found.append(told[key])
    for (pattern, entity), burst in bursts.items():
        found += _bursts(pattern, entity, burst)
    return _with_restarts(found)


def leader_events(lines: Sequence[LogLine], names: Mapping[str, str]) -> list[Event]:
    """Return each change of leader once, though every member tells it: from whom, to whom, in which term."""
    lost: dict[str, tuple[datetime, str]] = {}
    by_term: dict[str, Event] = {}
    for line in sorted(lines, key=lambda line: line.at):
        found = classify(line)
        if "leader_lost" in found:
            lost[_term(line)] = (line.at, found["leader_lost"])
        elif "leader_elected" in found or "leader_changed" in found:
            term = _term(line)
            if term in by_term:
                continue
            to = (
                line.message.partition("elected leader ")[2].split(" ")[0]
                or line.message.partition(" to ")[2].split(" ")[0]
            )
            before = found.get("leader_changed") or next(
                (who for at, who in reversed([*lost.values()]) if line.at - at <= timedelta(minutes=2)), ""
            )
            by_term[term] = _leader_event(line, term, names.get(before, before), names.get(to, to))
    return list(by_term.values())


def _leader_event(line: LogLine, term: str, before: str, to: str) -> Event:
    passed = f"from {before} to {to}" if before and before != to else f"to {to}"
    return Event(
        at=line.at,
        entity=to,
        kind="leader_change",
        says=f"the leadership passed {passed} (term {term})",
        source=f"logs:{line.node}",
    )


def _term(line: LogLine) -> str:
    return line.message.rpartition("at term ")[2].split(" ")[0]


def _event(pattern: str, line: LogLine, entity: str, about: str) -> Event:
    detail = f" ({about})" if about else ""
    if pattern == "alarm_raised":
        detail = f": {line.fields.get('alarm', '')} for {about}"
    told = f": {quoted(line.message, 160)}" if pattern in ("corrupt", "disk_error", "no_space_left", "panic") else ""
    return Event(
        at=line.at,
        entity=entity,
        kind=pattern,
        says=f"{entity}: {says(pattern)}{detail}{told}",
        source=f"logs:{line.node}",
    )


def _starts(lines: Iterable[LogLine], entities: Mapping[str, str]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for line in lines:
        if "started" in classify(line):
            found.setdefault(entities.get(line.node, line.node), []).append(line.at)
    return found


def _of_its_start(pattern: str, line: LogLine, starts: Iterable[datetime]) -> bool:
    return pattern in ("member_added", "member_removed", "peer_active") and any(
        timedelta(0) <= line.at - start <= AFTER_START for start in starts
    )


def _bursts(pattern: str, entity: str, lines: Sequence[LogLine]) -> list[Event]:
    found: list[Event] = []
    part: list[LogLine] = []
    for line in (*lines, None):
        if part and (line is None or line.at - part[-1].at > BURST_GAP):
            if len(part) >= LEAST_IN_BURST.get(pattern, 1):
                seconds = (part[-1].at - part[0].at).total_seconds()
                text = f"{entity}: {says(pattern)} ({len(part)} lines in {seconds:.0f} s)"
                found.append(
                    Event(
                        at=part[0].at,
                        entity=entity,
                        kind=f"{pattern}_burst",
                        says=text,
                        source=f"logs:{part[0].node}",
                        count=len(part),
                    )
                )
            part = []
        if line is not None:
            part.append(line)
    return found


def _with_restarts(found: Sequence[Event]) -> list[Event]:
    """Tell a start from a restart, and a restart in order from one after a death."""
    kept: list[Event] = []
    counts: Counter[str] = Counter()
    asked: dict[str, datetime] = {}
    for event in sorted(found, key=lambda event: event.at):
        if event.kind == "signal":
            asked[event.entity] = event.at
            event = event.model_copy(update={"kind": "stop"})
        elif event.kind == "started":
            counts[event.entity] += 1
            before = asked.pop(event.entity, None)
            if before is not None:
                event = event.model_copy(
                    update={"kind": "orderly_restart", "says": f"{event.entity} started again after an orderly stop"}
                )
            elif counts[event.entity] > 1:
                event = event.model_copy(
                    update={
                        "kind": "crash_restart",
                        "says": f"{event.entity} started again, and nothing says that it was asked to stop: it had died",
                    }
                )
            else:
                event = event.model_copy(update={"kind": "start", "says": f"{event.entity} started"})
        kept.append(event)
    return kept
