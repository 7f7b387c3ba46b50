"""The one place where the MCP server is put together."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from mcp.server import CacheHint, MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.types import ToolAnnotations

from opsai_server.calls import Calls
from opsai_server.changes.adding import add_changes
from opsai_server.instructions import instructions
from opsai_server.offering import Offering
from opsai_server.tickets.store import Store
from opsai_server.tools.check_invariants import check_invariants
from opsai_server.tools.checking import checked
from opsai_server.tools.compare_windows import compare_windows
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.tools.differential import differential
from opsai_server.tools.evidence import evidence
from opsai_server.tools.knowledge import knowledge
from opsai_server.tools.making import Ask, make_tool
from opsai_server.tools.overview import overview
from opsai_server.tools.query_metrics import query_metrics
from opsai_server.tools.search_logs import search_logs
from opsai_server.tools.submit_diagnosis import submit_diagnosis
from opsai_server.tools.tickets import tickets
from opsai_server.tools.timeline import timeline
from opsai_server.tools.topology import topology
from opsai_server.views.extension import extension, view_meta
from opsai_subjects.config import Settings
from opsai_subjects.opening import Cluster

READS: tuple[Ask, ...] = (
    overview,
    topology,
    check_invariants,
    differential,
    query_metrics,
    compare_windows,
    search_logs,
    timeline,
    tickets,
    evidence,
    knowledge,
)
# The world is closed for every tool: clusters named when the server was started, and our own store. No argument can
# name another host, so nothing that a model is talked into can make it reach one.
READ = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
# It writes to our own store only, adds and never removes; handing in twice makes two diagnoses, the later one stands.
WRITE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
Fixtures = Callable[[MCPServer[Any]], None]
"""Adds to a server that is put together, and is no part of it: the tests of the protocol need names that ours has none of."""
TOOLS_TTL_MS = 3_600_000


@dataclass(frozen=True)
class Deps:
    """What a server needs: a cluster and a store, opened by whoever closes them, and the settings."""

    cluster: Cluster
    store: Store
    settings: Settings


def build(deps: Deps) -> MCPServer[Any]:
    """Return the server over one open cluster."""
    return assemble(Desks.of(Desk(deps.cluster, deps.store, deps.settings)))


def assemble(desks: Desks, calls: Calls | None = None, fixtures: Fixtures | None = None) -> MCPServer[Any]:
    """Return the server over clusters that may not be open yet: it lists its tools at once, calls wait.

    `calls` accounts for each call; `fixtures` adds what the judges of the protocol call. Raises SettingsInvalid where two
    adapters have a tool of one name.
    """
    calls = calls or Calls()
    asked = [
        *((ask, READ, desks.names) for ask in READS),
        *((probe, READ, names) for probe, names in desks.probes().items()),
        (submit_diagnosis, WRITE, desks.names),
    ]
    tools = [make_tool(ask, hints, names, desks, calls) for ask, hints, names in asked]
    for tool in tools:
        tool.meta = view_meta(tool.name)
    bus = InMemorySubscriptionBus()
    server = Offering(
        "opsai",
        desks=desks,
        calls=calls,
        title="opsai",
        version=version("opsai"),
        instructions=instructions(desks.kinds),
        tools=tools,
        extensions=[extension()],
        cache_hints={
            "tools/list": CacheHint(ttl_ms=TOOLS_TTL_MS, scope="public"),
            "prompts/list": CacheHint(ttl_ms=TOOLS_TTL_MS, scope="public"),
            "resources/templates/list": CacheHint(ttl_ms=TOOLS_TTL_MS, scope="public"),
        },
        subscriptions=bus,
        log_level="WARNING",
    )
    server.middleware.append(checked(tools, server.list_tools, desks, calls))
    add_changes(server, desks, bus, calls.registry, fixed=fixtures is None)
    if fixtures is not None:
        fixtures(server)
    return server
