"""The live demo: a local cluster broken on purpose, told as it is found out, explained, healed and well again."""

from datetime import datetime

import anyio

from opsai_lab.chaos.bench_lock import only_bench
from opsai_lab.chaos.injecting import Injected, fault_named, possible_faults
from opsai_lab.deploying import bring_up, take_down
from opsai_lab.layout import columns
from opsai_lab.live.haste import Haste
from opsai_lab.live.performing import Performed
from opsai_lab.live.recorded import Order, play
from opsai_lab.live.steps import Concluded, Healed, Healthy, Resolved, Ticketed
from opsai_lab.places import Remembered, place_folder, recordings_home, remembered
from opsai_lab.report import one_line
from opsai_lab.story import Story
from opsai_lab.targets.blueprint import Blueprint
from opsai_lab.targets.blueprints import find_blueprint, shipped_folders
from opsai_lab.targets.target import Tell
from opsai_lab.voice import Voice, in_shell, program
from opsai_server.tickets.tick import Ticked


class LiveDemo:
    """What tells a live run to a person, step by step."""

    def __init__(self, voice: Voice, haste: Haste, name: str) -> None:
        self._voice = voice
        self._haste = haste
        self._name = name
        self._story = Story(voice)
        self._done = False

    def introduce(self, blueprint: Blueprint, target: str) -> None:
        """Say what will happen, and how it is watched."""
        self._voice.line(f"opsai demo --live: {self._name}", "bold")
        self._voice.prose(
            f"A real cluster on this machine: {blueprint.says}, as {target}. It is broken on purpose, and healed again whatever "
            "happens to this demo. The watcher, the server and the agent only look at it, as they do at every cluster; none of "
            "them is told what was done."
        )
        self._voice.prose(self._haste.says(), style="dim")

    def healthy(self, step: Healthy) -> None:
        """Tell the cluster as it is found."""
        self._story.found(step.topology, step.at)
        self._story.counts(step.last)

    def injected(self, step: Injected) -> None:
        """Tell what is done to it."""
        self._story.injected_at = step.at
        self._story.heading("Something is done to it", f"{step.at:%H:%M:%S}")
        self._voice.prose(f"{step.says}: {'; '.join(harm.says() for harm in step.harms)}.", first="  ")
        heal = f"{program('opsai')} deploy local heal --name {self._name}"
        self._voice.prose(f"Should this demo die now: {heal}", first="  ", style="dim")

    def looked(self, ticked: Ticked) -> None:
        """Tell what is new in a look, from the injection until the tickets are resolved."""
        if self._story.injected_at is not None and ticked.tick.at >= self._story.injected_at and not self._done:
            self._story.look(ticked)

    def ticketed(self, step: Ticketed) -> None:
        """Tell that the agent is sent."""
        self._story.heading("The agent investigates over MCP", f"{step.ticket.id}, live")

    def concluded(self, step: Concluded) -> None:
        """Tell the diagnosis."""
        self._voice.line(
            f"{step.tool_calls} calls, {step.reply_chars:,} characters of replies, {step.seconds:.0f} s.", "dim"
        )
        self._story.conclude(step.diagnosis)
        self._voice.line()
        word = "right" if step.right else "WRONG"
        self._voice.prose(f"The diagnosis is {word}: it names {step.says}.", style="bold")

    def healed(self, step: Healed) -> None:
        """Tell what was undone."""
        self._story.heading("It is healed", f"{step.at:%H:%M:%S}")
        self._voice.line("\n".join(f"  undone: {harm.says()}" for harm in step.harms) or "  nothing was left to undo")

    def resolved(self, step: Resolved) -> None:
        """Tell that it is over."""
        self._done = True
        self._story.heading("The ticket is resolved by itself", f"{step.seconds:.0f} s after the healing")
        self._voice.prose(f"{step.ticket.id} {one_line(step.ticket.history[-1].says)}", first="  ")

    def calls_to(self) -> int | None:
        """Return where the agent's calls are shown: in the same place."""
        return self._voice.descriptor()

    def ended(self, done: Performed, order: Order) -> None:
        """Say what it came to, and what can be done with it."""
        self._voice.line()
        if done.error:
            self._voice.prose(f"It came to no end: {done.error}", style="bold")
        elif done.detected and done.ticketed and done.concluded and done.resolved:
            found = self._story.since_injection(done.ticketed.ticket.violated_at)
            self._voice.prose(
                f"Seen {found}, a ticket {done.ticketed.seconds:.0f} s after it, diagnosed in {done.concluded.seconds:.0f} s, resolved "
                f"{done.resolved.seconds:.0f} s after the healing. Named entity {_word(done.concluded.entity_right)}, kind "
                f"{_word(done.concluded.kind_right)}.",
                style="bold",
            )
        self._next(order)

    def _next(self, order: Order) -> None:
        opsai, recording = program("opsai"), in_shell(order.recording)
        self._voice.line()
        self._voice.line("Next: it was recorded as it went")
        self._voice.line(f"  {opsai} demo {recording}")
        self._voice.line(f"  {opsai} evaluate {recording}")
        self._voice.line(f"  {opsai} tickets list --store {in_shell(order.home / 'tickets.sqlite')}")


