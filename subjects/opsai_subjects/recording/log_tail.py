"""The logs of a cluster as they grow, line by line as their source tells them: redacted where the source redacts."""

from collections.abc import Callable
from datetime import datetime, timedelta

from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import Clock, LogLine, LogQuery, LogSource, Window
from opsai_subjects.recording.tally import Tally
from opsai_subjects.recording.unfinished import Unfinished

LINES_AT_ONCE = 5_000
LATE_SECONDS = 10.0
"""A line may arrive so long after its time (a collector, Loki)."""


class LogTail:
    """Reads each log from where it was left; the last seconds are read twice, and a line is kept once."""

    def __init__(self, logs: LogSource, node_of: Callable[[str], str | None], begin: datetime) -> None:
        self._logs = logs
        self._node_of = node_of
        self._begin = begin
        self._until: dict[str, datetime] = {}
        self._seen: dict[str, dict[tuple[datetime, str], None]] = {}

    async def read(self, clock: Clock, into: Unfinished, tally: Tally) -> None:
        """Append what came since. Raises RecordingNotWritten."""
        for known_as in await self._logs.nodes():
            node = self._node_of(known_as)
            if node is None:
                tally.note(f"The log {known_as!r} is not kept: it belongs to no node of the recording.")
                continue
            try:
                await self._read_one(known_as, node, clock.now(), into, tally)
            except OpsaiError as error:
                tally.note(f"The log of {node} could not be read: {error}")

    async def _read_one(self, known_as: str, node: str, now: datetime, into: Unfinished, tally: Tally) -> None:
        start = self._until.get(known_as, self._begin)
        seen = self._seen.setdefault(known_as, {})
        while True:
            query = LogQuery(Window(start=start, end=now), nodes=(known_as,), limit=LINES_AT_ONCE, count=False)
            page = await self._logs.search(query)
            for one in page.unread:
                tally.note(f"The log of {node} could not be read: {one.why}")
            if page.unread and not page.lines:
                return
            fresh = [line for line in page.lines if (line.at, line.text) not in seen]
            seen |= dict.fromkeys((line.at, line.text) for line in fresh)
            into.log(node, [_one_line(line) for line in fresh])
            if len(page.lines) < LINES_AT_ONCE or not fresh:
                break
            start = page.lines[-1].at
        if page.lines and len(page.lines) >= LINES_AT_ONCE and not fresh:
            tally.note(f"The log of {node} has more than {LINES_AT_ONCE:,} lines of one moment; some are not kept.")
        kept_from = now - timedelta(seconds=LATE_SECONDS)
        self._until[known_as] = max(kept_from, self._begin)
        self._seen[known_as] = {key: None for key in seen if key[0] >= kept_from}


def _one_line(line: LogLine) -> str:
    return line.text.replace("\n", " ")
