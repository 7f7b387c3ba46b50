"""What is offered while somebody types: ids newest first, names, times of onset. It waits for no cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsai_server.prompts.compare_windows import BASELINES
from opsai_server.resources.knowledge import kinds_of, known_ids
from opsai_server.resources.tickets import open_tickets
from opsai_server.tickets.store import IdSort
from opsai_server.tools.desks import Desks
from opsai_server.tools.shaping import moment

MOST = 100
"""More the protocol does not allow."""
ID_SORTS: Mapping[str, IdSort] = {
    "ticket": "ticket",
    "incident": "ticket",
    "diagnosis": "diagnosis",
    "evidence": "evidence",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """The first of what fits, at most 100, and how many fit in all."""

    values: tuple[str, ...]
    total: int


NOTHING = Offered((), 0)


async def offer(desks: Desks, sort: str, typed: str, given: Mapping[str, str]) -> Offered:
    """Return what fits what was typed so far; `given` are the arguments that are filled in. Raises StoreError.

    `sort` is what is asked for: a resource's sort, or what a prompt's argument completes. Of an unknown one nothing is offered.
    """
    if sort in ID_SORTS:
        return await _ids(desks, ID_SORTS[sort], typed, given)
    if sort == "onset":
        return _first(await _onsets(desks, given), typed)
    if sort == "topic":
        return _first(_topics(desks, given), typed)
    known: Mapping[str, Sequence[str]] = {
        "cluster": desks.names,
        "baseline": BASELINES,
        "knowledge": known_ids(kinds_of(desks)) if sort == "knowledge" else (),
    }
    return _first(known.get(sort, ()), typed)


async def _ids(desks: Desks, sort: IdSort, typed: str, given: Mapping[str, str]) -> Offered:
    """Offer ids: `T-12` and `12` mean the same."""
    names = _ready(desks, given)
    letter = {"ticket": "T", "diagnosis": "D", "evidence": "E"}[sort]
    digits = typed.strip().upper().removeprefix(letter).removeprefix("-")
    if not names or (digits and not (digits.isascii() and digits.isdigit())):
        return NOTHING
    return Offered(*await (await desks.desk(names[0])).store.ids(sort, names, digits=digits, limit=MOST))


async def _onsets(desks: Desks, given: Mapping[str, str]) -> list[str]:
    names = _ready(desks, given)
    found = await open_tickets(desks, names, parents_only=True) if names else []
    return list(dict.fromkeys(moment(ticket.violated_at) for ticket in found))


def _topics(desks: Desks, given: Mapping[str, str]) -> list[str]:
    chosen = desks.kinds.get(given.get("cluster", ""))
    kinds = kinds_of(desks) if chosen is None else (chosen,)
    return list(dict.fromkeys(signal.topic for kind in kinds for signal in kind.signals if signal.topic))


def _ready(desks: Desks, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the clusters whose ids are offered: those that can be asked, or of them the one that is filled in."""
    names = tuple(desk.name for desk in desks.ready)
    chosen = given.get("cluster", "")
    return tuple(name for name in names if name == chosen) if chosen in desks.names else names


def _first(known: Iterable[str], typed: str) -> Offered:
    fitting = [name for name in known if name.lower().startswith(typed.strip().lower())]
    return Offered(tuple(fitting[:MOST]), len(fitting))
