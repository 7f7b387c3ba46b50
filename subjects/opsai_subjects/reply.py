"""What answers a question: everything for the evidence store, and what is to be shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsai_subjects.model import Unread

UNREAD = 12
ASKED_CHARS = 120


class Own(str):
    """Text of our own (a knowledge page): shown as it stands, line breaks kept."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """A part of a reply whose texts are not cut; whoever makes it keeps it small."""

    value: object


@dataclass(frozen=True, slots=True)
class Rows:
    """A list in a reply, best first, that may show a part of what there is."""

    items: Sequence[object]
    total: int
    """How many there are in all, those not in `items` included."""
    narrow: str
    """How to see the others: `narrow with entity or invariant`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool found."""

    at: datetime
    """The cluster's time at which it is true."""
    value: Mapping[str, object]
    """Everything, for the evidence store; a claim's JSON Pointer walks this."""
    shown: Mapping[str, object]
    """What the reply shows of it, beside `cluster`, `at` and `evidence_id`."""
    ticket: str | None = None
    evidence_id: str | None = None
    """The evidence that the reply is about, where it is stored already."""
    stored: bool = True
    """False: nothing was observed, so nothing is stored and `evidence_id` stays as given."""
    images: tuple[bytes, ...] = ()
    """PNG images that stand beside the reply; whatever they show, the reply says too."""


def without_empty(row: Mapping[str, object]) -> dict[str, object]:
    """Return the row without what is None or empty."""
    return {key: value for key, value in row.items() if value is not None and value not in ("", (), [], {})}


def unread_rows(unread: Sequence[Unread]) -> dict[str, Rows]:
    """Return the part `unread` of a reply; nothing when everything could be read.

    What one source left unanswered for one reason is one row: a Prometheus that is down leaves a hundred questions open.
    """
    groups: dict[tuple[str, str], list[Unread]] = {}
    for part in unread:
        groups.setdefault((part.source, part.why.replace(part.asked, "…")), []).append(part)
    rows = [_unread_row(group, why) for (_, why), group in groups.items()]
    return {"unread": Rows(rows[:UNREAD], len(rows), "all by evidence(id, path='/unread')")} if rows else {}


def _unread_row(group: Sequence[Unread], why: str) -> dict[str, object]:
    first = group[0]
    if len(group) == 1:
        return without_empty(first.model_dump())
    asked = f"{len(group)} questions, the first: {first.asked[:ASKED_CHARS]}"
    return without_empty({"source": first.source, "asked": asked, "why": why, "advice": first.advice})
