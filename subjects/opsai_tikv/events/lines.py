"""Events seen in logs: starts and stops, elections, schedulers, settings, operators, connections. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import loads

from pydantic import JsonValue

from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.model import Event, LogLine, Scalar, clean
from opsai_tikv.events.changes import CHANGED_BY_HAND, told_of_change
from opsai_tikv.logs.every import by_id, classify
from opsai_tikv.pd.settings import flattened

ONCE = (
    "signal_stop",
    "fatal",
    "panic",
    "disk_usage_changed",
    "no_space",
    "disk_error",
    "disk_probe_timeout",
    "clock_jump",
    "pd_leader_ready",
    "lease_expired",
    "pd_leader_resigned",
    "etcd_leader_lost",
    "quorum_inactive",
    "store_offline",
    "store_tombstone",
    "store_up_again",
    "slow_store_evicted",
    "slow_store_recovered",
    "stopping_store_evicted",
    "scheduler_added",
    "leader_transfer_paused",
    "leader_transfer_resumed",
    "version_changed",
    "duplicate_store",
    "asked_by_hand",
    "store_limit_changed",
    "placement_rule_changed",
)
"""Told one by one, but the same of one node within a few seconds as one."""
BURSTS = (
    "election_timeout",
    "transfer_leader",
    "connection_aborted",
    "connect_timeout",
    "keepalive_timeout",
    "pd_connect_failed",
    "pd_request_failed",
    "region_leader_changed",
    "operator_added",
    "operator_timeout",
    "operator_canceled",
    "slow_async_write",
    "slow_raftstore",
    "server_is_busy",
    "write_stall",
    "snapshot_failed",
    "slow_fdatasync",
    "slow_etcd",
    "read_index_slow",
    "pd_peer_unreachable",
    "snapshot_sent",
    "snapshot_applied",
    "peers_changed",
    "regions_split",
    "regions_merged",
)
"""Told together: how many within how long."""
OWN = ("welcome", "scheduler_removed", "config_changed")
"""Told by rules of their own."""

BURST_GAP_SECONDS = 30.0
MOVES_GAP_SECONDS = 8.0
"""Balance moves leaders all the time: what belongs together follows at once."""
SAME_SECONDS = 5.0
STOP_SECONDS = 180.0
"""A start so soon after a signal to stop is an orderly restart."""
_PAIR = re.compile(r'"([a-z0-9-]+)":("[^"\\]*"|[-0-9.a-z]+)(?=[,}])')
_PER_STORE = ("add-peer", "remove-peer")
_LEAST = {
    "election_timeout": 3,
    "transfer_leader": 5,
    "region_leader_changed": 3,
    "operator_added": 5,
    "operator_canceled": 3,
    "slow_raftstore": 2,
    "peers_changed": 5,
    "regions_split": 5,
    "regions_merged": 5,
}
_WAYS_TOLD = 6
_MOVES = ("transfer_leader", "region_leader_changed", "operator_added", "operator_canceled", "operator_timeout")
_EACH = (
    "connection_aborted",
    "connect_timeout",
    "slow_store_evicted",
    "slow_store_recovered",
    "stopping_store_evicted",
    "store_offline",
    "store_tombstone",
    "store_up_again",
    "scheduler_added",
    "leader_transfer_paused",
    "leader_transfer_resumed",
    "store_limit_changed",
)
"""Told apart by whom they speak of."""
_WHO_FIELDS = ("addr", "endpoints", "remote-peer-id")
_STORE_FIELDS = ("store-id", "target-store-id")


@dataclass(frozen=True)
class Names:
    """How a log's node and a store's number are called in events."""

    entity: Callable[[str], str]
    """Log node to entity."""
    name: Callable[[str], str]
    """Address, store number or entity to what people call it."""
    role: Callable[[str], str]
    """Log node to `pd` or `tikv`; empty when it is no known node."""


def read_lines(lines: Iterable[LogLine], names: Names, patterns: Sequence[str] = (*ONCE, *OWN, *BURSTS)) -> list[Event]:
    """Return the events of these patterns that the lines tell, in no order."""
    by_pattern: dict[str, list[LogLine]] = {}
    for line in sorted(lines, key=lambda line: line.at):
        role = names.role(line.node)
        for pattern in set(classify(line)) & {*patterns}:
            if _is_of(pattern, role):
                by_pattern.setdefault(pattern, []).append(line)
    found = _starts(by_pattern.get("welcome", []), by_pattern.get("signal_stop", []), names)
    found += _schedulers_stopped(by_pattern.get("scheduler_removed", []), names)
    for line in by_pattern.get("config_changed", []):
        found += _settings(line, names)
    for pattern in ONCE:
        found += _bursts(pattern, by_pattern.get(pattern, []), names, SAME_SECONDS)
    for pattern in BURSTS:
        gap = MOVES_GAP_SECONDS if pattern in _MOVES else BURST_GAP_SECONDS
        found += _bursts(pattern, by_pattern.get(pattern, []), names, gap)
    return found


def _is_of(pattern: str, role: str) -> bool:
    """Say whether a log of that role can hold the pattern: etcd, in PD, logs elections in the same words as TiKV."""
    known = by_id(pattern)
    return known is None or not role or known.role in ("any", role)


def _starts(welcomes: Sequence[LogLine], stops: Sequence[LogLine], names: Names) -> list[Event]:
    found: list[Event] = []
    for line in welcomes:
        asked = [stop.at for stop in stops if stop.node == line.node and _before(stop.at, line.at)]
        entity = names.entity(line.node)
        says = f"{line.node} starts (its log begins a run)"
        if asked:
            away = (line.at - asked[-1]).total_seconds()
            says = f"{line.node} starts again, {away:.0f} s after it was asked to stop: an orderly restart"
        kind = "orderly_restart" if asked else "start"
        found.append(Event(at=line.at, entity=entity, kind=kind, says=says, source=f"logs:{line.node}"))
    return found


def _before(stop: datetime, start: datetime) -> bool:
    return timedelta(0) <= start - stop <= timedelta(seconds=STOP_SECONDS)


def _schedulers_stopped(lines: Sequence[LogLine], names: Names) -> list[Event]:
    """Tell a removed scheduler from a leader that steps down and stops them all."""
    found: list[Event] = []
    for group in _grouped(lines, 2.0):
        stopped = sorted({line.fields.get("scheduler-name", "?") for line in group})
        first = group[0]
        if len(stopped) > 2:
            says = f"{first.node} stops all {len(stopped)} schedulers: it no longer leads"
            entity, kind = names.entity(first.node), "schedulers_stopped"
            found.append(_event(first, entity, kind, says, len(group)))
            continue
        for name in stopped:
            says = f"the scheduler {name_of(name)} was removed"
            found.append(_event(first, f"scheduler:{name_of(name)}", "scheduler_removed", says, 1))
    return found


def _settings(line: LogLine, names: Names) -> list[Event]:
    new, old = _tree(line.fields.get("new", "")), _tree(line.fields.get("old", ""))
    section = line.message.lower().removesuffix(" config is updated").replace(" ", "-")
    if not new or not old:
        says = f"PD: {quoted(line.message, 120)}"
        return [_event(line, names.entity(line.node), "config_change", says, 1)]
    whole = {*new, *old} if line.fields["new"].endswith("}") and line.fields["old"].endswith("}") else {*new} & {*old}
    changed = [name for name in sorted(whole) if new.get(name) != old.get(name)]
    shown = [
        _event(
            line,
            f"config:{section}.{name}",
            "config_change",
            f"{section}.{name} was changed: {_value(old, name)} → {_value(new, name)}",
            1,
        )
        for name in changed[:10]
    ]
    if len(changed) > len(shown):
        shown.append(
            _event(line, "cluster", "config_change", f"{len(changed) - len(shown)} more settings were changed", 1)
        )
    return shown


def _tree(text: str) -> dict[str, Scalar]:
    try:
        read: JsonValue = loads(text)
    except (ValueError, RecursionError):
        # Cut off (a limit for each of 300 stores stands in it): the pairs that are whole are compared.
        return {name: value.strip('"') for name, value in _PAIR.findall(text) if name not in _PER_STORE}
    return flattened(read) if isinstance(read, dict) else {}


def _value(values: Mapping[str, Scalar], name: str) -> str:
    return name_of(str(values[name])) if name in values else "unset"


def _bursts(pattern: str, lines: Sequence[LogLine], names: Names, gap_seconds: float) -> list[Event]:
    found: list[Event] = []
    by_place: dict[tuple[str, str], list[LogLine]] = {}
    for line in lines:
        by_place.setdefault((line.node, _apart(pattern, line)), []).append(line)
    for (node, _), group in by_place.items():
        for burst in _grouped(group, gap_seconds):
            if len(burst) >= _LEAST.get(pattern, 1):
                found.append(_told(pattern, node, burst, names))
    return found


def _whom(line: LogLine) -> str:
    """Return whom a line speaks of, where it names one: a peer's address, a store's number, a scheduler."""
    for field in (*_WHO_FIELDS, *_STORE_FIELDS, "scheduler-name"):
        if value := line.fields.get(field, ""):
            return name_of(value.removeprefix("http://").removeprefix("https://"))
    return ""


def _apart(pattern: str, line: LogLine) -> str:
    """Return what lines of one pattern must share to be one event: whom they are about, or what was changed."""
    if pattern in CHANGED_BY_HAND:
        return told_of_change(pattern, [line])
    return _whom(line) if pattern in _EACH else ""


def _told(pattern: str, node: str, burst: Sequence[LogLine], names: Names) -> Event:
    first, last = burst[0], burst[-1]
    seconds = (last.at - first.at).total_seconds()
    known = by_id(pattern)
    meaning = known.says if known else pattern
    whoms = [whom for whom, _ in Counter(_whom(line) for line in burst).most_common(4) if whom]
    about = f" ({', '.join(dict.fromkeys(names.name(whom) for whom in whoms))})" if whoms else ""
    often = f", {len(burst)} times in {max(1, round(seconds))} s" if len(burst) > 1 else ""
    says = f"{node}{about}: {_detail(pattern, burst, names) or meaning}{often}"
    entity = names.entity(node)
    if pattern == "scheduler_added" and whoms:
        entity = f"scheduler:{whoms[0]}"
    elif whoms and any(first.fields.get(field) == whoms[0] for field in _STORE_FIELDS) and whoms[0].isdigit():
        entity = f"store:{whoms[0]}"
    return _event(first, entity, _KINDS.get(pattern, pattern), says, len(burst))


_KINDS = {
    "pd_leader_ready": "pd_leader_change",
    "election_timeout": "elections",
    "transfer_leader": "leaders_handed_over",
    "region_leader_changed": "region_leaders_moved",
    "operator_added": "operators",
}


def _detail(pattern: str, burst: Sequence[LogLine], names: Names) -> str:
    first = burst[0]
    if pattern == "region_leader_changed":
        ways = Counter((line.fields.get("from", "?"), line.fields.get("to", "?")) for line in burst)
        if len(ways) > _WAYS_TOLD:
            return f"region leaders moved between {len(ways)} pairs of stores"
        told = ", ".join(f"{count} from {names.name(a)} to {names.name(b)}" for (a, b), count in ways.most_common())
        return f"region leaders moved: {told}"
    if pattern == "operator_added":
        kinds = Counter(line.fields.get("operator", "?").strip('"').split(" ", 1)[0] for line in burst)
        told = ", ".join(f"{count} {name_of(kind)}" for kind, count in kinds.most_common(4))
        return f"operators were added: {told}"
    if pattern == "scheduler_added":
        return f"the scheduler was added with {quoted(first.fields.get('scheduler-args', '[]'), 80)}"
    if pattern in ("disk_usage_changed", "fatal", "panic", "version_changed"):
        return quoted(first.message, 240)
    if pattern == "signal_stop":
        return f"it was asked to stop ({quoted(first.message, 80)})"
    if pattern == "election_timeout":
        return "followers that no longer hear their region's leader stand for election"
    return told_of_change(pattern, burst)


def _grouped(lines: Sequence[LogLine], gap_seconds: float) -> list[list[LogLine]]:
    groups: list[list[LogLine]] = []
    for line in lines:
        if groups and (line.at - groups[-1][-1].at).total_seconds() <= gap_seconds:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _event(line: LogLine, entity: str, kind: str, says: str, count: int) -> Event:
    return Event(at=line.at, entity=entity, kind=kind, says=clean(says, 500), source=f"logs:{line.node}", count=count)
