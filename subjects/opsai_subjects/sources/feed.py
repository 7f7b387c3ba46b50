"""A container's output as it streams in: stamped lines put together, sifted, and stopped in time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from opsai_subjects.model import Unread
from opsai_subjects.sources.log_files import MAX_LINE_BYTES
from opsai_subjects.sources.logs import Entry, Harvest, Joiner, Parse, Sieve

MAX_BYTES = 64 * 1024 * 1024
"""Read of one node for one search; what follows is said to be unsearched."""
TAIL_LINES = 200
"""Asked for where only the newest lines are wanted: some continue an entry, some are of no format that is read."""
SLACK = timedelta(seconds=5)
"""How far the runtime's time of a line may stand from the line's own."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?")

Stopped = Literal["", "past", "full"]


@dataclass(frozen=True)
class Sifting:
    """What is done with the lines of every node of one search."""

    parse: Parse
    sieve: Sieve
    harvest: Harvest
    end: datetime
    """Lines whose stamp lies beyond are not wanted, and no others follow them."""
    max_bytes: int = MAX_BYTES


class Feed:
    """Takes the output of one node, stamped line by line as runtimes do on request, until there is no need for more."""

    def __init__(self, node: str, sifting: Sifting, *, tail: bool = False) -> None:
        """Of a `tail` nothing counts before its end: where it goes beyond the window, the output is read anew in its place."""
        self._node = node
        self._sifting = sifting
        self._joiner = Joiner(sifting.parse)
        self._held: list[Entry] | None = [] if tail else None
        self._rest = b""
        self._bytes = 0
        self.last_at: datetime | None = None
        """The runtime's time of the last line taken."""
        self.stopped: Stopped = ""
        """Why no more is taken: it lies `past` the window, or the measure is `full`."""

    def take(self, part: bytes) -> bool:
        """Take a part of the output; return whether more is wanted."""
        self._bytes += len(part)
        *lines, rest = (self._rest + part).split(b"\n")
        self._rest = rest[: 2 * MAX_LINE_BYTES]
        for line in lines:
            self._line(line)
        if not self.stopped and self._bytes > self._sifting.max_bytes:
            self.stopped = "full"
        return not self.stopped

    def end(self) -> None:
        """Take what is left: nothing follows."""
        if self._rest:
            self._line(self._rest)
        self._rest = b""
        self._add(self._joiner.flush())
        for entry in self._held or ():
            self._sifting.harvest.add(self._node, entry)

    def unsearched(self, asked: str) -> tuple[Unread, ...]:
        """Return what was left out, when something was."""
        if self.stopped != "full":
            return ()
        until = f" ({self.last_at:%Y-%m-%d %H:%M:%S}Z)" if self.last_at else ""
        why = f"it was read to {self._sifting.max_bytes:,} bytes{until}; what follows was not searched"
        return (Unread(source=f"logs:{self._node}", asked=asked, why=why, advice="a shorter window"),)

    def _line(self, line: bytes) -> None:
        if self.stopped:
            return
        stamp = _STAMP.match(line)
        if stamp is not None:
            at = moment(stamp[1].decode())
            if at is not None and at > self._sifting.end + SLACK:
                self.stopped = "past"
                return
            self.last_at = at or self.last_at
            line = line[stamp.end() :]
        self._add(self._joiner.feed(line[:MAX_LINE_BYTES].decode("utf-8", errors="replace").rstrip("\r")))

    def _add(self, entry: Entry | None) -> None:
        if entry is None or not self._sifting.sieve.admits(entry):
            return
        if self._held is not None:
            self._held.append(entry)
        else:
            self._sifting.harvest.add(self._node, entry)


def moment(text: str) -> datetime | None:
    """Return the time that a runtime writes (RFC 3339, to the nanosecond); None for what is none or is Go's zero."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return at if at.tzinfo is not None and at.year > 1 else None
