"""Logs in files, rotated and gzipped ones included, searched where the window is."""

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from io import BufferedIOBase
from pathlib import Path

import anyio.from_thread
import anyio.to_thread

from opsai_subjects.model import LogPage, LogQuery, Unread
from opsai_subjects.progress import Work, work
from opsai_subjects.sources.log_blocks import EntryReader
from opsai_subjects.sources.log_files import Found, Unreadable, blocks, family, find, first_time, open_log, seek
from opsai_subjects.sources.log_literals import needed
from opsai_subjects.sources.logs import Entry, Harvest, Parse, Sieve

SLACK = timedelta(seconds=5)
"""How far apart two neighbouring entries may stand in the wrong order."""
_SILENT_BYTES = 4096
"""A file of more than this in which no line begins an entry is no log of this kind; less may be the tail of a long one."""
_ARCHIVE = timedelta(days=1)
"""A gzip file untouched since so long before the window holds nothing of it; it cannot be sought in, so this saves much."""


class FileLogs:
    """Logs of nodes, each under a path or glob."""

    def __init__(self, globs: Mapping[str, str], parse: Parse) -> None:
        self._globs = dict(globs)
        self._parse = parse

    async def nodes(self) -> tuple[str, ...]:
        """Return the names under which logs are set."""
        return tuple(self._globs)

    async def search(self, query: LogQuery) -> LogPage:
        """Search node by node. A file that cannot be read stands in `unread`. Raises QueryInvalid."""
        wanted = query.nodes or tuple(self._globs)
        search = _Search(query, self._parse, work(len(wanted), "log files"))
        for node in wanted:
            if node in self._globs:
                await anyio.to_thread.run_sync(partial(search.node, node, self._globs[node]))
            else:
                known = ", ".join(self._globs) or "none"
                search.failed(node, "its log", Unreadable("no log is set for it", f"give one of those known: {known}"))
            search.progress.did()
        lines = await anyio.to_thread.run_sync(search.harvest.lines)
        return LogPage(lines, search.harvest.matched, tuple(search.unread), tuple(search.searched))


@dataclass(frozen=True)
class _Identity:
    """What tells a file from the one that took its name."""

    device: int
    inode: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> "_Identity":
        return cls(status.st_dev, status.st_ino, status.st_size)


@dataclass(frozen=True)
class _Share:
    """One file while it is read: how much it is of what there is to read."""

    stream: BufferedIOBase
    size: int
    begins: float
    share: float
    progress: Work

    def further(self) -> None:
        """Say how far it is. Raises what ends the thread when the search was cancelled."""
        anyio.from_thread.check_cancelled()
        self.progress.reach(self.begins + self.share * self.stream.tell() / max(1, self.size))


class _Search:
    """One search, run in a worker thread block by block, so that it can be cancelled between two."""

    def __init__(self, query: LogQuery, parse: Parse, progress: Work) -> None:
        self.progress = progress
        """A step is a node."""
        self._start = query.window.start - SLACK
        self._end = query.window.end + SLACK
        self._sieve = Sieve(query)
        self._parse = parse
        # What holds none of the texts is not parsed; a replaced character stands for bytes that are unknown.
        texts = query.contains or needed(query.regex)
        texts = () if any("\ufffd" in text or "\n" in text for text in texts) else texts
        self._needles = tuple(text.encode("utf-8", errors="replace") for text in texts)
        self.harvest = Harvest(query.limit, query.newest_first)
        self.unread: list[Unread] = []
        self.searched: list[str] = []

    def failed(self, node: str, asked: str, error: Unreadable) -> None:
        """Note what could not be read."""
        self.unread.append(Unread(source=f"logs:{node}", asked=asked, why=error.why, advice=error.advice))

    def node(self, node: str, pattern: str) -> None:
        """Search the files of one node."""
        try:
            found = find(pattern)
        except Unreadable as error:
            self.failed(node, pattern, error)
            return
        self._note_packed(node, found)
        read = 0
        over = self._over(found.files)
        node_begins, share = self.progress.done, 1 / max(1, len(found.files))
        for place, file in enumerate(found.files):
            try:
                if file not in over:
                    self._file(node, file, node_begins + place * share, share)
                read += 1
            except Unreadable as error:
                self.failed(node, str(file), error)
        if read:
            self.searched.append(node)

    def _over(self, files: Sequence[Path]) -> set[Path]:
        """Return the archives that hold nothing of the window: the next file of their log begins before it."""
        families: dict[Path, list[Path]] = {}
        for file in files:
            families.setdefault(family(file), []).append(file)
        over: set[Path] = set()
        for kin in families.values():
            archives = [file for file in kin if file.suffix == ".gz"]
            if len(kin) > 1 and archives:
                times = {file: at for file in kin if (at := self._begins(file)) is not None}
                passed = max((at for at in times.values() if at < self._start), default=None)
                over.update(file for file in archives if file in times and passed is not None and times[file] < passed)
        return over

    def _begins(self, file: Path) -> datetime | None:
        anyio.from_thread.check_cancelled()
        try:
            with open_log(file) as stream:
                if file.suffix != ".gz":
                    return first_time(stream, self._parse)
                with gzip.open(stream) as inflated:
                    return first_time(inflated, self._parse)
        except Unreadable:
            return None  # it is said when the file is read

    def _note_packed(self, node: str, found: Found) -> None:
        for file in found.packed:
            self.failed(
                node,
                str(file),
                Unreadable(f"{file.suffix} is not read, only gzip is", "unpack it, or compress with gzip"),
            )

    def _file(self, node: str, file: Path, begins: float, share: float) -> None:
        with open_log(file) as stream:
            before = _Identity.of(os.fstat(stream.fileno()))
            reading = _Share(stream, before.size, begins, share, self.progress)
            if file.suffix == ".gz":
                self._gzip(node, stream, reading)
            else:
                seek(stream, self._start, self._parse)
                self._read(node, stream, reading)
            after = _Identity.of(os.fstat(stream.fileno()))
        if after.size < before.size:
            raise Unreadable("it was truncated while it was read", "ask again")
        try:
            there = _Identity.of(file.stat())
        except OSError as error:
            raise Unreadable("it vanished while it was read: rotated away or deleted", "ask again") from error
        if (there.device, there.inode) != (before.device, before.inode):
            raise Unreadable("it was rotated while it was read, and the new file was not", "ask again")

    def _gzip(self, node: str, stream: BufferedIOBase, reading: _Share) -> None:
        if os.fstat(stream.fileno()).st_mtime < (self._start - _ARCHIVE).timestamp():
            return
        with gzip.open(stream) as inflated:
            self._read(node, inflated, reading)

    def _read(self, node: str, stream: BufferedIOBase, reading: _Share) -> None:
        reader = EntryReader(self._parse, self._needles, self._end)
        size = 0
        for block in blocks(stream):
            reading.further()
            size += len(block)
            self._sift(node, reader.read(block))
            if reader.beyond:
                return
        self._sift(node, reader.flush())
        if size > _SILENT_BYTES and not reader.begun:
            raise Unreadable(
                "no line of it begins as a line of this log does, with a time",
                "give another file, or let the node log times (enable-timestamp)",
            )

    def _sift(self, node: str, entries: Iterator[Entry]) -> None:
        for entry in entries:
            if self._sieve.admits(entry):
                self.harvest.add(node, entry)
