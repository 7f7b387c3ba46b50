"""The logs of a recording, as of its clock."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.errors import RecordingCorrupt
from opsai_subjects.model import Clock, LogPage, LogQuery, Unread, Window
from opsai_subjects.progress import work
from opsai_subjects.recording.gzipped import inflate
from opsai_subjects.sources.logs import Entry, Harvest, Joiner, Parse, Sieve

LOOK_AFTER = 1_000
"""Lines: after so many it is looked whether the search was cancelled, some milliseconds of work."""


class RecordedLogs:
    """Searches the recorded logs; each is read once, when it is first searched."""

    def __init__(self, files: Mapping[str, Path], parse: Parse, clock: Clock) -> None:
        self._files = dict(files)
        self._parse = parse
        self._clock = clock
        self._read: dict[str, tuple[Entry, ...]] = {}
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def nodes(self) -> tuple[str, ...]:
        """Return the recorded names of the nodes that have a log."""
        return tuple(self._files)

    async def search(self, query: LogQuery) -> LogPage:
        """Search the lines up to the clock's now. Raises QueryInvalid."""
        window = Window(start=query.window.start, end=min(query.window.end, self._clock.now()))
        sieve = Sieve(replace(query, window=window))
        harvest = Harvest(query.limit, query.newest_first)
        unread: list[Unread] = []
        searched: list[str] = []
        wanted = query.nodes or tuple(self._files)
        progress = work(len(wanted), "recorded logs")
        for place, node in enumerate(wanted):
            progress.reach(place)
            if node not in self._files:
                known = ", ".join(self._files) or "none"
                unread.append(
                    _unread(node, "its log", "the recording holds no log of it", f"give one of those known: {known}")
                )
                continue
            try:
                await anyio.to_thread.run_sync(self._sift, node, sieve, harvest, limiter=self._one_at_a_time)
            except RecordingCorrupt as error:
                unread.append(_unread(node, self._files[node].name, str(error)))
            else:
                searched.append(node)
        lines = await anyio.to_thread.run_sync(harvest.lines)
        return LogPage(lines, harvest.matched, tuple(unread), tuple(searched))

    def _sift(self, node: str, sieve: Sieve, harvest: Harvest) -> None:
        for number, entry in enumerate(self._entries(node)):
            if number % LOOK_AFTER == 0:
                check_cancelled()
            if sieve.admits(entry):
                harvest.add(node, entry)

    def _entries(self, node: str) -> tuple[Entry, ...]:
        if node not in self._read:
            joiner = Joiner(self._parse)
            text = inflate(self._files[node]).decode("utf-8", errors="replace")
            found: list[Entry | None] = []
            for number, line in enumerate(text.split("\n")):
                if number % LOOK_AFTER == 0:
                    check_cancelled()
                found.append(joiner.feed(line))
            self._read[node] = tuple(entry for entry in (*found, joiner.flush()) if entry is not None)
        return self._read[node]


def _unread(node: str, asked: str, why: str, advice: str = "") -> Unread:
    return Unread(source=f"logs:{node}", asked=asked, why=why, advice=advice)
