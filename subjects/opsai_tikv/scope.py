"""What is to be stopped: one node, a host, or all nodes of a label value, found among the facts."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsai_subjects.errors import UnknownName
from opsai_tikv.facts import MemberFacts, StoreFacts, TikvFacts, same_entity

ADVICE = "A store (store:4), a PD member, a host (10.0.0.4 or host=h2) or a label of stores (zone=z1) will do, several with commas."
Labels = Mapping[str, Mapping[str, str]]
"""PD member to the labels of its own configuration."""


@dataclass(frozen=True)
class Scope:
    """The nodes that would be stopped together."""

    asked: str
    stores: tuple[StoreFacts, ...] = ()
    members: tuple[MemberFacts, ...] = ()
    unplaced: tuple[str, ...] = ()
    """PD members of which nobody can tell whether they stand there too."""


def scope_of(facts: TikvFacts, asked: str, labels: Labels | None = None) -> Scope:
    """Return the nodes meant by names, hosts and labels, joined by commas. Raises UnknownName."""
    stores: dict[str, StoreFacts] = {}
    members: dict[str, MemberFacts] = {}
    unplaced: dict[str, None] = {}
    for part in (part.strip() for part in asked.split(",")):
        found = _labelled(facts, part, labels or {}) if "=" in part else _named(facts, part)
        stores |= {store.entity: store for store in found.stores}
        members |= {member.entity: member for member in found.members}
        unplaced |= dict.fromkeys(found.unplaced)
    left = () if members else tuple(unplaced)  # whoever names a member has thought of them
    return Scope(asked, tuple(stores.values()), tuple(members.values()), left)


def _named(facts: TikvFacts, name: str) -> Scope:
    entity = same_entity(facts, name) or name
    store, member = facts.store(entity), facts.member(entity)
    if store is not None:
        return Scope(name, stores=(store,))
    if member is not None:
        return Scope(name, members=(member,))
    return _host(facts, name) or _unknown(facts, name)


def _host(facts: TikvFacts, host: str) -> Scope | None:
    stores = tuple(store for store in facts.stores if store.host == host)
    members = tuple(member for member in facts.members if member.host == host)
    return Scope(host, stores, members) if stores or members else None


def _labelled(facts: TikvFacts, part: str, labels: Labels) -> Scope:
    key, _, value = (text.strip() for text in part.partition("="))
    stores = tuple(store for store in facts.stores if store.labels.get(key) == value)
    own = {member.entity: dict(labels.get(member.entity, {})) for member in facts.members}
    hosts = {store.host for store in stores}
    members = tuple(member for member in facts.members if own[member.entity].get(key) == value or member.host in hosts)
    if not stores and not members:
        return (_host(facts, value) if key == "host" else None) or _unknown(facts, part, key)
    everywhere = {store.host for store in facts.stores}
    unplaced = () if key == "host" else _unplaced(facts, own, key, everywhere)
    return Scope(part, stores, members, unplaced)


def _unplaced(
    facts: TikvFacts, own: Mapping[str, Mapping[str, str]], key: str, hosts_of_stores: set[str]
) -> tuple[str, ...]:
    return tuple(
        member.entity
        for member in facts.members
        if key not in own[member.entity] and member.host not in hosts_of_stores
    )


def _unknown(facts: TikvFacts, name: str, key: str = "") -> Scope:
    values = sorted({f"{key}={store.labels[key]}" for store in facts.stores if key in store.labels}) if key else []
    keys = sorted({f"{label}=…" for store in facts.stores for label in store.labels})
    nodes = [node.entity for node in facts.nodes]
    raise UnknownName("node, host or label", name, tuple(values or [*keys, *nodes][:40]), advice=ADVICE)
