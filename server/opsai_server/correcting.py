"""Correcting: what keeps a submission from being accepted, said so that its author can put it right. Pure."""

from collections.abc import Iterable, Iterator

from opsai_server.grounds import Grounds
from opsai_server.hands import RISKY, named_in, risky_clauses
from opsai_server.tickets.diagnosis import Action, Submission

LISTED = 60


def cited(submission: Submission) -> tuple[str, ...]:
    """Return every evidence id that a submission cites, each once."""
    ids = [claim.evidence_id for claim in submission.claims]
    ids += [claim.evidence_id for alternative in submission.alternatives for claim in alternative.claims]
    ids += [metric.evidence_id for metric in submission.correlated_metrics]
    return tuple(dict.fromkeys(ids))


def corrections(submission: Submission, grounds: Grounds) -> tuple[str, ...]:
    """Return what must be put right before a submission can be accepted; empty when nothing."""
    return (
        *_shape(submission),
        *_sight(submission, grounds),
        *_evidence(submission, grounds),
        *_vocabulary(submission, grounds),
        *_action(submission, grounds),
    )


def _shape(submission: Submission) -> Iterator[str]:
    verdict, causes = submission.verdict, submission.root_causes
    if verdict in ("fault", "recovered"):
        if not causes:
            yield f"The verdict is {verdict} and root_causes is empty: name the cause, or let the verdict be inconclusive."
        if not submission.claims:
            yield f"The verdict is {verdict} and nothing supports it: give claims that cite evidence ids."
    if verdict == "healthy" and causes:
        yield "The verdict is healthy and root_causes is not empty: leave them out, or let the verdict be fault or recovered."


def _sight(submission: Submission, grounds: Grounds) -> Iterator[str]:
    states = [verdict.state for verdict in grounds.verdicts]
    unknown, held = states.count("unknown"), states.count("held")
    if submission.verdict == "healthy" and unknown > held:
        first = next(verdict for verdict in grounds.verdicts if verdict.state == "unknown")
        yield (
            f"The verdict is healthy and most of it is not known to be: {unknown} verdicts are unknown and {held} held "
            f"({first.invariant} on {first.entity}: {first.says}, for one). Let the verdict be inconclusive."
        )


def _evidence(submission: Submission, grounds: Grounds) -> Iterator[str]:
    for ident in cited(submission):
        if ident not in grounds.evidence_ids:
            yield f"There is no evidence {ident!r}: cite the evidence_id that a tool's reply named, or leave it out."


def _vocabulary(submission: Submission, grounds: Grounds) -> Iterator[str]:
    kinds = [cause.kind for cause in submission.root_causes] + [other.kind for other in submission.alternatives]
    for kind in dict.fromkeys(kind for kind in kinds if kind not in grounds.kinds):
        yield f"There is no fault kind {kind!r}. Known: {_listed(sorted(grounds.kinds))}."
    for entity in dict.fromkeys(one.entity for one in submission.root_causes):
        if grounds.entity(entity) is None:
            yield f"There is no entity {entity!r}. Known: {_listed(grounds.entities())}."


def _action(submission: Submission, grounds: Grounds) -> Iterator[str]:
    action = submission.action
    known = grounds.entities()
    clauses = risky_clauses(_own_words(submission, grounds), known, grounds.parts)
    if action.touches not in RISKY:
        for clause, word in clauses[:1]:
            yield (
                f"The action says {word!r} ({clause[:200]!r}) and touches says {action.touches!r}: let touches be "
                "restart, stop or remove, with the entity, or recommend what lays no hand on a part."
            )
        return
    named = dict.fromkeys(entity for clause, _ in clauses for entity in named_in(clause, known))
    if len(named) > 1:
        yield f"The action lays hands on {', '.join(named)} at once: recommend one, and the next after it is well again."
    yield from _risk(action, tuple(named), grounds)


def _risk(action: Action, named: tuple[str, ...], grounds: Grounds) -> Iterator[str]:
    entity = grounds.entity(action.entity) if action.entity else None
    if entity is None:
        yield (
            f"The action would {action.touches} something, and its entity {action.entity!r} is none that is known: name "
            f"one of {_listed(grounds.entities())}."
        )
    touched = (entity, *named) if entity else named
    for one in dict.fromkeys(touched):
        risk = grounds.stop_risk(one)
        if risk.state != "safe":
            state = "would put a quorum at risk" if risk.state == "at_risk" else "is not known to be safe"
            yield (
                f"To {action.touches} {one} {state} now: {risk.says}. Recommend what lays no hand on it, or what has to "
                "be so before it may be done."
            )


def _own_words(submission: Submission, grounds: Grounds) -> str:
    """Return the action's text without the adapter's own recommendation, which admits to what it touches."""
    text = submission.action.do
    for cause in submission.root_causes:
        kind = grounds.kinds.get(cause.kind)
        if kind is not None and kind.touches == submission.action.touches:
            text = text.replace(kind.do, " ")
    return text


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" … ({len(known) - LISTED} more)" if len(known) > LISTED else ""
    return ", ".join(known[:LISTED]) + more if known else "none"
