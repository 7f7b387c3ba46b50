"""The tool `differential`: which fault kinds fit what is seen."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from opsai_server.tools.apart import apart
from opsai_server.tools.desk import Desk
from opsai_server.tools.entities import name_of
from opsai_server.tools.telling import Readable
from opsai_server.tools.weighing import Weighed, bug_row, weigh, weights
from opsai_subjects.differential import contradictions
from opsai_subjects.errors import UnknownName
from opsai_subjects.fault import Candidate, Sign
from opsai_subjects.model import clean
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_subjects.subject import Facts

CAUSES = 4
CANDIDATES = 5
SIGNS = 8
BUGS = 3


async def differential(
    desk: Desk,
    ticket: Annotated[str, Field(description="Weigh since its violation began: 'T-12'.")] = "",
    entity: Annotated[str, Field(description="Only candidates on this: '{entity}'.")] = "",
    kind: Annotated[str, Field(description="Only this kind, with every sign: '{fault}'.")] = "",
) -> Answer:
    """Rank the fault kinds that explain what is seen now and what the watcher saw in the last 15 minutes.

    Use it once something is violated (overview says). Returns `causes` (fit, and explained by no other) with signs, rivals and
    remedy, the next candidates, and `apart`: unknown signs that would decide and where to read them; `next_read`: the cheapest that
    parts the best two. standing: fits | possible (something needed is unknown) | contradicted. active false: over now. No cause is
    no proof of health. Claim paths: /signs/ENTITY/SIGN/state (shown | absent | unknown; or value, since), /kinds/KIND. Shares
    overview's read.
    """
    about = await desk.ticket(ticket) if ticket else None
    weighed = await weigh(desk, about)
    if kind and kind not in weighed.kinds:
        raise UnknownName("fault kind", kind, tuple(weighed.kinds))
    wanted = desk.entity(weighed.facts, entity) if entity else ""
    value = weighed.value()
    found = weighed.differential
    causes = [cause for cause in found.causes if _wanted(cause, wanted, kind)]
    others = [one for one in found.candidates if one not in found.causes and _wanted(one, wanted, kind)]
    signs = SIGNS if not kind else 100
    told = apart(weighed, [*causes[:CAUSES], *others[:CANDIDATES]], await _readable(desk, weighed.facts))
    shown: dict[str, object] = {
        "looked_from": weighed.looked_from,
        "watcher_ticks": weighed.ticks,
        "causes": Rows(
            [_cause(weighed, cause, signs) for cause in causes[:CAUSES]], len(causes), "narrow with entity or kind"
        ),
        "candidates": Rows(
            [_candidate(one) for one in others[:CANDIDATES]],
            len(others),
            "narrow with entity or kind, or read /candidates",
        ),
        "apart": told.rows,
    }
    if told.next_read:
        shown["next_read"] = told.next_read
    if weighed.bugs:
        advice = f"read /known_bugs, or knowledge(words={weighed.bugs[0].bug.id!r}) for one"
        shown["known_bugs"] = Rows([bug_row(seen) for seen in weighed.bugs[:BUGS]], len(weighed.bugs), advice)
    if not causes:
        shown["note"] = _no_cause(weighed, wanted, kind)
    rows = unread_rows(weighed.unread())
    return Answer(at=weighed.facts.at, value=value, shown=shown | rows, ticket=ticket or None)


async def _readable(desk: Desk, facts: Facts) -> Readable:
    """Return what a caller can read from as things are set: Prometheus, and the logs of which nodes."""
    sources = desk.subject.sources
    logs = sources.asked_logs or sources.logs
    names = set(await logs.nodes()) if logs else set[str]()
    logged = [
        node.entity
        for node in facts.nodes
        if not names.isdisjoint(
            {node.entity, node.name, node.address, node.status_address, node.address.rpartition(":")[0]}
        )
    ]
    return Readable(metrics=sources.metrics is not None, logs=frozenset(logged))


def _wanted(candidate: Candidate, entity: str, kind: str) -> bool:
    return (not entity or candidate.entity == entity) and (not kind or candidate.kind == kind)


def _cause(weighed: Weighed, cause: Candidate, signs: int) -> dict[str, object]:
    kind = weighed.kinds[cause.kind]
    return without_empty(
        {
            "kind": cause.kind,
            "entity": cause.entity,
            "name": _name(weighed, cause.entity),
            "says": kind.says,
            "standing": cause.standing,
            "active": cause.active,
            "score": cause.score,
            "support": _said(weighed, cause.support)[:signs],
            "unknown": _said(weighed, cause.unknown)[:signs],
            "missing": list(dict.fromkeys(cause.missing)),
            "rivals": _rivals(weighed, cause),
            "red_herrings": list(kind.red_herrings),
            "action": {"do": kind.do, "because": kind.because, "verify": kind.verify, "touches": kind.touches},
        }
    )


def _name(weighed: Weighed, entity: str) -> str:
    """Return what people call the node; empty when that is its entity, or it is no node."""
    named = name_of(weighed.facts, entity)
    return "" if named == entity else clean(named)


def _said(weighed: Weighed, signs: Iterable[Sign]) -> list[dict[str, object]]:
    once = {sign.id: sign for sign in signs}.values()
    return [
        without_empty(
            {"sign": sign.id, "says": sign.says, "since": sign.since, "metrics": list(weighed.metrics.get(sign.id, ()))}
        )
        | ({"active": False} if not sign.active else {})
        for sign in once
    ]


def _rivals(weighed: Weighed, cause: Candidate) -> list[dict[str, object]]:
    """Say how each rival of a cause stands where the cause is: what is not contradicted there still competes with it."""
    signs = {sign.id: sign for sign in weighed.signs if sign.entity == cause.entity}
    said: list[dict[str, object]] = []
    for name in weighed.kinds[cause.kind].rivals:
        rival = weighed.kinds.get(name)
        if rival is None or cause.entity not in weighed.groups.get(rival.on, ()):
            continue
        gone = [sign.id for sign in contradictions(rival, signs)]
        deciding = dict.fromkeys((*rival.must_show, *(sign for group in rival.one_of for sign in group)))
        open_ = [sign for sign in deciding if sign not in signs or signs[sign].state == "unknown"]
        state = {"standing": "contradicted", "against": gone} if gone else {"standing": "possible", "open": open_}
        said.append(without_empty({"kind": name, **state}))
    return said


def _candidate(candidate: Candidate) -> dict[str, object]:
    return without_empty(weights(candidate)) | {"active": candidate.active}


def _no_cause(weighed: Weighed, entity: str, kind: str) -> str:
    if entity or kind:
        return "No fault kind fits within what was asked; ask without entity and kind for all."
    if any(candidate.standing == "possible" for candidate in weighed.differential.candidates):
        return "No fault kind fits fully; a candidate marked possible needs signs that are unknown (see apart)."
    looked = f"{weighed.ticks} looks of the watcher" if weighed.ticks else "no look of the watcher: only this moment"
    return f"No fault kind that is known here fits; the past is covered by {looked}. This is not proof of health."
