"""Kinds of places where a local cluster can run, found by their entry points."""

from importlib.metadata import EntryPoints, entry_points
from typing import cast

from opsai_lab.errors import LabError
from opsai_lab.targets.target import TargetKind
from opsai_subjects.errors import UnknownName

GROUP = "opsai.targets"


def target_kind(name: str) -> TargetKind:
    """Return the kind of that name. Raises UnknownName with the installed ones, LabError when it cannot be loaded."""
    found = entry_points(group=GROUP)
    for point in found:
        if point.name == name:
            try:
                return cast("TargetKind", point.load())  # an entry point is untyped
            except (ImportError, AttributeError) as error:
                raise LabError(
                    f"The target {name!r} ({point.value}) is installed and cannot be loaded: {error}."
                ) from error
    raise UnknownName("target", name, _names(found), advice="Is its package installed?")


def target_names() -> tuple[str, ...]:
    """Return the names of the installed kinds."""
    return _names(entry_points(group=GROUP))


def _names(found: EntryPoints) -> tuple[str, ...]:
    return tuple(sorted({point.name for point in found}))
