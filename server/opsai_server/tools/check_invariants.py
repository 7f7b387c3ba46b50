"""The tool `check_invariants`: what must hold, and what was found of it."""

from typing import Annotated, Literal

from pydantic import Field

from opsai_server.evidence import verdicts_value
from opsai_server.tools.desk import Desk
from opsai_server.tools.judged import by_id, counts, row, unknown_reasons, worst_first
from opsai_subjects.errors import UnknownName
from opsai_subjects.invariant import Verdict
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_subjects.subject import Facts

ROWS = 25
BRIEF = ("invariant", "entity", "says")
"""What is shown of a rule that holds, among many."""
NARROW = "narrow with invariant, entity or state"


async def check_invariants(
    desk: Desk,
    state: Annotated[
        Literal["not_held", "violated", "unknown", "held", "all"],
        Field(description="Which to list; not_held: violated and unknown."),
    ] = "not_held",
    invariant: Annotated[str, Field(description="Only this rule: '{invariant}'.")] = "",
    entity: Annotated[str, Field(description="Only of this: '{entity}', '{node}', 'cluster'.")] = "",
) -> Answer:
    """Judge now all that must hold (the watcher's rules): violated, unknown or held, on each node.

    Use it to see what is broken and by how much; the cause: differential. Returns violated ones with value, limit, unit, since,
    source, unknown ones by reason (unknown is never health), held ones counted. Claim path: /verdicts/INVARIANT/ENTITY/state (or
    value, limit, since). Shares overview's read.
    """
    look = await desk.look()
    facts, verdicts = look.facts, await look.verdicts()
    _known(desk, invariant)
    chosen = _chosen(desk, facts, verdicts, invariant, entity)
    invariants = by_id(desk.subject.invariants)
    unread = facts.unread
    value = {"verdicts": verdicts_value(chosen), "counts": counts(chosen), "unread": unread}
    shown: dict[str, object] = {"counts": value["counts"]}
    for name in ("violated", "unknown", "held"):
        if state in (name, "all") or (state == "not_held" and name != "held"):
            shown[name] = _listed(
                name, worst_first([v for v in chosen if v.state == name], invariants), desk, invariant
            )
    if state == "not_held":
        shown["held"] = _held_said(chosen)
    if invariant:
        shown["rule"] = without_empty(invariants[invariant].model_dump())
    return Answer(at=facts.at, value=value, shown=shown | unread_rows(unread))


def _known(desk: Desk, invariant: str) -> None:
    ids = tuple(known.id for known in desk.subject.invariants)
    if invariant and invariant not in ids:
        raise UnknownName("invariant", invariant, ids)


def _chosen(desk: Desk, facts: Facts, verdicts: tuple[Verdict, ...], invariant: str, entity: str) -> list[Verdict]:
    wanted = entity
    if entity and entity not in {verdict.entity for verdict in verdicts}:
        wanted = desk.entity(facts, entity)
    return [
        verdict
        for verdict in verdicts
        if (not invariant or verdict.invariant == invariant) and (not wanted or verdict.entity == wanted)
    ]


def _listed(name: str, verdicts: list[Verdict], desk: Desk, invariant: str) -> Rows:
    invariants = by_id(desk.subject.invariants)
    if name == "unknown" and not invariant:
        groups = unknown_reasons(verdicts)
        return Rows(groups[:ROWS], len(groups), NARROW)
    rows = [row(verdict, invariants) for verdict in verdicts[:ROWS]]
    if name == "held" and not invariant:
        return Rows([{part: one[part] for part in BRIEF if part in one} for one in rows], len(verdicts), NARROW)
    return Rows(rows, len(verdicts), NARROW)


def _held_said(verdicts: list[Verdict]) -> str:
    held = [verdict.invariant for verdict in verdicts if verdict.state == "held"]
    return f"{len(held)} verdicts of {len(set(held))} rules; state='held' or invariant=… lists them"
