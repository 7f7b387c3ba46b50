"""A recording served, on loopback unless told otherwise: each node on a port of its own, and Prometheus's HTTP API on one more."""

import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from opsai_subjects.model import Clock
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.node_api import NodeApi
from opsai_subjects.recording.prometheus_api import prometheus_api
from opsai_subjects.registry import subject_kind

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """Where a recording is served."""

    addresses: dict[str, str]
    """Each recorded address and status address to the host:port that it is served at."""
    prometheus: str
    """URL of the Prometheus API."""
    app: ASGIApp
    """What answers there: who asks it in this process needs no connection."""


@asynccontextmanager
async def serve(
    recording: Recording, clock: Clock, *, around: Callable[[ASGIApp], ASGIApp] = lambda app: app, host: str = HOST
) -> AsyncGenerator[Served]:
    """Serve a recording, as of the clock, until the block ends. `around` wraps each node's application: to count, say.

    `host` is the IPv4 address to serve at: one of this machine's own. Raises UnknownName where no adapter of its subject is installed.
    """
    nodes = [node.name for node in recording.incident.nodes]
    kind = subject_kind(recording.incident.subject)
    apps: list[ASGIApp] = [around(NodeApi(recording, node, clock, kind)) for node in nodes]
    apps.append(prometheus_api(recording, clock))
    sockets = [_bound(host) for _ in apps]
    ports = [bound.getsockname()[1] for bound in sockets]
    of = dict(zip(nodes, ports, strict=False))
    addresses = {
        address: f"{host}:{of[node.name]}"
        for node in recording.incident.nodes
        for address in (node.address, node.status_address)
        if address
    }
    app = _ByPort(dict(zip(ports, apps, strict=True)))
    async with _listening(app, sockets):
        yield Served(addresses, f"http://{host}:{ports[-1]}", app)


@asynccontextmanager
async def _listening(app: ASGIApp, sockets: list[socket.socket]) -> AsyncGenerator[None]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=False,  # it would say the wall clock's time
        ws="none",
        timeout_keep_alive=3600,  # a connection closed while idle would look like a node that broke one
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not `serve`: it would take the program's signals, and need a task group, which wraps every error of the block.
    await server.startup(sockets)
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await server.shutdown(sockets)


class _ByPort:
    def __init__(self, apps: dict[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


def _bound(host: str) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms a reply otherwise.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((host, 0))
    return bound
