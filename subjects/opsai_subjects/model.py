"""The values that everything else speaks in: frozen, typed, with units in field names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | int | float | bool | None


class Value(BaseModel):
    """A frozen value: equal by content, refuses unknown fields; non-finite floats are written as strings in JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Clock(Protocol):
    """What time it is: the wall's, or a recording's."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class Window(Value):
    """A stretch of time, both ends included, aware datetimes in UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return (self.end - self.start).total_seconds()

    @classmethod
    def last(cls, seconds: float, now: datetime) -> "Window":
        """Return the window of that many seconds that ends now."""
        return cls(start=now - timedelta(seconds=seconds), end=now)


class Unread(Value):
    """Something that could not be read, and why: what depends on it is unknown."""

    source: str
    """Which source, in a person's words: `prometheus`, `status:m1`, `logs:m1`."""
    asked: str
    """What it was asked for: a path, a query, a file."""
    why: str
    """What came back."""
    advice: str = ""
    """What to try or to set."""


class Node(Value):
    """One process of the cluster."""

    entity: str
    """Its id in tickets and verdicts, as the adapter forms it: `node:4`, or a member's name."""
    name: str
    """What people call it: from settings, else its address."""
    role: str
    """The role in the subject's words: `member`, `proxy`."""
    address: str
    """host:port as the cluster itself advertises it."""
    status_address: str = ""
    """host:port of its metrics and status endpoint; Prometheus's `instance`, as a rule."""
    state: str
    """The state in the subject's own words (`Up`, `Disconnected`), or `unknown`."""
    details: dict[str, Scalar] = Field(default_factory=dict)
    """What the topology table shows beside it, in this order, units in the names."""


class Topology(Value):
    """The cluster as it is now."""

    cluster: str
    cluster_id: str | None
    """The cluster's own id as a string (above 2^53), None when nobody could say."""
    at: datetime
    nodes: tuple[Node, ...]
    summary: dict[str, Scalar]
    """A few figures of the whole cluster, units in the names."""
    notes: tuple[str, ...] = ()
    """Sentences that a reader of the tables needs."""
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One time series: its labels (with `__name__` where it has one) and its points as (Unix seconds, value), oldest first."""

    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The newest value; NaN when there is none."""
        return self.points[-1][1] if self.points else float("nan")


@dataclass(frozen=True, slots=True)
class MetricsReply:
    """What a metrics engine answered."""

    kind: Literal["vector", "matrix", "scalar", "string"]
    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    """The engine's own warnings and infos, word for word."""
    text: str = ""
    """The value of a string result."""
    partial: bool = False
    """Whether some of the data could not be read: a series that is not here may exist, so its absence means nothing."""


