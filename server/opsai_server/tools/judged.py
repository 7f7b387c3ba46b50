"""Verdicts as replies show them: violated and unknown first, worst first."""

from collections.abc import Iterable, Mapping

from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.reply import without_empty

SEVERITIES = ("critical", "warning", "info")
ENTITIES = 4
GRADES = ("cause", "symptom", "sight")


def by_id(invariants: Iterable[Invariant]) -> dict[str, Invariant]:
    """Return the invariants by id."""
    return {invariant.id: invariant for invariant in invariants}


def worst_first(verdicts: Iterable[Verdict], invariants: Mapping[str, Invariant]) -> list[Verdict]:
    """Sort by severity, then causes before symptoms before sight, then by name."""

    def order(verdict: Verdict) -> tuple[int, int, str, str]:
        invariant = invariants.get(verdict.invariant)
        severity = SEVERITIES.index(invariant.severity) if invariant else len(SEVERITIES)
        grade = GRADES.index(invariant.grade) if invariant else len(GRADES)
        return (severity, grade, verdict.invariant, verdict.entity)

    return sorted(verdicts, key=order)


def row(verdict: Verdict, invariants: Mapping[str, Invariant]) -> dict[str, object]:
    """Return a verdict as one row."""
    invariant = invariants.get(verdict.invariant)
    return without_empty(
        {
            "invariant": verdict.invariant,
            "entity": verdict.entity,
            "severity": invariant.severity if invariant else "",
            "grade": invariant.grade if invariant else "",
            "says": verdict.says,
            "value": verdict.value,
            "limit": verdict.limit,
            "unit": verdict.unit,
            "since": verdict.since,
            "source": verdict.source,
        }
    )


def counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count verdicts by state."""
    states = [verdict.state for verdict in verdicts]
    return {state: states.count(state) for state in ("held", "violated", "unknown")}


def unknown_reasons(verdicts: Iterable[Verdict]) -> list[dict[str, object]]:
    """Group the unknown ones by their reason, the most frequent first; `count` says how many, `entities` names a few."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.state == "unknown":
            groups.setdefault(verdict.says, []).append(verdict)
    return [
        {
            "why": why,
            "count": len(group),
            "invariants": list(dict.fromkeys(verdict.invariant for verdict in group)),
            "entities": list(dict.fromkeys(verdict.entity for verdict in group))[:ENTITIES],
        }
        for why, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]
