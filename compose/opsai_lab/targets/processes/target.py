"""A local cluster as processes: up, down, what it looks like. What harms it is in `harming`."""

import shutil
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.folder import read_value, write_whole, writing
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.binaries import find_binaries
from opsai_lab.targets.processes.companion import (
    NAME,
    prometheus_log,
    prometheus_url,
    ready_url,
    start_prometheus,
)
from opsai_lab.targets.processes.disks import mount_small_disk, unmount_below
from opsai_lab.targets.processes.following import lines_of
from opsai_lab.targets.processes.harming import Harming
from opsai_lab.targets.processes.health import asking, await_health, ill
from opsai_lab.targets.processes.lives import Lives
from opsai_lab.targets.processes.packets import (
    base_script,
    can_tell_apart,
    nft_program,
    remove_table,
    run_script,
)
from opsai_lab.targets.processes.plan import PlannedProcess, planned, role_levels
from opsai_lab.targets.processes.seats import Layout, can_bind, choose_seats, with_groups
from opsai_lab.targets.target import Endpoints, NodeState, NodeStatus, Place, Tell
from opsai_subjects.config import ClusterSettings

PROMETHEUS_SECONDS = 15.0


class Processes:
    """One local cluster as processes of this machine."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._lives = Lives(place.folder)
        self._harming = Harming(place, self._lives, self._start)

    async def up(self, tell: Tell) -> None:
        """Start what does not run, role after role, and wait for health. What this call started is taken away when it fails."""
        binaries = find_binaries(self.place.blueprint)
        layout = self._decided()
        processes = self._planned(layout)
        before = [process.name for process in processes if self._lives.alive(process.name) is not None]
        try:
            if layout.groups and nft_program() is not None:
                await run_script(base_script(self.place, layout))
            for level in role_levels(self.place.blueprint):
                group = [process for process in processes if process.role in level]
                for process in group:
                    if self._lives.alive(process.name) is None:
                        tell(f"starting {process.name} ({binaries[process.role]})")
                        await self._start(process, layout)
                await await_health(group, self._lives, tell, self.place.wait_seconds, anyio.current_time)
            await self._companion(processes, layout, tell)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._give_up(processes, before)
            raise

    async def down(self, tell: Tell) -> None:
        """End every process, then remove packet filter and data."""
        names = [name for name in self._lives.names() if self._lives.alive(name) is not None]
        if names:
            tell(f"ending {', '.join(names)}")
        await self._take_away(("data", "logs", NAME, "run"))

    async def status(self) -> tuple[NodeStatus, ...]:
        """Return what lives and what its health check says."""
        layout = self._layout()
        if layout is None:
            return tuple(
                NodeStatus(name=node.name, role=node.role, state="absent", says="not brought up")
                for node in self.place.blueprint.nodes
            )
        async with asking() as client:
            found = [
                await self._status(process, await ill(client, process.healthy)) for process in self._planned(layout)
            ]
            if layout.prometheus and NAME in self._lives.names():
                seat = layout.prometheus
                why = await ill(client, ready_url(seat))
                found.append(
                    NodeStatus(
                        name=NAME,
                        role=NAME,
                        state=self._state(NAME, why),
                        address=f"{seat.address}:{seat.ports['http']}",
                        says=why,
                        log=str(prometheus_log(self.place.folder)),
                    )
                )
        return tuple(found)

    async def endpoints(self) -> Endpoints:
        """Return where its nodes and its Prometheus answer, and which files they log to."""
        layout = self._layout()
        if layout is None or not any(self._lives.alive(name) is not None for name in layout.seats):
            raise LabError(f"{self.place.name} is not up: opsai deploy local up.")
        processes = self._planned(layout)
        prometheus = prometheus_url(layout.prometheus) if layout.prometheus and self._lives.alive(NAME) else None
        cluster = ClusterSettings.model_validate(
            {
                "subject": self.place.blueprint.subject,
                "endpoints": tuple(process.endpoint for process in processes if process.endpoint),
                "prometheus": prometheus,
                "logs": {process.name: str(process.log) for process in processes},
                "names": {
                    address: process.name
                    for process in processes
                    for address in (process.advertised, process.metrics)
                    if address
                },
            }
        )
        return Endpoints(cluster=cluster, pages={"Prometheus": prometheus} if prometheus else {})

    async def logs(self, node: str, *, lines: int, follow: bool) -> AsyncGenerator[str]:
        """Yield the last lines of the node's log file, then those that come."""
        layout = self._layout()
        paths = {process.name: process.log for process in self._planned(layout)} if layout else {}
        if NAME in self._lives.names():
            paths[NAME] = prometheus_log(self.place.folder)
        if node not in paths:
            raise LabError(
                f"{self.place.name} has no log of {node!r}. Known: {', '.join(paths) or 'none, it is not up'}."
            )
        async for line in lines_of(paths[node], lines=lines, follow=follow):
            yield line

    def refusal(self, harm: Harm) -> str:
        """Return why this machine or the way the cluster was brought up does not allow this harm."""
        return self._harming.refusal(harm, self._layout())

    async def inject(self, harm: Harm) -> None:
        """Do the harm."""
        if why := self.refusal(harm):
            raise HarmRefused(why)
        layout, process = self._meant(harm)
        await self._harming.inject(harm, layout, process)

    async def undo(self, harm: Harm) -> None:
        """Undo the harm; nothing happens where the cluster is gone."""
        if self._layout() is not None:
            layout, process = self._meant(harm)
            await self._harming.undo(harm, layout, process)

    @property
    def _layout_file(self) -> Path:
        return self.place.folder / "processes.json"

    def _layout(self) -> Layout | None:
        return read_value(self._layout_file, Layout)

    def _decided(self) -> Layout:
        """Return the layout, decided now unless it was; members that have data keep the addresses that stand in it."""
        layout = self._layout()
        alive = layout is not None and any(self._lives.alive(name) is not None for name in layout.seats)
        if layout is not None and (alive or (self.place.folder / "data").exists()):
            return layout
        layout = choose_seats(self.place.folder, self.place.blueprint, can_bind)
        if can_tell_apart():
            layout = with_groups(self.place.folder, layout)
        shutil.rmtree(self.place.folder / "logs", ignore_errors=True)  # of an attempt that failed
        self._planned(layout)  # a text that cannot be filled in is said before anything is written
        write_whole(self._layout_file, layout.model_dump_json(indent=1))
        return layout

    def _planned(self, layout: Layout) -> tuple[PlannedProcess, ...]:
        return planned(self.place.blueprint, self.place.folder, layout.seats)

    def _meant(self, harm: Harm) -> tuple[Layout, PlannedProcess]:
        layout = self._layout()
        if layout is None:
            raise LabError(f"{self.place.name} is not up: opsai deploy local up.")
        processes = {process.name: process for process in self._planned(layout)}
        for name in (harm.node, *(harm.apart_from or ())):
            if name not in processes:
                raise LabError(f"{self.place.name} has no node {name!r}. Known: {', '.join(processes)}.")
        return layout, processes[harm.node]

    async def _start(self, process: PlannedProcess, layout: Layout) -> None:
        binary = find_binaries(self.place.blueprint)[process.role]
        if self.place.small_disks_mb:
            await mount_small_disk(process.data, self.place.small_disks_mb)
        with writing(process.data):
            process.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self._lives.start(
            process.name, (str(binary), *process.arguments), process.output, layout.groups.get(process.name)
        )

    async def _companion(self, processes: Sequence[PlannedProcess], layout: Layout, tell: Tell) -> None:
        """Start Prometheus where there is one. Without it nothing is lost but history: opsai scrapes by itself."""
        seat = layout.prometheus
        if not self.place.companions or seat is None:
            return
        if not await start_prometheus(processes, seat, self.place.folder, self._lives):
            tell("no prometheus on PATH: opsai scrapes the nodes by itself")
            return
        async with asking() as client:
            with anyio.move_on_after(PROMETHEUS_SECONDS):
                while self._lives.alive(NAME) is not None:
                    if not await ill(client, ready_url(seat)):
                        tell(f"Prometheus scrapes them at {prometheus_url(seat)}")
                        return
                    await anyio.sleep(0.1)
        await self._lives.end(NAME)
        tell(f"Prometheus did not come up (its log: {prometheus_log(self.place.folder)}): opsai scrapes by itself")

    async def _status(self, process: PlannedProcess, why: str) -> NodeStatus:
        state = self._state(process.name, why)
        says = {
            "failed": "it ended by itself",
            "stopped": "it was ended by the bench",
            "paused": "its process is frozen",
        }
        return NodeStatus(
            name=process.name,
            role=process.role,
            state=state,
            address=process.advertised,
            says=says.get(state, why),
            log=str(process.log),
        )

    def _state(self, name: str, why: str) -> NodeState:
        if self._lives.alive(name) is None:
            return "stopped" if self._lives.ended_on_purpose(name) else "failed"
        if self._lives.paused(name):
            return "paused"
        return "unhealthy" if why else "running"

    async def _give_up(self, processes: Sequence[PlannedProcess], before: Sequence[str]) -> None:
        """Take away what this attempt brought; the logs stay, for they say why."""
        if not before:
            await self._take_away(("data", NAME, "run"))
            return
        for process in processes:
            if process.name not in before:
                await self._lives.end(process.name)

    async def _take_away(self, folders: Sequence[str]) -> None:
        for name in self._lives.names():
            await self._lives.end(name)
        await self._harming.remove_groups()
        await remove_table(self.place)
        await unmount_below(self.place.folder)
        for folder in folders:
            shutil.rmtree(self.place.folder / folder, ignore_errors=True)
        self._layout_file.unlink(missing_ok=True)
