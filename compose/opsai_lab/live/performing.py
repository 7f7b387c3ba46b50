"""One live run: healthy, broken, detected, a ticket, a diagnosis, healed, resolved; whatever stops it, the harm is undone."""

import math
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from opsai_lab.chaos.healing import heal
from opsai_lab.chaos.injecting import Injected, fault_named, inject
from opsai_lab.errors import LabError
from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.grading import united
from opsai_lab.evaluation.naming import entities_match, kinds_match
from opsai_lab.investigating import LiveOrder, investigate
from opsai_lab.live.stage import Stage
from opsai_lab.live.steps import Audience, Concluded, Detected, Healed, Healthy, Resolved, Ticketed
from opsai_lab.live.truths import true_causes
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import OPEN, Ticket
from opsai_server.watcher import run as watch
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import Topology, Value

HEALTHY_SECONDS = 90.0
DETECT_SECONDS = 60.0
RESOLVE_SECONDS = 120.0
STEADY_LOOKS = 2
"""So many looks in a row see nothing wrong before it counts as healthy."""


class Performed(Value):
    """What a run came to, as far as it came."""

    fault: str
    injected: Injected | None = None
    detected: Detected | None = None
    ticketed: Ticketed | None = None
    concluded: Concluded | None = None
    healed: Healed | None = None
    resolved: Resolved | None = None
    topology: Topology | None = None
    error: str = ""
    """Why it came no further."""

    @property
    def right(self) -> bool:
        """Whether it was detected, rightly diagnosed, and resolved by itself."""
        return not self.error and self.resolved is not None and self.concluded is not None and self.concluded.right


Looks = MemoryObjectReceiveStream[Ticked]


@asynccontextmanager
async def watching(stage: Stage) -> AsyncGenerator[Looks]:
    """Watch until the block ends; every look can be received, also those of a time when nobody listened."""
    send, receive = anyio.create_memory_object_stream[Ticked](math.inf)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(watch, stage.cluster, stage.store, stage.watch, on_tick=send.send))
            yield receive
            tasks.cancel_scope.cancel()
    except (
        BaseExceptionGroup
    ) as failed:  # a task group wraps even a single error, whose text is what the user is to read
        if len(failed.exceptions) == 1:
            raise failed.exceptions[0] from None
        raise
    finally:
        send.close()
        receive.close()


