"""Which stretch of time a question is about: the last minutes, or from start to end."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.model import Window

DEFAULT_MINUTES = 10.0
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Earlier than any sample or log line, and late enough that a look further back is still a date."""
ISO_ADVICE = "ISO time in UTC, as the replies show it: '2026-11-23T23:05:00Z'"

Minutes = Annotated[float | None, Field(description="Up to now (10).", gt=0, le=10080)]
Start = Annotated[str | None, Field(description="From, UTC: '2026-11-23T23:05Z'.")]
End = Annotated[str | None, Field(description="Until (now).")]


def window(now: datetime, minutes: float | None, start: str | None, end: str | None) -> Window:
    """Return the window meant. An end after now is now. Raises ArgumentInvalid."""
    if start is not None and minutes is not None:
        raise ArgumentInvalid("minutes", minutes, "start is given too", "either minutes, or start (and end)")
    last = min(moment_of("end", end), now) if end is not None else now
    if start is None:
        return Window.last((minutes or DEFAULT_MINUTES) * 60.0, last)
    first = moment_of("start", start)
    if first >= last:
        advice = f"a start before {last.isoformat()} (now is {now.isoformat()})"
        raise ArgumentInvalid("start", start, "the window would be empty", advice)
    return Window(start=first, end=last)


def moment_of(argument: str, text: str) -> datetime:
    """Read an ISO time; without an offset it is UTC. Raises ArgumentInvalid."""
    try:
        at = datetime.fromisoformat(text)
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # in UTC it may be before the year 1 or after 9999
        raise ArgumentInvalid(argument, text, "it is not a time", ISO_ADVICE) from None
    if moment < EARLIEST:
        raise ArgumentInvalid(argument, text, f"nothing is kept from before {EARLIEST.year}", ISO_ADVICE)
    return moment
