"""The entries of a log file, block by block; where only those with a text in them are wanted, the others are not parsed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from opsai_subjects.sources.log_files import MAX_LINE_BYTES
from opsai_subjects.sources.logs import Entry, Joiner, Parse

PAST_ENTRIES = 100
"""So many entries in a row beyond the window end the reading: one clock gone wild must not."""


class EntryReader:
    """Makes entries of blocks of whole lines.

    With `needles`, entries in whose bytes none of them stands may be left out (and need not be).
    """

    def __init__(self, parse: Parse, needles: Sequence[bytes], end: datetime) -> None:
        self._parse = parse
        self._needles = tuple(needles)
        self._end = end
        self._joiner = Joiner(parse)
        self._past = 0
        self.begun = False
        """Whether any line began an entry."""

    @property
    def beyond(self) -> bool:
        """Whether the log has left the window behind for good."""
        return self._past >= PAST_ENTRIES

    def read(self, block: bytes) -> Iterator[Entry]:
        """Yield the entries that the block ends."""
        if not self._needles:
            yield from self._fed(block)
            return
        first = self._begin_after(block, 0)
        yield from self._fed(block[:first])
        if first == len(block):
            return
        yield from self.flush()
        last = self._begin_before(block, len(block), first)
        begins, ends = self._at(block, first), self._at(block, last)
        wholly_past = begins is not None and ends is not None and min(begins, ends) > self._end
        yield from self._skimmed(block, first, last)
        self._past = PAST_ENTRIES if wholly_past and last > first else 0

    def flush(self) -> Iterator[Entry]:
        """End the entry under way and yield it."""
        ended = self._joiner.flush()
        if ended is not None:
            yield self._counted(ended)

    def _skimmed(self, block: bytes, first: int, last: int) -> Iterator[Entry]:
        """Yield the entries with a needle from the first on; the last one is left under way, as it may go on."""
        position = first
        hits = _Hits(block, self._needles)
        while (hit := hits.after(position)) is not None and hit < last:
            begin = self._begin_before(block, hit + 1, position)
            position = self._begin_after(block, hit)
            yield from self._fed(block[begin:position])
            yield from self.flush()
        yield from self._fed(block[last:])

    def _fed(self, block: bytes) -> Iterator[Entry]:
        for line in _lines(block):
            ended = self._joiner.feed(line)
            if ended is not None:
                yield self._counted(ended)

    def _counted(self, entry: Entry) -> Entry:
        self.begun = True
        self._past = self._past + 1 if entry.parsed.at > self._end else 0
        return entry

    def _at(self, block: bytes, begin: int) -> datetime | None:
        parsed = self._parse(_line(block, begin))
        return parsed.at if parsed is not None else None

    def _begin_after(self, block: bytes, position: int) -> int:
        """Return where the first entry begins whose line begins at or after the position; the block's end when none does."""
        at = position if position == 0 or block[position - 1 : position] == b"\n" else _next(block, position)
        while at < len(block) and self._at(block, at) is None:
            at = _next(block, at)
        return at

    def _begin_before(self, block: bytes, position: int, floor: int) -> int:
        """Return where the entry begins that the byte before the position belongs to; an entry begins at the floor."""
        at = max(floor, block.rfind(b"\n", floor, position - 1) + 1)
        while at > floor and self._at(block, at) is None:
            at = max(floor, block.rfind(b"\n", floor, at - 1) + 1)
        return at


class _Hits:
    """Where the needles stand in a block, each looked for only when its last place is passed."""

    def __init__(self, block: bytes, needles: Sequence[bytes]) -> None:
        self._block = block
        self._next = dict.fromkeys(needles, -1)

    def after(self, position: int) -> int | None:
        """Return the first place of any needle at or after the position; positions ascend."""
        for needle, at in list(self._next.items()):
            if at < position:
                found = self._block.find(needle, position)
                if found < 0:
                    del self._next[needle]
                else:
                    self._next[needle] = found
        return min(self._next.values(), default=None)


def _next(block: bytes, position: int) -> int:
    end = block.find(b"\n", position)
    return len(block) if end < 0 else end + 1


def _line(block: bytes, begin: int) -> str:
    end = block.find(b"\n", begin)
    return _text(block[begin : len(block) if end < 0 else end])


def _lines(block: bytes) -> list[str]:
    lines = block.decode("utf-8", errors="replace").split("\n")
    if len(block) <= MAX_LINE_BYTES or max(map(len, lines)) <= MAX_LINE_BYTES // 4:
        return lines
    return [_text(line) for line in block.split(b"\n")]


def _text(line: bytes) -> str:
    return line[:MAX_LINE_BYTES].decode("utf-8", errors="replace")
