"""Everything that a server, its watcher and the rules say of a recording: what was judged, and every text that left."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from mcp import Client

from opsai_agent.backend import Tool
from opsai_agent.budget import Budget, Limits
from opsai_agent.loop import investigate
from opsai_agent.rules import RulesBackend
from opsai_agent.session import CallResult
from opsai_agent.transcript import Transcript
from opsai_server.app import Deps, build
from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import play
from opsai_subjects.config import Settings
from opsai_subjects.opening import ReplayCluster, open_replay, parse_moment
from tests.hostile.corpus import MARK
from tests.hostile.planting import HARMED
from tests.server.mcp.bench import text_of

LOOKED_FOR_SECONDS = 60
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("overview", {}),
    ("topology", {}),
    ("check_invariants", {"state": "all"}),
    ("differential", {}),
    ("search_logs", {"limit": 200, "minutes": 20}),
    ("search_logs", {"templates": True}),
    ("search_logs", {"contains": [MARK], "nodes": ["tikv1"], "limit": 200, "minutes": 60}),
    ("search_logs", {"regex": f"{MARK}.*(FATAL|panicked)", "minutes": 60}),
    ("query_metrics", {"query": f"{MARK}_series", "limit": 100}),
    ("query_metrics", {"query": f"count by ({MARK}) (up)"}),
    ("compare_windows", {}),
    ("timeline", {"minutes": 10}),
    ("tickets", {}),
    ("regions", {}),
    ("regions", {"stop": f"store:{HARMED}"}),
    ("scheduling", {}),
    ("latency", {}),
    ("knowledge", {"words": "store"}),
    ("evidence", {"id": "E-1"}),
    ("knowledge", {"words": MARK}),
    ("topology", {"nodes": [MARK]}),
    ("evidence", {"id": MARK}),
)
"""Each tool at least once; the last ones refuse."""


@dataclass
class Said:
    """What was said of a recording."""

    tickets: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    verdicts: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    causes: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    diagnosis: dict[str, Any] = field(default_factory=dict[str, Any])
    replies: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    """Tool and what it answered."""
    texts: list[str] = field(default_factory=list[str])
    """Every text that left: replies, errors, resources, the stored evidence, tickets, the transcript."""
    fixed: str = ""
    """Instructions, definitions of tools, resources' and prompts' names: what no cluster may reach."""


@dataclass
class Hands:
    """What the agent needs of a session, over a client in memory."""

    client: Client
    tools: tuple[Tool, ...]
    instructions: str

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
        result = await self.client.call_tool(name, dict(arguments))
        structured = result.structured_content
        return CallResult(text_of(result), dict(structured) if structured else None, bool(result.is_error))


async def said_of(folder: Path, moment: str, home: Path) -> Said:
    """Let the watcher look at a recording up to a moment, ask every tool, and let the rules diagnose its first ticket."""
    said = Said()
    settings = Settings(store=home / "opsai.sqlite")
    async with open_replay(folder) as replay, open_store(settings.store) as store:
        at = parse_moment(moment, replay.recording)
        await play(replay, store, settings.watch, start=at - timedelta(seconds=LOOKED_FOR_SECONDS), until=at)
        replay.clock.set(at)
        facts = await replay.subject.facts()
        verdicts = replay.subject.judge(facts)
        said.verdicts = {(one.invariant, one.entity): one.state for one in verdicts if MARK not in one.entity}
        said.texts += [step.says for one in await store.tickets(replay.name) for step in one.history]
        async with Client(build(Deps(replay, store, settings))) as client:
            await _listed(client, said)
            await _asked(client, said)
            await _diagnosed(client, replay, store, home, said)
            await _listed(client, said)
        await _kept(store, replay, said)
    return said


async def _listed(client: Client, said: Said) -> None:
    tools = (await client.list_tools(cache_mode="bypass")).tools
    resources = (await client.list_resources(cache_mode="bypass")).resources
    templates = (await client.list_resource_templates(cache_mode="bypass")).resource_templates
    prompts = (await client.list_prompts(cache_mode="bypass")).prompts
    shown = [one.model_dump_json() for one in (*tools, *resources, *templates, *prompts)]
    said.fixed += "\n".join([str(client.instructions), *shown])


async def _asked(client: Client, said: Said) -> None:
    for tool, arguments in CALLS:
        result = await client.call_tool(tool, arguments)
        said.texts.append(text_of(result))
        if not result.is_error:
            assert isinstance(result.structured_content, dict)
            said.replies.append((tool, result.structured_content))
    differential = next(reply for tool, reply in said.replies if tool == "differential")
    said.causes = [(one["kind"], one["entity"], one["standing"]) for one in differential["causes"]]


async def _diagnosed(client: Client, replay: ReplayCluster, store: Store, home: Path, said: Said) -> None:
    tickets = await store.tickets(replay.name, parents_only=True)
    said.tickets = [(one.id, one.invariant, one.entity, one.severity, one.status, one.title) for one in tickets]
    ticket = tickets[-1].id if tickets else None
    listed = (await client.list_tools()).tools
    tools = tuple(Tool(name=t.name, description=t.description or "", schema=dict(t.input_schema)) for t in listed)
    hands = Hands(client, tools, client.instructions or "")
    path = home / "transcript.jsonl"
    with Transcript(path, replay.clock.now) as transcript:
        budget = Budget(Limits(steps=30, tokens=10**6, seconds=600.0, usd=1.0), lambda: 0.0)
        outcome = await investigate(hands, RulesBackend(), ticket, budget, transcript, lambda _: None)
    stored = await store.diagnosis(str(outcome.reply["diagnosis_id"]))
    said.diagnosis = {
        "verdict": stored.submission.verdict,
        "confidence": stored.confidence,
        "causes": [(one.kind, one.entity) for one in stored.submission.root_causes],
        "claims": len(stored.submission.claims),
    }
    said.texts += [path.read_text(encoding="utf-8"), stored.model_dump_json()]
    if ticket is not None:
        shown = await client.call_tool("tickets", {"id": ticket})
        said.texts.append(text_of(shown))


async def _kept(store: Store, replay: ReplayCluster, said: Said) -> None:
    said.texts += [one.model_dump_json() for one in await store.tickets(replay.name)]
    for one in await store.list_evidence(replay.name, limit=500):
        said.texts.append(json.dumps((await store.evidence(one.id)).value, ensure_ascii=False))
