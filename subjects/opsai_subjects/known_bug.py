"""Known bugs as data: what shows them, which releases mend them, and whether a version has them. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Literal

from opsai_subjects.model import Value

Has = Literal["yes", "maybe", "no"]
"""Whether a version has a bug; `maybe`: its line of releases holds no fix, and nobody says that the bug is as old."""

_VERSION = re.compile(r"(?<![\w.:/-])v?(\d{1,2})\.(\d{1,2})\.(\d{1,3})(?![\w:]|\.\d)")
Version = tuple[int, int, int]


class KnownBug(Value):
    """One bug of the system itself, with the issue that describes it."""

    id: str
    """`repo#18214`: the repository and the issue's number."""
    component: str
    says: str
    """What an operator sees of it, one sentence without a full stop."""
    log: tuple[str, ...] = ()
    """Texts that stand in no healthy log: one of them in a line is its mark, looked for in every look at the logs."""
    common: tuple[str, ...] = ()
    """Texts that come with it and stand in healthy logs too: a line that is shown to us is recognised by them."""
    metrics: tuple[str, ...] = ()
    """Named metrics that show it."""
    kinds: tuple[str, ...] = ()
    """Fault kinds that it looks like."""
    since: str = ""
    """The first release that has it, where that is known."""
    fixed: tuple[str, ...]
    """For each line of releases the first one that has the fix, oldest first; empty: none."""
    source: str
    checked: date
    """When this row was last compared with its source."""

    @property
    def remedy(self) -> str:
        """Say which releases mend it."""
        return f"fixed in {', '.join(self.fixed)}" if self.fixed else "no release fixes it yet"

    def had_by(self, version: Version) -> Has:
        """Say whether a version has it."""
        since = version_in(self.since)
        if since is not None and version < since:
            return "no"
        fixes = [found for text in self.fixed if (found := version_in(text)) is not None]
        own = next((fix for fix in fixes if fix[:2] == version[:2]), None)
        if own is not None:
            return "yes" if version < own else "no"
        if fixes and version > max(fixes):
            return "no"
        return "maybe"


class BugSeen(Value):
    """A known bug that a node of the cluster may have, by its version."""

    bug: KnownBug
    entity: str
    version: str
    has: Has
    sample: str = ""
    """The line of its log that bears the bug's mark, shortened; empty: none does, only the picture and the version fit."""


@lru_cache(maxsize=1024)
def version_in(text: str) -> Version | None:
    """Return the first version that a text names (`v8.5.1`, `8.5.1-alpha` is one too); dates, addresses and times are none."""
    found = _VERSION.search(text.split("-", 1)[0] if re.match(r"v?\d", text) else text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def recognised(bugs: Iterable[KnownBug], line: str) -> tuple[KnownBug, ...]:
    """Return the bugs of which a mark stands in a line."""
    return tuple(bug for bug in bugs if any(text in line for text in (*bug.log, *bug.common)))
