"""A cluster that someone else runs: it is looked at as the settings say, and nothing is done to it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Endpoints, NodeStatus, Place, Target, TargetKind, Tell
from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.model import Node, Topology
from opsai_subjects.opening import open_cluster


@dataclass
class Existing:
    """One cluster of the settings."""

    place: Place

    async def up(self, tell: Tell) -> None:
        """Refuse: it is not ours to start."""
        raise LabError(f"{self.place.name} is a cluster that someone else runs: opsai does not bring it up.")

    async def down(self, tell: Tell) -> None:
        """Refuse: it is not ours to stop."""
        raise LabError(f"{self.place.name} is a cluster that someone else runs: opsai does not take it down.")

    async def status(self) -> tuple[NodeStatus, ...]:
        """Return the nodes as the cluster itself names them; `running` means only that it knows nothing else."""
        async with open_cluster(self.place.name, self._settings, WebLimits()) as cluster:
            topology = await cluster.subject.topology()
        if not topology.nodes:
            why = "; ".join(f"{unread.source}: {unread.why}" for unread in topology.unread) or "no reason given"
            raise LabError(f"Nobody could say which nodes {self.place.name} has: {why}")
        return tuple(
            NodeStatus(
                name=node.name,
                role=node.role,
                state="unknown" if _not_seen(node, topology) else "running",
                address=node.address,
                says=node.state,
            )
            for node in topology.nodes
        )

    async def endpoints(self) -> Endpoints:
        """Return what the settings say."""
        return Endpoints(cluster=self._settings)

    async def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        """Refuse: its logs are wherever its owner keeps them."""
        raise LabError(
            f"The logs of {self.place.name} are where its owner keeps them: opsai-mcp searches them (search_logs) when the settings say where."
        )
        yield ""

    def refusal(self, harm: Harm) -> str:
        """Return why: always."""
        return f"{self.place.name} is a cluster that someone else runs: opsai does no harm to it. Break one of your own: opsai deploy local up."

    async def inject(self, harm: Harm) -> None:
        """Refuse."""
        raise HarmRefused(self.refusal(harm))

    async def undo(self, harm: Harm) -> None:
        """Do nothing: no harm was ever done."""

    @property
    def _settings(self) -> ClusterSettings:
        if self.place.settings is None:
            raise LabError(
                "Which cluster? Give --config FILE and --cluster NAME: the target 'existing' reads it from there."
            )
        return self.place.settings


def _not_seen(node: Node, topology: Topology) -> bool:
    """Whether the node is only known of, and did not answer itself."""
    return node.state == "unknown" or any(
        name in f"{unread.source} {unread.asked}" for unread in topology.unread for name in (node.entity, node.address)
    )


class _Kind:
    name = "existing"
    says = "a cluster that someone else runs, from the settings; looked at only"

    def open(self, place: Place) -> Target:
        return Existing(place)


KIND: TargetKind = _Kind()
