"""An HTTP application served at one address, by uvicorn, inside a task of ours: signals stay with the program."""

import errno
import ipaddress
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from opsai_subjects.errors import SettingsInvalid

STREAMS_END_SECONDS = 1
"""How long replies may go on after the application was told to end, before they are cut off."""
IDLE_SECONDS = 75
"""How long a connection may stay open without a request: longer than any scrape interval, so that none is refused for it."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many may be connected, and how long one may take to say what it wants."""

    most: int = 500
    """Connections at the same time; one more is closed as it comes."""
    head_seconds: float = 15.0
    """The head of a request must have come whole so long after the connection was made, or after its first byte."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    """An IP address without brackets, or a name of this machine."""
    port: int
    """0: one that is free."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. A name other than localhost counts as reachable by others."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_address(text: str, flag: str) -> Address:
    """Read HOST:PORT, `[::1]:PORT` for IPv6. Raises SettingsInvalid naming the flag."""
    host, _, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare and bare == host) or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise SettingsInvalid(
            f"{flag} {text!r} is not HOST:PORT. Try 127.0.0.1:8765; [::1]:8765 for IPv6; port 0 takes a free one."
        )
    return Address(bare, int(port))


class _Connection(H11Protocol):
    """HTTP on one connection. uvicorn itself waits for the head of a request for ever."""

    room: ClassVar[Room] = Room()
    _late: Any = None  # a timer of the event loop

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.room.most:
            transport.abort()
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the head is there
            self._forget()
        elif self._late is None and self.timeout_keep_alive_task is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.room.head_seconds, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


@asynccontextmanager
async def listening(app: ASGIApp, address: Address, flag: str, room: Room = Room()) -> AsyncGenerator[str]:
    """Serve the application until the block ends; yield its URL, without a slash at the end.

    Raises SettingsInvalid when nothing can be bound there: before anything is served.
    """
    bound = await _bound(address, flag)
    config = uvicorn.Config(
        app,
        http=type("_Connection", (_Connection,), {"room": room}),
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # a client could name any address as its own
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=STREAMS_END_SECONDS,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not `serve`: it would take the program's signals, and need a task group, which wraps every error of the block.
    await server.startup([bound])
    try:
        yield _url(address.host, bound.getsockname()[1])
    finally:
        with anyio.CancelScope(shield=True):
            await server.shutdown([bound])


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _bound(address: Address, flag: str) -> socket.socket:
    try:
        found = await anyio.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsInvalid(f"{flag}: {address.host!r} is no address: {error.strerror}.") from error
    family, _, _, _, where = found[0]
    # The protocol is named because asyncio turns Nagle's algorithm off only then: 40 ms a reply otherwise.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old connections to expire
    try:
        bound.bind(where)
    except OSError as error:
        bound.close()
        raise SettingsInvalid(f"{flag}: cannot listen at {address.host}:{address.port}: {_why(error)}.") from error
    return bound


def _why(error: OSError) -> str:
    return {
        errno.EADDRINUSE: "another program listens there. Give another port, or 0 for a free one",
        errno.EADDRNOTAVAIL: "it is no address of this machine. Give one of its own, 127.0.0.1 or 0.0.0.0",
        errno.EACCES: "this user may not use that port. Give one above 1023",
    }.get(error.errno or 0, error.strerror or str(error))
