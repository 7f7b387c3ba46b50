"""Whether one node could be taken away now without losing a quorum."""

from opsai_subjects.subject import Risk
from opsai_tikv.facts import MemberFacts, StoreFacts, TikvFacts

FRESH_SECONDS = 30.0


def stop_risk(facts: TikvFacts, entity: str) -> Risk:
    """Say whether stopping this store or member would put a quorum at risk; unknown unless facts are fresh and whole."""
    store, member = facts.store(entity), facts.member(entity)
    if store is not None:
        return _store_risk(facts, store)
    if member is not None:
        return _member_risk(facts, member)
    return Risk(state="unknown", says=f"{entity} is no store and no PD member of this cluster")


def _store_risk(facts: TikvFacts, store: StoreFacts) -> Risk:
    if not facts.stores_known or facts.region_states is None or facts.max_replicas is None:
        return Risk(state="unknown", says="PD's stores, region states or replica count could not be read")
    others = [other for other in facts.data_stores if other.entity != store.entity]
    missing = [other.entity for other in others if not _well(other)]
    if missing:
        return Risk(
            state="at_risk",
            says=f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not well: with {store.entity} gone too, regions may lose their majority",
        )
    bad = {
        name: count
        for name, count in facts.region_states.items()
        if name in ("miss-peer", "down-peer", "pending-peer") and count
    }
    if bad and _well(store):
        says = ", ".join(f"{count} {name}" for name, count in bad.items())
        return Risk(state="at_risk", says=f"regions lack peers already: {says}")
    if len(others) < facts.max_replicas // 2 + 1:
        return Risk(
            state="at_risk", says=f"{len(others)} other stores cannot hold a majority of {facts.max_replicas} replicas"
        )
    return Risk(
        state="safe",
        says=f"all {len(others)} other stores are up with fresh heartbeats and no region lacks a peer elsewhere",
    )


def _well(store: StoreFacts) -> bool:
    age = store.heartbeat_age_seconds
    return (
        store.state == "Up"
        and age is not None
        and age < FRESH_SECONDS
        and store.status_port in ("answered", "error", "unresolved", "unknown")
    )


def _member_risk(facts: TikvFacts, member: MemberFacts) -> Risk:
    others = [other for other in facts.members if other.entity != member.entity]
    well = [other for other in others if other.client_port == "answered" and other.sees_leader]
    need = len(facts.members) // 2 + 1
    if not facts.members or any(other.client_port in ("unresolved", "unknown") for other in others):
        return Risk(state="unknown", says="not every PD member could be asked")
    if len(well) >= need:
        return Risk(state="safe", says=f"{len(well)} other members answer and see a leader, {need} are needed")
    return Risk(state="at_risk", says=f"only {len(well)} other members are well and {need} are needed")
