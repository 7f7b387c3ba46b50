"""A recording served on loopback: each node on a port of its own, and Prometheus's HTTP API on one more."""

import logging
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from opsai_subjects.model import Clock
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.node_api import NodeApi
from opsai_subjects.recording.prometheus_api import prometheus_api

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """Where a recording is served."""

    addresses: dict[str, str]
    """Each recorded address and status address to host:port on loopback."""
    prometheus: str
    """URL of the Prometheus API."""


@asynccontextmanager
async def serve(recording: Recording, clock: Clock) -> AsyncGenerator[Served]:
    """Serve a recording, as of the clock, until the block ends."""
    nodes = [node.name for node in recording.incident.nodes]
    apps: list[ASGIApp] = [NodeApi(recording, node, clock) for node in nodes]
    apps.append(prometheus_api(recording, clock))
    sockets = [_listening() for _ in apps]
    ports = [bound.getsockname()[1] for bound in sockets]
    config = uvicorn.Config(
        _ByPort(dict(zip(ports, apps, strict=True))),
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        ws="none",
    )
    server = _Server(config)
    of = dict(zip(nodes, ports, strict=False))
    addresses = {
        address: f"{HOST}:{of[node.name]}"
        for node in recording.incident.nodes
        for address in (node.address, node.status_address)
        if address
    }
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, sockets)
        await server.ready.wait()
        try:
            yield Served(addresses, f"http://{HOST}:{ports[-1]}")
        finally:
            server.should_exit = True
            server.force_exit = True


class _ByPort:
    def __init__(self, apps: dict[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn inside somebody else's event loop: signals stay with the program, and readiness can be awaited."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listening() -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms a reply otherwise.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((HOST, 0))
    return bound
