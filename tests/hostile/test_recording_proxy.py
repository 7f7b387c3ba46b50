"""Observe-only, seen on the wire: a proxy before everything that is asked sees every request of every tool, resource and prompt."""

import random
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError

from opsai_agent.backend import Tool
from opsai_agent.budget import Budget, Limits
from opsai_agent.loop import investigate
from opsai_agent.rules import RulesBackend
from opsai_agent.transcript import Transcript
from opsai_server.app import Deps, build
from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import tick
from opsai_subjects.config import ClusterSettings, Settings, WebLimits
from opsai_subjects.model import WallClock
from opsai_subjects.opening import Cluster, open_cluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.serve import serve
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources import docker, kubernetes, loki, prometheus
from tests.hostile.looking import Hands
from tests.hostile.planting import INCIDENTS
from tests.hostile.proxy import Proxy, proxied
from tests.server.mcp.test_observing import FIRST, WORDS, arguments
from tests.subjects.sources.fake_docker import FakeEngine, frame
from tests.subjects.sources.fake_kubernetes import FakeApi, running, stamped
from tests.subjects.sources.fake_loki import FakeLoki
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import standin
from tests.tikv.diagnostics_server import SEARCH, FakeNode
from tests.tikv.diagnostics_server import served as served_node

pytestmark = pytest.mark.anyio

ROUNDS = 4
ETCD = b'{"etcdserver":"3.5.9","etcdcluster":"3.5.0","header":{"cluster_id":"1","member_id":"2"},"members":[],"health":"true"}'
LIMITS = WebLimits(connect_seconds=2, read_seconds=5)


@dataclass
class Wires:
    """The proxies, by what stands behind them."""

    nodes: list[Proxy]
    prometheus: Proxy
    loki: Proxy
    docker: Proxy
    kubernetes: Proxy
    node: FakeNode
    """The stores' own gRPC service: it keeps the methods that it was called by."""


@asynccontextmanager
async def wired(folder: Path) -> AsyncGenerator[tuple[Cluster, Wires]]:
    """Open a recorded cluster as a live one, a proxy before each of its parts."""
    recording = open_recording(INCIDENTS / "amber-heron")
    nodes = recording.incident.nodes
    node = FakeNode(lines=[(1, "Info", "[kv.rs:1] [hello]")])
    now = WallClock().now().timestamp()
    engine = FakeEngine({"c1": frame(now - 5, "[2026/01/01 00:00:00.000 +00:00] [INFO] [a.rs:1] [hello]")})
    api = FakeApi({"p2": running(now - 100)}, {"p2": (stamped(now - 5, "hello"), "")})
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        served = await enter(serve(recording, ReplayClock(recording.incident.end)))
        before = {to: await enter(proxied(to)) for to in sorted(set(served.addresses.values()))}
        others = [
            await enter(proxied((await enter(standin(answer))).url.removeprefix("http://")))
            for answer in (FakeLoki([({"app": "db", "instance": "tikv3"}, [(now - 5, "hello")])]), engine, api)
        ]
        metrics = await enter(proxied(served.prometheus.removeprefix("http://")))
        addresses = {address: before[to].address for address, to in served.addresses.items()}
        grpc = await enter(served_node(node))
        addresses |= {one.address: grpc for one in nodes if one.role == "tikv"}
        cluster = ClusterSettings.model_validate(
            {
                "endpoints": [f"http://{addresses[one.address]}" for one in nodes if one.role == "pd"],
                "prometheus": f"http://{metrics.address}",
                "addresses": addresses,
                "names": {one.address: one.name for one in nodes},
                "loki": {"url": f"http://{others[0].address}", "selector": '{app="db"}', "nodes": {"pd3": "tikv3"}},
                "docker": {"url": f"http://{others[1].address}", "containers": {"pd1": "c1"}},
                "kubernetes": {"url": f"http://{others[2].address}", "namespace": "db", "pods": {"pd2": "p2"}},
                "diagnostics": True,
            }
        )
        opened = await enter(open_cluster("lab", cluster, LIMITS))
        yield opened, Wires(list(before.values()), metrics, *others, node)


