"""All incidents together: counts, rates, what is wrong, and what must hold of them."""

from collections.abc import Mapping, Sequence
from math import inf
from statistics import median

from opsai_lab.evaluation.grading import Graded
from opsai_lab.truth import Truth
from opsai_subjects.model import Value

KIND_RIGHT_RATIO = 0.9
READ_CALLS = 2
READ_CHARS = 6_000
"""What reading the right cause may cost in the median."""


class Wrong(Value):
    """An incident that is not right in all, and why."""

    name: str
    why: str


class Summary(Value):
    """The counts under the table; a rate is None when nothing could be graded."""

    incidents: int
    graded: int
    """Those whose causes are known and that ran to their end."""
    healthy: int
    verdict_right: int
    entity_right: int
    kind_right: int
    verdict_right_ratio: float | None
    entity_right_ratio: float | None
    kind_right_ratio: float | None
    detected: int
    detected_after_mean_seconds: float | None
    detected_after_max_seconds: float | None
    tickets_before_injection: int
    claims: int
    claims_held: int
    read_right: int
    read_calls_median: float | None
    read_chars_median: float | None
    """Over all that were graded; one where the right cause never stood there counts as endless."""
    wrong: tuple[Wrong, ...]


def summarize(incidents: Sequence[Graded], truths: Mapping[str, Truth]) -> Summary:
    """Return the counts over all incidents; `truths` holds those that are known, by name."""
    graded = [incident for incident in incidents if incident.verdict_right is not None]
    delays = [incident.detected_after_seconds for incident in incidents if incident.detected_after_seconds is not None]

    def ratio(counted: int) -> float | None:
        return round(counted / len(graded), 3) if graded else None

    calls, chars = _cost(graded)
    verdicts = sum(bool(incident.verdict_right) for incident in graded)
    entities = sum(bool(incident.entity_right) for incident in graded)
    kinds = sum(bool(incident.kind_right) for incident in graded)
    wrong = ((incident.name, why_wrong(incident, truths.get(incident.name))) for incident in incidents)
    return Summary(
        incidents=len(incidents),
        graded=len(graded),
        healthy=sum(bool(incident.healthy) for incident in graded),
        verdict_right=verdicts,
        entity_right=entities,
        kind_right=kinds,
        verdict_right_ratio=ratio(verdicts),
        entity_right_ratio=ratio(entities),
        kind_right_ratio=ratio(kinds),
        detected=len(delays),
        detected_after_mean_seconds=round(sum(delays) / len(delays), 1) if delays else None,
        detected_after_max_seconds=max(delays, default=None),
        tickets_before_injection=sum(incident.tickets_before_injection or 0 for incident in graded),
        claims=sum(incident.claims for incident in incidents),
        claims_held=sum(incident.claims_held for incident in incidents),
        read_right=sum(incident.read is not None for incident in graded),
        read_calls_median=calls,
        read_chars_median=chars,
        wrong=tuple(Wrong(name=name, why=why) for name, why in wrong if why),
    )


def why_wrong(incident: Graded, truth: Truth | None) -> str:
    """Return what is not right about an incident, in words; empty when nothing is, or nothing is known."""
    if incident.error is not None:
        return f"it could not be run to its end: {incident.error}"
    if truth is None:
        return ""
    reasons = [*_ticket_trouble(incident, truth)]
    if not incident.verdict_right:
        reasons.append(f"the verdict is {incident.verdict or 'missing'}, not {truth.verdict}")
    if not (incident.kind_right and incident.entity_right):
        said = "; ".join(f"{cause.kind} on {cause.entity}" for cause in incident.causes) or "no cause"
        true = "; ".join(f"{cause.kind} on {' or '.join(cause.entities)}" for cause in truth.causes) or "no cause"
        reasons.append(f"it names {said} where {true} is right")
    return "; ".join(reasons)


def broken_requirements(incidents: Sequence[Graded], truths: Mapping[str, Truth]) -> tuple[str, ...]:
    """Return which of the requirements on a set of incidents do not hold, as sentences; none is good."""
    broken = [f"{incident.name} could not be run: {incident.error}" for incident in incidents if incident.error]
    graded = [incident for incident in incidents if incident.verdict_right is not None and incident.name in truths]
    for incident in graded:
        broken += [f"{incident.name}: {why}" for why in _ticket_trouble(incident, truths[incident.name])]
    wrong_entities = [incident.name for incident in graded if not incident.entity_right]
    if wrong_entities:
        broken.append(f"the entity is wrong in {', '.join(wrong_entities)}")
    kinds = sum(bool(incident.kind_right) for incident in graded)
    if graded and kinds < KIND_RIGHT_RATIO * len(graded):
        broken.append(f"the kind is right in {kinds} of {len(graded)}, less than {KIND_RIGHT_RATIO:.0%}")
    return (*broken, *_dear(graded))


def _dear(graded: Sequence[Graded]) -> list[str]:
    calls, chars = _cost(graded)
    if calls is None or chars is None or (calls <= READ_CALLS and chars <= READ_CHARS):
        return []
    return [
        f"reading the right cause takes {calls:g} calls and {chars:,.0f} characters in the median, over {READ_CALLS} or over {READ_CHARS:,}"
    ]


def _cost(graded: Sequence[Graded]) -> tuple[float | None, float | None]:
    """Return the median calls and characters until the right cause stood in a reply; one where it never did is endless."""
    if not graded:
        return None, None
    calls = median([incident.read.calls if incident.read else inf for incident in graded])
    return calls, median([incident.read.chars if incident.read else inf for incident in graded])


def _ticket_trouble(incident: Graded, truth: Truth) -> list[str]:
    trouble: list[str] = []
    if incident.tickets_before_injection:
        trouble.append(f"{incident.tickets_before_injection} tickets were raised while the cluster was healthy")
    elif incident.parent_tickets != len(truth.causes):
        trouble.append(f"{incident.parent_tickets} parent tickets for {len(truth.causes)} faults")
    return trouble
