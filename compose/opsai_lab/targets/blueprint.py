"""A local cluster as data: `compose/<subject>/cluster.toml`. What the bench knows of a system stands there and nowhere else."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from opsai_lab.errors import BlueprintInvalid
from opsai_lab.targets.harm import Direction, HarmName
from opsai_subjects.model import Value

FILE_NAME = "cluster.toml"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Role(Value):
    """What nodes of one role have in common. Texts are templates (`str.format`): {name}, {address}, {data}, {log}, {folder} (the
    blueprint's own, for a configuration file beside it), {number} (1, 2, 3 within the role), one placeholder a port ({client}),
    and each of `joined`."""

    binary: str
    """Of the `processes` target: a program on PATH or in the folder of the system's own installer."""
    command: tuple[str, ...]
    """Its arguments."""
    ports: dict[Name, int]
    """Name to number; each node has its own address, so the numbers are everybody's."""
    endpoint: str = ""
    """URL that `opsai` is given for a node of this role; empty: none (`http://{address}:{client}`)."""
    advertised: str
    """host:port under which the cluster knows the node."""
    metrics: str = ""
    """host:port of `/metrics`; empty: it has none."""
    healthy: str
    """URL that answers 200 once the node serves."""
    log: str = ""
    """A file the node itself writes; empty: what it prints is its log."""
    after: tuple[Name, ...] = ()
    """Roles that must be healthy first."""
    advice: str = ""
    """Where to have the binary from, for a message."""


class PlannedNode(Value):
    """One node."""

    name: Name
    role: Name


class Joined(Value):
    """A text made of all nodes of a role: `etcd1=http://127.0.0.1:2380,etcd2=…`."""

    role: Name
    each: str
    by: str = ","


class LocalFault(Value):
    """Something that can be done by role, with its truth."""

    says: str
    harm: HarmName
    role: Name
    who: Literal["leader", "follower", "any", "majority", "all"] = "any"
    """Which of the role's nodes: by the state that the topology shows (`leader`); majority: just so many that no quorum is left."""
    apart_from: Literal["everyone", "nodes", "one"] = "everyone"
    """Of a partition: from all who look too, from all other nodes only, or from one other (a pair)."""
    apart_roles: tuple[Name, ...] = ()
    """Of a partition: only from nodes of these roles; empty: of all."""
    ports: tuple[Name, ...] = ()
    direction: Direction = "both"
    amount: float | None = None
    kind: str
    """The fault kind that an investigation should name."""
    truth: Literal["node", "cluster"] = "node"
    """Whether the right entity is the node that was harmed, or the cluster as a whole (lost quorum)."""


class Blueprint(Value):
    """The whole file."""

    subject: str
    says: str
    """What comes up, one line."""
    roles: dict[Name, Role]
    nodes: tuple[PlannedNode, ...]
    joined: dict[Name, Joined] = Field(default_factory=dict[str, Joined])
    faults: dict[Name, LocalFault]
    demo_limits: dict[str, float] = Field(default_factory=dict[str, float])
    """Invariant to its limit in a live demo, where the usual one would keep a ticket open for minutes."""
    folder: Path
    """Where the file is, and `compose.yaml` beside it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for node in self.nodes:
            if node.role not in self.roles:
                raise ValueError(f"node {node.name!r} has the role {node.role!r}, which is not described")
        if len({node.name for node in self.nodes}) != len(self.nodes):
            raise ValueError("two nodes have one name")
        for name, fault in self.faults.items():
            if unknown := {fault.role, *fault.apart_roles} - set(self.roles):
                raise ValueError(f"fault {name!r} speaks of {', '.join(sorted(unknown))}, which is no role")
            if unknown := set(fault.ports) - set(self.roles[fault.role].ports):
                raise ValueError(
                    f"fault {name!r} speaks of the port {', '.join(sorted(unknown))}, which {fault.role} has not"
                )
        return self

    def of_role(self, role: str) -> tuple[PlannedNode, ...]:
        """Return the nodes of a role, in the file's order."""
        return tuple(node for node in self.nodes if node.role == role)


def read_blueprint(folder: Path) -> Blueprint:
    """Read the blueprint of a folder. Raises BlueprintInvalid naming the file, the field and what is wrong with it."""
    path = folder / FILE_NAME
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return Blueprint.model_validate({**content, "folder": folder})
    except FileNotFoundError as error:
        raise BlueprintInvalid(f"There is no {path}: a folder of a local cluster holds one.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BlueprintInvalid(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BlueprintInvalid(
            f"{path} is no blueprint: {where}: {first['msg'].removeprefix('Value error, ')}"
        ) from error
