"""Log lines put together, sifted and collected: what every log source does with lines once it has them."""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogLine, LogQuery, ParsedLine, clean

Parse = Callable[[str], ParsedLine | None]

MAX_ENTRY_CHARS = 16_000
"""A stack trace longer than this is cut; the cut is said."""
_CUT = " … (cut)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry: its first line as parsed, and its whole text with the lines that continue it."""

    parsed: ParsedLine
    text: str


def entries(lines: Iterable[str], parse: Parse) -> Iterator[Entry]:
    """Join lines into entries: a line that does not begin one continues the one before, up to MAX_ENTRY_CHARS."""
    begun: ParsedLine | None = None
    parts: list[str] = []
    size = 0
    for line in lines:
        parsed = parse(line)
        if parsed is not None:
            if begun is not None:
                yield Entry(begun, "\n".join(parts))
            begun, parts, size = parsed, [line[:MAX_ENTRY_CHARS]], len(line)
        elif begun is not None and line and size < MAX_ENTRY_CHARS:
            kept = line[: MAX_ENTRY_CHARS - size]
            parts.append(kept if len(kept) == len(line) else kept + _CUT)
            size += len(line)
    if begun is not None:
        yield Entry(begun, "\n".join(parts))


class Sieve:
    """Says which entries a query means. Raises QueryInvalid for a regular expression that does not parse."""

    def __init__(self, query: LogQuery) -> None:
        self._window = query.window
        self._contains = query.contains
        self._levels = frozenset(level.upper() for level in query.levels)
        try:
            self._regex = re.compile(query.regex) if query.regex else None
        except (re.error, OverflowError, RecursionError) as error:
            raise QueryInvalid(query.regex, f"not a regular expression: {error}") from error

    def admits(self, entry: Entry) -> bool:
        """Say whether every condition of the query holds for the entry."""
        parsed, text = entry.parsed, entry.text
        return (
            self._window.start <= parsed.at <= self._window.end
            and (not self._levels or parsed.level in self._levels)
            and (not self._contains or any(part in text for part in self._contains))
            and (self._regex is None or self._regex.search(text) is not None)
        )


@dataclass
class Harvest:
    """Keeps the first (or the newest) entries up to the limit and counts all."""

    limit: int
    newest_first: bool
    matched: int = 0
    _heap: list[tuple[float, int, str, Entry]] = field(default_factory=list[tuple[float, int, str, Entry]])

    def add(self, node: str, entry: Entry) -> None:
        """Count one entry, and keep it when it is among those to be shown."""
        self.matched += 1
        sign = 1.0 if self.newest_first else -1.0
        order = self.matched if self.newest_first else -self.matched
        item = (sign * entry.parsed.at.timestamp(), order, node, entry)
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, item)
        elif self._heap and item > self._heap[0]:
            heapq.heapreplace(self._heap, item)

    def lines(self) -> tuple[LogLine, ...]:
        """Return the kept entries in the order that was asked for."""
        return tuple(_line(node, entry) for _, _, node, entry in sorted(self._heap, reverse=True))


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
