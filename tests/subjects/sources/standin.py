"""A stand-in for an HTTP server, on loopback or on a unix socket: it answers what a test's function says."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute

from tests.subjects.sources.loopback import http


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]

    @classmethod
    def of(cls, head: str) -> "Asked":
        first, *rest = head.split("\r\n")
        method, target, _ = first.split(" ")
        parts = urlsplit(target)
        headers = dict(line.split(": ", 1) for line in rest if ": " in line)
        names = {name.lower(): value for name, value in headers.items()}
        return cls(method, unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), names)


@dataclass
class Standin:
    """Where it listens, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list[Asked])

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


Answers = Callable[[Asked], bytes]
"""The whole answer to a request, head and body: see `http`."""


@asynccontextmanager
async def standin(answer: Answers, socket: Path | None = None) -> AsyncGenerator[Standin]:
    """Serve until the block ends."""
    if socket is not None:
        listener = await anyio.create_unix_listener(socket)
        served = Standin(f"unix://{socket}")
    else:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        served = Standin(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")

    async def handle(stream: ByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with stream:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += await stream.receive()
                asked = Asked.of(head.decode())
                served.asked.append(asked)
                await stream.send(answer(asked))

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield served
        group.cancel_scope.cancel()


def json_of(text: str, status: int = 200) -> bytes:
    return http(status, text.encode(), content_type="application/json")
