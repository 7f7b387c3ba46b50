"""Two toy clusters behind one server in memory, with the one store that live clusters share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.types import CallToolResult

from opsai_server.app import assemble
from opsai_server.tickets.store import Store, open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.watcher import tick
from opsai_subjects.config import Settings
from tests.server.mcp.bench import text_of
from tests.server.toy import ToyWorld, toy_cluster


@dataclass
class Several:
    """The server, and the world behind each name."""

    client: Client
    store: Store
    desks: dict[str, Desk]
    worlds: dict[str, ToyWorld]

    async def call(self, tool: str, **arguments: object) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def ask(self, tool: str, **arguments: object) -> dict[str, Any]:
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        return result.structured_content

    async def fail(self, tool: str, **arguments: object) -> str:
        result = await self.call(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def watch(self, name: str, *seconds: float) -> None:
        for later in seconds:
            self.worlds[name].later(later)
            desk = self.desks[name]
            await tick(desk.cluster, self.store, desk.settings.watch, watcher="toy:1")


@asynccontextmanager
async def several(folder: Path, *names: str, mode: str = "auto") -> AsyncGenerator[Several]:
    settings = Settings(store=folder / "opsai.sqlite")
    worlds = {name: ToyWorld(cluster_id=f"id of {name}") for name in names}
    async with open_store(settings.store) as store:
        desks = {name: Desk(toy_cluster(world, name=name), store, settings) for name, world in worlds.items()}
        async with Client(assemble(Desks.of(*desks.values())), mode=mode) as client:
            yield Several(client, store, desks, worlds)
