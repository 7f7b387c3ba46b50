"""The real `opsai-mcp --http` in a process of its own, and clients of both protocol eras."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

ERAS = ("auto", "legacy")
"""The protocol of 2026 without sessions, and those before it."""
UNLIMITED = {"OPSAI_HTTP__REQUESTS_PER_SECOND": "100000", "OPSAI_HTTP__MAX_SESSIONS": "1000"}
"""All clients of a bench come from one address."""
READ_SECONDS = 120.0
_SERVING = re.compile(r"Serving MCP at (\S+) ")


@contextmanager
def program(recording: Path, at: str, store: Path) -> Generator[str]:
    """Serve a recording as of a moment over HTTP; yield the URL. Raises RuntimeError when it does not start."""
    where = ("--replay", str(recording), "--at", at, "--store", str(store), "--http", "127.0.0.1:0")
    command = [sys.executable, "-m", "opsai_server.mcp_cli", *where]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **UNLIMITED}
    ) as process:
        try:
            assert process.stdout is not None
            found = _SERVING.match(process.stdout.readline())
            if found is None:
                raise RuntimeError(f"opsai-mcp did not begin to serve: {' '.join(command)}")
            yield found[1]
        finally:
            process.terminate()


@asynccontextmanager
async def client(url: str, era: str) -> AsyncGenerator[Client]:
    """Open a session of that era with a connection of its own."""
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=httpx2.Timeout(READ_SECONDS)) as http,
        Client(streamable_http_client(url, http_client=http), mode=era, read_timeout_seconds=READ_SECONDS) as one,
    ):
        yield one


async def figures(url: str) -> dict[str, float]:
    """Return what the program says of itself at `/metrics`, by name with labels."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        text = (await http.get(url.removesuffix("/mcp") + "/metrics")).text
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in rows}
