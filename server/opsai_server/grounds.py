"""Grounds: everything that a submission is judged against, gathered by whoever received it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opsai_subjects.fault import Candidate, Differential, FaultKind, Sign
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.model import Unread
from opsai_subjects.subject import Risk


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known at the moment of concluding."""

    kinds: Mapping[str, FaultKind]
    """All fault kinds by id."""
    invariants: Mapping[str, Invariant]
    """All invariants by id."""
    groups: Mapping[str, tuple[str, ...]]
    signs: tuple[Sign, ...]
    """Those of now, merged with the watcher's earlier ones."""
    differential: Differential
    """Ranked from these signs."""
    verdicts: tuple[Verdict, ...]
    unread: tuple[Unread, ...]
    evidence_ids: frozenset[str]
    """Of the ids that the submission cites, those that are in the store, as they are cited."""
    same_entity: Callable[[str], str | None]
    """The subject's, on the facts of now."""
    stop_risk: Callable[[str], Risk]
    """The subject's, on the facts of now."""
    parts: tuple[str, ...] = ()
    """The kind's words for what it is made of."""

    def entity(self, name: str) -> str | None:
        """Return the entity meant by a name; None when nothing is known under it."""
        return self.same_entity(name) or (name if name in self.entities() else None)

    def entities(self) -> tuple[str, ...]:
        """Return every entity that anything is known of, the groups' first."""
        known = [entity for group in self.groups.values() for entity in group]
        known += [candidate.entity for candidate in self.differential.candidates]
        known += [verdict.entity for verdict in self.verdicts]
        known += [sign.entity for sign in self.signs]
        return tuple(dict.fromkeys(known))

    def candidate(self, kind: str, entity: str) -> Candidate | None:
        """Return how a kind fits an entity; None when nothing that it must show is shown there."""
        return next(
            (one for one in self.differential.candidates if (one.kind, one.entity) == (kind, entity)),
            None,
        )

    def signs_on(self, entity: str) -> dict[str, Sign]:
        """Return the signs of an entity by id."""
        return {sign.id: sign for sign in self.signs if sign.entity == entity}


def unseen(kind: FaultKind, entity: str, signs: Mapping[str, Sign]) -> tuple[str, ...]:
    """Say which of a kind's deciding signs nobody could see on an entity."""
    deciding = [*kind.must_show, *(name for group in kind.one_of for name in group), *kind.must_not_show]
    said: list[str] = []
    for name in dict.fromkeys(deciding):
        sign = signs.get(name)
        if sign is None:
            said.append(f"{name} on {entity}: not evaluated")
        elif sign.state == "unknown":
            said.append(f"{name} on {entity}: {sign.says}")
    return tuple(said)
