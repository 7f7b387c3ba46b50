"""The seam between the bench and where a local cluster runs. A cloud is one more class that satisfies `Target`."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from opsai_lab.targets.blueprint import Blueprint
from opsai_lab.targets.harm import Harm
from opsai_subjects.config import ClusterSettings
from opsai_subjects.model import Value

Tell = Callable[[str], None]
"""Takes one line of progress: what is done now, of how many, and what is waited for."""

NodeState = Literal["running", "starting", "unhealthy", "paused", "stopped", "failed", "absent", "unknown"]


class NodeStatus(Value):
    """One node, or one companion (Prometheus, Grafana, the load), as the target sees it. It says nothing of the system inside."""

    name: str
    role: str
    state: NodeState
    address: str = ""
    """Where it is reached from here, host:port; empty when it is not."""
    says: str = ""
    """Why it is not running: how it ended, what its health check said."""
    log: str = ""
    """Where its log is: a path, or the command that shows it."""


class Endpoints(Value):
    """How the cluster is looked at from here: ready for `opsai.toml`."""

    cluster: ClusterSettings
    pages: dict[str, str] = Field(default_factory=dict[str, str])
    """What a person opens: Grafana, Prometheus, opsai-mcp; name to URL."""


@dataclass(frozen=True)
class Place:
    """Which local cluster is meant, and what its target may write to."""

    name: str
    """Names its containers, networks, processes and settings: `opsai-etcd`."""
    folder: Path
    """Its own folder: data, logs, the journal of harms. Nothing is written elsewhere."""
    blueprint: Blueprint
    settings: ClusterSettings | None = None
    """Of a cluster that someone else runs."""
    wait_seconds: float = 120.0
    """How long the nodes of one level may take to become healthy."""
    companions: bool = True
    """Whether what is not a node comes up too: Prometheus, Grafana, the operator, the load."""
    small_disks_mb: int = 0
    """Size of a file system of its own for each node's data, so that it can be filled; 0: that of the machine."""


class Target(Protocol):
    """One local cluster in one kind of place. Every method may be called in any state, from any process: what it needs to
    know stands in the place's folder or is asked of the machine. Raises LabError with one sentence: what was tried, what came
    back, where the log is, what to do."""

    place: Place

    async def up(self, tell: Tell) -> None:
        """Bring it up and wait until every node is healthy; what already runs is left alone. Names what failed and its log."""
        ...

    async def down(self, tell: Tell) -> None:
        """Take it away whole: processes, containers, networks, volumes, packet filters, data. Nothing is left to clean by hand."""
        ...

    async def status(self) -> tuple[NodeStatus, ...]:
        """Return every node and companion, in the blueprint's order."""
        ...

    async def endpoints(self) -> Endpoints:
        """Return how it is looked at from here. Raises LabError when it is not up."""
        ...

    def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        """Yield the last lines of a node's log, oldest first, then (with `follow`) those that come. Raises LabError for no such node."""
        ...

    def refusal(self, harm: Harm) -> str:
        """Return why this harm cannot be done here and what would make it possible; empty when it can."""
        ...

    async def inject(self, harm: Harm) -> None:
        """Do the harm; return when it is done. Raises LabError, with nothing half done."""
        ...

    async def undo(self, harm: Harm) -> None:
        """Undo it, from what the harm says alone; the node is started again where it was killed. Does not wait for its health."""
        ...


class TargetKind(Protocol):
    """A kind of place, found by the entry point group `opsai.targets`."""

    name: str
    """As `--target` takes it: `docker`."""
    says: str
    """One line for the help."""

    def open(self, place: Place) -> Target:
        """Return the target of that place. Does no I/O."""
        ...
