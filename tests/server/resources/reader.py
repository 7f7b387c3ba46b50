"""A client that reads resources, and servers of several clusters to read from."""

import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference, TextResourceContents

from opsai_server.app import assemble
from opsai_server.calls import Calls
from opsai_server.tickets.store import Store, open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.watcher import tick
from opsai_subjects.config import Settings
from opsai_subjects.opening import Cluster
from tests.server.toy import ToyWorld, toy_cluster


async def text_at(client: Client, uri: str) -> str:
    """Return the text of a resource."""
    [contents] = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.uri == uri
    return contents.text


async def value_at(client: Client, uri: str) -> dict[str, Any]:
    """Return the value of a resource that is JSON."""
    [contents] = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "application/json"
    value = json.loads(contents.text)
    assert isinstance(value, dict)
    return value


async def refused(asked: Awaitable[object], *, code: int = -32602) -> str:
    """Return what is said by an error of the protocol."""
    with pytest.raises(MCPError) as error:
        await asked
    assert error.value.error.code == code, error.value.error
    return error.value.error.message


async def offered(client: Client, where: str, argument: str, typed: str = "", **given: str) -> list[str]:
    """Return what is offered for an argument of a template (by its URI) or of a prompt (by its name)."""
    ref = (
        ResourceTemplateReference(type="ref/resource", uri=where)
        if where.startswith("opsai:")
        else PromptReference(type="ref/prompt", name=where)
    )
    return (await client.complete(ref, {"name": argument, "value": typed}, given or None)).completion.values


@dataclass
class Several:
    """A server of the toys `north` and `south`; a third toy, `hidden`, is in its store and not served."""

    client: Client
    worlds: dict[str, ToyWorld]
    clusters: dict[str, Cluster]
    store: Store
    settings: Settings
    desks: Desks

    async def watch(self, name: str, *seconds: float) -> None:
        """Let a watcher look at one of them after each of these many seconds."""
        for later in seconds:
            self.worlds[name].later(later)
            await tick(self.clusters[name], self.store, self.settings.watch, watcher="toy:1")

    async def down(self, name: str) -> None:
        """Let a part of one of them go down for as long as a ticket needs."""
        self.worlds[name].parts["b"].up = False
        await self.watch(name, 10, 30)


@asynccontextmanager
async def several(folder: Path, *, mode: str = "auto", ready: bool = True) -> AsyncGenerator[Several]:
    """Serve two toys of one store; `ready` False: neither of them yet."""
    settings = Settings(store=folder / "opsai.sqlite")
    worlds = {name: ToyWorld() for name in ("north", "south", "hidden")}
    clusters = {name: toy_cluster(world, name=name) for name, world in worlds.items()}
    async with open_store(settings.store) as store:
        served = [Desk(clusters[name], store, settings) for name in ("north", "south")]
        desks = Desks.of(*served) if ready else Desks({desk.name: desk.kind for desk in served})
        async with Client(assemble(desks, Calls()), mode=mode) as client:
            yield Several(client, worlds, clusters, store, settings, desks)
