"""What is kept of each call (of a tool, a resource, a prompt): a line for the audit, and figures. Never an argument, never a reply."""

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

Sort = Literal["tool", "resource", "prompt"]
"""What is called: a tool by its name, a resource by what it is (`ticket`, never which), a prompt by its name."""

Outcome = Literal["answered", "refused", "failed", "cancelled"]
"""`refused`: an error that says what to do, for whoever called. `failed`: a fault of opsai, in the log with its traceback."""

SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CHARS = (500, 1_000, 2_000, 4_000, 8_000, 16_000, 40_000)
SESSION_CHARS = 8
"""So much of a session's id tells sessions apart in a log; the whole id is what a client shows to go on with its session."""
CLIENT_CHARS = 60
EVENTS: Mapping[Sort, str] = {"tool": "tool_call", "resource": "resource_read", "prompt": "prompt_get"}
"""The first word of a line of the audit."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who calls, as far as the transport tells."""

    client: str = ""
    """The name that the client gives itself."""
    session: str = ""
    """The session of a protocol that has them, over HTTP; else empty."""
    peer: str = ""
    """The address it comes from; empty over stdio."""


@dataclass(slots=True)
class Call:
    """One call while it runs; who answers it says what came of it."""

    cluster: str = ""
    chars: int = 0


class _Figures:
    """The figures of one sort of calls."""

    def __init__(
        self, registry: CollectorRegistry, label: Sort, calls: str, says: str, seconds: str, chars: str
    ) -> None:
        self.calls = Counter(f"opsai_mcp_{calls}", f"{says} by how they ended.", (label, "outcome"), registry=registry)
        self.seconds = Histogram(
            f"opsai_mcp_{seconds}", f"{says}: how long they took.", (label,), registry=registry, buckets=SECONDS
        )
        self.chars = Histogram(
            f"opsai_mcp_{chars}", f"{says}: how long the replies were.", (label,), registry=registry, buckets=CHARS
        )


class Calls:
    """The calls of one server."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        # They would double the series, and say no more than when the process started.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there
        self.registry = CollectorRegistry()
        self._monotonic = monotonic
        self._running = 0
        ProcessCollector(registry=self.registry)
        build = Info("opsai_build", "The version that runs.", registry=self.registry)
        build.info({"program": "opsai-mcp", "version": version("opsai")})
        self._figures: Mapping[Sort, _Figures] = {
            "tool": _Figures(self.registry, "tool", "tool_calls", "Tool calls", "tool_seconds", "reply_chars"),
            "resource": _Figures(
                self.registry, "resource", "resource_reads", "Resource reads", "resource_seconds", "resource_chars"
            ),
            "prompt": _Figures(
                self.registry, "prompt", "prompt_gets", "Prompts asked for", "prompt_seconds", "prompt_chars"
            ),
        }
        in_flight = Gauge("opsai_mcp_calls_in_flight", "Calls that are being answered.", registry=self.registry)
        in_flight.set_function(lambda: self._running)

    @contextmanager
    def call(self, name: str, who: Who, sort: Sort = "tool") -> Generator[Call]:
        """Account for the call inside: what it raises says how it ended, and goes on."""
        began = self._monotonic()
        call = Call()
        outcome: Outcome = "cancelled"
        self._running += 1
        try:
            yield call
            outcome = "answered"
        except OpsaiError:
            outcome = "refused"
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._running -= 1
            took_seconds = self._monotonic() - began
            figures = self._figures[sort]
            if outcome == "answered":
                figures.chars.labels(name).observe(call.chars)
            figures.seconds.labels(name).observe(took_seconds)
            self._note(sort, name, who, call, took_seconds, outcome)

    def refused(self, name: str, who: Who, cluster: str, sort: Sort = "tool") -> None:
        """Account for a call that was refused before it began: for its arguments, or as `unknown` for its name."""
        self._note(sort, name, who, Call(cluster), 0.0, "refused")

    def _note(self, sort: Sort, name: str, who: Who, call: Call, took_seconds: float, outcome: Outcome) -> None:
        self._figures[sort].calls.labels(name, outcome).inc()
        log.info(
            "%s %s=%s cluster=%r session=%s peer=%s client=%r chars=%d took_seconds=%.3f outcome=%s",
            EVENTS[sort],
            sort,
            name,
            clean(call.cluster, CLIENT_CHARS),
            clean(who.session[:SESSION_CHARS]) or "-",
            who.peer or "-",
            clean(who.client, CLIENT_CHARS),
            call.chars,
            took_seconds,
            outcome,
        )
