"""The target itself. Of opsai it knows `opsai_lab.targets.target` and the values named there."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Endpoints, NodeStatus, Place, Target, TargetKind, Tell
from opsai_subjects.config import ClusterSettings


@dataclass
class Elsewhere:
    """One cluster of rented machines."""

    place: Place

    async def up(self, tell: Tell) -> None:
        """Rent a machine for each node that has none."""
        machines = self._machines()
        for node in self.place.blueprint.nodes:
            if machines.get(node.name) != "running":
                tell(f"renting a machine for {node.name}")
                machines[node.name] = "running"
        self._write(machines)

    async def down(self, tell: Tell) -> None:
        """Give every machine back."""
        tell(f"giving {len(self._machines())} machines back")
        self._file.unlink(missing_ok=True)

    async def status(self) -> tuple[NodeStatus, ...]:
        """Return the machines as they are."""
        machines = self._machines()
        return tuple(
            NodeStatus(
                name=node.name,
                role=node.role,
                state="absent"
                if node.name not in machines
                else "running"
                if machines[node.name] == "running"
                else "stopped",
            )
            for node in self.place.blueprint.nodes
        )

    async def endpoints(self) -> Endpoints:
        """Return where the cluster answers."""
        if not self._machines():
            raise LabError(f"{self.place.name} is not up: opsai deploy local up --target elsewhere.")
        return Endpoints(
            cluster=ClusterSettings(subject=self.place.blueprint.subject, endpoints=("http://127.0.0.1:1",))
        )

    async def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        """Yield what the machine has logged."""
        if node not in self._machines():
            raise LabError(f"{self.place.name} has no machine {node!r}.")
        yield f"{node} was rented"

    def refusal(self, harm: Harm) -> str:
        """Refuse all but a kill."""
        return "" if harm.name == "kill" else f"elsewhere cannot {harm.name}: its machines can only be turned off."

    async def inject(self, harm: Harm) -> None:
        """Turn a machine off."""
        if why := self.refusal(harm):
            raise HarmRefused(why)
        self._write({**self._machines(), harm.node: "off"})

    async def undo(self, harm: Harm) -> None:
        """Turn it on again."""
        machines = self._machines()
        if harm.node in machines:
            self._write({**machines, harm.node: "running"})

    @property
    def _file(self) -> Path:
        return self.place.folder / "machines.json"

    def _machines(self) -> dict[str, str]:
        return json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}

    def _write(self, machines: dict[str, str]) -> None:
        self._file.write_text(json.dumps(machines), encoding="utf-8")


class _Kind:
    name = "elsewhere"
    says = "rented machines, on paper"

    def open(self, place: Place) -> Target:
        return Elsewhere(place)


KIND: TargetKind = _Kind()
