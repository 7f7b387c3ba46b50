"""Adapters, found by their entry points."""

from importlib.metadata import entry_points
from typing import cast

from opsai_subjects.errors import UnknownName
from opsai_subjects.subject import SubjectKind

GROUP = "opsai.subjects"


def subject_kind(name: str) -> SubjectKind:
    """Return the adapter of that name. Raises UnknownName with the installed ones."""
    found = entry_points(group=GROUP)
    for point in found:
        if point.name == name:
            return cast("SubjectKind", point.load())  # an entry point is untyped; the conformance tests check it
    raise UnknownName("subject", name, tuple(sorted(point.name for point in found)), advice="Is its package installed?")
