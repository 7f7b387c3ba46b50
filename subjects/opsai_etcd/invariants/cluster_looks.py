"""Looks at the cluster as a whole."""

from opsai_etcd.facts import MemberFacts
from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.leadership import is_gone, leader_changes, majority_gone
from opsai_etcd.signs.reach import had_by_peers
from opsai_subjects.known_bug import version_in


def any_majority_gone(look: Look, entity: str) -> Seen:
    """Most voters are gone and nobody leads."""
    found = [majority_gone(look, one.entity) for one in look.facts.voters]
    seen = next((one for one in found if one.state == "shown"), None)
    if seen is not None:
        return seen
    if look.facts.leader is not None:
        return ABSENT
    alive = [one.entity for one in look.facts.voters if one.port == "answered"]
    if look.facts.members_known and len(alive) >= look.facts.quorum:
        return ABSENT
    return unknown(f"of {len(look.facts.voters)} voters {len(alive)} are known to answer")


def margin_thin(look: Look, entity: str) -> Seen:
    """The loss of one more voter would end the majority."""
    facts = look.facts
    if not facts.members_known:
        return unknown("no member says who the members are")
    gone = [one.entity for one in facts.voters if is_gone(look, one.entity) or not one.started]
    spare, limit = len(facts.voters) - len(gone) - facts.quorum, look.limit("etcd_quorum_margin")
    if spare >= limit:
        unseen = [one.entity for one in facts.voters if one.entity not in gone and not _known_well(look, one)]
        if spare - len(unseen) < limit:
            return unknown(f"{', '.join(unseen)} could not be seen from here")
        return ABSENT
    without = f" ({', '.join(gone)} gone)" if gone else ""
    says = f"{max(spare, 0)} more of {len(facts.voters)} voters may fail{without}"
    return shown(says, max(spare, 0), limit=limit)


def _known_well(look: Look, member: MemberFacts) -> bool:
    return member.port == "answered" or had_by_peers(look, member.entity).state == "shown"


def too_few_members(look: Look, entity: str) -> Seen:
    """It has fewer voters than bear the loss of one."""
    if not look.facts.members_known:
        return unknown("no member says who the members are")
    count, limit = len(look.facts.voters), look.limit("etcd_members_enough")
    return shown(f"{count} voters", count, limit=limit) if count < limit else ABSENT


def leader_unsteady(look: Look, entity: str) -> Seen:
    """The leader changed too often within the look-back."""
    count, by = leader_changes(look)
    limit = look.limit("etcd_leader_steady")
    if count is None:
        return unknown("neither metrics nor logs say how often the leader changed")
    return shown(f"{count} changes of the leader within 10 min ({by})", count, limit=limit) if count > limit else ABSENT


def terms_apart(look: Look, entity: str) -> Seen:
    """Members that answer are in different raft terms."""
    terms = {one.entity: one.raft_term for one in look.facts.members if one.raft_term is not None}
    if len(terms) < 2:
        return unknown("fewer than two members say their raft term")
    low, high = min(terms.values()), max(terms.values())
    limit = look.limit("etcd_terms_agree")
    if high - low <= limit:
        return ABSENT  # a round of questions that meets an election sees two terms
    told = ", ".join(f"{name} {term}" for name, term in sorted(terms.items()))
    return shown(f"raft terms {told}", high - low, limit=limit)


def versions_apart(look: Look, entity: str) -> Seen:
    """Members run different versions."""
    versions = {one.entity: one.version for one in look.facts.members if one.version}
    if len(versions) < 2:
        return unknown("fewer than two members say their version")
    if len(set(versions.values())) == 1:
        return ABSENT
    told = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return shown(told, len(set(versions.values())))


def version_left(look: Look, entity: str) -> Seen:
    """The members' minor version is above the cluster's: a part of the upgrade is left."""
    told = [one for one in look.facts.members if one.version and one.cluster_version]
    if not told:
        return unknown("no member says its version and the cluster's")
    if len(told) < len(look.facts.members) or any(_minor(one) == _cluster(one) for one in told):
        return ABSENT
    return shown(f"members run {told[0].version}, the cluster's version is {told[0].cluster_version}")


def _minor(member: MemberFacts) -> tuple[int, ...]:
    return (version_in(member.version) or (0, 0, 0))[:2]


def _cluster(member: MemberFacts) -> tuple[int, ...]:
    return (version_in(member.cluster_version) or (0, 0, 0))[:2]
