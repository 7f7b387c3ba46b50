"""Reading a log file from near its end, and further as it grows."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio

from opsai_lab.targets.folder import last_lines

EVERY_SECONDS = 0.2


async def lines_of(path: Path, *, lines: int, follow: bool) -> AsyncGenerator[str]:
    """Yield the last lines, oldest first; with `follow` those that come, also after the file was begun anew."""
    growing = _Growing(path)
    for line in last_lines(path, lines):
        yield line
    while follow:
        for line in growing.more():
            yield line
        await anyio.sleep(EVERY_SECONDS)


class _Growing:
    """A file, read from where it ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = self._size()
        self._rest = b""

    def more(self) -> list[str]:
        """Return the whole lines that came since."""
        size = self._size()
        if size < self._at:
            self._at, self._rest = 0, b""
        if size == self._at:
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            read = file.read(size - self._at)
        self._at += len(read)
        whole, end, self._rest = (self._rest + read).rpartition(b"\n")
        return [line.decode("utf-8", "replace") for line in whole.split(b"\n")] if end else []

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0
