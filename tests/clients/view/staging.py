"""A shipped recording and two toys, each served over HTTP, for the view to be driven in Chromium by what stands beside this file."""

import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from opsai_server.http_app import serving
from opsai_server.listening import Address
from opsai_server.standing import Replay, open_desks
from opsai_server.tickets.store import open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_subjects.config import Settings
from tests.clients.installed import CLIENTS, NODE, ROOT
from tests.server.mcp.bench import ToyMetrics
from tests.server.mcp.sites import OPEN
from tests.server.toy import ToyWorld, toy_cluster

RECORDING = ROOT / "compose" / "incidents" / "amber-heron"
HERE = Path(__file__).parent
PICTURES = CLIENTS / "pictures"
"""Where a run leaves what it saw, to be looked at."""
PATIENCE_SECONDS = 120
WHERE = Address("127.0.0.1", 0)


def chromium() -> str | None:
    """Return the browser, None where it is not installed."""
    return shutil.which("chromium")


@asynccontextmanager
async def recorded() -> AsyncGenerator[str]:
    """Serve the shipped recording; yield the URL."""
    async with open_desks(Replay(RECORDING), Settings()) as opened:
        await opened.ready()
        async with serving(opened.desks, WHERE, OPEN, max_sessions=9) as url:
            yield url


@asynccontextmanager
async def two_toys(folder: Path) -> AsyncGenerator[str]:
    """Serve two clusters by one server; yield the URL."""
    settings, world = Settings(store=folder / "opsai.sqlite"), ToyWorld()
    async with open_store(settings.store) as store:
        desks = [
            Desk(toy_cluster(world, name=name, metrics=ToyMetrics([], world)), store, settings)
            for name in ("east", "west")
        ]
        async with serving(Desks.of(*desks), WHERE, OPEN, max_sessions=9) as url:
            yield url


async def driven(folder: Path) -> dict[str, Any]:
    """Drive the view through everything; return what was seen. Pictures are left in the folder."""
    for part in HERE.iterdir():
        if part.suffix in (".js", ".mjs"):
            shutil.copy(part, folder)
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    seen = folder / "seen.json"
    with anyio.fail_after(PATIENCE_SECONDS):
        async with recorded() as recording, two_toys(folder) as several:
            about = {"recording": recording, "several": several, "browser": chromium(), "folder": str(folder)}
            asked = json.dumps({**about, "seen": str(seen)})
            done = await anyio.run_process([str(NODE), str(folder / "drive.mjs"), asked], check=False)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return dict(json.loads(seen.read_text(encoding="utf-8")))
