"""Which known bugs a cluster shows: those that look like the picture of a fault and that a member's version has. Pure."""

from collections.abc import Collection

from opsai_etcd.facts import EtcdFacts
from opsai_etcd.known_bugs import known_bugs
from opsai_subjects.known_bug import BugSeen, version_in


def bugs_seen(facts: EtcdFacts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
    """Return the known bugs that look like one of the kinds, each once, for the first member whose version surely has it."""
    versions = [(one.entity, version) for one in facts.members if (version := version_in(one.version)) is not None]
    found: list[BugSeen] = []
    for bug in known_bugs():
        if set(bug.kinds).isdisjoint(kinds):
            continue
        having = next(((entity, version) for entity, version in versions if bug.had_by(version) == "yes"), None)
        if having is not None:
            written = ".".join(map(str, having[1]))
            found.append(BugSeen(bug=bug, entity=having[0], version=written, has="yes"))
    return tuple(found)
