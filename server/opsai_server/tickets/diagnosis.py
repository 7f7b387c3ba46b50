"""Diagnosis: what an investigation concluded, claim by claim, and how far the server could confirm it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from opsai_subjects.fault import Touches
from opsai_subjects.model import Scalar, Value

Outcome = Literal["fault", "recovered", "healthy", "inconclusive"]
Confidence = Literal["confirmed", "likely", "inconclusive"]
Op = Literal["==", "!=", "<", "<=", ">", ">=", "contains", "exists", "absent"]


class Claim(Value):
    """What is re-checked: the value at path, op, value."""

    says: Annotated[str, Field(min_length=1, max_length=600)]
    evidence_id: Annotated[str, Field(description="Of a reply: 'E-12'.")]
    path: Annotated[
        str,
        Field(description="JSON Pointer: '/verdicts/{invariant}/{entity}/state'."),
    ]
    op: Op
    value: Annotated[Scalar, Field(description="None for exists, absent.")] = None


class CheckedClaim(Value):
    """A claim after the server looked."""

    claim: Claim
    held: bool
    found: Scalar = None
    """The value that stands there, cut to 200 characters when it is longer."""
    why: str = ""
    """Why it did not hold."""


class RootCause(Value):
    """What is broken."""

    entity: Annotated[str, Field(description="{entities}")]
    kind: Annotated[str, Field(description="As differential names it: '{fault}'.")]
    explanation: Annotated[str, Field(description="How it produces what is seen.", min_length=1, max_length=2000)]


class CorrelatedMetric(Value):
    """A metric that moved with it."""

    metric: Annotated[str, Field(description="Its name, or PromQL.", max_length=1000)]
    entity: str
    says: Annotated[str, Field(description="How: figures, times.", max_length=600)]
    evidence_id: str


class Alternative(Value):
    """Another explanation that was considered."""

    kind: str
    entity: str
    against: Annotated[str, Field(description="What speaks against it.", min_length=1, max_length=1000)]
    claims: Annotated[tuple[Claim, ...], Field(description="That contradict it.")] = ()


class Action(Value):
    """What to do next. A text: nothing carries it out."""

    do: Annotated[str, Field(min_length=1, max_length=1000)]
    because: Annotated[str, Field(min_length=1, max_length=1000)]
    verify: Annotated[str, Field(description="What shows that it worked.", min_length=1, max_length=1000)]
    touches: Touches
    entity: Annotated[str, Field(description="On what; empty for nothing.")] = ""


class Submission(Value):
    """What an investigator hands in: everything in a diagnosis but what the server sets itself."""

    verdict: Annotated[
        Outcome,
        Field(
            description="fault: something is wrong now; recovered: it was and is over; healthy: nothing is or was; inconclusive."
        ),
    ]
    summary: Annotated[
        str, Field(description="What was observed, in two to six sentences.", min_length=1, max_length=4000)
    ]
    root_causes: Annotated[
        tuple[RootCause, ...],
        Field(description="Usually one; none when healthy. Each extra suspect counts against it."),
    ] = ()
    claims: Annotated[tuple[Claim, ...], Field(description="The evidence: each is re-checked.")] = ()
    correlated_metrics: tuple[CorrelatedMetric, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    action: Action


class Diagnosis(Value):
    """A submission as it was accepted, with what the server found and set."""

    id: str
    """`D-3`."""
    ticket: str | None
    """None for an investigation without a ticket."""
    cluster: str
    at: datetime
    by: str
    """Who investigated: `claude-opus-5-5`, `rules (no model)`, a client's name."""
    submission: Submission
    checked: tuple[CheckedClaim, ...]
    """Every claim, those of alternatives too, in order."""
    confidence: Confidence
    confidence_because: tuple[str, ...]
    """Why not more: what is unconfirmed, which rival still stands."""
    not_seen: tuple[str, ...]
    """What could not be read while investigating, listed by the server."""


class Conclusion(Value):
    """What the server accepted of a submission and what it found: a diagnosis before it is filed under an id."""

    submission: Submission
    """With entities under the ids that the cluster knows them by."""
    checked: tuple[CheckedClaim, ...]
    confidence: Confidence
    confidence_because: tuple[str, ...]
    not_seen: tuple[str, ...]
