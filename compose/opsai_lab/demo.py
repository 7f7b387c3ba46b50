"""The demo: a recorded incident from a healthy cluster to a checked diagnosis, told as it unfolds on its own clock."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from opsai_lab.evaluation.grading import united
from opsai_lab.evaluation.naming import entities_match, kinds_match
from opsai_lab.evaluation.node_names import read_aliases
from opsai_lab.investigating import Order, investigate
from opsai_lab.layout import WIDTH, columns
from opsai_lab.report import action_text, claims_text, conclusion_text, doubts_text, one_line, rivals_table
from opsai_lab.truth import Truth, read_truth
from opsai_lab.voice import Voice, in_shell, program
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import Ticket
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Node, Scalar, Topology
from opsai_subjects.opening import ReplayCluster, open_replay

INTERVAL_SECONDS = 10.0
"""The demo's watcher looks more often than the usual one, so that the story has more than five sentences."""
AFTER_TICKET_SECONDS = 60.0
"""The agent is sent so long after the first ticket, as an operator who was paged would be."""
STATES = (("violated", "red"), ("held", "green"), ("unknown", "yellow"))
CONFIDENCES = (("confirmed", "green"), ("likely", "yellow"), ("inconclusive", "red"))
LOOKED_UP = (("holds ", "green"), ("FAILED", "red"))


@dataclass
class _Story:
    """What was told so far."""

    voice: Voice
    truth: Truth | None
    part: int = 0
    injected: bool = False
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    first: Ticket | None = None
    """The first ticket about the cluster that is an incident of its own."""

    def heading(self, title: str, aside: str = "") -> None:
        self.part += 1
        self.voice.heading(self.part, title, aside)

    def since_injection(self, at: datetime) -> str:
        """Return how long after the injection a moment is, in words; empty before it."""
        if self.truth is None or self.truth.injected_at is None or at < self.truth.injected_at:
            return ""
        return f"{(at - self.truth.injected_at).total_seconds():.0f} s after the fault"


async def play_demo(recording: Path, voice: Voice, backend: str) -> None:
    """Play the recording up to a checked diagnosis. Raises OpsaiError."""
    folder = Path(tempfile.mkdtemp(prefix="opsai-demo-"))
    store_path = folder / "opsai.sqlite"
    story = _Story(voice, read_truth(recording))
    async with open_replay(recording) as cluster, open_store(store_path) as store:
        _introduce(story, cluster)
        await _watch(story, cluster, store)
        at = cluster.clock.now()
    ticket = story.first.id if story.first else None
    story.heading("The agent investigates over MCP", f"as of {at:%H:%M:%S}")
    order = Order(ticket, recording, at, store_path, backend)
    took = await investigate(order, calls_to=voice.descriptor())
    voice.line(f"{took.tool_calls} calls, {took.reply_chars:,} characters of replies.", "dim")
    async with open_store(store_path) as store:
        diagnosis = await store.diagnosis(took.diagnosis.id)
    _conclude(story, diagnosis)
    await _compare(story, recording, diagnosis)
    _next(voice, recording, at, store_path, ticket)


def _introduce(story: _Story, cluster: ReplayCluster) -> None:
    incident = cluster.recording.incident
    roles = [node.role for node in incident.nodes]
    counts = " and ".join(f"{roles.count(role)} {role}" for role in dict.fromkeys(roles))
    seconds = (incident.end - incident.start).total_seconds()
    story.voice.line(f"opsai demo: {incident.name}", "bold")
    story.voice.prose(
        f"A recording of a real cluster of {counts} under load, {seconds:.0f} s long. It is played on its own clock: what its nodes, "
        "Prometheus and the logs said is served on loopback, and the ordinary programs look at it there. Nothing is ever written to a cluster."
    )


async def _watch(story: _Story, cluster: ReplayCluster, store: Store) -> None:
    """Look again and again until a while after the first ticket, or to the end when there is none."""
    incident = cluster.recording.incident
    settings = incident.watched(WatchSettings(interval_seconds=INTERVAL_SECONDS))
    at = incident.judged_from
    until = min(incident.end, story.truth.incident_end) if story.truth else incident.end
    cluster.clock.set(at)
    _healthy(story, await cluster.subject.topology(), at)
    while at <= until:
        cluster.clock.set(at)
        ticked = await tick(cluster, store, settings)
        _tell(story, ticked)
        if story.first is not None:
            until = min(until, story.first.raised_at + timedelta(seconds=AFTER_TICKET_SECONDS))
        at += timedelta(seconds=settings.interval_seconds)
    if story.first is None:
        story.heading("The watcher raises no ticket", f"up to {cluster.clock.now():%H:%M:%S}")