def _word(right: bool) -> str:
    return "right" if right else "WRONG"


def named(name: str | None, subject: str | None, target: str | None) -> Remembered:
    """Return the local cluster that is meant: one that is up, else one to be brought up, of the first subject that ships.

    Raises UnknownName for a subject that has none.
    """
    before = remembered(name) if name else None
    blueprint = find_blueprint(subject or (before.subject if before else shipped_folders()[0].name))
    subject = blueprint.subject
    called = name or f"opsai-{subject}"
    before = remembered(called)
    if before is not None and target in (None, before.target):
        return before
    return Remembered(
        name=called,
        subject=subject,
        target=target or "processes",
        blueprint=blueprint.folder,
        wait_seconds=120.0,
        companions=True,
        small_disks_mb=0,
    )


def order_for(
    what: Remembered, fault: str, node: str | None, interval_seconds: float, backend: str, now: datetime
) -> Order:
    """Return the order of a run, its recording beside the home of local clusters; its name says nothing of the cause."""
    limits = find_blueprint(what.subject, what.blueprint).demo_limits
    haste = Haste(interval_seconds=interval_seconds, limits=limits)
    home = recordings_home() / f"{what.name}-{now:%Y%m%d-%H%M%S}"
    recording = home.with_name(f"{home.name}-recorded")
    return Order(fault, node, home, recording, haste, backend)


async def play_live(what: Remembered, order: Order, voice: Voice, tell: Tell, *, keep: bool) -> Performed:
    """Bring it up if it is not, run the demo, and take away what was brought up unless it is to be kept. Raises OpsaiError."""
    blueprint = find_blueprint(what.subject, what.blueprint)
    fault_named(blueprint, order.fault)
    was_up = remembered(what.name) is not None
    demo = LiveDemo(voice, order.haste, what.name)
    demo.introduce(blueprint, what.target)
    brought = await bring_up(what, tell)
    try:
        with only_bench(place_folder(what.name)):
            done = await play(brought.target, order, demo)
        demo.ended(done, order)
    finally:
        if not (keep or was_up):
            with anyio.CancelScope(shield=True):
                await take_down(what, tell)
    return done


def faults_text(what: Remembered) -> str:
    """Return the faults that a local cluster has, one a line, with why one cannot be done here. Raises OpsaiError."""
    target = what.opened()
    blueprint = target.place.blueprint
    rows = [
        ("fault", "what is done", "right is"),
        *((name, one.says, one.kind) for name, one in blueprint.faults.items()),
    ]
    lines = [f"Faults of {blueprint.says}, as {what.target}:", columns(rows, indent="  ")]
    lines += [f"Not here: {name}: {why}" for name, why in possible_faults(target).items() if why]
    return "\n".join(lines)
