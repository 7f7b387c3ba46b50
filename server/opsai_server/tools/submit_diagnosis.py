"""The tool `submit_diagnosis`: conclude, and have every claim checked."""

from functools import partial
from typing import Annotated

from pydantic import Field, JsonValue

from opsai_server.concluding import Refusal, check_claims, conclude
from opsai_server.correcting import cited
from opsai_server.grounds import Grounds
from opsai_server.tickets.diagnosis import (
    Action,
    Alternative,
    CheckedClaim,
    Claim,
    CorrelatedMetric,
    Diagnosis,
    Outcome,
    RootCause,
    Submission,
)
from opsai_server.tools.desk import Desk
from opsai_server.tools.judged import by_id
from opsai_server.tools.shaping import plain
from opsai_server.tools.weighing import Weighed, weigh
from opsai_subjects.errors import OpsaiError, UnknownName
from opsai_subjects.reply import Answer, Rows, without_empty

LISTED = 20
CLAIMS = 30
NOT_SEEN = 15


async def submit_diagnosis(
    desk: Desk,
    by: str,
    verdict: Annotated[
        Outcome,
        Field(description="fault: wrong now; recovered: it is over; healthy: nothing is or was wrong."),
    ],
    summary: Annotated[str, Field(description="What was observed: 2 to 6 sentences.", min_length=1, max_length=4000)],
    action: Action,
    root_causes: Annotated[
        tuple[RootCause, ...],
        Field(description="What is broken: usually one; extra suspects count against it.", max_length=10),
    ] = (),
    claims: Annotated[tuple[Claim, ...], Field(description="The evidence.", max_length=60)] = (),
    correlated_metrics: Annotated[
        tuple[CorrelatedMetric, ...], Field(description="What moved with it.", max_length=20)
    ] = (),
    alternatives: Annotated[
        tuple[Alternative, ...], Field(description="What else was considered.", max_length=20)
    ] = (),
    ticket: Annotated[str | None, Field(description="Its ticket, where there is one: 'T-12'.")] = None,
) -> Answer:
    """Hand in the diagnosis, once, at the end; to find one use differential.

    The server, not you, sets the confidence, and re-checks each claim against its evidence: confirmed needs every must-show sign
    and each rival contradicted, else likely or inconclusive; a claim that fails lowers it. Refused, with what to correct: missing
    evidence; to restart, stop or remove while a quorum is at risk. Returns confidence, why, each claim's result. A later one for
    the ticket replaces it. Writes to opsai's store only.
    """
    submission = Submission(
        verdict=verdict,
        summary=summary,
        root_causes=root_causes,
        claims=claims,
        correlated_metrics=correlated_metrics,
        alternatives=alternatives,
        action=action,
    )
    about = await desk.ticket(ticket) if ticket else None
    weighed = await weigh(desk, about)
    weighed_id = await desk.store.put_evidence(
        cluster=desk.name,
        tool="differential",
        arguments={"for": "submit_diagnosis"},
        at=weighed.facts.at,
        value=plain(weighed.value()),
        ticket=ticket or None,
    )
    values = await _cited(desk, submission)
    found = conclude(submission, check_claims(submission, values), _grounds(desk, weighed, frozenset(values)))
    if isinstance(found, Refusal):
        raise DiagnosisRefused(found)
    diagnosis = await desk.store.save_diagnosis(
        ticket=ticket or None, cluster=desk.name, at=weighed.facts.at, by=by, conclusion=found
    )
    return Answer(at=weighed.facts.at, value={}, shown=_shown(diagnosis), evidence_id=weighed_id, stored=False)


class DiagnosisRefused(OpsaiError):
    """A submission that must be corrected first; the text lists what, and which of its claims do not hold."""

    def __init__(self, refusal: Refusal) -> None:
        wrong = [*refusal.corrections, *(_fails(one) for one in refusal.checked if not one.held)]
        listed = " ".join(f"{number}. {text}" for number, text in enumerate(wrong[:LISTED], start=1))
        more = f" … and {len(wrong) - LISTED} more." if len(wrong) > LISTED else ""
        super().__init__(
            f"The diagnosis is not accepted and nothing was saved. Correct this and submit again: {listed}{more}"
        )


def _fails(one: CheckedClaim) -> str:
    return f"The claim {one.claim.says[:120]!r} does not hold: {one.why}."


async def _cited(desk: Desk, submission: Submission) -> dict[str, JsonValue]:
    """Return the values of the evidence that is cited, by id; what another cluster's store holds counts as missing."""
    values: dict[str, JsonValue] = {}
    for ident in cited(submission):
        try:
            values[ident] = (await desk.evidence(ident)).value
        except UnknownName:
            continue
    return values


def _grounds(desk: Desk, weighed: Weighed, evidence_ids: frozenset[str]) -> Grounds:
    facts, subject = weighed.facts, desk.subject
    return Grounds(
        kinds=weighed.kinds,
        invariants=by_id(desk.subject.invariants),
        groups=subject.groups(facts),
        signs=weighed.signs,
        differential=weighed.differential,
        verdicts=weighed.verdicts,
        unread=weighed.unread(),
        evidence_ids=evidence_ids,
        same_entity=partial(subject.same_entity, facts),
        stop_risk=partial(subject.stop_risk, facts),
        parts=subject.kind.parts,
    )


def _shown(diagnosis: Diagnosis) -> dict[str, object]:
    claims = [
        without_empty({"says": one.claim.says, "held": one.held, "found": one.found, "why": one.why})
        for one in diagnosis.checked
    ]
    where = "the whole diagnosis by tickets(id=…)" if diagnosis.ticket else "the rest is stored with it"
    return {
        "accepted": True,
        "diagnosis_id": diagnosis.id,
        "ticket": diagnosis.ticket,
        "confidence": diagnosis.confidence,
        "because": Rows(diagnosis.confidence_because[:LISTED], len(diagnosis.confidence_because), where),
        "claims": Rows(claims[:CLAIMS], len(claims), where),
        "not_seen": Rows(diagnosis.not_seen[:NOT_SEEN], len(diagnosis.not_seen), where),
    }
