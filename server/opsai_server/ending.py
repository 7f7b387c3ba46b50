"""A stdin that can be ended from inside, so that a signal ends the server in the same orderly way as its client's hanging up.

The SDK reads stdin in a thread that nothing can interrupt: without this a SIGTERM would wait for the client's next line.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.to_thread

CHUNK_BYTES = 65_536
STDIN = 0


class Ending:
    """Ends the stdin that the server reads."""

    def __init__(self) -> None:
        self._asked = anyio.Event()

    def end(self) -> None:
        """Let whoever reads stdin see its end now."""
        self._asked.set()

    async def wait(self) -> None:
        """Wait until that is asked for."""
        await self._asked.wait()


@asynccontextmanager
async def stdin_that_ends() -> AsyncGenerator[Ending]:
    """Put a pipe before stdin: what comes is passed on until its end, or until `end` is called."""
    outer = os.dup(STDIN)
    inner, feed = os.pipe()
    os.set_blocking(feed, False)
    os.dup2(inner, STDIN)
    os.close(inner)
    ending = Ending()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_feed, outer, feed, ending)
            try:
                yield ending
            finally:
                ending.end()
    finally:
        os.dup2(outer, STDIN)
        os.close(outer)


async def _feed(outer: int, feed: int, ending: Ending) -> None:
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_pass_on, outer, feed, group.cancel_scope)
            await ending.wait()
            group.cancel_scope.cancel()
    finally:
        os.close(feed)


async def _pass_on(outer: int, feed: int, done: anyio.CancelScope) -> None:
    with suppress(BrokenPipeError):
        while chunk := await _read(outer):
            while chunk:
                await anyio.wait_writable(feed)
                with suppress(BlockingIOError):
                    chunk = chunk[os.write(feed, chunk) :]
    done.cancel()


async def _read(outer: int) -> bytes:
    try:
        await anyio.wait_readable(outer)
    except PermissionError:  # a regular file or /dev/null cannot be polled, and never keeps a reader waiting either
        return await anyio.to_thread.run_sync(os.read, outer, CHUNK_BYTES)
    return os.read(outer, CHUNK_BYTES)
