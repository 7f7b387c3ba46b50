"""Pattern: one decisive log message, known by its text."""

from typing import Literal

from opsai_subjects.model import Value


class Pattern(Value):
    """One decisive message."""

    id: str
    role: Literal["tikv", "pd", "any"]
    """Whose log it stands in."""
    contains: tuple[str, ...]
    """Plain texts, at least one of which stands in its message; fit for a search of raw lines too."""
    regex: str = ""
    """What the message must match besides, where the texts alone are not decisive."""
    unless: tuple[str, ...] = ()
    """Plain texts that, in the message, make it another one."""
    says: str
    """What it means."""


def pattern(
    id: str,  # noqa: A002 - the field's own name
    role: Literal["tikv", "pd", "any"],
    *contains: str,
    says: str,
    regex: str = "",
    unless: tuple[str, ...] = (),
) -> Pattern:
    """Return a pattern, its texts given one after another."""
    return Pattern(id=id, role=role, contains=contains, says=says, regex=regex, unless=unless)
