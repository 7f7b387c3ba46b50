"""Having `opsai-agent` investigate, as a program of its own: the bench itself never speaks the protocol."""

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import PIPE

import anyio
from pydantic import BaseModel, ConfigDict, ValidationError

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
        where = ("--replay", str(self.recording), "--at", self.at.isoformat(), "--store", str(self.store))
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


async def investigate(order: Order, *, calls_to: int | None = None) -> Took:
    """Run the investigation; its calls are shown on the file descriptor `calls_to` as they happen, or kept for an error.

    Raises AgentError with the program's last words.
    """
    done = await anyio.run_process(
        [sys.executable, "-m", "opsai_agent.cli", *order.arguments(), "--json"],
        stdout=PIPE,
        stderr=PIPE if calls_to is None else calls_to,
        check=False,
    )
    if done.returncode != 0:
        without = "" if order.backend == "rules" else "Try: --backend rules investigates without a model."
        parts = (f"opsai-agent ended with status {done.returncode}.", _last_words(done.stderr), without)
        raise AgentError(" ".join(part for part in parts if part))
    try:
        return Took.model_validate_json(done.stdout)
    except ValidationError as error:
        said = done.stdout.decode(errors="replace").strip()[:LAST_WORDS_CHARS]
        raise AgentError(f"opsai-agent answered something else than a diagnosis: {said!r}") from error


def _last_words(stderr: bytes | None) -> str:
    lines = [line.strip() for line in (stderr or b"").decode(errors="replace").splitlines() if line.strip()]
    return f"Its last words: {lines[-1][-LAST_WORDS_CHARS:]}" if lines else ""
