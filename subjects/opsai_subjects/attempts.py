"""Reads that may fail: each is tried once, and a failure is kept as something unread."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import Unread, clean

T = TypeVar("T")


def _all_of(asked: Sequence[str]) -> str:
    return clean(", ".join(asked), 600)


class Attempts:
    """Collects what could not be read while the rest goes on."""

    def __init__(self, told: Callable[[Sequence[str]], str] = _all_of) -> None:
        """`told` says several questions of one failure, sorted, in one text; by itself it lists them."""
        self._unread: list[Unread] = []
        self._told = told

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
        return tuple(self._one(entries) for entries in folded.values())

    def _one(self, entries: list[Unread]) -> Unread:
        first = entries[0]
        if len(entries) == 1:
            return first
        return first.model_copy(update={"asked": self._told(sorted({entry.asked for entry in entries}))})
