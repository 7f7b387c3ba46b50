"""The toy, served over HTTP on loopback, and clients of it: plain ones and the SDK's own."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from opsai_server.app import Fixtures
from opsai_server.entrance import Policy
from opsai_server.http_app import serving
from opsai_server.listening import Address
from opsai_server.tickets.store import open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_subjects.config import Settings
from tests.server.mcp.bench import ToyMetrics
from tests.server.toy import ToyWorld, toy_cluster

TOKEN = "canary-d41d8cd98f00b204"
OPEN = Policy(token=None)
LOCKED = Policy(token=SecretStr(TOKEN), loopback=False)
JSON = {"content-type": "application/json"}


@dataclass
class Site:
    """A served toy, and a plain client of it."""

    url: str
    plain: httpx.AsyncClient
    desks: Desks
    desk: Desk

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.plain.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    async def post(self, content: str | bytes = b"{}", **headers: str) -> httpx.Response:
        sent = JSON | {name.replace("_", "-"): text for name, text in headers.items()}
        return await self.plain.post("/mcp", content=content, headers=sent)

    async def metric(self, name: str) -> float:
        told = await self.get("/metrics", authorization=f"Bearer {TOKEN}")
        found = re.search(rf"^{re.escape(name)} (\S+)$", told.text, re.MULTILINE)
        return float(found[1]) if found else 0.0


@asynccontextmanager
async def site(
    folder: Path,
    policy: Policy = OPEN,
    *,
    metrics: ToyMetrics | None = None,
    ready: bool = True,
    max_sessions: int = 9,
    fixtures: Fixtures | None = None,
    within_seconds: float = 30.0,
) -> AsyncGenerator[Site]:
    world = ToyWorld()
    settings = Settings(store=folder / "opsai.sqlite")
    with anyio.fail_after(within_seconds):
        async with open_store(settings.store) as store:
            desk = Desk(toy_cluster(world, metrics=metrics or ToyMetrics([], world)), store, settings)
            desks = Desks.of(desk) if ready else Desks({desk.name: desk.kind})
            where = Address("127.0.0.1", 0)
            async with (
                serving(desks, where, policy, max_sessions=max_sessions, fixtures=fixtures) as url,
                httpx.AsyncClient(base_url=url.removesuffix("/mcp"), trust_env=False) as plain,
            ):
                yield Site(url, plain, desks, desk)


@asynccontextmanager
async def client(url: str, mode: str = "auto", token: str = "") -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as one,
    ):
        yield one


def says(reply: httpx.Response) -> str:
    """Return the sentence of a refusal, which is JSON-RPC as a client of the protocol reads it."""
    body = reply.json()
    assert (body["jsonrpc"], body["id"], body["error"]["code"]) == ("2.0", None, -32600)
    return str(body["error"]["message"])
