"""Evidence: every tool's full reply, stored under an id that claims cite."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Value


class Evidence(Value):
    """One stored reply."""

    id: str
    """`E-12`: counted per store."""
    cluster: str
    tool: str
    arguments: dict[str, JsonValue]
    at: datetime
    """The cluster's time at which it was true (a recording's clock on a recording)."""
    value: JsonValue
    """The full value, also where the reply showed a part."""
    ticket: str | None = None


class EvidenceSummary(Value):
    """One stored reply without its value."""

    id: str
    cluster: str
    tool: str
    arguments: dict[str, JsonValue]
    at: datetime
    ticket: str | None
    chars: int
    """How long the value is as JSON."""


def verdicts_value(verdicts: Iterable[Verdict]) -> dict[str, JsonValue]:
    """Return verdicts as evidence holds them: `/verdicts/{invariant}/{entity}/state` is where a claim finds them."""
    value: dict[str, dict[str, JsonValue]] = {}
    for verdict in verdicts:
        value.setdefault(verdict.invariant, {})[verdict.entity] = verdict.model_dump(
            mode="json", include={"state", "says", "value", "limit", "unit", "since", "source"}
        )
    return dict[str, JsonValue](value)


def signs_value(signs: Iterable[Sign]) -> dict[str, JsonValue]:
    """Return signs as evidence holds them: `/signs/{entity}/{sign}/state` is where a claim finds them."""
    value: dict[str, dict[str, JsonValue]] = {}
    for sign in signs:
        value.setdefault(sign.entity, {})[sign.id] = sign.model_dump(
            mode="json", include={"state", "active", "says", "value", "limit", "since", "source"}
        )
    return dict[str, JsonValue](value)
