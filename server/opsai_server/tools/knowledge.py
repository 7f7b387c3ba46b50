"""The tool `knowledge`: what an operator of this system knows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from opsai_server.tools.desk import Desk
from opsai_subjects.errors import UnknownName
from opsai_subjects.invariant import Invariant
from opsai_subjects.model import Value
from opsai_subjects.reply import Answer, Own, Rows, without_empty
from opsai_subjects.subject import Signal, SubjectKind

FOUND = 12
INDEX_ROWS = 60
SAYS_CHARS = 160
PAGE_CHARS = 9_000
TOPICS = "metrics/"
"""Before a topic's name: `metrics/raft` lists the metrics of raft."""
_WORD = re.compile(r"[a-z0-9_]{2,}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing known."""

    type: str
    id: str
    says: str
    text: str
    """All its words, for searching."""
    whole: dict[str, object]


async def knowledge(
    desk: Desk,
    words: Annotated[
        str,
        Field(
            description="An id ('store_up', 'metrics/raft') for the whole entry, words to search, empty for the index."
        ),
    ] = "",
    offset: Annotated[int, Field(description="Go on in a long page after so many characters.", ge=0)] = 0,
) -> Answer:
    """Look up what an operator knows: fault kinds (signs, rivals, remedy), invariants (meaning, limit), named metrics (query, unit, normal range), pages.

    Use it to understand a sign or to find the name or PromQL of a metric; it says nothing about this cluster's state and is
    no evidence. Returns the whole entry for an id, else the best matches. Costs nothing.
    """
    entries = _entries(desk.kind, desk.subject.invariants)
    exact = [entry for entry in entries if entry.id == words.strip()]
    if exact:
        shown: dict[str, object] = {"entries": [_whole(entry, offset) for entry in exact]}
    elif not words.strip():
        shown = {"index": _index(entries)}
    else:
        found = _search(entries, words)
        if not found:
            ids = tuple(entry.id for entry in entries)
            raise UnknownName(
                "knowledge page or entry for", words, ids, advice="Fewer or other words; empty words list all."
            )
        shown = {
            "found": Rows([_short(one) for one in found[:FOUND]], len(found), "narrow with more words, or give an id")
        }
    return Answer(at=desk.now(), value={}, shown=shown, stored=False)


def _entries(kind: SubjectKind, invariants: Iterable[Invariant]) -> list[_Entry]:
    return [
        *(_entry("fault", fault.id, fault.says, fault) for fault in kind.faults),
        *(_entry("invariant", invariant.id, invariant.says, invariant) for invariant in invariants),
        *(_entry("metric", signal.name, signal.says, signal) for signal in kind.signals),
        *_topics(kind.signals),
        *(_entry("sign", sign.id, sign.says, sign) for sign in kind.signs),
        *(_entry("page", page.id, page.title, page) for page in kind.knowledge),
    ]


def _entry(sort: str, name: str, says: str, value: Value) -> _Entry:
    fields = without_empty(value.model_dump())
    return _Entry(sort, name, says, " ".join(str(part) for part in fields.values()).lower(), {"type": sort, **fields})


def _topics(signals: Sequence[Signal]) -> Iterator[_Entry]:
    """Yield an entry for each topic of metrics: a list that is too long for the index."""
    for topic in dict.fromkeys(signal.topic for signal in signals if signal.topic):
        rows = [{"name": one.name, "unit": one.unit, "says": one.says} for one in signals if one.topic == topic]
        names = ", ".join(str(row["name"]) for row in rows)
        name = f"{TOPICS}{topic}"
        yield _Entry("topic", name, names, names, {"type": "topic", "id": name, "metrics": rows})


def _whole(entry: _Entry, offset: int) -> dict[str, object]:
    if entry.type != "page":
        return entry.whole
    text = str(entry.whole["text"])
    part = text[offset : offset + PAGE_CHARS]
    after = offset + len(part)
    more = (
        {"page": f"characters {offset} to {after} of {len(text)}; go on with offset={after}"}
        if after < len(text)
        else {}
    )
    return {**entry.whole, **more, "text": Own(part)}


def _index(entries: Sequence[_Entry]) -> dict[str, object]:
    sorts = dict.fromkeys(entry.type for entry in entries)
    topics = [entry for entry in entries if entry.type == "topic"]
    listed = {"sign", "topic"} | ({"metric"} if topics else set[str]())
    ids = {sort: [entry.id for entry in entries if entry.type == sort] for sort in sorts if sort not in listed}
    counts = {entry.id: len(entry.says.split(", ")) for entry in topics}
    return {**_names(ids), **({"metrics_by_topic": counts} if topics else {})}


def _names(ids: Mapping[str, Sequence[str]]) -> dict[str, Rows]:
    return {f"{sort}s": Rows(names[:INDEX_ROWS], len(names), "search with words") for sort, names in ids.items()}


def _search(entries: Iterable[_Entry], words: str) -> list[_Entry]:
    wanted = _WORD.findall(words.lower())
    scored = [(_score(entry, wanted), entry) for entry in entries]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].id))
    return [entry for _, entry in best]


def _score(entry: _Entry, words: Sequence[str]) -> float:
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


def _short(entry: _Entry) -> dict[str, object]:
    says = entry.says if len(entry.says) <= SAYS_CHARS else f"{entry.says[:SAYS_CHARS]}…"
    return {"type": entry.type, "id": entry.id, "says": says}
