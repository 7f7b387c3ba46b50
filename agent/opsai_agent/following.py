"""Following: undiagnosed open tickets, one after another, until told to stop."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from opsai_agent.backend import JsonObject
from opsai_agent.errors import AgentError, ModelUnavailable
from opsai_agent.loop import Happened, Server
from opsai_agent.report import Line, Report
from opsai_agent.running import Prepared, Wish, connected, run

MAX_PAUSES = 10
"""After failures the pause grows up to so many intervals."""


@dataclass(frozen=True, slots=True)
class Following:
    """Who is told what."""

    said: Callable[[Line], None]
    happened: Callable[[Happened], None]
    diagnosed: Callable[[Report], None]


async def follow(
    wish: Wish,
    chosen: Prepared,
    watching: Following,
    *,
    interval_seconds: float,
    once: bool,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> bool:
    """Follow until SIGTERM or SIGINT, or one pass with `once`; False when that pass failed somewhere.

    A ticket whose investigation was cut off stays undiagnosed and is taken again.
    """
    well = True
    async with anyio.create_task_group() as group:

        async def passes() -> None:
            nonlocal well
            well = await _passes(wish, chosen, watching, interval_seconds, once, sleep)
            group.cancel_scope.cancel()

        group.start_soon(passes)
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                watching.said(Line(f"Stopped by {signal.Signals(number).name}.", "dim"))
                break
        group.cancel_scope.cancel()
    return well


async def _passes(
    wish: Wish,
    chosen: Prepared,
    watching: Following,
    interval_seconds: float,
    once: bool,
    sleep: Callable[[float], Awaitable[None]],
) -> bool:
    failures = 0
    while True:
        try:
            async with connected(wish, chosen) as session:
                while True:
                    failed = await _pass(wish, chosen, watching, session)
                    failures = failures + 1 if failed else 0
                    if once:
                        return not failed
                    await sleep(interval_seconds * min(MAX_PAUSES, 2**failures))
        except AgentError as error:
            watching.said(Line(str(error), "bad"))
            failures += 1
            if once:
                return False
            await sleep(interval_seconds * min(MAX_PAUSES, 2**failures))


async def _pass(wish: Wish, chosen: Prepared, watching: Following, session: Server) -> bool:
    """Investigate every undiagnosed ticket there is; True when the model failed, which the next ticket would meet too."""
    tickets = await undiagnosed(session)
    if not tickets:
        watching.said(Line("No undiagnosed open ticket.", "dim"))
    for ticket in tickets:
        watching.said(Line(f"Ticket {ticket}", "head"))
        try:
            watching.diagnosed(await run(wish, chosen, session, ticket, watching.happened))
        except ModelUnavailable as error:
            watching.said(Line(str(error), "bad"))
            return True
    return False


async def undiagnosed(session: Server) -> tuple[str, ...]:
    """Return the ids of open parent tickets without a diagnosis, oldest first. Raises AgentError."""
    answer = await session.call("tickets", {"status": "created"})
    if answer.is_error or answer.structured is None:
        raise AgentError(f"Asked opsai-mcp for the open tickets: {answer.text[:500]}")
    listed = answer.structured.get("tickets")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    return tuple(str(row["id"]) for row in reversed(rows) if "id" in row and _waits(row))


def _waits(row: JsonObject) -> bool:
    return row.get("status") == "created" and not row.get("parent")