async def test_all_that_a_cluster_is_ever_sent_is_gets_of_listed_paths_and_one_search(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "opsai.sqlite")
    with anyio.fail_after(120):
        async with wired(tmp_path) as (cluster, wires), open_store(settings.store) as store:
            await tick(cluster, store, settings.watch, watcher="here:1")
            await cluster.subject.check()
            async with Client(build(Deps(cluster, store, settings))) as client:
                await every_tool(client)
                await every_page(client)
                await the_agent(client, tmp_path)

    nodes = [one for proxy in wires.nodes for one in proxy.sent]
    assert len(nodes) > 100
    for seen, paths in (
        (nodes, subject_kind("tikv").paths),
        (wires.prometheus.sent, prometheus.PATHS),
        (wires.loki.sent, loki.PATHS),
        (wires.docker.sent, docker.PATHS),
        (wires.kubernetes.sent, kubernetes.PATHS),
    ):
        assert seen
        assert {(one.method, one.body) for one in seen} == {("GET", b"")}
        assert off(paths, [one.path for one in seen]) == []
    assert set(wires.node.methods) == {SEARCH}


async def test_all_that_etcd_is_ever_posted_is_its_two_fixed_reads(tmp_path: Path) -> None:
    kind = subject_kind("etcd")
    settings = Settings(store=tmp_path / "opsai.sqlite")
    with anyio.fail_after(60):
        async with AsyncExitStack() as stack:
            member = await stack.enter_async_context(standin(lambda _: http(200, ETCD)))
            proxy = await stack.enter_async_context(proxied(member.url.removeprefix("http://")))
            chosen = ClusterSettings(subject="etcd", endpoints=(f"http://{proxy.address}",))
            cluster = await stack.enter_async_context(open_cluster("lab", chosen, LIMITS))
            store: Store = await stack.enter_async_context(open_store(settings.store))
            await tick(cluster, store, settings.watch, watcher="here:1")
            async with Client(build(Deps(cluster, store, settings))) as client:
                await every_tool(client)

    posted = {(one.path, one.body) for one in proxy.sent if one.method != "GET"}
    assert {one.method for one in proxy.sent} == {"GET", "POST"}
    assert posted <= {(rpc.path, rpc.sent) for rpc in kind.rpcs}
    assert off(kind.paths, [one.path for one in proxy.sent if one.method == "GET"]) == []


async def every_tool(client: Client) -> None:
    dice = random.Random(20261125)
    for tool in (await client.list_tools()).tools:
        for n in range(ROUNDS):
            given = FIRST.get(tool.name, {}) if n == 0 else arguments(tool, dice)
            result = await client.call_tool(tool.name, given)
            assert "internal error" not in str(result.content), (tool.name, given, result.content)


async def every_page(client: Client) -> None:
    """Read what is listed, then templates and prompts with words of every kind."""
    dice = random.Random(20261126)
    uris = [str(one.uri) for one in (await client.list_resources()).resources]
    for template in (await client.list_resource_templates()).resource_templates:
        uris += [re.sub(r"\{[^}]*\}", word, template.uri_template) for word in ("lab", "T-1", "E-1", "D-1", "store_up")]
    for uri in uris:
        try:
            await client.read_resource(uri)
        except MCPError:
            continue
    for prompt in (await client.list_prompts()).prompts:
        try:
            await client.get_prompt(prompt.name, {one.name: dice.choice(WORDS) for one in prompt.arguments or []})
        except MCPError:
            continue


async def the_agent(client: Client, home: Path) -> None:
    listed = (await client.list_tools()).tools
    tools = tuple(Tool(name=t.name, description=t.description or "", schema=dict(t.input_schema)) for t in listed)
    budget = Budget(Limits(steps=30, tokens=10**6, seconds=600.0, usd=1.0), lambda: 0.0)
    with Transcript(home / "transcript.jsonl", WallClock().now) as transcript:
        await investigate(Hands(client, tools, ""), RulesBackend(), None, budget, transcript, lambda _: None)


def off(allowed: Sequence[str], paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not any(re.fullmatch(pattern, path) for pattern in allowed)]
