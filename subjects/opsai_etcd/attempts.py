"""Reads that may fail: each is tried once, and a failure is kept as something unread."""

from collections.abc import Awaitable, Iterable
from typing import TypeVar

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import Unread, clean

T = TypeVar("T")


class Attempts:
    """Collects what could not be read while the rest goes on."""

    def __init__(self) -> None:
        self._unread: list[Unread] = []

    async def of(self, source: str, asked: str, read: Awaitable[T]) -> T | None:
        """Return what was read, None when it could not be."""
        try:
            return await read
        except SourceError as error:
            self.miss(source, error.asked or asked, error.came_back, error.advice)
        except QueryInvalid as error:
            self.miss(source, asked, error.reason)
        return None

    def miss(self, source: str, asked: str, why: str, advice: str = "") -> None:
        """Note something as unread."""
        self._unread.append(
            Unread(source=source, asked=clean(asked, 300), why=clean(why, 500), advice=clean(advice, 300))
        )

    def add(self, unread: Iterable[Unread]) -> None:
        """Take over what another found unread."""
        self._unread += unread

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What could not be read, the same failure of many questions to one source as one entry."""
        folded: dict[tuple[str, str], list[Unread]] = {}
        for entry in self._unread:
            folded.setdefault((entry.source, entry.why), []).append(entry)
        return tuple(_one(entries) for entries in folded.values())


def _one(entries: list[Unread]) -> Unread:
    first = entries[0]
    if len(entries) == 1:
        return first
    several = sorted({entry.asked for entry in entries})
    told = several[0] if len(several) == 1 else f"{len(several)} questions, the first: {several[0]}"
    return first.model_copy(update={"asked": clean(told, 300)})