def _healthy(story: _Story, topology: Topology, at: datetime) -> None:
    story.heading("The cluster as it is found", f"{at:%H:%M:%S}")
    for role in dict.fromkeys(node.role for node in topology.nodes):
        story.voice.line(_nodes_table([node for node in topology.nodes if node.role == role]))
    figures = [f"{name} {_cell(value)}" for name, value in topology.summary.items() if value is not None]
    story.voice.prose(", ".join(figures), first="  ", style="dim")


def _nodes_table(nodes: Sequence[Node]) -> str:
    """Return a table of the nodes with as many of their details as the width has room for."""
    details = list(dict.fromkeys(name for node in nodes for name in node.details))
    while True:
        rows = [("name", "entity", "state", *details)]
        rows += [
            (node.name, node.entity, node.state, *(_cell(node.details.get(name)) for name in details)) for node in nodes
        ]
        table = columns(rows, indent="  ")
        if not details or max(map(len, table.splitlines())) <= WIDTH:
            return table
        details.pop()


def _cell(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _tell(story: _Story, ticked: Ticked) -> None:
    now = ticked.tick
    if not story.seen and story.part == 1:
        story.voice.marked(f"  invariants: {now.held} held, {now.violated} violated, {now.unknown} unknown", STATES)
        story.seen.add(("", ""))
    _tell_injection(story, now.at)
    turned = [v for v in now.verdicts if v.state == "violated" and (v.invariant, v.entity) not in story.seen]
    if turned:
        _tell_turned(story, turned, now.at)
    for step in ticked.steps:
        _tell_ticket(story, step.ticket, step.transition.step, step.transition.says)


def _tell_injection(story: _Story, at: datetime) -> None:
    truth = story.truth
    if story.injected or truth is None or truth.healthy or truth.injected_at is None or at < truth.injected_at:
        return
    story.injected = True
    story.heading("Something is done to it", f"{truth.injected_at:%H:%M:%S}")
    story.voice.prose(
        f"{truth.note}, on {_nodes_touched(truth)}. (This line comes from the recording's truth.json. The watcher, the server and the "
        "investigator never read it.)",
        first="  ",
    )


def _nodes_touched(truth: Truth) -> str:
    return "; ".join(", ".join(cause.entities) for cause in truth.causes)


def _tell_turned(story: _Story, turned: Sequence[Verdict], at: datetime) -> None:
    if not any(part for part in story.seen if part != ("", "")):
        story.heading("The invariants turn", story.since_injection(at))
    for verdict in turned:
        story.seen.add((verdict.invariant, verdict.entity))
        story.voice.prose(f"{verdict.entity} {verdict.invariant}: {one_line(verdict.says)}", first=f"  {at:%H:%M:%S}  ")


def _tell_ticket(story: _Story, ticket: Ticket, step: str, says: str) -> None:
    if step == "created" and ticket.parent is None and ticket.grade != "sight" and story.first is None:
        story.first = ticket
        story.heading(f"The watcher raises a ticket: {ticket.id}", story.since_injection(ticket.raised_at))
        story.voice.prose(f"{ticket.severity}: {one_line(ticket.title)}", first="  ")
        return
    if ticket.parent is None:
        story.voice.prose(f"{ticket.id} {step}: {one_line(says)}", first="  ", style="dim")
    elif step == "joined":
        story.voice.prose(f"{ticket.id} {one_line(says)}: {one_line(ticket.title)}", first="  ", style="dim")


def _conclude(story: _Story, diagnosis: Diagnosis) -> None:
    story.heading("The diagnosis")
    story.voice.marked(conclusion_text(diagnosis), CONFIDENCES)
    story.voice.line(action_text(diagnosis))
    story.heading("What it was checked against")
    for text in (claims_text(diagnosis), rivals_table(diagnosis), doubts_text(diagnosis)):
        if text:
            story.voice.marked(text, LOOKED_UP)


async def _compare(story: _Story, recording: Path, diagnosis: Diagnosis) -> None:
    truth = story.truth
    if truth is None:
        return
    aliases = await read_aliases(recording)
    named = united((diagnosis,), aliases)
    right = kinds_match(truth.causes, named) and entities_match(truth.causes, named, aliases)
    true = "; ".join(f"{cause.kind} on {' or '.join(cause.entities)}" for cause in truth.causes) or "nothing wrong"
    story.voice.line()
    story.voice.prose(f"What was really done: {true}. The diagnosis is {'right' if right else 'WRONG'}.", style="bold")


def _next(voice: Voice, recording: Path, at: datetime, store: Path, ticket: str | None) -> None:
    voice.line()
    voice.line("Next")
    shown = f"tickets show {ticket}" if ticket else "tickets list"
    voice.line(f"  {program('opsai')} {shown} --store {store}")
    voice.line(f"  {program('opsai')} demo hazel-kite")
    voice.line("Or ask Claude about this moment:")
    server = program("opsai-mcp")
    server = server if server == "opsai-mcp" else in_shell(Path(server))
    voice.line(f"  claude mcp add opsai -- {server} --replay {in_shell(recording)} --at {at.isoformat()}")
