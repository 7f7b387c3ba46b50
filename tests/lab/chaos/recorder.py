"""A target of nothing: it keeps which harms are done, as a real one keeps them in its nodes."""

from collections.abc import AsyncGenerator
from pathlib import Path

from opsai_lab.chaos.journal import Journal
from opsai_lab.errors import LabError
from opsai_lab.targets.blueprint import Blueprint
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Endpoints, NodeStatus, Place, Tell
from opsai_subjects.config import ClusterSettings


class Recorder:
    """A target that can be told to refuse, or to break at one node."""

    def __init__(self, folder: Path, blueprint: Blueprint, *, refuses: str = "", breaks_at: str = "") -> None:
        self.place = Place("lab", folder, blueprint)
        self.refuses = refuses
        self.breaks_at = breaks_at
        self.done: dict[str, Harm] = {}
        self.written_down_when_done: list[int] = []

    async def up(self, tell: Tell) -> None:
        tell("up")

    async def down(self, tell: Tell) -> None:
        tell("down")

    async def status(self) -> tuple[NodeStatus, ...]:
        return ()

    async def endpoints(self) -> Endpoints:
        return Endpoints(cluster=ClusterSettings())

    async def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        yield f"{node}: {lines} {follow}"

    def refusal(self, harm: Harm) -> str:
        return self.refuses

    async def inject(self, harm: Harm) -> None:
        self._break(harm)
        self.written_down_when_done.append(len(Journal(self.place.folder).left()))
        self.done[harm.id] = harm

    async def undo(self, harm: Harm) -> None:
        if harm.id in self.done:
            self._break(harm)
            del self.done[harm.id]

    def _break(self, harm: Harm) -> None:
        if harm.node == self.breaks_at:
            raise LabError(f"{harm.node} broke.")
