"""A server on loopback that answers each request with whatever bytes a test wants, however wrong."""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import AnyByteStream, ByteStream
from anyio.streams.tls import TLSListener

Answer = Callable[[ByteStream], Awaitable[None]]


@dataclass
class Loopback:
    port: int
    scheme: str = "http"
    heads: list[str] = field(default_factory=list[str])
    """The request heads that came in."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever"]
    given = {"content-length": str(len(body)), "connection": "close", **headers}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + body


def bytes_of(content: bytes) -> Answer:
    async def answer(stream: ByteStream) -> None:
        await stream.send(content)

    return answer


async def never(stream: ByteStream) -> None:
    await anyio.sleep_forever()


@asynccontextmanager
async def loopback(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Loopback]:
    tcp = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    served = Loopback(tcp.extra(anyio.abc.SocketAttribute.local_port), "https" if tls else "http")

    async def handle(stream: AnyByteStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with stream:
                head = b""
                while b"\r\n\r\n" not in head and not head.startswith(b"\x16"):  # a TLS handshake
                    head += await stream.receive()
                served.heads.append(head.decode(errors="replace"))
                await answer(stream)

    listener = TLSListener(tcp, tls, standard_compatible=False) if tls else tcp
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield served
        group.cancel_scope.cancel()
