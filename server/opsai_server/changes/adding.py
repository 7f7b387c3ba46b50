"""How a server comes to tell changes: handlers of both protocol eras, and what it says of itself in each."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.subscriptions import ListenHandler, SubscriptionBus
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    NotificationParams,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from prometheus_client import CollectorRegistry, Gauge

from opsai_server.changes.address import address_of
from opsai_server.changes.follower import Follower, Watch
from opsai_server.changes.mailbox import Mailbox
from opsai_server.tools.desks import Desks
from opsai_subjects.model import clean

MOST_URIS = 100
"""Subscriptions of one session, and URIs of one `subscriptions/listen`."""
MOST_STREAMS = 256
"""Streams of `subscriptions/listen` at once, of all clients."""
MOST_WAITING = 256
"""Events that a stream may be behind, before it is ended: its client listens again and reads again."""
MAILBOX = "opsai_mailbox"
NOT_HERE = "Nothing that changes is at {uri!r}: no ticket of a cluster shown here. tickets() lists them; ask for opsai://tickets/ID."
"""Also where there is one of another cluster, which another sentence would betray."""

Ctx = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """What a server that runs tells changes with; every request finds it as its lifespan's context."""

    follower: Follower
    listening: ListenHandler
    group: TaskGroup


def add_changes(
    server: MCPServer[Any], desks: Desks, bus: SubscriptionBus, registry: CollectorRegistry, *, fixed: bool = True
) -> None:
    """Let clients of both eras be told of tickets that are raised or change.

    `bus` is the server's own. `fixed`: its tools and prompts never change, and nobody is told that they could.
    """
    listeners = Gauge(
        "opsai_mcp_listeners", "Sessions and streams that are told of changed tickets.", registry=registry
    )
    # The SDK (mcp 2.3) serves sessions' subscriptions only where its low-level server has handlers, and has no other way in.
    low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    low.lifespan = _lifespan(desks, bus, listeners)
    handlers = _Handlers(server, bus, fixed=fixed)
    low.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, handlers.listen)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, handlers.subscribe)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, handlers.unsubscribe)
    low.add_notification_handler("notifications/initialized", NotificationParams, handlers.initialized)
    server.middleware.append(_declaring(fixed=fixed))


def _lifespan(
    desks: Desks, bus: SubscriptionBus, listeners: Gauge
) -> Callable[[Any], AbstractAsyncContextManager[Running]]:
    @asynccontextmanager
    async def running(_server: object) -> AsyncGenerator[Running]:
        listening = ListenHandler(bus, max_subscriptions=MOST_STREAMS, max_buffered_events=MOST_WAITING)
        async with anyio.create_task_group() as group:
            follower = Follower(desks, bus, listeners)
            group.start_soon(follower.run)
            try:
                yield Running(follower, listening, group)
            finally:
                listening.close()
                group.cancel_scope.cancel()

    return running


class _Handlers:
    def __init__(self, server: MCPServer[Any], bus: SubscriptionBus, *, fixed: bool) -> None:
        self._server = server
        self._bus = bus
        self._fixed = fixed

    async def listen(self, ctx: Ctx, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Serve a stream of the protocol of 2026. What is acknowledged is what will be told, and no more."""
        running: Running = ctx.lifespan_context
        asked = params.notifications
        uris = asked.resource_subscriptions or []
        _check_number(len(set(uris)))
        watch = await running.follower.open()
        try:
            honoured = SubscriptionFilter(
                tools_list_changed=None if self._fixed else asked.tools_list_changed,
                prompts_list_changed=None if self._fixed else asked.prompts_list_changed,
                resources_list_changed=asked.resources_list_changed,
                resource_subscriptions=await self._known(watch, uris),
            )
            if uris and honoured == SubscriptionFilter(resource_subscriptions=[]):
                raise MCPError(INVALID_PARAMS, NOT_HERE.format(uri=clean(uris[0], 200)))
            return await running.listening(ctx, params.model_copy(update={"notifications": honoured}))
        finally:
            watch.close()

    async def subscribe(self, ctx: Ctx, params: SubscribeRequestParams) -> EmptyResult:
        """Let a session be told of changes at one URI."""
        mailbox = await self._mailbox(ctx)
        _check_number(len(mailbox.uris | {params.uri}))
        if not await self._known(mailbox.watch, [params.uri]):
            raise MCPError(INVALID_PARAMS, NOT_HERE.format(uri=clean(params.uri, 200)))
        mailbox.uris.add(params.uri)
        return EmptyResult()

    async def unsubscribe(self, ctx: Ctx, params: UnsubscribeRequestParams) -> EmptyResult:
        """Let a session be told of it no longer."""
        mailbox = await self._mailbox(ctx)
        mailbox.uris.discard(params.uri)
        mailbox.watch.drop(params.uri)
        return EmptyResult()

    async def initialized(self, ctx: Ctx, _params: NotificationParams) -> None:
        """Let a session that begins be told of tickets that are raised: it was promised that with its capabilities."""
        await self._mailbox(ctx)

    async def _mailbox(self, ctx: Ctx) -> Mailbox:
        # The SDK (mcp 2.3) hands out no connection, and a session is only as long as a request.
        connection: Connection = ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if MAILBOX not in connection.state:
            running: Running = ctx.lifespan_context
            watch = await running.follower.open()
            if MAILBOX in connection.state:  # another request of the session was quicker
                watch.close()
            else:
                connection.state[MAILBOX] = self._opened(connection, watch, running.group)
        mailbox: Mailbox = connection.state[MAILBOX]
        return mailbox

    def _opened(self, connection: Connection, watch: Watch, group: TaskGroup) -> Mailbox:
        mailbox = Mailbox(connection, watch)
        delivering = anyio.CancelScope()

        async def deliver() -> None:
            with delivering:
                await mailbox.deliver()

        group.start_soon(deliver)
        for end in (watch.close, self._bus.subscribe(mailbox.post), delivering.cancel):
            connection.exit_stack.callback(end)
        return mailbox

    async def _known(self, watch: Watch, uris: list[str]) -> list[str]:
        """Return those of them that may be asked for: a ticket's, or that of anything else listed, which never changes."""
        missing = await watch.add(uris)
        others = {uri for uri in uris if address_of(uri) is None}
        listed = {str(one.uri) for one in await self._server.list_resources()} if others else set[str]()
        return [uri for uri in dict.fromkeys(uris) if uri not in missing and (uri not in others or uri in listed)]


def _check_number(uris: int) -> None:
    if uris > MOST_URIS:
        raise MCPError(INVALID_PARAMS, f"At most {MOST_URIS} URIs can be subscribed to. Unsubscribe from some first.")


def _declaring(*, fixed: bool) -> ServerMiddleware[Any]:
    """Return what puts the capabilities right: the SDK declares by handlers alone that lists change or stay."""

    async def declare(ctx: Ctx, call_next: CallNext) -> HandlerResult:
        result = await call_next(ctx)
        if ctx.method not in ("initialize", "server/discover") or not isinstance(result, dict):
            return result
        declared: dict[str, Any] = dict(result["capabilities"])
        for name, changes in (("tools", not fixed), ("prompts", not fixed), ("resources", True)):
            if name in declared:
                declared[name] = {**declared[name], "listChanged": changes}
        return {**result, "capabilities": declared}

    return declare
