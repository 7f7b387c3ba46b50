"""Concluding: what of a submission is accepted, and how far the evidence confirms it. Pure; prose raises nothing."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from opsai_server.claims import check, no_evidence
from opsai_server.correcting import corrections
from opsai_server.grounds import Grounds, unseen
from opsai_server.tickets.diagnosis import (
    Alternative,
    CheckedClaim,
    Claim,
    Conclusion,
    Confidence,
    RootCause,
    Submission,
)
from opsai_subjects.differential import contradictions
from opsai_subjects.fault import FaultKind, Sign
from opsai_subjects.model import Value

NOT_SEEN_LISTED = 60


class Refusal(Value):
    """A submission that cannot be accepted as it is."""

    corrections: tuple[str, ...]
    """What to put right, one sentence each."""
    checked: tuple[CheckedClaim, ...]
    """Its claims, checked all the same."""


def claims_of(submission: Submission) -> tuple[Claim, ...]:
    """Return every claim, those of alternatives after the submission's own."""
    return (*submission.claims, *(claim for other in submission.alternatives for claim in other.claims))


def check_claims(submission: Submission, evidence: Mapping[str, JsonValue]) -> tuple[CheckedClaim, ...]:
    """Check every claim against the values of the evidence, by id as cited; an id that is missing does not hold."""
    return tuple(
        check(claim, evidence[claim.evidence_id]) if claim.evidence_id in evidence else no_evidence(claim)
        for claim in claims_of(submission)
    )


def conclude(submission: Submission, checked: Sequence[CheckedClaim], grounds: Grounds) -> Conclusion | Refusal:
    """Return the submission as it is accepted, with its confidence, or what must be put right first.

    `confirmed`: every claim held; each root cause fits, with each of its rivals there contradicted; the causes named are
    those of the differential. `inconclusive`: said so, or fewer than half of the claims held, or the facts contradict it.
    Everything between is `likely`, and the reasons say what is missing.
    """
    wrong = corrections(submission, grounds)
    if wrong:
        return Refusal(corrections=wrong, checked=tuple(checked))
    accepted = _with_known_entities(submission, grounds)
    confidence, because = _confidence(accepted, checked, grounds)
    return Conclusion(
        submission=accepted,
        checked=tuple(checked),
        confidence=confidence,
        confidence_because=because,
        not_seen=_not_seen(accepted, grounds),
    )


def _with_known_entities(submission: Submission, grounds: Grounds) -> Submission:
    def known(name: str) -> str:
        return (grounds.entity(name) if name else None) or name

    causes: dict[tuple[str, str], RootCause] = {}
    for cause in submission.root_causes:
        entity = known(cause.entity)
        causes.setdefault((cause.kind, entity), cause.model_copy(update={"entity": entity}))
    others: tuple[Alternative, ...] = tuple(
        other.model_copy(update={"entity": known(other.entity)}) for other in submission.alternatives
    )
    action = submission.action.model_copy(update={"entity": known(submission.action.entity)})
    return submission.model_copy(
        update={"root_causes": tuple(causes.values()), "alternatives": others, "action": action}
    )


def _confidence(
    submission: Submission, checked: Sequence[CheckedClaim], grounds: Grounds
) -> tuple[Confidence, tuple[str, ...]]:
    doubts = [f"a claim does not hold: {one.claim.says} ({one.why})" for one in checked if not one.held]
    if submission.verdict == "inconclusive":
        return "inconclusive", ("the investigation says so itself", *doubts)
    if 2 * len(doubts) > len(checked):
        return "inconclusive", (f"only {len(checked) - len(doubts)} of {len(checked)} claims hold", *doubts)
    denied = tuple(_denials(submission, grounds))
    if denied:
        return "inconclusive", (*denied, *doubts)
    doubts += _health_doubts(grounds) if submission.verdict == "healthy" else _fault_doubts(submission, grounds)
    return ("likely", tuple(doubts)) if doubts else ("confirmed", ())


