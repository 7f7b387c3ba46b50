"""Having `opsai-agent` investigate or ask, as a program of its own: the bench itself never speaks the protocol."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import PIPE, CompletedProcess

import anyio
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from opsai_agent.errors import AgentError

LAST_WORDS_CHARS = 600


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be investigated."""

    ticket: str | None
    """None: is anything wrong, or was it?"""
    recording: Path
    at: datetime
    store: Path
    backend: str = "auto"

    def arguments(self) -> tuple[str, ...]:
        """Return the command line after `opsai-agent`."""
        ticket = (self.ticket,) if self.ticket else ()
        return ("investigate", *ticket, *self.where(), "--backend", self.backend)

    def where(self) -> tuple[str, ...]:
        """Return the options that say which cluster, and when."""
        return ("--replay", str(self.recording), "--at", self.at.isoformat(), "--store", str(self.store))


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """What is to be investigated on a live cluster, as a settings file names it."""

    ticket: str | None
    config: Path
    cluster: str
    backend: str = "auto"

    def arguments(self) -> tuple[str, ...]:
        """Return the command line after `opsai-agent`."""
        ticket = (self.ticket,) if self.ticket else ()
        where = ("--config", str(self.config), "--cluster", self.cluster)
        return ("investigate", *ticket, *where, "--backend", self.backend)


class _Named(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str


class Took(BaseModel):
    """What an investigation came to and what it took: the diagnosis itself stands in the store."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    diagnosis: _Named
    tool_calls: int
    reply_chars: int
    backend: str


async def investigate(order: Order | LiveOrder, *, calls_to: int | None = None) -> Took:
    """Run the investigation; its calls are shown on the file descriptor `calls_to` as they happen, or kept for an error.

    Raises AgentError with the program's last words.
    """
    done = await _run((*order.arguments(), "--json"), PIPE if calls_to is None else calls_to)
    if done.returncode != 0:
        without = "" if order.backend == "rules" else "Try: --backend rules investigates without a model."
        raise _failed(done, without)
    try:
        return Took.model_validate_json(done.stdout)
    except ValidationError as error:
        raise _no_answer(done, "a diagnosis") from error


class Reply(BaseModel):
    """What one tool replied."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tool: str
    chars: int
    """As a model reads it."""
    reply: dict[str, JsonValue]


async def ask(order: Order, questions: Sequence[str]) -> tuple[Reply, ...]:
    """Ask the tools one after another, as a model would. Raises AgentError."""
    done = await _run(("ask", *questions, *order.where(), "--json"), PIPE)
    if done.returncode != 0:
        raise _failed(done, "")
    try:
        return tuple(Reply.model_validate_json(line) for line in done.stdout.splitlines())
    except ValidationError as error:
        raise _no_answer(done, "replies of tools") from error


async def _run(arguments: Sequence[str], stderr: int) -> CompletedProcess[bytes]:
    command = [sys.executable, "-m", "opsai_agent.cli", *arguments]
    return await anyio.run_process(command, stdout=PIPE, stderr=stderr, check=False)


def _failed(done: CompletedProcess[bytes], advice: str) -> AgentError:
    parts = (f"opsai-agent ended with status {done.returncode}.", _last_words(done.stderr), advice)
    return AgentError(" ".join(part for part in parts if part))


def _no_answer(done: CompletedProcess[bytes], wanted: str) -> AgentError:
    said = done.stdout.decode(errors="replace").strip()[:LAST_WORDS_CHARS]
    return AgentError(f"opsai-agent answered something else than {wanted}: {said!r}")


def _last_words(stderr: bytes | None) -> str:
    lines = [line.strip() for line in (stderr or b"").decode(errors="replace").splitlines() if line.strip()]
    return f"Its last words: {lines[-1][-LAST_WORDS_CHARS:]}" if lines else ""
