"""Telling apart: which open sign would decide between two candidates, and the cheapest call that shows it. Pure."""

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from opsai_subjects.fault import FaultKind, Read, Sign, SignSpec

COST: Mapping[str, int] = {
    "topology": 0,
    "overview": 0,
    "check_invariants": 0,
    "query_metrics": 1,
    "search_logs": 3,
    "compare_windows": 4,
    "timeline": 4,
}
"""How dear a call is against the others."""
OWN = 2
"""What a tool that only this kind of system has costs, one that is not in the list: it asks the system itself."""
UNSET = 10
"""What it costs that somebody must set a source first."""
SET: Mapping[str, str] = {
    "metrics": "set `prometheus` (--prometheus URL)",
    "logs": "set `logs` (--logs NODE=GLOB)",
}


@dataclass(frozen=True, slots=True)
class Readable:
    """What there is to read from."""

    metrics: bool
    logs: Collection[str]
    """Names of the logs that are set, and every name that each such node goes by."""

    def has(self, read: Read, entity: str) -> bool:
        """Say whether a call can be made as things are set."""
        if read.needs == "metrics":
            return self.metrics
        return read.needs != "logs" or entity in self.logs


@dataclass(frozen=True, slots=True)
class Call:
    """A call, spelt as `opsai-agent ask` takes it, and what it costs."""

    text: str
    cost: int

    @property
    def ready(self) -> bool:
        """Whether it can be made as things are set."""
        return self.cost < UNSET


def cheapest(spec: SignSpec | None, entity: str, sources: Readable) -> Call | None:
    """Return the cheapest call that shows a sign; None when none is known that does."""
    if spec is None:
        return None
    named = (Read(tool="query_metrics", arguments={"name": name}, needs="metrics") for name in spec.metrics[:1])
    calls = [_call(read, entity, sources) for read in (*spec.reads, *named)]
    return min(calls, key=lambda one: one.cost, default=None)


def _call(read: Read, entity: str, sources: Readable) -> Call:
    parts = [read.tool]
    for name, value in read.arguments.items():
        filled = value.replace("{entity}", entity) if isinstance(value, str) else [_fill(one, entity) for one in value]
        parts.append(f"{name}={filled if isinstance(filled, str) else json.dumps(filled)}")
    text, cost = shlex.join(parts), COST.get(read.tool, OWN)
    if sources.has(read, entity):
        return Call(text, cost)
    return Call(f"{SET[read.needs]} for {entity}, then {text}", cost + UNSET)


def _fill(value: str, entity: str) -> str:
    return value.replace("{entity}", entity)


@dataclass(frozen=True, slots=True)
class Decider:
    """A sign that is open and would decide between two kinds on one entity."""

    sign: str
    if_shown: str
    """The kind that is left when it is shown; empty: it leaves both."""
    if_absent: str

    @property
    def strength(self) -> int:
        """How many of its two outcomes decide."""
        return bool(self.if_shown) + bool(self.if_absent)


def deciders(one: FaultKind, other: FaultKind, signs: Mapping[str, Sign]) -> tuple[Decider, ...]:
    """Return the open signs of an entity that would contradict one of two kinds and leave the other, those that decide either way first."""
    names = dict.fromkeys((*_speaking(one), *_speaking(other)))
    found: list[Decider] = []
    for name in names:
        if name in signs and signs[name].state != "unknown":
            continue
        shown, absent = _left(one, other, name, shown=True), _left(one, other, name, shown=False)
        if shown or absent:
            found.append(Decider(name, shown, absent))
    return tuple(sorted(found, key=lambda decider: -decider.strength))


def _speaking(kind: FaultKind) -> tuple[str, ...]:
    return (*kind.must_show, *(name for group in kind.one_of for name in group), *kind.must_not_show)


def _left(one: FaultKind, other: FaultKind, name: str, *, shown: bool) -> str:
    """Return the kind that is left when a sign turns out shown (or absent); empty when that leaves both or neither."""
    against_one, against_other = _against(one, name, shown=shown), _against(other, name, shown=shown)
    if against_one == against_other:
        return ""
    return other.id if against_one else one.id


def _against(kind: FaultKind, name: str, *, shown: bool) -> bool:
    if shown:
        return name in kind.must_not_show
    return name in kind.must_show or any(group == (name,) for group in kind.one_of)
