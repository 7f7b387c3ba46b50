"""Whether a member could be stopped now without losing the majority. Pure."""

from opsai_etcd.facts import CLUSTER, EtcdFacts, MemberFacts
from opsai_subjects.subject import Risk


def stop_risk(facts: EtcdFacts, entity: str) -> Risk:
    """Say whether this member could be stopped now without losing a quorum.

    A voter counts as alive only when it answers and knows a leader: one that nobody reaches from here may be well, and is
    not counted on.
    """
    if entity == CLUSTER:
        return Risk(state="at_risk", says="stopping the whole cluster ends all service")
    member = facts.member(entity)
    if member is None:
        return Risk(state="unknown", says=f"{entity} is no member of this cluster")
    if not facts.members_known:
        return Risk(state="unknown", says="no member says who the members are, so the majority cannot be counted")
    if member.is_learner:
        return Risk(state="safe", says=f"{member.name} is a learner: it does not vote")
    voters = facts.voters
    alive = [one for one in voters if one.entity != entity and _alive(one)]
    unknown = [one for one in voters if one.entity != entity and one.port == "unknown"]
    left = f"{len(alive)} of {len(voters)} voters would be left, {facts.quorum} are a majority"
    if len(alive) >= facts.quorum:
        lead = "; it leads: another member is elected within an election timeout" if member.leads else ""
        return Risk(state="safe", says=f"{left}{lead}")
    if len(alive) + len(unknown) >= facts.quorum:
        return Risk(state="unknown", says=f"{left}; {len(unknown)} could not be asked from here")
    return Risk(state="at_risk", says=left)


def _alive(member: MemberFacts) -> bool:
    return member.port == "answered" and bool(member.leader_id)