def _denials(submission: Submission, grounds: Grounds) -> Iterator[str]:
    """Yield what the facts say against the verdict itself."""
    for cause in submission.root_causes:
        contradiction = contradictions(grounds.kinds[cause.kind], grounds.signs_on(cause.entity))
        candidate = grounds.candidate(cause.kind, cause.entity)
        if not contradiction and candidate is not None and candidate.standing == "contradicted":
            contradiction = candidate.contradiction
        if contradiction:
            yield f"{cause.kind} on {cause.entity} is contradicted: {_said(contradiction)}"
    if submission.verdict == "healthy":
        for found in grounds.differential.causes:
            if found.active:
                yield f"not healthy: {found.kind} fits {found.entity} now"
        for verdict in grounds.verdicts:
            if verdict.state == "violated" and _is_cause(verdict.invariant, grounds):
                yield f"not healthy: {verdict.invariant} is violated on {verdict.entity}: {verdict.says}"


def _health_doubts(grounds: Grounds) -> Iterator[str]:
    for found in grounds.differential.causes:
        yield f"{found.kind} fitted {found.entity} a short time ago"
    unknown = [one for one in grounds.verdicts if one.state == "unknown" and _is_cause(one.invariant, grounds)]
    if unknown:
        first = unknown[0]
        yield f"{len(unknown)} verdicts are unknown: {first.invariant} on {first.entity}: {first.says}, for one"


def _fault_doubts(submission: Submission, grounds: Grounds) -> Iterator[str]:
    for cause in submission.root_causes:
        yield from _cause_doubts(cause, submission, grounds)
    named = {_name(grounds.kinds[cause.kind], cause.entity) for cause in submission.root_causes}
    found = {_name(grounds.kinds[cause.kind], cause.entity) for cause in grounds.differential.causes}
    for kind, entity in sorted(found - named):
        yield f"the differential has {kind} on {entity} as a cause too"
    for kind, entity in sorted(named - found):
        yield f"the differential does not have {kind} on {entity} as a cause"


def _name(kind: FaultKind, entity: str) -> tuple[str, str]:
    return (kind.id, "several" if kind.collective else entity)


def _cause_doubts(cause: RootCause, submission: Submission, grounds: Grounds) -> Iterator[str]:
    candidate = grounds.candidate(cause.kind, cause.entity)
    kind = grounds.kinds[cause.kind]
    if candidate is None:
        yield f"nothing that {cause.kind} must show is shown on {cause.entity}"
        return
    if candidate.standing != "fits":
        open_signs = (*(sign.id for sign in candidate.unknown), *candidate.missing)
        yield f"{cause.kind} on {cause.entity} is {candidate.standing}: {', '.join(open_signs) or 'not settled'} unknown"
    if candidate.active != (submission.verdict == "fault"):
        yield f"{cause.kind} on {cause.entity} is {'still so' if candidate.active else 'over'}, and the verdict is {submission.verdict}"
    signs = grounds.signs_on(cause.entity)
    for name in kind.rivals:
        rival = grounds.kinds.get(name)
        if rival is None or cause.entity not in grounds.groups.get(rival.on, ()):
            continue
        if not contradictions(rival, signs):
            yield f"its rival {name} is not ruled out on {cause.entity}"


def _not_seen(submission: Submission, grounds: Grounds) -> tuple[str, ...]:
    said = [f"{part.source}: {part.asked}: {part.why}" for part in grounds.unread]
    for cause in submission.root_causes:
        signs = grounds.signs_on(cause.entity)
        kind = grounds.kinds[cause.kind]
        said += unseen(kind, cause.entity, signs)
        for name in kind.rivals:
            rival = grounds.kinds.get(name)
            if (
                rival is not None
                and cause.entity in grounds.groups.get(rival.on, ())
                and not contradictions(rival, signs)
            ):
                said += unseen(rival, cause.entity, signs)
    if submission.verdict == "healthy":
        said += [
            f"{one.invariant} on {one.entity}: {one.says}"
            for one in grounds.verdicts
            if one.state == "unknown" and _is_cause(one.invariant, grounds)
        ]
    listed = list(dict.fromkeys(said))
    more = [f"and {len(listed) - NOT_SEEN_LISTED} more"] if len(listed) > NOT_SEEN_LISTED else []
    return (*listed[:NOT_SEEN_LISTED], *more)


def _is_cause(invariant: str, grounds: Grounds) -> bool:
    known = grounds.invariants.get(invariant)
    return known is not None and known.grade == "cause"


def _said(signs: Sequence[Sign]) -> str:
    return "; ".join(f"{sign.id} {'is' if sign.state == 'shown' else 'is not'} shown ({sign.says})" for sign in signs)
