"""Log lines put together, sifted and collected: what every log source does with lines once it has them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic_core import SchemaError, SchemaValidator, core_schema

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogLine, LogQuery, ParsedLine, clean

Parse = Callable[[str], ParsedLine | None]

MAX_ENTRY_CHARS = 16_000
"""An entry longer than this (a stack trace, say) is cut; the cut is said."""
_CUT = " … (cut)"

MAX_TEMPLATE_CHARS = 1_000
LOOK_AFTER = 500
"""After so many lines a thread that makes them looks whether its search was cancelled."""
_ROOM = 256
"""So many entries more than needed are kept before they are sorted and cut."""
_UNITS = r"(?:ns|us|µs|ms|s|m|h|d|B|KB|MB|GB|KiB|MiB|GiB|%)"
_VARIES = re.compile(
    r"""
    (?P<text>  "(?:[^"\\]|\\.)*" )
  | (?P<time>  \d{4}[-/]\d\d[-/]\d\d(?:[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?)?(?:\ ?(?:Z|[+-]\d\d:?\d\d))? )
  | (?P<addr>  \[[0-9a-fA-F:]*:[0-9a-fA-F:.]*\](?::\d+)?
             | (?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.]*\d)
             | (?<![\w.-])(?:localhost|(?=[\w.-]*[\d.-])[A-Za-z][\w.-]*):\d{2,5}(?!\w) )
  | (?P<hex>   [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
             | 0[xX][0-9a-fA-F]+
             | (?<![0-9A-Za-z_])(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}(?![0-9A-Za-z_]) )
  | (?P<n>     (?:(?<![\w.])[+-])?\d+(?:\.\d+)*(?:[eE][+-]?\d+)?(?:UNITS(?:\d+(?:\.\d+)?UNITS)*(?![A-Za-z]))? )
    """.replace("UNITS", _UNITS),
    re.VERBOSE,
)


def template(message: str) -> str:
    """Return the message with quoted texts, times, addresses, hexadecimal ids and numbers masked.

    Messages of one kind give one template: `peer 45 elected` and `peer 7 elected` are both `peer <n> elected`.
    """
    return _VARIES.sub(lambda found: f"<{found.lastgroup}>", message[:MAX_TEMPLATE_CHARS])


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry: its first line as parsed, and its whole text with the lines that continue it."""

    parsed: ParsedLine
    text: str


class Joiner:
    """Joins lines into entries: a line that does not begin one continues the one before, up to MAX_ENTRY_CHARS."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self._begun: ParsedLine | None = None
        self._parts: list[str] = []
        self._chars = 0

    def feed(self, line: str) -> Entry | None:
        """Take the next line; return the entry that it ends, if it ends one."""
        parsed = self._parse(line)
        if parsed is None:
            self._continue(line)
            return None
        ended = self.flush()
        self._begun = parsed
        self._continue(line)
        return ended

    def flush(self) -> Entry | None:
        """End the entry under way and return it; lines that follow continue nothing."""
        ended = Entry(self._begun, "\n".join(self._parts)) if self._begun is not None else None
        self._begun, self._parts, self._chars = None, [], 0
        return ended

    def _continue(self, line: str) -> None:
        room = MAX_ENTRY_CHARS - self._chars
        if self._begun is None or not line or room <= 0:
            return
        self._parts.append(line if len(line) <= room else line[:room] + _CUT)
        self._chars += len(line) + 1


class Sieve:
    """Says which entries a query means. Raises QueryInvalid for a regular expression that does not parse."""

    def __init__(self, query: LogQuery) -> None:
        self._window = query.window
        self._contains = query.contains
        self._levels = frozenset(level.upper() for level in query.levels)
        self._found = _searching(query.regex) if query.regex else None

    def admits(self, entry: Entry) -> bool:
        """Say whether every condition of the query holds for the entry."""
        parsed, text = entry.parsed, entry.text
        return (
            self._window.start <= parsed.at <= self._window.end
            and (not self._levels or parsed.level in self._levels)
            and (not self._contains or any(part in text for part in self._contains))
            and (self._found is None or self._found(text))
        )


def _searching(regex: str) -> Callable[[str], bool]:
    """Return what says whether a text has a match in it.

    It asks the engine inside pydantic-core (Rust's `regex`), which takes linear time whatever the expression: in Python's
    `re` one search for `.*.*.*.*x` can take longer than the cluster will live, and nothing can stop it.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=regex, regex_engine="rust-regex")).isinstance_python
    except SchemaError as error:
        reason = str(error).rpartition("error: ")[2].rpartition("SchemaError: ")[2].strip().rstrip(".")
        raise QueryInvalid(
            regex, f"not a regular expression as RE2 and Rust know them: {reason}; or use contains"
        ) from error


@dataclass
class Harvest:
    """Keeps the oldest (or the newest) entries up to the limit and counts all; equal times keep the order they came in."""

    limit: int
    newest_first: bool
    matched: int = 0
    _kept: list[tuple[datetime, int, str, Entry]] = field(default_factory=list[tuple[datetime, int, str, Entry]])
    _worst: datetime | None = None
    """Where an entry can no longer be among those shown: the time of the last one kept when there were enough."""

    def add(self, node: str, entry: Entry) -> None:
        """Count one entry, and keep it when it may be among those to be shown."""
        self.matched += 1
        at = entry.parsed.at
        if self._worst is not None and (at <= self._worst if self.newest_first else at >= self._worst):
            return
        self._kept.append((at, self.matched, node, entry))
        if len(self._kept) > 2 * self.limit + _ROOM:
            self._prune()

    def lines(self) -> tuple[LogLine, ...]:
        """Return the kept entries in the order that was asked for."""
        self._prune()
        lines: list[LogLine] = []
        for number, (_, _, node, entry) in enumerate(self._kept):
            if number % LOOK_AFTER == 0:
                check_cancelled()
            lines.append(_line(node, entry))
        return tuple(lines)

    def _prune(self) -> None:
        # Sorting is stable: what came first stays first among equals.
        self._kept.sort(key=_came)
        self._kept.sort(key=_at, reverse=self.newest_first)
        del self._kept[self.limit :]
        if self._kept and len(self._kept) == self.limit:
            self._worst = self._kept[-1][0]


def _came(item: tuple[datetime, int, str, Entry]) -> int:
    return item[1]


def _at(item: tuple[datetime, int, str, Entry]) -> datetime:
    return item[0]


def _line(node: str, entry: Entry) -> LogLine:
    parsed = entry.parsed
    return LogLine(
        node=node,
        at=parsed.at,
        level=clean(parsed.level, 20),
        message=clean(parsed.message),
        fields={clean(name, 200): clean(value) for name, value in parsed.fields.items()},
        text=clean(entry.text),
    )
