"""A submission written from what was read: by the rules, and by the loop when a backend brings none."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from opsai_agent.backend import JsonObject, ToolReply
from opsai_agent.reading import Candidate, Cause, Findings, Sign, pointer
from opsai_server.tickets.diagnosis import (
    Action,
    Alternative,
    Claim,
    CorrelatedMetric,
    Outcome,
    RootCause,
    Submission,
)

MAX_SUPPORTS = 4
"""Supporting signs claimed for each cause, beside all that it must show."""
MAX_FURTHER = 3
"""Candidates that are named as alternatives beside the rivals."""
MAX_SAID = 5
RANKS_LOWER = "Nothing that was read contradicts it; it ranks lower, as less of it is shown."
SAYS_CHARS = 600
AGAINST_CHARS = 1000
SUMMARY_CHARS = 4000

Caution = Literal["as_known", "observe_only"]
"""How far the action may go: as the fault kind knows it, or nothing that lays hands on the cluster."""


def draft(
    findings: Findings,
    *,
    metrics: Sequence[CorrelatedMetric] = (),
    context: Sequence[str] = (),
    caution: Caution = "as_known",
    refused: str = "",
) -> Submission:
    """Write the submission that these findings bear out. `context` are further sentences for the summary."""
    causes = tuple(cause for cause in findings.causes if cause.kind in findings.kinds)
    verdict = _verdict(findings, causes)
    return Submission(
        verdict=verdict,
        summary=cut(" ".join(_summary(findings, causes, verdict, context)), SUMMARY_CHARS),
        root_causes=tuple(_root_cause(findings, cause) for cause in causes),
        claims=tuple(_claims(findings, causes)),
        correlated_metrics=tuple(metrics),
        alternatives=tuple(_alternatives(findings, causes)),
        action=_action(findings, causes, verdict, caution, refused),
    )


def last_resort(replies: Sequence[ToolReply], *, by: str, why: str) -> tuple[JsonObject, ...]:
    """Return inconclusive submissions that say who did not conclude and why, the fullest first."""
    seen = [f"{reply.call.name} ({reply.evidence_id})" for reply in replies if reply.evidence_id]
    said = [sentence for reply in replies for sentence in _sentences(reply)]
    begin = f"No diagnosis: {by} did not conclude, because {why}. This entry was written by the loop, not by {by}."
    asked = f"Asked before that: {', '.join(seen)}." if seen else "Nothing had been read before that."
    action = Action(
        do="Investigate again with a larger budget, or read the evidence listed here.",
        because="What was read so far was never weighed.",
        verify="A diagnosis that is not inconclusive stands on the ticket.",
        touches="nothing",
    )
    bare = Submission(verdict="inconclusive", summary=cut(f"{begin} {asked}", SUMMARY_CHARS), action=action)
    if not said:
        return (bare.model_dump(mode="json"),)
    full = bare.model_copy(update={"summary": cut(f"{begin} {asked} Seen: {' '.join(said[:MAX_SAID])}", SUMMARY_CHARS)})
    return full.model_dump(mode="json"), bare.model_dump(mode="json")


def cut(text: str, limit_chars: int) -> str:
    """Return the text, cut at the limit with the cut marked."""
    return text if len(text) <= limit_chars else f"{text[: limit_chars - 1]}…"


def _verdict(findings: Findings, causes: Sequence[Cause]) -> Outcome:
    if any(cause.active for cause in causes):
        return "fault"
    if causes:
        return "recovered"
    unexplained = [violation for violation in findings.violated if violation.grade != "sight"]
    return "inconclusive" if unexplained or findings.causes or any(_blind(findings)) else "healthy"


def _blind(findings: Findings) -> Iterator[str]:
    if findings.invariants_id is None:
        yield "check_invariants could not be read."
    if findings.differential_id is None:
        yield "differential could not be read."
    if findings.counts.mostly_unknown:
        yield f"Most cannot be seen: {findings.counts.unknown} verdicts are unknown and {findings.counts.held} held."


def _summary(findings: Findings, causes: Sequence[Cause], verdict: Outcome, context: Sequence[str]) -> Iterator[str]:
    for cause in causes:
        over = "" if cause.active else " (over now)"
        yield _sentence(f"{cause.who}: {findings.kinds[cause.kind].says or cause.kind}{over}")
        yield from (_capital(_sentence(sign.says)) for _, sign in _core(findings, cause)[:MAX_SAID])
    if verdict == "healthy":
        yield "No fault kind fits, now or in the window looked at."
        yield "All that is violated is our own sight:" if findings.violated else "No invariant is violated."
    if verdict == "inconclusive":
        yield from tuple(_blind(findings)) or ("No fault kind fits what is seen.",)
        yield from _undecided(findings)
    if not causes:
        yield from (_sentence(f"{v.invariant} on {v.entity}: {v.says}") for v in findings.violated[:MAX_SAID])
    yield from (_sentence(text) for text in context)


def _undecided(findings: Findings) -> Iterator[str]:
    possible = [c for c in findings.candidates if c.standing == "possible"][:MAX_FURTHER]
    if possible:
        named = ", ".join(f"{c.kind} on {c.entity}" for c in possible)
        yield f"Possible, with something needed still unknown: {named}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _root_cause(findings: Findings, cause: Cause) -> RootCause:
    told = " ".join(_capital(_sentence(sign.says)) for _, sign in _core(findings, cause))
    says = _capital(_sentence(findings.kinds[cause.kind].says))
    return RootCause(entity=cause.entity, kind=cause.kind, explanation=cut(f"{says} {told}".strip(), 2000))


def _core(findings: Findings, cause: Cause) -> list[tuple[str, Sign]]:
    kind = findings.kinds[cause.kind]
    return findings.shown(cause.entity, _once((*kind.must_show, *(s for group in kind.one_of for s in group))))


def _claims(findings: Findings, causes: Sequence[Cause]) -> Iterator[Claim]:
    yield from _verdict_claims(findings)
    if findings.differential_id is None:
        return
    for cause in causes:
        kind = findings.kinds[cause.kind]
        signs = [*_core(findings, cause), *findings.shown(cause.entity, kind.supports)[:MAX_SUPPORTS]]
        for sign_id, sign in _distinct(signs):
            yield _state_claim(findings.differential_id, cause.entity, sign_id, sign)
            yield from _figure_claim(findings.differential_id, cause.entity, sign_id, sign)


def _verdict_claims(findings: Findings) -> Iterator[Claim]:
    ticket = findings.ticket
    if ticket is None:
        return
    now = next((v for v in findings.violated if v.is_of(ticket)), None)
    evidence = findings.invariants_id if now is not None else findings.raised_id
    if evidence is None:
        return
    yield Claim(
        says=cut(now.says if now is not None and now.says else ticket.title or ticket.invariant, SAYS_CHARS),
        evidence_id=evidence,
        path=pointer("verdicts", ticket.invariant, ticket.entity, "state"),
        op="==",
        value="violated",
    )


def _state_claim(evidence_id: str, entity: str, sign_id: str, sign: Sign) -> Claim:
    return Claim(
        says=cut(f"{entity}: {_told(sign_id, sign)}", SAYS_CHARS),
        evidence_id=evidence_id,
        path=pointer("signs", entity, sign_id, "state"),
        op="==",
        value=sign.state,
    )


def _told(sign_id: str, sign: Sign) -> str:
    """Say a sign in words; one without a sentence of its own needs its name."""
    if sign.state in ("shown", "absent"):
        return sign.says or f"{sign_id} is {sign.state}"
    return f"{sign_id} is {sign.state}{f': {sign.says}' if sign.says else ''}"


def _figure_claim(evidence_id: str, entity: str, sign_id: str, sign: Sign) -> Iterator[Claim]:
    value, limit = _number(sign.value), _number(sign.limit)
    if value is None or limit is None:
        return
    above = value >= limit
    yield Claim(
        says=cut(
            f"{entity}: {sign_id} is {value:g}, {'at or above' if above else 'below'} its limit {limit:g}", SAYS_CHARS
        ),
        evidence_id=evidence_id,
        path=pointer("signs", entity, sign_id, "value"),
        op=">=" if above else "<",
        value=limit,
    )


def _alternatives(findings: Findings, causes: Sequence[Cause]) -> Iterator[Alternative]:
    named = {(cause.kind, cause.entity) for cause in causes}
    for cause in causes:
        for rival in cause.rivals:
            if (rival.kind, cause.entity) not in named:
                named.add((rival.kind, cause.entity))
                yield _alternative(findings, rival.kind, cause.entity, rival.against, rival.open, RANKS_LOWER)
    one_cause = {cause.kind for cause in causes if findings.kinds[cause.kind].collective}
    further = [c for c in findings.candidates if (c.kind, c.entity) not in named and c.kind not in one_cause]
    for candidate in further[:MAX_FURTHER]:
        lower = _lower(candidate, causes)
        yield _alternative(
            findings, candidate.kind, candidate.entity, candidate.contradiction, candidate.unknown, lower
        )


def _lower(candidate: Candidate, causes: Sequence[Cause]) -> str:
    if candidate.standing == "fits" and causes:
        return f"It fits as well, and {' and '.join(cause.kind for cause in causes)} explains it."
    return RANKS_LOWER


def _alternative(
    findings: Findings, kind: str, entity: str, against_ids: Sequence[str], open_ids: Sequence[str], lower: str
) -> Alternative:
    against = findings.told(entity, against_ids)
    told = " ".join(_sentence(_told(sign_id, sign)) for sign_id, sign in against)
    undecided = f"Nothing that was read contradicts it; unknown: {', '.join(open_ids)}." if open_ids else ""
    undecided = f"Contradicted by {', '.join(against_ids)}." if against_ids else undecided
    evidence = findings.differential_id
    return Alternative(
        kind=kind,
        entity=entity,
        against=cut(told or undecided or lower, AGAINST_CHARS),
        claims=tuple(_state_claim(evidence, entity, sign_id, sign) for sign_id, sign in against) if evidence else (),
    )


def _action(findings: Findings, causes: Sequence[Cause], verdict: Outcome, caution: Caution, refused: str) -> Action:
    if not causes:
        return _quiet_action(findings, verdict)
    cause = next((c for c in causes if c.active), causes[0])
    kind = findings.kinds[cause.kind]
    if caution == "observe_only" and kind.touches != "nothing":
        return Action(
            do=f"Leave {cause.who} as it is for now and keep watching it until every quorum is known to be safe.",
            because=cut(
                f"The known remedy ({_sentence(kind.do)}) was refused: {_sentence(refused)} {kind.because}", 1000
            ),
            verify=cut(kind.verify or "The signs named here are absent again.", 1000),
            touches="nothing",
            entity=cause.entity,
        )
    over = "" if verdict == "fault" else "It is over; to keep it from coming back: "
    return Action(
        do=cut(f"{over}{kind.do or f'Look after {cause.entity}.'}", 1000),
        because=cut(kind.because or kind.says or "It is the cause found.", 1000),
        verify=cut(kind.verify or "The signs named here are absent again.", 1000),
        touches=kind.touches,
        entity=cause.entity,
    )


def _quiet_action(findings: Findings, verdict: Outcome) -> Action:
    first = next(iter(findings.violated), None)
    blind = all(violation.grade == "sight" for violation in findings.violated)
    if first is not None and blind and (verdict == "healthy" or findings.counts.mostly_unknown):
        shows = "most of it is unknown" if findings.counts.mostly_unknown else "the cluster itself shows nothing wrong"
        return Action(
            do=f"Restore our sight of {first.entity}: {first.invariant}.",
            because=f"What cannot be read cannot be judged; {shows}.",
            verify=f"{first.invariant} is held again.",
            touches="nothing",
            entity=first.entity,
        )
    if verdict == "healthy":
        return Action(
            do="Nothing needs doing.",
            because="No invariant is violated and no fault kind fits.",
            verify="The invariants stay held.",
            touches="nothing",
        )
    possible = next((c for c in findings.candidates if c.standing == "possible"), None)
    on = f" of {first.entity} around {first.invariant}" if first else ""
    about = f"what is unknown about {possible.kind} on {possible.entity}" if possible else f"the metrics and logs{on}"
    return Action(
        do=f"Read {about} next.",
        because="Something is or may be wrong and no known fault kind explains it.",
        verify="A cause is named that the evidence bears out, or the violated invariants are held again.",
        touches="nothing",
        entity=first.entity if first else "",
    )


def _sentences(reply: ToolReply) -> Iterator[str]:
    for name in ("causes", "violated"):
        items = reply.value.get(name)
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and (said := item.get("says") or item.get("kind")):
                yield _sentence(f"{item.get('entity', '')}: {said}")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _distinct(signs: Iterable[tuple[str, Sign]]) -> Iterator[tuple[str, Sign]]:
    yield from dict(signs).items()
