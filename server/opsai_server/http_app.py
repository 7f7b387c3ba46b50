"""The MCP server over streamable HTTP: the SDK's transport for both protocol eras behind our entrance, `/healthz`, `/metrics`."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from prometheus_client import Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from opsai_server.app import Fixtures, assemble
from opsai_server.calls import Calls
from opsai_server.entrance import FAILED, KNOWN, MCP_PATH, Entrance, Policy
from opsai_server.exposition import exposition
from opsai_server.listening import Address, listening
from opsai_server.tools.desks import Desks
from opsai_subjects.errors import StoreError

log = logging.getLogger(__name__)

LAST_CALLS_SECONDS = 5.0
"""How long the calls that are being answered when it is to stop may go on."""
STORE_SECONDS = 3.0
"""A store that has not answered for so long counts as not readable."""


@asynccontextmanager
async def serving(
    desks: Desks, address: Address, policy: Policy, *, max_sessions: int, fixtures: Fixtures | None = None
) -> AsyncGenerator[str]:
    """Serve until the block ends; yield the URL of the protocol. Raises SettingsInvalid when nothing can listen there.

    At the end no more is let in, calls that run have a few seconds to be answered, and streams are closed.
    """
    calls = Calls()
    server = assemble(desks, calls, fixtures)
    entrance = Entrance(_app(server, desks, calls, policy, max_sessions), policy, calls.registry)
    async with listening(entrance, address, "--http") as url, server.session_manager.run():
        entrance.open = True
        try:
            yield url + MCP_PATH
        finally:
            entrance.open = False
            with anyio.move_on_after(LAST_CALLS_SECONDS, shield=True):
                await entrance.idle()


def _app(server: MCPServer[Any], desks: Desks, calls: Calls, policy: Policy, max_sessions: int) -> Starlette:
    protocol = server.streamable_http_app(
        streamable_http_path=MCP_PATH,
        max_request_body_size=policy.max_body_bytes,
        max_sessions=max_sessions,
        # The entrance looks at Host and Origin, for every path, and says in its refusals what would do.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    sessions = Gauge("opsai_mcp_sessions_open", "Sessions of the protocols that have them.", registry=calls.registry)
    sessions.set_function(lambda: _sessions(server))

    async def metrics(request: Request) -> Response:
        return exposition(calls.registry, request)

    async def healthz(request: Request) -> Response:
        well, body = await health(server.name, desks)
        told = body if request.scope.get(KNOWN) else {"status": body["status"]}
        return JSONResponse(told, status_code=200 if well else 503)

    async def failed(_request: Request, error: Exception) -> Response:
        log.error("request_failed", exc_info=error)
        return FAILED.response()

    routes = [Route("/metrics", metrics), Route("/healthz", healthz), Mount("/", protocol)]
    return Starlette(routes=routes, exception_handlers={Exception: failed})


async def health(program: str, desks: Desks) -> tuple[bool, dict[str, object]]:
    """Return whether calls can be answered, and what `/healthz` says of it. Nothing of the clusters themselves is asked."""
    ready = desks.ready
    listed = [{"name": desk.name, "subject": desk.kind.name} for desk in ready]
    if len(ready) < len(desks.names):
        return False, {"status": "starting", "says": "The recording is still being played.", "clusters": listed}
    desk = ready[0]
    body: dict[str, object] = {"clusters": listed, "server": program}
    try:
        with anyio.fail_after(STORE_SECONDS):
            await desk.store.heartbeat(desk.name)
    except (StoreError, TimeoutError) as error:
        log.warning("store_not_readable why=%s", error or "no answer in time")
        says = f"The store of tickets cannot be read ({type(error).__name__}): see the log of opsai-mcp."
        return False, {"status": "failing", "says": says, **body}
    return True, {"status": "ok", "says": "The store of tickets can be read.", **body}


def _sessions(server: MCPServer[Any]) -> int:
    # The SDK (mcp 2.3) counts its sessions, ends those that are idle, and tells nobody.
    return len(server.session_manager._server_instances)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
