"""Doing a fault of the blueprint: which nodes it means now, and the harms that make it."""

from collections.abc import Sequence
from datetime import datetime

from opsai_lab.chaos.journal import Journal
from opsai_lab.errors import HarmRefused, LabError, NobodyLeads
from opsai_lab.targets.blueprint import Blueprint, LocalFault
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Target
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Clock, Node, Topology, Value

LEADER = "leader"
FOLLOWER = "follower"
"""The states by which a topology shows who leads a role and who follows (PD, etcd); compared without regard to case."""


class Injected(Value):
    """A fault that was done, with its truth."""

    fault: str
    says: str
    harms: tuple[Harm, ...]
    at: datetime
    kind: str
    """The fault kind that an investigation should name."""
    entities: tuple[str, ...]
    """The entities that it should name: those of the nodes harmed; empty: the cluster as a whole."""


def fault_named(blueprint: Blueprint, name: str) -> LocalFault:
    """Return the fault of that name. Raises UnknownName with those the blueprint has."""
    if name not in blueprint.faults:
        raise UnknownName(f"fault of {blueprint.says}", name, tuple(blueprint.faults))
    return blueprint.faults[name]


def possible_faults(target: Target) -> dict[str, str]:
    """Return every fault of the blueprint with why it cannot be done at this target; empty when it can. Pure."""
    blueprint = target.place.blueprint
    found: dict[str, str] = {}
    for name, fault in blueprint.faults.items():
        members = blueprint.of_role(fault.role)
        tried = Harm(id="h0", name=fault.harm, node=members[0].name, amount=fault.amount) if members else None
        found[name] = target.refusal(tried) if tried else f"no node has the role {fault.role}"
    return found


def chosen_nodes(
    blueprint: Blueprint, fault: LocalFault, topology: Topology, node: str | None = None
) -> tuple[str, ...]:
    """Return the nodes that a fault means: `node` when it is given, else by the topology, always the same for the same topology.

    Raises NobodyLeads when the topology shows no leader and one is needed, UnknownName for a node that is not of the fault's role. Pure.
    """
    members = tuple(one.name for one in blueprint.of_role(fault.role))
    if node is not None:
        if node not in members:
            raise UnknownName(f"{fault.role} node", node, members)
        return (node,)
    if not members:
        raise LabError(f"No node has the role {fault.role}, so this fault means none.")
    leaders = _in_state(LEADER, members, topology)
    others = tuple(name for name in members if name not in leaders)
    match fault.who:
        case "leader":
            return (_leader(leaders, fault.role, topology),)
        case "follower":
            _leader(leaders, fault.role, topology)
            if not others:
                raise LabError(f"{fault.role} has no node beside its leader {leaders[0]}.")
            following = _in_state(FOLLOWER, others, topology)  # not one that an earlier fault took away
            return (following or others)[:1]
        case "majority":
            return members[: len(members) - len(members) // 2]
        case "all":
            return members
        case "any":
            return members[:1]


def harms_of(
    blueprint: Blueprint, fault: LocalFault, nodes: Sequence[str], topology: Topology, first_id: int
) -> tuple[Harm, ...]:
    """Return the harms that make a fault of these nodes, numbered from `first_id`. Pure."""
    ports = tuple(blueprint.roles[fault.role].ports[name] for name in fault.ports)
    return tuple(
        Harm(
            id=f"h{number}",
            name=fault.harm,
            node=node,
            apart_from=_apart(blueprint, fault, node, topology) if fault.harm == "partition" else None,
            ports=ports,
            direction=fault.direction,
            amount=fault.amount,
        )
        for number, node in enumerate(nodes, first_id)
    )


async def inject(
    target: Target, journal: Journal, name: str, topology: Topology, clock: Clock, node: str | None = None
) -> Injected:
    """Do the fault of that name. Each harm stands in the journal before it is done; when one cannot be done, those before it stay
    there for `heal`. Raises HarmRefused before anything is done where the target cannot do it here, UnknownName, LabError."""
    blueprint = target.place.blueprint
    fault = fault_named(blueprint, name)
    nodes = chosen_nodes(blueprint, fault, topology, node)
    harms = harms_of(blueprint, fault, nodes, topology, int(journal.next_id().removeprefix("h")))
    for harm in harms:
        if why := target.refusal(harm):
            raise HarmRefused(why)
    at = clock.now()
    for harm in harms:
        journal.intend(harm, name)
        await target.inject(harm)
        if harm.name == "restart":
            journal.undone(harm)  # it is over: nothing is left to undo
    return Injected(
        fault=name,
        says=fault.says,
        harms=harms,
        at=at,
        kind=fault.kind,
        entities=tuple(_entity(node, topology) for node in nodes) if fault.truth == "node" else (),
    )


def _apart(blueprint: Blueprint, fault: LocalFault, node: str, topology: Topology) -> tuple[str, ...] | None:
    if fault.apart_from == "everyone" and not fault.apart_roles:
        return None
    roles = fault.apart_roles or tuple(blueprint.roles)
    others = tuple(one.name for one in blueprint.nodes if one.role in roles and one.name != node)
    if fault.apart_from != "one":
        return others
    return (*_in_state(LEADER, others, topology), *others)[:1]


def _in_state(state: str, members: Sequence[str], topology: Topology) -> tuple[str, ...]:
    there = {name for node in topology.nodes if node.state.lower() == state for name in _names(node)}
    return tuple(name for name in members if name in there)


def _leader(leaders: Sequence[str], role: str, topology: Topology) -> str:
    if not leaders:
        seen = ", ".join(f"{node.name} {node.state}" for node in topology.nodes) or "no node at all"
        raise NobodyLeads(
            f"No {role} leads at this moment, so who is meant cannot be said. The topology shows {seen}. Wait, or give --node NAME."
        )
    return leaders[0]


def _names(node: Node) -> tuple[str, ...]:
    return (node.name, node.entity)


def _entity(name: str, topology: Topology) -> str:
    return next((node.entity for node in topology.nodes if name in _names(node)), name)
