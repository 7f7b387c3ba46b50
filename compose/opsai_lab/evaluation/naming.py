"""Causes as they are named, and whether they are the true ones. Pure."""

from collections.abc import Callable, Sequence
from itertools import permutations

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.truth import TrueCause
from opsai_subjects.model import Value


class NamedCause(Value):
    """A cause as an investigator named it, its kind in the vocabulary of recordings."""

    kind: str
    entity: str


def vocabulary(kind: str) -> str:
    """Return the recordings' word for a fault kind: an adapter may be finer after a slash."""
    return kind.partition("/")[0]


def kinds_match(true: Sequence[TrueCause], named: Sequence[NamedCause]) -> bool:
    """Say whether the kinds are the true ones, one to one: none missing, none more."""
    return sorted(cause.kind for cause in true) == sorted(cause.kind for cause in named)


def entities_match(true: Sequence[TrueCause], named: Sequence[NamedCause], aliases: Aliases) -> bool:
    """Say whether each true cause is met by another named entity, one to one: none missing, none more."""

    def meets(cause: TrueCause, candidate: NamedCause) -> bool:
        return any(aliases.same(entity, candidate.entity) for entity in cause.entities)

    return _pair_up(true, named, meets)


def _pair_up(
    true: Sequence[TrueCause], named: Sequence[NamedCause], meets: Callable[[TrueCause, NamedCause], bool]
) -> bool:
    if len(true) != len(named):
        return False
    return any(all(map(meets, true, order)) for order in permutations(named))