@dataclass
class Run:
    """One run on a stage, step by step; each step returns what it came to and tells the audience."""

    stage: Stage
    looks: Looks
    audience: Audience
    backend: str = "rules"

    async def settle(self) -> Healthy:
        """Wait until the cluster is healthy. Raises LabError with what is not, and nothing was done to it."""
        began, steady, last = time.monotonic(), 0, None
        wrong = "no look came to its end"
        while time.monotonic() - began < HEALTHY_SECONDS:
            with anyio.move_on_after(HEALTHY_SECONDS):
                last = await self._look()
                wrong = await self._wrong(last)
            steady = 0 if wrong else steady + 1
            if last is not None and steady >= STEADY_LOOKS:
                topology = await self.stage.cluster.subject.topology()
                waited = time.monotonic() - began
                step = Healthy(at=last.tick.at, topology=topology, last=last, waited_seconds=waited)
                self.audience.healthy(step)
                return step
        raise LabError(
            f"{self.stage.name} is not healthy after {HEALTHY_SECONDS:g} s, so nothing is done to it: {wrong}. "
            f"See: opsai deploy local status --name {self.stage.name}"
        )

    async def inject(self, fault: str, topology: Topology, node: str | None = None) -> Injected:
        """Break it. Raises LabError, UnknownName."""
        stage = self.stage
        step = await inject(stage.target, stage.journal, fault, topology, stage.cluster.clock, node)
        self.audience.injected(step)
        return step

    async def detect(self, injected: Injected) -> Detected:
        """Wait for the first invariant that turns. Raises LabError when none does."""
        with anyio.move_on_after(DETECT_SECONDS):
            while True:
                ticked = await self._look()
                violated = [one for one in ticked.tick.verdicts if one.state == "violated"]
                if violated and ticked.tick.at >= injected.at:
                    seconds = (ticked.tick.at - injected.at).total_seconds()
                    return Detected(verdict=violated[0], seconds=round(seconds, 1))
        raise LabError(f"Nothing was detected within {DETECT_SECONDS:g} s of {injected.fault}.")

    async def ticket(self, injected: Injected) -> Ticketed:
        """Wait for the ticket. Raises LabError when none is raised."""
        with anyio.move_on_after(DETECT_SECONDS):
            while True:
                for ticket in await self._open():
                    if ticket.raised_at >= injected.at:
                        seconds = (ticket.raised_at - injected.at).total_seconds()
                        step = Ticketed(ticket=ticket, seconds=round(seconds, 1))
                        self.audience.ticketed(step)
                        return step
                await self._look()
        raise LabError(f"No ticket was raised within {DETECT_SECONDS:g} s of {injected.fault} being seen.")

    async def diagnose(self, injected: Injected, ticketed: Ticketed, topology: Topology) -> Concluded:
        """Have `opsai-agent` investigate the ticket on the live cluster, as a program of its own. Raises AgentError."""
        began = time.monotonic()
        order = LiveOrder(ticketed.ticket.id, self.stage.config, self.stage.name, self.backend)
        took = await investigate(order, calls_to=self.audience.calls_to())
        diagnosis = await self.stage.store.diagnosis(took.diagnosis.id)
        step = graded(diagnosis, injected, topology).model_copy(
            update={
                "seconds": round(time.monotonic() - began, 1),
                "tool_calls": took.tool_calls,
                "reply_chars": took.reply_chars,
            }
        )
        self.audience.concluded(step)
        return step

    async def heal(self) -> Healed:
        """Undo what was done. Raises LabError."""
        stage = self.stage
        began_at = stage.cluster.clock.now()
        harms = await heal(stage.target, stage.journal, lambda _: None)
        step = Healed(harms=harms, began_at=began_at, at=stage.cluster.clock.now())
        self.audience.healed(step)
        return step

    async def resolve(self, ticketed: Ticketed, healed: Healed) -> Resolved:
        """Wait until the ticket is resolved by the watcher, and no other is open. Raises LabError when that takes too long."""
        with anyio.move_on_after(RESOLVE_SECONDS):
            while True:
                await self._look()
                ticket = await self.stage.store.ticket(ticketed.ticket.id)
                if ticket.resolved_at is not None and not await self._open():
                    seconds = (ticket.resolved_at - healed.at).total_seconds()
                    step = Resolved(ticket=ticket, seconds=round(seconds, 1))
                    self.audience.resolved(step)
                    return step
        still = "; ".join(f"{one.id} {one.title}" for one in await self._open()) or "none"
        raise LabError(
            f"{ticketed.ticket.id} was not resolved within {RESOLVE_SECONDS:g} s of the healing; still open: {still}."
        )

    async def _look(self) -> Ticked:
        ticked = await self.looks.receive()
        self.audience.looked(ticked)
        return ticked

    async def _open(self) -> tuple[Ticket, ...]:
        found = await self.stage.store.tickets(self.stage.name, status=OPEN, parents_only=True)
        return tuple(ticket for ticket in found if ticket.grade != "sight")

    async def _wrong(self, ticked: Ticked) -> str:
        """Return what keeps it from being healthy; empty when nothing does."""
        nodes = {node.name for node in self.stage.target.place.blueprint.nodes}
        status = await self.stage.target.status()
        reasons = [
            f"{one.name} is {one.state} {one.says}".rstrip()
            for one in status
            if one.name in nodes and one.state != "running"
        ]
        reasons += [
            f"{one.entity} {one.invariant}: {one.says}" for one in ticked.tick.verdicts if one.state == "violated"
        ]
        reasons += [f"{ticket.id} is open: {ticket.title}" for ticket in await self._open()]
        if not reasons:
            sights = await self.stage.cluster.subject.check()
            reasons = [f"{sight.source} cannot be seen: {sight.says}" for sight in sights if sight.state == "blind"]
        return "; ".join(reasons)


async def perform(run: Run, fault: str, node: str | None = None) -> Performed:
    """Do all steps; one that fails ends it with its reason, healed all the same. Raises UnknownName, and LabError when it was not
    healthy to begin with: then nothing was done."""
    fault_named(run.stage.target.place.blueprint, fault)
    healthy = await run.settle()
    done = Performed(fault=fault, topology=healthy.topology)
    try:
        done = await _broken(run, done, healthy, node)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await run.heal()
        raise
    healed = await run.heal()
    done = done.model_copy(update={"healed": healed})
    if done.error or done.ticketed is None:
        return done
    try:
        return done.model_copy(update={"resolved": await run.resolve(done.ticketed, healed)})
    except LabError as error:
        return done.model_copy(update={"error": str(error)})


async def _broken(run: Run, done: Performed, healthy: Healthy, node: str | None) -> Performed:
    """Break it and have it found out; what keeps it from being found out is the run's error. Raises what injecting raises."""
    injected = await run.inject(done.fault, healthy.topology, node)
    done = done.model_copy(update={"injected": injected})
    try:
        done = done.model_copy(update={"detected": await run.detect(injected)})
        ticketed = await run.ticket(injected)
        done = done.model_copy(update={"ticketed": ticketed})
        return done.model_copy(update={"concluded": await run.diagnose(injected, ticketed, healthy.topology)})
    except OpsaiError as error:
        return done.model_copy(update={"error": str(error)})


def graded(diagnosis: Diagnosis, injected: Injected, topology: Topology) -> Concluded:
    """Return a diagnosis compared with what was done. Pure."""
    aliases = Aliases(
        {alias: node.name for node in topology.nodes for alias in (node.name, node.entity, node.address) if alias}
    )
    true, named = true_causes(injected), united((diagnosis,), aliases)
    said = "; ".join(f"{one.kind} on {one.entity}" for one in named) or "no cause"
    really = "; ".join(f"{one.kind} on {' or '.join(one.entities)}" for one in true)
    return Concluded(
        diagnosis=diagnosis,
        kind_right=kinds_match(true, named),
        entity_right=entities_match(true, named, aliases),
        says=f"{said}; right is {really}",
        seconds=0.0,
        tool_calls=0,
        reply_chars=0,
    )
