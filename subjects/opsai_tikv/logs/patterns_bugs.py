"""The marks that known bugs leave in a log, as patterns: what a look at the logs searches for besides."""

from opsai_subjects.known_bug import KnownBug
from opsai_tikv.known_bugs import known_bugs
from opsai_tikv.logs.pattern import Pattern


def pattern_id(bug: str) -> str:
    """Return the id of a known bug's pattern (`tikv#18214` -> `bug_tikv_18214`)."""
    return f"bug_{bug.replace('#', '_')}"


def _pattern(bug: KnownBug) -> Pattern:
    says = f"the mark of the known bug {bug.id}: {bug.says} ({bug.remedy})"
    in_pd = bug.id.startswith("pd#")
    return Pattern(id=pattern_id(bug.id), role="pd" if in_pd else "tikv", contains=bug.log, says=says)


BUG_PATTERNS: tuple[Pattern, ...] = tuple(_pattern(bug) for bug in known_bugs() if bug.log)
