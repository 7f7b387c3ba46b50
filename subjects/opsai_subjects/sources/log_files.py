"""Reading log files: which there are, where in a big one a moment stands, and its lines block by block."""

import glob
import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path

from opsai_subjects.sources.logs import Parse

BLOCK_BYTES = 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
"""What of a line goes beyond this is left out: a line without an end must not fill the memory."""
_NEAR_ENOUGH_BYTES = 64 * 1024
_PROBE_BYTES = 256 * 1024
_PACKED = (".zst", ".xz", ".bz2", ".lz4")


class Unreadable(Exception):
    """A file that cannot be read (any further): why, and what to try."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(why)
        self.why = why
        self.advice = advice


@dataclass(frozen=True)
class Found:
    """The files of a glob, rotated ones included, and those that are compressed in a way that is not read."""

    files: tuple[Path, ...]
    packed: tuple[Path, ...]


def find(pattern: str) -> Found:
    """Return the files that the path or glob means, with the rotated ones beside each. Raises Unreadable."""
    wanted = str(Path(pattern).expanduser())
    # os.path, since pathlib raises where a folder may not be entered, and takes no absolute pattern
    matches = glob.glob(wanted, recursive=True) or ([wanted] if os.path.lexists(wanted) else [])  # noqa: PTH207
    files: dict[Path, None] = {}
    for match in sorted(matches):
        if os.path.isfile(match):  # noqa: PTH113
            files.update(dict.fromkeys((*_rotated(Path(match)), Path(match))))
    if not files:
        raise _nothing(wanted, matches)
    packed = tuple(file for file in files if file.suffix in _PACKED)
    return Found(tuple(file for file in files if file not in packed), packed)


def _rotated(file: Path) -> list[Path]:
    # kv-2024-01-17T15-21-13.728.log(.gz) as lumberjack and others name them, kv.log.1(.gz) and kv.log-20240117 as logrotate does
    stem, suffix = re.escape(file.stem), re.escape(file.suffix)
    packed = f"(?:{'|'.join(re.escape(suffix) for suffix in ('.gz', *_PACKED))})?"
    name = re.compile(rf"(?:{stem}-\d[\dT.:-]*{suffix}|{stem}{suffix}[.-]\d[\dT.:-]*){packed}|{stem}{suffix}\.gz")
    try:
        beside = sorted(file.parent.iterdir())
    except OSError:
        return []
    return [other for other in beside if name.fullmatch(other.name) and other.is_file()]


_STAMP = re.compile(r"-\d{4}-\d\d-\d\dT[\d.:-]*\d(?=\.)")


def family(file: Path) -> Path:
    """Return the name that a log is written under before it is rotated: files of one family follow one another in time.

    Told only where the rotated name carries a full time, as lumberjack gives it; else a file is its own family.
    """
    return file.with_name(_STAMP.sub("", file.name).removesuffix(".gz"))


def first_time(stream: BufferedIOBase, parse: Parse) -> datetime | None:
    """Return when the first entry was written; None when none begins near the top."""
    try:
        return _first(stream.read(_PROBE_BYTES).split(b"\n"), parse)
    except (OSError, EOFError, zlib.error):
        return None


def _nothing(pattern: str, matches: list[str]) -> Unreadable:
    if any(os.path.isdir(match) for match in matches):  # noqa: PTH112
        return Unreadable(f"{pattern} is a folder", f"give the files in it: {pattern.rstrip('/')}/*.log")
    if matches:
        return Unreadable(f"{pattern} is no regular file (a pipe, or a link to nothing)", "give the path of a file")
    folder = next(above for above in Path(pattern).absolute().parents if os.path.isdir(above))  # noqa: PTH112
    if not os.access(folder, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return Unreadable(f"permission denied for the folder {folder}", "run as a user who may read it")
    return Unreadable(f"no file matches {pattern}", f"look at what is there: ls {folder}")


def open_log(file: Path) -> BufferedIOBase:
    """Open a log file. Raises Unreadable saying why it cannot be opened."""
    try:
        return file.open("rb")
    except PermissionError as error:
        raise Unreadable("permission denied", "run as a user who may read it, often one of group adm") from error
    except FileNotFoundError as error:
        raise Unreadable("it vanished: rotated away or deleted", "ask again") from error
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror})", "see whether its disk is well") from error


def seek(stream: BufferedIOBase, target: datetime, parse: Parse) -> None:
    """Go to a place before the first entry at or after the target, near it in a big file.

    Times in a file ascend but for the jitter between threads (40 ms were seen): the target must allow for it.
    """
    low, high = 0, stream.seek(0, os.SEEK_END)
    while high - low > _NEAR_ENOUGH_BYTES:
        middle = (low + high) // 2
        at = _time_after(stream, middle, parse)
        if at is not None and at < target:
            low = middle
        else:
            high = middle
    stream.seek(low)
    if low:
        stream.readline(MAX_LINE_BYTES)


def _time_after(stream: BufferedIOBase, offset: int, parse: Parse) -> datetime | None:
    stream.seek(offset)
    return _first(stream.read(_PROBE_BYTES).split(b"\n")[1:], parse)


def _first(lines: Iterable[bytes], parse: Parse) -> datetime | None:
    for line in lines:
        parsed = parse(line[:MAX_LINE_BYTES].decode("utf-8", errors="replace"))
        if parsed is not None:
            return parsed.at
    return None


def blocks(stream: BufferedIOBase) -> Iterator[bytes]:
    """Yield the rest of the stream in blocks of whole lines; a line over MAX_LINE_BYTES is cut there.

    Raises Unreadable when it breaks off, after what could be read.
    """
    rest = b""
    for chunk in _chunks(stream):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + head + newline
            rest = tail
        else:
            rest += chunk
        rest = rest[:MAX_LINE_BYTES]
    if rest:
        yield rest


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    broken: Unreadable | None = None
    while broken is None:
        try:
            part = stream.read1(BLOCK_BYTES)  # not `read`, which loses what stands before the break
        except (OSError, EOFError, zlib.error) as error:
            broken, part = _broken(error), b""
        parts.append(part)
        size += len(part)
        if size >= BLOCK_BYTES or not part:
            yield b"".join(parts)
            parts, size = [], 0
        if not part:
            break
    if broken is not None:
        raise broken


def _broken(error: OSError | EOFError | zlib.error) -> Unreadable:
    if isinstance(error, EOFError):
        return Unreadable("its gzip stream breaks off: it is cut or still being written", "ask again")
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return Unreadable(f"it is not whole gzip ({error})", "look at what wrote it")
    return Unreadable(f"reading it failed ({error.strerror})", "see whether its disk is well")
