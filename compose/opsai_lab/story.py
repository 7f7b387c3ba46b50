"""What a demo tells, part by part, whether it plays a recording or a live cluster: the same voice for both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opsai_lab.layout import WIDTH, columns
from opsai_lab.report import action_text, claims_text, conclusion_text, doubts_text, one_line, rivals_table
from opsai_lab.voice import Voice
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Node, Scalar, Topology

STATES = (("violated", "red"), ("held", "green"), ("unknown", "yellow"))
CONFIDENCES = (("confirmed", "green"), ("likely", "yellow"), ("inconclusive", "red"))
LOOKED_UP = (("holds ", "green"), ("FAILED", "red"))


@dataclass
class Story:
    """What was told so far."""

    voice: Voice
    injected_at: datetime | None = None
    part: int = 0
    counted: bool = False
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    first: Ticket | None = None
    """The first ticket about the cluster that is an incident of its own."""

    def heading(self, title: str, aside: str = "") -> None:
        """Begin the next part."""
        self.part += 1
        self.voice.heading(self.part, title, aside)

    def since_injection(self, at: datetime) -> str:
        """Return how long after the injection a moment is, in words; empty before it."""
        if self.injected_at is None or at < self.injected_at:
            return ""
        return f"{(at - self.injected_at).total_seconds():.0f} s after the fault"

    def found(self, topology: Topology, at: datetime) -> None:
        """Tell the cluster as it is found."""
        self.heading("The cluster as it is found", f"{at:%H:%M:%S}")
        for role in dict.fromkeys(node.role for node in topology.nodes):
            self.voice.line(_nodes_table([node for node in topology.nodes if node.role == role]))
        figures = [f"{name} {_cell(value)}" for name, value in topology.summary.items() if value is not None]
        self.voice.prose(", ".join(figures), first="  ", style="dim")

    def counts(self, ticked: Ticked) -> None:
        """Tell once how many invariants hold."""
        if not self.counted:
            self.counted = True
            now = ticked.tick
            text = f"  invariants: {now.held} held, {now.violated} violated, {now.unknown} unknown"
            self.voice.marked(text, STATES)

    def look(self, ticked: Ticked) -> None:
        """Tell what is new in a look: invariants that turned, and what became of tickets."""
        violated = [one for one in ticked.tick.verdicts if one.state == "violated"]
        turned = [one for one in violated if (one.invariant, one.entity) not in self.seen]
        if turned:
            self._turned(turned, ticked.tick.at)
        for step in ticked.steps:
            self._ticket(step.ticket, step.transition.step, step.transition.says)

    def _turned(self, turned: Sequence[Verdict], at: datetime) -> None:
        if not self.seen:
            self.heading("The invariants turn", self.since_injection(at))
        for verdict in turned:
            self.seen.add((verdict.invariant, verdict.entity))
            first = f"  {at:%H:%M:%S}  "
            self.voice.prose(f"{verdict.entity} {verdict.invariant}: {one_line(verdict.says)}", first=first)

    def _ticket(self, ticket: Ticket, step: str, says: str) -> None:
        if step == "created" and ticket.parent is None and ticket.grade != "sight" and self.first is None:
            self.first = ticket
            self.heading(f"The watcher raises a ticket: {ticket.id}", self.since_injection(ticket.raised_at))
            self.voice.prose(f"{ticket.severity}: {one_line(ticket.title)}", first="  ")
            return
        if ticket.parent is None:
            self.voice.prose(f"{ticket.id} {step}: {one_line(says)}", first="  ", style="dim")
        elif step == "joined":
            self.voice.prose(f"{ticket.id} {one_line(says)}: {one_line(ticket.title)}", first="  ", style="dim")

    def conclude(self, diagnosis: Diagnosis) -> None:
        """Tell the diagnosis and what it was checked against."""
        self.heading("The diagnosis")
        self.voice.marked(conclusion_text(diagnosis), CONFIDENCES)
        self.voice.line(action_text(diagnosis))
        self.heading("What it was checked against")
        for text in (claims_text(diagnosis), rivals_table(diagnosis), doubts_text(diagnosis)):
            if text:
                self.voice.marked(text, LOOKED_UP)


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