class MetricsSource(Protocol):
    """A Prometheus-compatible engine."""

    about: str
    """Who answers, for messages: the URL, or the recording."""

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Evaluate at one moment (None: the clock's now). Raises QueryInvalid or SourceError."""
        ...

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Evaluate at each step of the window. Raises QueryInvalid or SourceError."""
        ...

    async def version(self) -> str:
        """Return what the engine says it is. Raises SourceError, also where an engine has no such page."""
        ...


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One node whose `/metrics` can be read."""

    job: str
    instance: str
    """host:port as the cluster advertises it: what Prometheus calls it, as a rule."""
    base: str
    """The base URL at which it is reached from here."""


LineBody = tuple[str, str, dict[str, str]]
"""Of a log line: source (`file.rs:123`, or empty), message, fields."""


class ParsedLine:
    """One log line as its grammar reads it. Most lines are passed over for their time or level: the rest may be read later."""

    __slots__ = ("_body", "_read", "at", "level")

    def __init__(
        self,
        at: datetime,
        level: str,
        source: str = "",
        message: str = "",
        fields: dict[str, str] | None = None,
        *,
        read: Callable[[], LineBody] | None = None,
    ) -> None:
        """Make a line of its parts; with `read`, which never raises, all but time and level come from there when asked for."""
        self.at = at
        self.level = level
        """Upper case: FATAL ERROR WARN INFO DEBUG TRACE."""
        self._body: LineBody | None = (source, message, fields or {}) if read is None else None
        self._read = read

    @property
    def source(self) -> str:
        """`file.rs:123`, or empty."""
        return self._whole()[0]

    @property
    def message(self) -> str:
        """What was said, unescaped."""
        return self._whole()[1]

    @property
    def fields(self) -> dict[str, str]:
        """The named values, unescaped."""
        return self._whole()[2]

    def _whole(self) -> LineBody:
        if self._body is None:
            assert self._read is not None
            self._body = self._read()
        return self._body


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line of one node; `text` is stripped of control characters and is data, never instruction."""

    node: str
    at: datetime
    level: str
    message: str
    fields: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What to look for; every condition given must hold."""

    window: Window
    nodes: tuple[str, ...] = ()
    """Node names as the source knows them; empty: all."""
    contains: tuple[str, ...] = ()
    """Plain texts, case kept, at least one of which stands in the line; empty: any line."""
    regex: str = ""
    """A regular expression searched in the line; empty: any line. QueryInvalid when it does not parse."""
    levels: tuple[str, ...] = ()
    limit: int = 200
    """At most so many lines are returned; all matches are counted."""
    newest_first: bool = False
    count: bool = True
    """False: nobody needs to know how many match in all, so a source may stop as soon as it has the lines."""

    @property
    def newest_alone(self) -> bool:
        """Whether only the last few lines are wanted, whatever they say: their number is not."""
        return self.newest_first and not (self.count or self.contains or self.regex or self.levels)


@dataclass(frozen=True, slots=True)
class LogPage:
    """What a log search found: the lines, how many matched in all, and what could not be read."""

    lines: tuple[LogLine, ...]
    matched: int
    unread: tuple[Unread, ...] = ()
    searched: tuple[str, ...] = ()
    """The nodes whose logs were read."""
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    """Node to where its log was read (`Loki at http://loki:3100`), for sources that are one of several."""


class LogSource(Protocol):
    """Where logs are searched."""

    async def nodes(self) -> tuple[str, ...]:
        """Return the names under which logs are known. Never raises: a source that cannot tell names none.

        Whoever searches without naming nodes is then told in `unread` why.
        """
        ...

    async def search(self, query: LogQuery) -> LogPage:
        """Search. Never raises for a log that cannot be read: it says so in `unread`. Raises QueryInvalid."""
        ...


class LastState(Value):
    """How a node's process last ended, as whoever runs its container tells it."""

    node: str
    """The name under which the source knows the node."""
    running: bool
    ended_at: datetime | None
    """When its last run ended; None: none ended that is still known."""
    reason: str
    """The runtime's own word (`OOMKilled`, `Error`, `Completed`), empty when it gives none."""
    exit_code: int | None
    """128 and the signal's number where a signal ended it: 137 is SIGKILL."""
    restarts: int
    """How often the runtime started it again."""
    source: str
    """Who says so: `docker`, `kubernetes`."""

    @property
    def killed_for_memory(self) -> bool:
        """Whether the kernel killed it for its memory: both runtimes have one word for that."""
        return self.reason == "OOMKilled"

    @property
    def how(self) -> str:
        """How it ended, in a few words: `OOMKilled, exit code 137`."""
        code = f"exit code {self.exit_code}" if self.exit_code is not None else ""
        return ", ".join(part for part in (self.reason, code) if part) or "no reason is kept"


@dataclass(frozen=True, slots=True)
class LastStates:
    """What the runtime says of the nodes' processes, and of which it could not be asked."""

    states: tuple[LastState, ...]
    unread: tuple[Unread, ...] = ()


class StateSource(Protocol):
    """What runs the nodes' processes and remembers how they ended."""

    async def last_states(self) -> LastStates:
        """Return the state of each node it runs. Never raises for what cannot be read: it says so in `unread`."""
        ...


class Event(Value):
    """Something that happened at a moment: for the timeline."""

    at: datetime
    entity: str
    kind: str
    """A short slug: `restart`, `leader_change`, `leaders_lost`, `config_change`."""
    says: str
    """One sentence."""
    source: str
    """Where it was seen: a query, a log, a path."""
    count: int = 1


class Events(Value):
    """The events of a window, oldest first."""

    window: Window
    events: tuple[Event, ...]
    unread: tuple[Unread, ...] = ()


def utc(seconds: float) -> datetime:
    """Return the aware datetime of a Unix time in seconds."""
    return datetime.fromtimestamp(seconds, UTC)


_GAP = re.compile(r"[\t\n\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's format characters (Cf) and its Default_Ignorable_Code_Point: nobody sees them, and a model reads them."""


def clean(text: str, limit_chars: int = 4000) -> str:
    """Return foreign text without control, ANSI, bidi and invisible characters, cut at the limit with the cut said."""
    kept = text if text.isascii() and text.isprintable() else _plain(text)
    return kept if len(kept) <= limit_chars else f"{kept[:limit_chars]}… ({len(kept) - limit_chars} characters more)"


def _plain(text: str) -> str:
    return _CONTROL.sub("�", _UNSEEN.sub("", _GAP.sub(" ", text)))
