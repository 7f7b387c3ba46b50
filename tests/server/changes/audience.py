"""Clients that are told of changes, in either era, and another program that makes them."""

import subprocess
import sys
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPDeprecationWarning
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.types import ResourceListChangedNotification, ResourceUpdatedNotification

ROOT = Path(__file__).parents[3]
TICKETS = "the list of tickets"
PATIENCE_SECONDS = 20


@dataclass
class Another:
    """Another program at the same store."""

    process: "subprocess.Popen[str]"

    async def opens(self, store: Path, cluster: str = "toy") -> None:
        await self.does(f"open {store} {cluster}")

    async def does(self, words: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        assert await anyio.to_thread.run_sync(self.process.stdout.readline) == "done\n"


@contextmanager
def another_program() -> Iterator[Another]:
    command = [sys.executable, "-W", "error", "-m", "tests.server.changes.writer"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Another(process)
        finally:
            process.kill()


class Told:
    """What one client is told, in order."""

    def __init__(self) -> None:
        self._heard: deque[str] = deque()
        self._more = anyio.Event()

    def put(self, what: str) -> None:
        self._heard.append(what)
        self._more.set()

    async def next(self) -> str:
        with anyio.fail_after(PATIENCE_SECONDS):
            while not self._heard:
                self._more = anyio.Event()
                await self._more.wait()
        return self._heard.popleft()

    def more(self) -> list[str]:
        rest = list(self._heard)
        self._heard.clear()
        return rest


@dataclass
class Ear:
    """What a client of a handshake protocol hears; pass `hear` to it as its message handler."""

    told: Told = field(default_factory=Told)
    params: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def hear(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification | ResourceListChangedNotification) and message.params:
            self.params.append(message.params.model_dump(exclude_none=True))
        if isinstance(message, ResourceUpdatedNotification):
            self.told.put(str(message.params.uri))
        elif isinstance(message, ResourceListChangedNotification):
            self.told.put(TICKETS)


async def subscribe(client: Client, uri: str) -> None:
    with warnings.catch_warnings(action="ignore", category=MCPDeprecationWarning):  # the only way there was
        await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]


async def unsubscribe(client: Client, uri: str) -> None:
    with warnings.catch_warnings(action="ignore", category=MCPDeprecationWarning):
        await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]


@asynccontextmanager
async def told(client: Client, ear: Ear, *uris: str) -> AsyncGenerator[Told]:
    """Let a client be told of raised tickets and of changes at these URIs, as its era does it."""
    if client.protocol_version < "2026":
        for uri in uris:
            await subscribe(client, uri)
        yield ear.told
        return
    async with (
        client.listen(resources_list_changed=True, resource_subscriptions=uris) as subscription,
        anyio.create_task_group() as group,
    ):
        heard = Told()

        async def listen() -> None:
            async for event in subscription:
                if isinstance(event, ResourceUpdated):
                    heard.put(event.uri)
                elif isinstance(event, ResourcesListChanged):
                    heard.put(TICKETS)

        group.start_soon(listen)
        yield heard
        group.cancel_scope.cancel()


@asynccontextmanager
async def over_http(url: str, mode: str, ear: Callable[[Any], Any] | None = None) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, message_handler=ear) as client,
    ):
        yield client
