"""Apart: what would tell the candidates of a differential apart, and the read that shows it, the cheapest first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsai_server.tools.telling import Decider, Readable, cheapest, deciders
from opsai_server.tools.weighing import Weighed
from opsai_subjects.differential import contradictions
from opsai_subjects.fault import Candidate, FaultKind, Sign
from opsai_subjects.reply import Rows, without_empty

APART = 8
DEAREST = 99


@dataclass(frozen=True, slots=True)
class Apart:
    """The open signs, those first that part the two best, and the read to make next."""

    rows: Rows
    next_read: str | None
    """The cheapest call that parts the two best candidates as things are set; None: no sign that is open does."""


def apart(weighed: Weighed, candidates: Sequence[Candidate], sources: Readable) -> Apart:
    """List the signs that are unknown and would decide, with where each is read."""
    parting = _parting(weighed, candidates, sources)
    needed: dict[tuple[str, str], list[str]] = {}
    for candidate in candidates:
        if candidate.standing != "contradicted":
            for name in (*(sign.id for sign in candidate.unknown), *candidate.missing):
                needed.setdefault((candidate.entity, name), []).append(candidate.kind)
    told = {(row["entity"], row["sign"]) for _, row in parting}
    rest = [
        _open_sign(weighed, entity, name, sources, {"needed_by": kinds})
        for (entity, name), kinds in needed.items()
        if (entity, name) not in told
    ]
    for _, row in parting:
        row["needed_by"] = needed.get((str(row["entity"]), str(row["sign"])), [])
    rows = [without_empty(row) for _, row in (*parting, *sorted(rest, key=lambda pair: pair[0]))]
    ready = next((row for cost, row in parting if cost < DEAREST and row.get("ready")), None)
    shown = [{name: value for name, value in row.items() if name != "ready"} for row in rows[:APART]]
    return Apart(Rows(shown, len(rows), "narrow with entity or kind"), str(ready["read"]) if ready else None)


def _parting(
    weighed: Weighed, candidates: Sequence[Candidate], sources: Readable
) -> list[tuple[int, dict[str, object]]]:
    """Return the rows of the signs that part the two best candidates: those that decide either way first, then the cheapest."""
    first = next((one for one in candidates if one.standing != "contradicted"), None)
    if first is None:
        return []
    signs = {sign.id: sign for sign in weighed.signs if sign.entity == first.entity}
    rival = _competitor(weighed, first, candidates, signs)
    if rival is None:
        return []
    found = [
        (decider, _open_sign(weighed, first.entity, decider.sign, sources, _outcome(decider)))
        for decider in deciders(weighed.kinds[first.kind], rival, signs)
    ]
    found.sort(key=lambda pair: (pair[1][0] >= DEAREST, -pair[0].strength, pair[1][0]))
    return [row for _, row in found]


def _competitor(
    weighed: Weighed, first: Candidate, candidates: Sequence[Candidate], signs: dict[str, Sign]
) -> FaultKind | None:
    """Return the kind that competes most with a candidate: the next one on its entity, else a rival that nothing speaks against.

    Beside a kind that fits, one that is only possible competes when the two are rivals.
    """
    for one in candidates:
        if one is not first and one.entity == first.entity and one.standing != "contradicted":
            kind = weighed.kinds[one.kind]
            rivals = kind.id in weighed.kinds[first.kind].rivals or first.kind in kind.rivals
            if rivals or one.standing == "fits" or first.standing == "possible":
                return kind
    for name in weighed.kinds[first.kind].rivals:
        rival = weighed.kinds.get(name)
        if rival and first.entity in weighed.groups.get(rival.on, ()) and not contradictions(rival, signs):
            return rival
    return None


def _outcome(decider: Decider) -> dict[str, object]:
    return {"if_shown": decider.if_shown, "if_absent": decider.if_absent}


def _open_sign(
    weighed: Weighed, entity: str, name: str, sources: Readable, more: dict[str, object]
) -> tuple[int, dict[str, object]]:
    sign = weighed.sign(entity, name)
    call = cheapest(weighed.specs.get(name), entity, sources)
    row: dict[str, object] = {
        "entity": entity,
        "sign": name,
        "says": weighed.says.get(name, ""),
        "unknown_because": sign.says if sign else "not evaluated on this entity",
        "source": sign.source if sign else "",
        "read": call.text if call else "",
        "ready": call is not None and call.ready,
    }
    return (call.cost if call else DEAREST), row | more
