"""Which known bugs a cluster shows: by a mark in a log, or by the picture of a fault and a version that has them. Pure."""

from collections.abc import Collection

from opsai_subjects.known_bug import BugSeen, KnownBug, Version, version_in
from opsai_tikv.facts import TikvFacts
from opsai_tikv.known_bugs import known_bugs
from opsai_tikv.logs.patterns_bugs import pattern_id


def bugs_seen(facts: TikvFacts, kinds: Collection[str]) -> tuple[BugSeen, ...]:
    """Return the known bugs whose mark stands in the log of a node that may have them, then those that look like one of the kinds.

    The latter are named once, for the first node whose version surely has them. Nobody's version known: none.
    """
    marked: list[BugSeen] = []
    alike: list[BugSeen] = []
    for bug in known_bugs():
        versions = _versions(facts, bug)
        found = _marked(facts, bug, versions)
        marked += found
        if not found and not set(bug.kinds).isdisjoint(kinds):
            alike += _alike(bug, versions)[:1]
    return (*sorted(marked, key=lambda one: one.has != "yes"), *alike)


def _marked(facts: TikvFacts, bug: KnownBug, versions: dict[str, Version]) -> list[BugSeen]:
    found: list[BugSeen] = []
    for entity, version in versions.items():
        log = facts.logs.get(entity)
        count = log.patterns.get(pattern_id(bug.id)) if log else None
        if count is None:
            continue
        has = bug.had_by(version)
        if has != "no":
            found.append(BugSeen(bug=bug, entity=entity, version=_written(version), has=has, sample=count.sample))
    return found


def _alike(bug: KnownBug, versions: dict[str, Version]) -> list[BugSeen]:
    return [
        BugSeen(bug=bug, entity=entity, version=_written(version), has="yes")
        for entity, version in versions.items()
        if bug.had_by(version) == "yes"
    ]


def _versions(facts: TikvFacts, bug: KnownBug) -> dict[str, Version]:
    """Return the version of each node that runs what the bug is in and says its version."""
    nodes = facts.members if bug.id.startswith("pd#") else facts.stores
    return {node.entity: found for node in nodes if (found := version_in(node.version)) is not None}


def _written(version: Version) -> str:
    return ".".join(map(str, version))
