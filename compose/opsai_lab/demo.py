"""The demo: a recorded incident from a healthy cluster to a checked diagnosis, told as it unfolds on its own clock."""

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from opsai_lab.evaluation.grading import united
from opsai_lab.evaluation.naming import entities_match, kinds_match
from opsai_lab.evaluation.node_names import read_aliases
from opsai_lab.investigating import Order, investigate
from opsai_lab.story import Story
from opsai_lab.truth import Truth, read_truth
from opsai_lab.voice import Voice, in_shell, program
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.opening import ReplayCluster, open_replay

INTERVAL_SECONDS = 10.0
"""The demo's watcher looks more often than the usual one, so that the story has more than five sentences."""
AFTER_TICKET_SECONDS = 60.0
"""The agent is sent so long after the first ticket, as an operator who was paged would be."""


@dataclass
class _Played(Story):
    """The story of a recording, with what was really done to it."""

    truth: Truth | None = None
    injected: bool = False


async def play_demo(recording: Path, voice: Voice, backend: str) -> None:
    """Play the recording up to a checked diagnosis. Raises OpsaiError."""
    folder = Path(tempfile.mkdtemp(prefix="opsai-demo-"))
    store_path = folder / "opsai.sqlite"
    truth = read_truth(recording)
    story = _Played(voice, truth.injected_at if truth else None, truth=truth)
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
    story.conclude(diagnosis)
    await _compare(story, recording, diagnosis)
    _next(voice, recording, at, store_path, ticket)


def _introduce(story: _Played, cluster: ReplayCluster) -> None:
    incident = cluster.recording.incident
    roles = [node.role for node in incident.nodes]
    counts = " and ".join(f"{roles.count(role)} {role}" for role in dict.fromkeys(roles))
    seconds = (incident.end - incident.start).total_seconds()
    story.voice.line(f"opsai demo: {incident.name}", "bold")
    story.voice.prose(
        f"A recording of a real cluster of {counts} under load, {seconds:.0f} s long. It is played on its own clock: what its nodes, "
        "Prometheus and the logs said is served on loopback, and the ordinary programs look at it there. Nothing is ever written to a cluster."
    )


async def _watch(story: _Played, cluster: ReplayCluster, store: Store) -> None:
    """Look again and again until a while after the first ticket, or to the end when there is none."""
    incident = cluster.recording.incident
    settings = incident.watched(WatchSettings(interval_seconds=INTERVAL_SECONDS))
    at = incident.judged_from
    until = min(incident.end, story.truth.incident_end) if story.truth else incident.end
    cluster.clock.set(at)
    story.found(await cluster.subject.topology(), at)
    while at <= until:
        cluster.clock.set(at)
        ticked = await tick(cluster, store, settings)
        _tell(story, ticked)
        if story.first is not None:
            until = min(until, story.first.raised_at + timedelta(seconds=AFTER_TICKET_SECONDS))
        at += timedelta(seconds=settings.interval_seconds)
    if story.first is None:
        story.heading("The watcher raises no ticket", f"up to {cluster.clock.now():%H:%M:%S}")


def _tell(story: _Played, ticked: Ticked) -> None:
    story.counts(ticked)
    _tell_injection(story, ticked.tick.at)
    story.look(ticked)


def _tell_injection(story: _Played, at: datetime) -> None:
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


async def _compare(story: _Played, recording: Path, diagnosis: Diagnosis) -> None:
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
