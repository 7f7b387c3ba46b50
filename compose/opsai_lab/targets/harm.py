"""What can be done to one node of a local cluster, and undone: a value that says enough to be undone by another process."""

from typing import Literal

from opsai_subjects.model import Value

HarmName = Literal["kill", "pause", "restart", "partition", "slow_cpu", "slow_disk", "fill_disk"]
"""kill: the process is gone at once (SIGKILL) and stays away; undone by starting it.
pause: it is frozen (SIGSTOP, the freezer) and goes on when undone.
restart: an orderly stop and start; there is nothing to undo.
partition: packets are dropped, not refused.
slow_cpu, slow_disk: a share of a core, so many writes a second.
fill_disk: its data's file system has no room left; undone by taking the ballast away."""

Direction = Literal["both", "out", "in"]
"""Seen from the node: `out` drops what it sends, `in` what it is sent."""


class Harm(Value):
    """One harm to one node. Injecting it twice is as once; undoing it twice, or when it was never done, does nothing."""

    id: str
    """Unique in its cluster's journal."""
    name: HarmName
    node: str
    """The node's name in the blueprint."""
    apart_from: tuple[str, ...] | None = None
    """Of a partition: the nodes it is cut off from; None: from everyone, whoever looks at it included."""
    ports: tuple[int, ...] = ()
    """Of a partition: only the traffic to these of its own ports; empty: all traffic."""
    direction: Direction = "both"
    amount: float | None = None
    """slow_cpu: share of one core (0.05); slow_disk: writes a second; fill_disk: bytes left free (0). None: the target's choice."""

    def says(self) -> str:
        """Return it as a phrase: `partition etcd1 from etcd2, etcd3 (port 2380)`."""
        text = f"{self.name.replace('_', ' ')} {self.node}"
        if self.name != "partition":
            return text if self.amount is None else f"{text} ({self.amount:g})"
        text += f" from {', '.join(self.apart_from)}" if self.apart_from is not None else " from everyone"
        text += f" (port {', '.join(map(str, self.ports))})" if self.ports else ""
        return text if self.direction == "both" else f"{text}, {self.direction} only"
