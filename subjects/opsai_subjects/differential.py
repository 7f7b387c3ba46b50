"""The differential: fault kinds weighed against the signs that facts show. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from opsai_subjects.fault import Candidate, Differential, FaultKind, Sign

SUPPORT_WEIGHT = 0.5


def rank(kinds: Sequence[FaultKind], signs: Sequence[Sign], groups: Mapping[str, tuple[str, ...]]) -> Differential:
    """Weigh each kind on each entity of its group, best first, and choose the causes.

    A candidate is listed when something of what it must show is shown, and more speaks for it than against it or nothing decides. Causes are the fitting candidates that no better one on the same
    entity outranks and that no other cause explains.
    """
    by_entity: dict[str, dict[str, Sign]] = {}
    for sign in signs:
        by_entity.setdefault(sign.entity, {})[sign.id] = sign
    found = [
        candidate
        for kind in kinds
        for entity in groups.get(kind.on, ())
        if (candidate := weigh(kind, entity, by_entity.get(entity, {}))) is not None
        and (candidate.standing != "contradicted" or candidate.score > 0)
    ]
    by_id = {kind.id: kind for kind in kinds}
    found.sort(key=lambda candidate: _order(candidate, by_id[candidate.kind]))
    return Differential(candidates=tuple(found), causes=_causes(found, by_id))


def weigh(kind: FaultKind, entity: str, signs: Mapping[str, Sign]) -> Candidate | None:
    """Return how the kind fits the entity; None when nothing of what it must show is shown but signs of health."""
    support, unknown, missing = _read(kind, signs)
    if all(sign.reassures for sign in support.values()):
        return None
    contradiction = contradictions(kind, signs)
    extra = {
        name: signs[name]
        for name in kind.supports
        if name not in support and name in signs and signs[name].state == "shown"
    }
    standing: Literal["fits", "possible", "contradicted"] = "possible" if unknown or missing else "fits"
    if contradiction:
        standing = "contradicted"
    telling = sum(not sign.reassures for sign in support.values())
    score = telling + SUPPORT_WEIGHT * len(extra) - len(contradiction) - 0.25 * (len(unknown) + len(missing))
    return Candidate(
        kind=kind.id,
        entity=entity,
        standing=standing,
        active=_active(kind, signs),
        score=round(score, 2),
        support=(*support.values(), *extra.values()),
        contradiction=contradiction,
        unknown=unknown,
        missing=missing,
    )


def _read(kind: FaultKind, signs: Mapping[str, Sign]) -> tuple[dict[str, Sign], tuple[Sign, ...], tuple[str, ...]]:
    """Return which of the needed signs are shown, which it must know are unknown, and which nobody evaluated."""
    support: dict[str, Sign] = {}
    unknown: list[Sign] = []
    missing: list[str] = []
    for group in _needed(kind):
        here = [signs[name] for name in group if name in signs]
        shown = {sign.id: sign for sign in here if sign.state == "shown"}
        support |= shown
        if not shown:
            unknown += [sign for sign in here if sign.state == "unknown"]
            missing += [name for name in group if name not in signs]
    unknown += [signs[name] for name in kind.must_know if name in signs and signs[name].state == "unknown"]
    missing += [name for name in kind.must_know if name not in signs]
    return support, tuple(unknown), tuple(missing)


def contradictions(kind: FaultKind, signs: Mapping[str, Sign]) -> tuple[Sign, ...]:
    """Return the signs of an entity that speak against a kind there: what it must show is absent, what it must not is shown."""
    found: list[Sign] = []
    for group in _needed(kind):
        here = [signs[name] for name in group if name in signs]
        if len(here) == len(group) and all(sign.state == "absent" for sign in here):
            found += here
    active = _active(kind, signs)
    against = [signs[name] for name in kind.must_not_show if name in signs and signs[name].state == "shown"]
    # what is over does not speak against what goes on, and health now not against what is over
    found += [sign for sign in against if (sign.active if active else not sign.reassures)]
    return tuple({sign.id: sign for sign in found}.values())


def _needed(kind: FaultKind) -> list[tuple[str, ...]]:
    return [(name,) for name in kind.must_show] + list(kind.one_of)


def _active(kind: FaultKind, signs: Mapping[str, Sign]) -> bool:
    """Say whether all that is shown of what it must show is so at this moment."""
    for group in _needed(kind):
        shown = [signs[name] for name in group if name in signs and signs[name].state == "shown"]
        if shown and not any(sign.active for sign in shown):
            return False
    return True


def merge(now: Sequence[Sign], past: Iterable[tuple[datetime, Sequence[Sign]]]) -> tuple[Sign, ...]:
    """Add what was seen before and is not seen now: such a sign is shown and no longer active, since its first sighting."""
    earlier: dict[tuple[str, str], Sign] = {}
    first: dict[tuple[str, str], datetime] = {}
    for at, signs in sorted(past, key=lambda pair: pair[0]):
        for sign in signs:
            if sign.state == "shown" and not sign.reassures:
                key = (sign.id, sign.entity)
                earlier[key] = sign
                first.setdefault(key, sign.since or at)
    merged: list[Sign] = []
    for sign in now:
        key = (sign.id, sign.entity)
        old = earlier.pop(key, None)
        if sign.state == "shown" or old is None:
            since = min((moment for moment in (sign.since, first.get(key)) if moment is not None), default=None)
            merged.append(sign.model_copy(update={"since": since}) if sign.state == "shown" else sign)
        else:
            merged.append(old.model_copy(update={"active": False, "since": first[key]}))
    merged += [old.model_copy(update={"active": False, "since": first[key]}) for key, old in earlier.items()]
    return tuple(merged)


def _order(candidate: Candidate, kind: FaultKind) -> tuple[int, bool, float, float, str, str]:
    standing = ("fits", "possible", "contradicted").index(candidate.standing)
    # of what fits, the kind that says most; of what may be, the one that least is missing for
    first, second = (kind.weight, candidate.score) if candidate.standing == "fits" else (candidate.score, kind.weight)
    return (standing, not candidate.active, -first, -second, candidate.kind, candidate.entity)


def _causes(found: Sequence[Candidate], kinds: Mapping[str, FaultKind]) -> tuple[Candidate, ...]:
    fitting = [candidate for candidate in found if candidate.standing == "fits"]
    if any(candidate.active for candidate in fitting):
        fitting = [candidate for candidate in fitting if candidate.active]
    chosen: list[Candidate] = []
    for candidate in fitting:
        kind = kinds[candidate.kind]
        if kind.collective and any(other.kind == candidate.kind for other in chosen):
            continue
        if any(_explains(kinds[other.kind], other, candidate) for other in chosen):
            continue
        chosen = [other for other in chosen if not _explains(kind, candidate, other)]
        chosen.append(candidate)
    return tuple(chosen)


def _explains(kind: FaultKind, cause: Candidate, other: Candidate) -> bool:
    return cause.entity == other.entity or other.kind in kind.explains or "*" in kind.explains
