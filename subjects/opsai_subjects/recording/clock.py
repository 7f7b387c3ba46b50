"""The clock of a recording: it stands until it is set."""

from datetime import UTC, datetime


class ReplayClock:
    """A clock that stands still at a moment of the recording."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        """Return the moment it stands at, in UTC."""
        return self._now

    def set(self, at: datetime) -> None:
        """Move to that moment, an aware datetime; back is allowed."""
        if at.tzinfo is None:
            msg = f"{at!r} has no time zone"
            raise ValueError(msg)
        self._now = at.astimezone(UTC)
