"""Observe-only, proven: every tool is walked with arguments of every kind while each request is recorded."""

import random
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.types import Tool

from opsai_server.app import Deps, build
from opsai_server.tickets.store import open_store
from opsai_subjects.config import ClusterSettings, Settings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.opening import Cluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.logs import RecordedLogs
from opsai_subjects.recording.marked import RecordedTransport
from opsai_subjects.recording.serve import serve
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.prometheus import PATHS, Prometheus
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
AMBER = ROOT / "compose" / "incidents" / "amber-heron"
ROUNDS = 12
WORDS = [
    "",
    "store:1",
    "tikv1",
    "pd1",
    "cluster",
    "store_up",
    "tikv_down",
    "up",
    "E-1",
    "E-2",
    "T-1",
    "tikv",
    "../../pd/api/v1/store/1",
    "http://127.0.0.1:1/pd/api/v1/operators",
    "/pd/api/v1/config?ttlSecond=1",
    "'; DROP TABLE tickets; --",
    "POST /pd/api/v1/stores/remove-tombstone HTTP/1.1\r\n\r\n",
    'up{instance="x"} or vector(1)',
    "rate(tikv_grpc_msg_duration_seconds_count[$range])",
    "2026-11-23T23:06:00Z",
    "\x00\u202e",
]

FIRST: dict[str, dict[str, Any]] = {
    "query_metrics": {"query": "up"},
    "evidence": {"id": "E-1"},
    "submit_diagnosis": {
        "verdict": "inconclusive",
        "summary": "Only a walk.",
        "action": {"do": "Nothing.", "because": "It is a walk.", "verify": "It ends.", "touches": "nothing"},
    },
}
"""What a tool is asked first where it needs to be asked something: each answers at least once."""


class Recorder(httpx.AsyncBaseTransport):
    """Notes each request and passes it on."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seen: list[httpx.Request]) -> None:
        self._inner = inner
        self._seen = seen

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._seen.append(request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def observed(folder: Path, requests: dict[str, list[httpx.Request]]) -> AsyncGenerator[tuple[Client, set[str]]]:
    """Serve the recording's end over MCP; every request to it is noted under who sent it. Yield the hosts it lives at too."""
    recording = open_recording(AMBER)
    clock = ReplayClock(recording.incident.end)
    kind = subject_kind("tikv")
    settings = Settings(store=folder / "opsai.sqlite")
    async with serve(recording, clock) as replay, open_store(settings.store) as store:
        hosts = frozenset((*replay.addresses.values(), replay.prometheus.removeprefix("http://")))
        cluster = ClusterSettings(
            endpoints=tuple(f"http://{node.address}" for node in recording.incident.nodes if node.role == "pd"),
            prometheus=replay.prometheus,
            addresses=replay.addresses,
        )
        web_transport = Recorder(RecordedTransport(hosts, clock), requests.setdefault("web", []))
        metrics_transport = Recorder(RecordedTransport(hosts, clock), requests.setdefault("metrics", []))
        async with (
            open_web(Access(), WebLimits(), allow=kind.paths, transport=web_transport) as web,
            open_web(Access(), WebLimits(), allow=PATHS, transport=metrics_transport) as metrics_web,
        ):
            sources = Sources(
                web=web,
                metrics=Prometheus(replay.prometheus, metrics_web, clock),
                logs=RecordedLogs(recording.logs, kind.parse_log, clock),
                clock=clock,
                reach=replay.addresses,
            )
            opened = Cluster("lab", kind.open("lab", cluster, sources), clock, cluster, recording)
            async with Client(build(Deps(opened, store, settings))) as client:
                yield client, set(hosts)


def some(schema: dict[str, Any], definitions: dict[str, Any], dice: random.Random) -> Any:
    """Return some value that a schema admits, or nearly."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = dice.choice(schema["anyOf"])
    if "enum" in schema:
        return dice.choice(schema["enum"])
    match schema["type"]:
        case "string":
            return dice.choice(WORDS)
        case "boolean":
            return dice.random() < 0.5
        case "integer" | "number":
            return dice.choice([0, 1, 2, 5, 15, 100, 10_000, -1, 0.5])
        case "array":
            return [some(schema["items"], definitions, dice) for _ in range(dice.randrange(3))]
        case _:
            named = schema["properties"]
            return {name: some(named[name], definitions, dice) for name in named}


def arguments(tool: Tool, dice: random.Random) -> dict[str, Any]:
    schema = dict(tool.input_schema)
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return {
        name: some(part, definitions, dice)
        for name, part in schema["properties"].items()
        if name in required or dice.random() < 0.4
    }


async def test_no_tool_sends_anything_but_gets_of_allowed_paths_to_the_cluster(tmp_path: Path) -> None:
    requests: dict[str, list[httpx.Request]] = {}
    answered: dict[str, int] = {}
    dice = random.Random(20261124)
    async with observed(tmp_path, requests) as (client, hosts):
        tools = (await client.list_tools()).tools
        for tool in tools:
            for n in range(ROUNDS):
                given = FIRST.get(tool.name, {}) if n == 0 else arguments(tool, dice)
                result = await client.call_tool(tool.name, given)
                assert "internal error" not in str(result.content), (tool.name, given, result.content)
                answered[tool.name] = answered.get(tool.name, 0) + (not result.is_error)

    every = [*requests["web"], *requests["metrics"]]
    assert len(requests["web"]) > 20
    assert len(requests["metrics"]) > 20
    assert subject_kind("tikv").rpcs == ()  # a kind with some: opsai_server.conformance walks its tools
    assert {request.method for request in every} == {"GET"}
    assert all(request.content == b"" for request in every)
    assert {f"{request.url.host}:{request.url.port}" for request in every} <= hosts
    assert off_the_list(requests["web"], subject_kind("tikv").paths) == set()
    assert off_the_list(requests["metrics"], PATHS) == set()
    assert [name for name, count in answered.items() if count == 0] == []


def off_the_list(requests: list[httpx.Request], allowed: tuple[str, ...]) -> set[str]:
    return {
        request.url.path
        for request in requests
        if not any(re.fullmatch(pattern, request.url.path) for pattern in allowed)
    }
