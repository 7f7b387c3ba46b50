"""A source of logs whose lines come redacted: the one place through which every line passes on its way to a reader.

A log names data of a system's users: the key of a lock, the bounds of a range, the value of a write. Search results, events,
evidence and samples in facts are all made of lines that went through here.
"""

from dataclasses import replace

import anyio.to_thread

from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.model import LogLine, LogPage, LogQuery, LogSource
from opsai_subjects.redaction import Redaction

LOOK_AFTER = 500
"""After so many lines it is looked whether the search was cancelled."""


def redact_line(line: LogLine, rules: Redaction) -> LogLine:
    """Return a log line without the data of users in its message, its fields and its text."""
    return replace(
        line,
        message=rules.redacted(line.message),
        fields={name: rules.field(name, value) for name, value in line.fields.items()},
        text=rules.redacted(line.text),
    )


class RedactedLogs:
    """A source of logs whose lines come redacted; what is searched for is searched in the lines as they are."""

    def __init__(self, logs: LogSource, rules: Redaction) -> None:
        self._logs = logs
        self._rules = rules

    async def nodes(self) -> tuple[str, ...]:
        """Return the names under which logs are known."""
        return await self._logs.nodes()

    async def search(self, query: LogQuery) -> LogPage:
        """Search. Raises QueryInvalid."""
        page = await self._logs.search(query)
        return replace(page, lines=await anyio.to_thread.run_sync(self._redacted, page.lines))

    def _redacted(self, lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
        redacted: list[LogLine] = []
        for number, line in enumerate(lines):
            if number % LOOK_AFTER == 0:
                check_cancelled()
            redacted.append(redact_line(line, self._rules))
        return tuple(redacted)
