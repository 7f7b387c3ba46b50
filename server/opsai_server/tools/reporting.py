"""What a client that asks for it is told while its call runs: how far the work is, a few times a second at most."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from opsai_subjects.model import clean
from opsai_subjects.progress import Progress

EVERY_SECONDS = 0.4
"""A call that is answered sooner tells nothing on its way."""
SAYS_CHARS = 80


@asynccontextmanager
async def reporting(ctx: Context[Any]) -> AsyncGenerator[None]:
    """Report the progress of what is done within the block. A client that does not read it holds nothing up."""
    progress = Progress()
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(_report, ctx, progress)
        try:
            with progress.heard():
                yield
        except Exception as error:  # noqa: BLE001 - goes on below, as it is and not as a group of one
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed


async def _report(ctx: Context[Any], progress: Progress) -> None:
    told = -1.0
    while True:
        await anyio.sleep(EVERY_SECONDS)
        done = round(progress.done, 2)
        if progress.total and done > told:
            told = done
            await ctx.report_progress(done, progress.total, clean(progress.says, SAYS_CHARS))
