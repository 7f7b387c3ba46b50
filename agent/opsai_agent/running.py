"""Putting an investigation together: settings, backend, session, budget, transcript."""

import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from opsai_agent.backend import Backend
from opsai_agent.budget import Budget, Limits
from opsai_agent.errors import AgentError
from opsai_agent.loop import Happened, Server, investigate
from opsai_agent.prices import load_prices
from opsai_agent.report import Report, report
from opsai_agent.rules import RulesBackend
from opsai_agent.session import SERVER, Session, open_session
from opsai_agent.transcript import Transcript, default_file, secrets_of
from opsai_subjects.config import AgentSettings, load

BackendName = Literal["auto", "claude", "rules"]
KEY_VARIABLE = "ANTHROPIC_API_KEY"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for; None: as the settings say."""

    backend: BackendName = "auto"
    model: str | None = None
    effort: str | None = None
    max_steps: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    max_usd: float | None = None
    config: Path | None = None
    prices: Path | None = None
    transcript: Path | None = None
    server_flags: tuple[str, ...] = ()
    server: tuple[str, ...] = SERVER
    """The command that starts the MCP server."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was chosen, before anything is started."""

    backend: Backend
    limits: Limits
    says: str
    """One line for the person: what investigates, and why that."""


@asynccontextmanager
async def prepared(wish: Wish) -> AsyncGenerator[Prepared]:
    """Choose the backend and the limits. Raises SettingsInvalid, ModelUnavailable or FileUnusable."""
    settings = load(wish.config).agent
    limits = Limits(
        steps=wish.max_steps or settings.max_steps,
        tokens=wish.max_tokens or settings.max_tokens,
        seconds=wish.max_seconds or settings.max_seconds,
        usd=wish.max_usd or settings.max_usd,
    )
    if wish.backend == "rules":
        yield Prepared(RulesBackend(), limits, "Investigating by rules (no model).")
    elif wish.backend == "auto" and not wish.environment.get(KEY_VARIABLE):
        says = f"{KEY_VARIABLE} is not set: investigating by rules (no model)."
        yield Prepared(RulesBackend(), limits, says)
    else:
        async with _claude(wish, settings, limits) as chosen:
            yield chosen


@asynccontextmanager
async def _claude(wish: Wish, settings: AgentSettings, limits: Limits) -> AsyncGenerator[Prepared]:
    from opsai_agent.claude import open_claude  # noqa: PLC0415 (a second that the rules need not wait for)

    model = wish.model or settings.model
    prices = load_prices(wish.prices)
    price = prices.of(model)
    unknown = "" if price else f" Its price is not in the list (as of {prices.as_of}): the dollar limit does not hold."
    async with open_claude(model, wish.effort or settings.effort, price, wish.environment) as backend:
        yield Prepared(backend, limits, f"Investigating with {model}.{unknown}")


@asynccontextmanager
async def connected(wish: Wish, chosen: Prepared) -> AsyncGenerator[Session]:
    """Open a session with a server of our own. Raises ServerFailed."""
    async with open_session(
        wish.server_flags, by=chosen.backend.name, environment=wish.environment, command=wish.server
    ) as session:
        _one_cluster(session)
        yield session


def _one_cluster(session: Session) -> None:
    """Refuse a server of several clusters: an investigation is of one. Raises AgentError with their names."""
    for tool in session.tools:
        which = cast("Mapping[str, Mapping[str, object]]", tool.schema.get("properties", {})).get("cluster")
        if tool.name == "tickets" and which is not None:
            names = cast("list[str]", which.get("enum", []))
            known = f": {', '.join(names)}" if names else ""
            raise AgentError(
                f"The settings hold several clusters{known}. An investigation is of one: name it with --cluster."
            )


async def run(
    wish: Wish, chosen: Prepared, session: Server, ticket: str | None, on_event: Callable[[Happened], None]
) -> Report:
    """Investigate once over an open session and return the accepted diagnosis. Raises AgentError."""
    if ticket is not None:
        await _known(session, ticket)
    began = datetime.now(UTC)
    path = wish.transcript or default_file(ticket or "overview", began)
    budget = Budget(chosen.limits, time.monotonic)
    with Transcript(path, lambda: datetime.now(UTC), secrets_of(wish.environment)) as transcript:
        outcome = await investigate(session, chosen.backend, ticket, budget, transcript, on_event)
    return report(ticket, outcome, budget, path)


async def _known(session: Server, ticket: str) -> None:
    """Make sure that there is such a ticket, before a model is paid to find out. Raises AgentError in the server's words."""
    answer = await session.call("tickets", {"id": ticket})
    if answer.is_error:
        raise AgentError(answer.text.removeprefix("Error executing tool tickets: "))
