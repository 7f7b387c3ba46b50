"""Mailbox: what one session of the handshake protocols is still to be told, sent by a task of its own.

A session that does not read keeps nobody waiting but this task: what is to be told is where to look again, so the same
again adds nothing, and there is never more of it than the session has subscriptions.
"""

import logging

import anyio
from mcp.server.connection import Connection
from mcp.server.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from opsai_server.changes.follower import Watch

log = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""A notification that a session has not taken for so long is thrown away, and all that waits behind it."""

_METHODS = {
    ToolsListChanged: "notifications/tools/list_changed",
    PromptsListChanged: "notifications/prompts/list_changed",
    ResourcesListChanged: "notifications/resources/list_changed",
}


class Mailbox:
    """The subscriptions of one session, and what it is still to be told."""

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self.watch = watch
        self.uris: set[str] = set()
        """What it subscribed to: tickets, and what else is listed, which never changes."""
        self._connection = connection
        self._waiting: dict[ServerEvent, None] = {}
        self._wake = anyio.Event()

    def post(self, event: ServerEvent) -> None:
        """Take an event, where it is for this session."""
        if isinstance(event, ResourceUpdated) and event.uri not in self.uris:
            return
        self._waiting[event] = None
        self._wake.set()

    async def deliver(self) -> None:
        """Send what comes, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            with anyio.move_on_after(SEND_SECONDS) as sending:
                while self._waiting:
                    event = next(iter(self._waiting))
                    del self._waiting[event]
                    await self._send(event)
            if sending.cancelled_caught:
                log.info("changes_not_taken thrown=%d", 1 + len(self._waiting))
                self._waiting.clear()

    async def _send(self, event: ServerEvent) -> None:
        if isinstance(event, ResourceUpdated):
            await self._connection.send_resource_updated(event.uri)
        else:
            await self._connection.notify(_METHODS[type(event)], None)
