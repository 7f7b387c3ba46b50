"""Entries: all that is known of a kind of system, each under its id, and how well words fit one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from opsai_subjects.invariant import Invariant
from opsai_subjects.model import Value
from opsai_subjects.reply import without_empty
from opsai_subjects.subject import Signal, SubjectKind

TOPICS = "metrics/"
"""Before a topic's name: `metrics/disk` lists the metrics of disk."""
_WORD = re.compile(r"[a-z0-9_]{2,}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing known."""

    type: str
    id: str
    says: str
    text: str
    """All its words, for searching."""
    whole: dict[str, object]


def entries(kind: SubjectKind, invariants: Iterable[Invariant]) -> list[Entry]:
    """Return everything known of a kind, sort by sort; the invariants as this cluster has them."""
    return [
        *(_entry("fault", fault.id, fault.says, fault, kind.fault_notes.get(fault.id, "")) for fault in kind.faults),
        *(_entry("invariant", invariant.id, invariant.says, invariant) for invariant in invariants),
        *(_entry("metric", signal.name, signal.says, signal) for signal in kind.signals),
        *_topics(kind.signals),
        *(_entry("sign", sign.id, sign.says, sign) for sign in kind.signs),
        *(_entry("page", page.id, page.title, page) for page in kind.knowledge),
        *(_entry("bug", bug.id, bug.says, bug) for bug in kind.known_bugs),
    ]


def search(among: Iterable[Entry], words: str) -> list[Entry]:
    """Return the entries that the words fit, best first."""
    wanted = _WORD.findall(words.lower())
    scored = [(_score(entry, wanted), entry) for entry in among]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].id))
    return [entry for _, entry in best]


def _entry(sort: str, name: str, says: str, value: Value, notes: str = "") -> Entry:
    fields = without_empty(value.model_dump(mode="json") | {"notes": notes})
    return Entry(sort, name, says, " ".join(str(part) for part in fields.values()).lower(), {"type": sort, **fields})


def _topics(signals: Sequence[Signal]) -> Iterator[Entry]:
    """Yield an entry for each topic of metrics: a list that is too long for the index."""
    for topic in dict.fromkeys(signal.topic for signal in signals if signal.topic):
        rows = [{"name": one.name, "unit": one.unit, "says": one.says} for one in signals if one.topic == topic]
        names = ", ".join(str(row["name"]) for row in rows)
        name = f"{TOPICS}{topic}"
        yield Entry("topic", name, names, names, {"type": "topic", "id": name, "metrics": rows})


def _score(entry: Entry, words: Sequence[str]) -> float:
    """Weigh where each word stands: in the id most, then in its sentence, then anywhere; a word that stands nowhere counts against it."""
    total = 0.0
    for word in words:
        if word in entry.id.lower():
            total += 4.0
        elif word in entry.says.lower():
            total += 2.0
        elif word in entry.text:
            total += 1.0
        else:
            total -= 0.5
    return total if any(word in entry.text or word in entry.id.lower() for word in words) else 0.0
