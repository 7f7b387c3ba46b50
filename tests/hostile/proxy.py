"""A recording proxy: it listens on a real socket, passes every byte on, and keeps what was asked."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

import anyio
from anyio.abc import ByteStream, SocketAttribute

_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


@dataclass(frozen=True)
class Sent:
    """One request as it went over the wire."""

    method: str
    path: str
    body: bytes


@dataclass
class Proxy:
    """Where it listens, and what went through it, a connection each."""

    address: str
    connections: list[bytearray] = field(default_factory=list[bytearray])

    @property
    def sent(self) -> list[Sent]:
        return [one for connection in self.connections for one in requests(bytes(connection))]


def requests(raw: bytes) -> list[Sent]:
    """Return the requests of one connection; what is none becomes one too, to be seen."""
    found: list[Sent] = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers.get("content-length", 0))
        method, _, target = first.partition(" ")
        found.append(Sent(method, unquote(target.partition(" ")[0].partition("?")[0]), rest[:size]))
        raw = rest[size:]
    return found


@asynccontextmanager
async def proxied(upstream: str) -> AsyncGenerator[Proxy]:
    """Listen before a host:port until the block ends."""
    host, _, port = upstream.rpartition(":")
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    proxy = Proxy(f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}")

    async def handle(near: ByteStream) -> None:
        kept = bytearray()
        proxy.connections.append(kept)
        with suppress(*_GONE):
            async with near, await anyio.connect_tcp(host, int(port)) as far, anyio.create_task_group() as group:

                async def pass_on(one: ByteStream, other: ByteStream, keep: bytearray | None) -> None:
                    with suppress(*_GONE):
                        while True:
                            part = await one.receive()
                            if keep is not None:
                                keep += part
                            await other.send(part)
                    group.cancel_scope.cancel()

                group.start_soon(pass_on, near, far, kept)
                group.start_soon(pass_on, far, near, None)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield proxy
        group.cancel_scope.cancel()
