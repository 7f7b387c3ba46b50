"""What is to run, worked out from the blueprint and the seats before anything runs. Pure."""

from collections.abc import Mapping
from pathlib import Path

from opsai_lab.errors import BlueprintInvalid
from opsai_lab.targets.blueprint import Blueprint, PlannedNode
from opsai_lab.targets.processes.seats import Seat
from opsai_lab.targets.templates import filled_in
from opsai_subjects.model import Value


class PlannedProcess(Value):
    """One node with every text of its role filled in."""

    name: str
    role: str
    binary: str
    advice: str
    arguments: tuple[str, ...]
    address: str
    ports: dict[str, int]
    data: Path
    log: Path
    """What it logs: a file of its own, or what it prints."""
    output: Path
    """What it prints."""
    endpoint: str
    advertised: str
    metrics: str
    healthy: str


def planned(blueprint: Blueprint, folder: Path, seats: Mapping[str, Seat]) -> tuple[PlannedProcess, ...]:
    """Return the nodes in the blueprint's order. Raises BlueprintInvalid naming the text that cannot be filled in."""
    own = {node.name: _own_values(blueprint, node, folder, seats[node.name]) for node in blueprint.nodes}
    joined = {
        name: one.by.join(filled_in(one.each, own[node.name], f"joined.{name}") for node in blueprint.of_role(one.role))
        for name, one in blueprint.joined.items()
    }
    return tuple(
        _process(blueprint, node, folder, seats[node.name], {**own[node.name], **joined}) for node in blueprint.nodes
    )


def role_levels(blueprint: Blueprint) -> tuple[tuple[str, ...], ...]:
    """Return the roles in the order of starting; those of one level start together. Raises BlueprintInvalid for a circle."""
    left: dict[str, set[str]] = {name: set(role.after) & set(blueprint.roles) for name, role in blueprint.roles.items()}
    levels: list[tuple[str, ...]] = []
    while left:
        ready = tuple(name for name, after in left.items() if not after & left.keys())
        if not ready:
            raise BlueprintInvalid(f"The roles {', '.join(left)} wait for each other in a circle (after = …).")
        levels.append(ready)
        left = {name: after for name, after in left.items() if name not in ready}
    return tuple(levels)


def _own_values(blueprint: Blueprint, node: PlannedNode, folder: Path, seat: Seat) -> dict[str, str | int]:
    number = [one.name for one in blueprint.of_role(node.role)].index(node.name) + 1
    return {
        "name": node.name,
        "address": seat.address,
        "data": str(folder / "data" / node.name),
        "log": str(folder / "logs" / f"{node.name}.log"),
        "folder": str(blueprint.folder),
        "number": number,
        **seat.ports,
    }


def _process(
    blueprint: Blueprint, node: PlannedNode, folder: Path, seat: Seat, values: Mapping[str, str | int]
) -> PlannedProcess:
    role = blueprint.roles[node.role]

    def text(field: str, template: str) -> str:
        return filled_in(template, values, f"roles.{node.role}.{field}")

    printed = folder / "logs" / (f"{node.name}.stdout.log" if role.log else f"{node.name}.log")
    return PlannedProcess(
        name=node.name,
        role=node.role,
        binary=role.binary,
        advice=role.advice,
        arguments=tuple(text("command", argument) for argument in role.command),
        address=seat.address,
        ports=seat.ports,
        data=folder / "data" / node.name,
        log=Path(text("log", role.log)) if role.log else printed,
        output=printed,
        endpoint=text("endpoint", role.endpoint),
        advertised=text("advertised", role.advertised),
        metrics=text("metrics", role.metrics),
        healthy=text("healthy", role.healthy),
    )
