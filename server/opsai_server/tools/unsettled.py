"""Where a rule about a cause is broken and no fault kind fits: what may be wrong there as far as can be seen. Pure."""

from collections.abc import Iterable, Mapping

from opsai_subjects.fault import Candidate, Differential
from opsai_subjects.invariant import Invariant, Verdict


def unsettled(
    found: Differential, verdicts: Iterable[Verdict], invariants: Mapping[str, Invariant]
) -> tuple[Candidate, ...]:
    """Return the best possible candidate of each entity that has a broken rule of its own and no kind that fits.

    A rule that another broken one explains is not the entity's own: it is a victim's.
    """
    violated = [verdict for verdict in verdicts if verdict.state == "violated"]
    broken = {verdict.invariant for verdict in violated}
    entities = [
        verdict.entity
        for verdict in violated
        if (rule := invariants.get(verdict.invariant)) is not None
        and rule.grade == "cause"
        and not (broken - {verdict.invariant}) & set(rule.explained_by)
    ]
    fitting = {candidate.entity for candidate in found.candidates if candidate.standing == "fits"}
    best: dict[str, Candidate] = {}
    for candidate in found.candidates:
        if candidate.standing == "possible" and candidate.active:
            best.setdefault(candidate.entity, candidate)
    return tuple(best[entity] for entity in dict.fromkeys(entities) if entity in best and entity not in fitting)
