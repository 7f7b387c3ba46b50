"""What must hold, and what was found of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from opsai_subjects.model import Scalar, Value

Grade = Literal["cause", "symptom", "sight"]
"""`cause` names the sick part itself; `symptom` is felt there but may come from elsewhere; `sight` is about our own
eyes (a target or source that cannot be read) and says nothing of the cluster."""

Severity = Literal["critical", "warning", "info"]


class Invariant(Value):
    """One thing that must hold, as data; its judge is a pure function of Facts beside it."""

    id: str
    says: str
    """What must hold, as a sentence."""
    why: str
    """Why it matters, and what follows when it does not hold."""
    severity: Severity
    grade: Grade
    for_seconds: float
    """How long it must be violated before a ticket is raised."""
    unit: str = ""
    limit: float | None = None
    """The limit, where one figure says it; a cluster's settings may say another."""
    source: str
    """Where the limit or the rule comes from."""
    unknown_means: str
    """What it means when it cannot be judged, and what to set."""
    explained_by: tuple[str, ...] = ()
    """Invariants that, violated on another entity, explain this one: then it joins their ticket and opens none of its own."""


def adjusted(
    invariants: Iterable[Invariant], limits: Mapping[str, float], for_seconds: Mapping[str, float]
) -> tuple[Invariant, ...]:
    """Return the invariants with the limits and holding times that are set for a cluster, by id.

    A limit for an invariant that has none is left out: whoever reads the settings refuses it first.
    """
    return tuple(
        one.model_copy(
            update={
                "limit": None if one.limit is None else limits.get(one.id, one.limit),
                "for_seconds": for_seconds.get(one.id, one.for_seconds),
            }
        )
        for one in invariants
    )


class Verdict(Value):
    """What was found of one invariant on one entity at one moment."""

    invariant: str
    entity: str
    state: Literal["held", "violated", "unknown"]
    says: str
    """One sentence with the figures."""
    value: Scalar = None
    limit: Scalar = None
    unit: str = ""
    source: str = ""
    """The query or path it was read from."""
    since: datetime | None = None
    """When it began, where the source can tell."""
