"""Docker's longer commands: told line by line as they go, and ended when nobody waits for them any more.

python-on-whales waits for its commands in a thread that cannot be ended: well for what takes a second, not for a pull.
"""

import os
import signal
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from subprocess import DEVNULL, PIPE, STDOUT

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

_TAIL_LINES = 40
_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05


class Ended:
    """How a command ended."""

    def __init__(self, status: int, said: str) -> None:
        self.status = status
        self.said = said
        """The last lines of its output."""


async def run(argv: Sequence[str], take: Callable[[str], None] | None = None) -> Ended:
    """Run a command to its end; each line that it prints goes to `take`. When cancelled, the command is ended first."""
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    async with _running(argv) as process:
        async for line in _lines(process):
            tail.append(line)
            if take is not None:
                take(line)
        status = await process.wait()
    return Ended(status, "\n".join(tail))


async def answer(argv: Sequence[str]) -> tuple[int, bytes, str]:
    """Run a short command; return its status, what it answers, and what it says besides."""
    done = await anyio.run_process([str(word) for word in argv], check=False, start_new_session=True)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


async def lines(argv: Sequence[str]) -> AsyncGenerator[str]:
    """Yield what a command prints; leaving early ends it."""
    async with _running(argv) as process, aclosing(_lines(process)) as printed:
        async for line in printed:
            yield line


@asynccontextmanager
async def _running(argv: Sequence[str]) -> AsyncGenerator[Process]:
    # a session of its own: Ctrl-C is for the bench, which then ends the command and cleans up
    process = await anyio.open_process(
        [str(word) for word in argv], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _end(process: Process) -> None:
    """End it and its children: `docker compose` is two processes, and the one that works does not end with the other."""
    if process.returncode is None:
        _signal(process, signal.SIGTERM)
        with anyio.move_on_after(_END_SECONDS):
            await process.wait()
            while _signal(process, 0):  # noqa: ASYNC110 (nothing tells when somebody else's child ends)
                await anyio.sleep(_LOOK_SECONDS)
        _signal(process, signal.SIGKILL)
    await process.aclose()


def _signal(process: Process, number: int) -> bool:
    """Send a signal to the whole session; return whether somebody was there to get it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


async def _lines(process: Process) -> AsyncGenerator[str]:
    assert process.stdout is not None
    rest = ""
    async for part in TextReceiveStream(process.stdout, errors="replace"):
        *whole, rest = (rest + part).split("\n")
        for line in whole:
            yield line.rstrip("\r")
    if rest:
        yield rest
