"""Looks at the cluster as a whole, and at what can be seen of it."""

from opsai_tikv.invariants.store_looks import ORDERLY_SECONDS
from opsai_tikv.seen import ABSENT, Look, Seen, ago, unknown
from opsai_tikv.signs.leadership import majority_of_stores_gone
from opsai_tikv.signs.members import (
    leader_changes,
    majority_of_members_gone,
    member_refused,
    member_silent,
)

LISTED_REGIONS = {"miss-peer": 0, "down-peer": 0, "pending-peer": 0, "offline-peer": 0}
TARGET_MISSES = 2


def any_member_majority_gone(look: Look, entity: str) -> Seen:
    """Most members do not answer."""
    found = [majority_of_members_gone(look, member) for member in look.members]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    return shown or (ABSENT if found else unknown("no member is known"))


def any_store_majority_gone(look: Look, entity: str) -> Seen:
    """Stores are gone beyond what the replicas cover."""
    found = [majority_of_stores_gone(look, store) for store in look.stores]
    shown = next((seen for seen in found if seen.state == "shown"), None)
    return shown or (ABSENT if found else unknown("no store is known"))


def member_down(look: Look, entity: str) -> Seen:
    """It refuses or keeps silent; a restart in order has its minute."""
    found = [member_refused(look, entity), member_silent(look, entity)]
    seen = next((one for one in found if one.state == "shown"), None)
    if seen is None:
        return next((one for one in found if one.state == "unknown"), ABSENT)
    log = look.facts.logs.get(entity)
    stopped = log.patterns.get("pd_stop") if log else None
    age = ago(look.facts, stopped.last_at) if stopped else None
    if age is not None and age < ORDERLY_SECONDS:
        return Seen("absent", "it is restarting in order")
    return seen


def leader_unsteady(look: Look, entity: str) -> Seen:
    """The PD leader changed more than once within the look-back."""
    if not look.facts.tracks.known("leading"):
        return unknown("Prometheus does not say who led before")
    count = leader_changes(look)
    limit = look.limit("pd_leader_stable")
    return (
        Seen("shown", f"{count} changes of the PD leader within the look-back", value=count, limit=limit)
        if count > limit
        else ABSENT
    )


def peers_missing(look: Look, entity: str) -> Seen:
    """Regions lack a healthy peer."""
    states = look.facts.region_states
    if states is None:
        return unknown("PD's region states are not known")
    total = max(1, look.facts.region_count or sum(states.values()))
    limit = look.limit("regions_whole")
    found = {name: count for name, count in states.items() if name in LISTED_REGIONS and count > limit * total}
    if not found:
        return ABSENT
    says = ", ".join(f"{count} regions {name}" for name, count in sorted(found.items()))
    return Seen("shown", f"{says} of {total}", value=round(max(found.values()) / total, 3), limit=limit)


def target_unseen(look: Look, entity: str) -> Seen:
    """Prometheus cannot scrape a node that answers otherwise."""
    member = entity in look.members
    group = look.members if member else look.stores
    covered = look.once(f"targets {member}", lambda: any(look.track("up", other) for other in group))
    if not covered:
        return unknown("Prometheus has no target of any such node")
    track = look.track("up", entity)
    if track is None:
        return Seen("shown", "Prometheus has no target for it and has some for others", value="no target")
    port = look.member(entity).client_port if member else look.store(entity).status_port
    if all(point == 0 for point in track.points[-TARGET_MISSES:]) and port == "answered":
        return Seen("shown", "its scrape fails and it answers otherwise", value="down")
    return ABSENT


def source_unseen(look: Look, entity: str) -> Seen:
    """Prometheus as a whole cannot be read, or scrapes none of the nodes."""
    if not look.facts.tracks.by_name:
        why = next((entry.why for entry in look.facts.unread if entry.source == "prometheus"), "")
        if "no Prometheus is set" in why:
            return unknown(why)
        return Seen("shown", f"Prometheus cannot be read: {why[:200]}", value="prometheus")
    tracks = look.facts.tracks.by_name.get("up", {})
    if tracks and all(track.now is None for track in tracks.values()):
        return Seen("shown", "Prometheus answers and has no fresh sample of any node", value="stale")
    for says, group in (("stores", look.stores), ("PD members", look.members)):
        if group and not any(look.track("up", entity) for entity in group):
            return Seen("shown", f"Prometheus has a target for none of the {len(group)} {says}", value=says)
    return ABSENT
