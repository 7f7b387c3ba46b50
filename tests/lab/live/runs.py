"""One live run on a real cluster for a test, and what must be true of it wherever it ran."""

from pathlib import Path

from opsai_lab.chaos.journal import Journal
from opsai_lab.deploying import topology_of
from opsai_lab.live.haste import Haste
from opsai_lab.live.performing import Performed
from opsai_lab.live.recorded import Order, play
from opsai_lab.live.steps import Silent
from opsai_lab.targets.target import Target
from opsai_lab.truth import read_truth
from opsai_server.tickets.store import open_store
from opsai_server.watcher import play as play_watcher
from opsai_subjects.config import WatchSettings
from opsai_subjects.opening import open_replay

BUSY = {"etcd_wal_fast", "etcd_backend_fast", "etcd_applies_fast", "etcd_network_fast", "etcd_cpu_enough"}
"""What a machine that has too much to do violates by itself: a ticket of these alone is true, and of no fault that was injected."""


class Trial:
    """A cluster that several runs share. A node that died twice would rightly be called a crash loop, so each dies once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._died: set[str] = set()

    async def run(self, fault: str, folder: Path) -> tuple[Performed, Path]:
        recording = folder / "recorded"
        blueprint = self.target.place.blueprint
        haste = Haste(hold_seconds=3.0, limits=blueprint.demo_limits)
        order = Order(fault, await self._node(fault), folder / "home", recording, haste)
        done = await play(self.target, order, Silent(print))
        if done.injected is not None and blueprint.faults[fault].harm == "kill":
            self._died |= {harm.node for harm in done.injected.harms}
        return done, recording

    async def _node(self, fault: str) -> str | None:
        """Return a follower that has not died, for a fault that would choose any; None where the fault itself may choose."""
        meant = self.target.place.blueprint.faults[fault]
        if meant.who != "follower" or meant.harm != "kill":
            return None
        nodes = (await topology_of(self.target)).nodes
        return next(node.name for node in nodes if node.state == "follower" and node.name not in self._died)


async def assert_found_out(done: Performed, recording: Path, target: Target) -> None:
    """It was detected, rightly named, healed and resolved by itself, and its recording replays to the same ticket and is gradable."""
    assert done.error == ""
    assert done.detected is not None
    assert done.concluded is not None
    assert (done.concluded.kind_right, done.concluded.entity_right) == (True, True), done.concluded.says
    assert done.healed is not None
    assert Journal(target.place.folder).left() == ()
    assert done.resolved is not None
    assert done.resolved.ticket.status == "resolved"
    assert done.injected is not None
    truth = read_truth(recording)
    assert truth is not None
    assert [cause.kind for cause in truth.causes] == [done.injected.kind]
    async with open_replay(recording) as cluster, open_store(recording.with_name("replayed.sqlite")) as store:
        cluster.recording.verify()
        incident = cluster.recording.incident
        watch = incident.watched(WatchSettings())
        await play_watcher(cluster, store, watch, start=incident.judged_from, until=truth.incident_end)
        tickets = await store.tickets()
    families = {ticket.id: {ticket.invariant} for ticket in tickets if ticket.parent is None}
    for ticket in tickets:
        families[ticket.parent or ticket.id].add(ticket.invariant)
    of_the_fault = [ticket for ticket in tickets if families.get(ticket.id, BUSY) - BUSY]
    assert truth.injected_at is not None
    assert [ticket.raised_at >= truth.injected_at for ticket in of_the_fault] == [True]
