"""A recording under way: what was seen is appended as it comes, so that whatever stops the recorder leaves what came before.

It lies in `unfinished/` inside the recording's folder until `finishing` makes the recording of it; `incident.json` is not
there before. Each file only grows, and what refers is written after what it refers to: a line cut off at the end of a file,
or the space of a part that no line names, is what a kill or a full disk leaves, and is passed over.
"""

import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

import orjson
from pydantic import Field, JsonValue, ValidationError

from opsai_subjects.errors import RecordingCorrupt, RecordingNotWritten
from opsai_subjects.model import Value

FOLDER = "unfinished"
_HEAD, _POLLS, _BODIES, _INDEX, _PARTS, _LOGS = (
    "head.json",
    "polls.jsonl",
    "bodies.jsonl",
    "parts.jsonl",
    "parts",
    "logs",
)
_FAST = 1


class HeadNode(Value):
    """One node, as `incident.json` will name it."""

    name: str
    role: str
    address: str
    status_address: str


class Head(Value):
    """What is known of a recording from its beginning, as `incident.json` will say it."""

    name: str
    subject: str
    cluster: str
    start: datetime
    nodes: tuple[HeadNode, ...]
    scrape_interval_seconds: float
    poll_interval_seconds: float
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    metrics: str = ""
    """Where samples come from, in words."""
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    for_seconds: dict[str, float] = Field(default_factory=dict[str, float])
    watch: dict[str, float] = Field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    """What was not kept, and why."""


class Part(Value):
    """One answer of metrics: a scrape's text, or series that a Prometheus answered."""

    kind: Literal["scrape", "series"]
    job: str
    instance: str
    at_ms: int
    seconds: float = 0.0
    up: bool = True
    """Of a scrape: whether it succeeded; it has no text where it did not."""
    offset: int
    bytes: int


class Unfinished:
    """What appends. Raises RecordingNotWritten when the folder cannot be used, or its disk has no room."""

    def __init__(self, folder: Path, head: Head) -> None:
        self.folder = folder
        self.bytes_written = 0
        self._work = folder / FOLDER
        self._files: dict[str, IO[bytes]] = {}
        self._bodies: set[str] = set()
        self._part_bytes = 0
        _may_begin(folder)
        try:
            (self._work / _LOGS).mkdir(parents=True)
            self.put_head(head)
        except FileExistsError as error:
            raise RecordingNotWritten(f"Another recorder has just begun in {folder}.") from error
        except OSError as error:
            raise self._not_written(error) from error

    def put_head(self, head: Head) -> None:
        """Write what is known of the recording, in place of what was written before."""
        new = self._work / f"{_HEAD}.new"
        try:
            new.write_text(head.model_dump_json(indent=1), encoding="utf-8")
            new.replace(self._work / _HEAD)
        except OSError as error:
            raise self._not_written(error) from error

    def poll(self, line: dict[str, JsonValue]) -> None:
        """Append one poll, as FORMAT has it."""
        self._append(_POLLS, orjson.dumps(line) + b"\n")

    def body(self, sha: str, text: str) -> None:
        """Append a body unless it is there; before the poll that names it."""
        if sha not in self._bodies:
            self._bodies.add(sha)
            # not orjson: it refuses half a surrogate pair
            self._append(_BODIES, json.dumps({"sha": sha, "body": text}, ensure_ascii=True).encode() + b"\n")

    def part(self, part: Part, content: bytes) -> None:
        """Append one answer of metrics; its offset and size are set here."""
        packed = zlib.compress(content, _FAST) if content else b""
        self._append(_PARTS, packed)
        placed = part.model_copy(update={"offset": self._part_bytes, "bytes": len(packed)})
        self._part_bytes += len(packed)
        self._append(_INDEX, placed.model_dump_json().encode() + b"\n")

    def log(self, node: str, lines: list[str]) -> None:
        """Append lines to the log of a node."""
        if lines:
            text = "".join(f"{line}\n" for line in lines)
            self._append(f"{_LOGS}/{node}.log", text.encode("utf-8", errors="replace"))

    def flush(self) -> None:
        """Hand everything to the operating system: a kill of this process loses nothing that was flushed."""
        try:
            for name in (_BODIES, _PARTS, *self._files):  # what is referred to first
                if name in self._files:
                    self._files[name].flush()
        except OSError as error:
            raise self._not_written(error) from error

    def close(self) -> None:
        """Flush and close. Raises RecordingNotWritten when the last of it finds no room."""
        failed: OSError | None = None
        for file in self._files.values():
            try:
                file.close()
            except OSError as error:
                failed = error
        self._files = {}
        if failed is not None:
            raise self._not_written(failed) from failed

    def _append(self, name: str, content: bytes) -> None:
        try:
            if name not in self._files:
                self._files[name] = (self._work / name).open("ab", buffering=1 << 16)
            self._files[name].write(content)
        except OSError as error:
            raise self._not_written(error) from error
        self.bytes_written += len(content)

    def _not_written(self, error: OSError) -> RecordingNotWritten:
        return RecordingNotWritten(
            f"{error.filename or self._work} cannot be written: {error.strerror}. What was recorded before is kept. "
            f"Try: make room, then opsai record --finish {self.folder}"
        )


def _may_begin(folder: Path) -> None:
    if is_unfinished(folder):
        raise RecordingNotWritten(unfinished_text(folder))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecordingNotWritten(
            f"{folder} is not an empty folder: a recording needs one of its own. Try: another name."
        )


def is_unfinished(folder: Path) -> bool:
    """Say whether a recording was begun there and not finished."""
    return (folder / FOLDER).is_dir() and not (folder / "incident.json").exists()


def unfinished_text(folder: Path) -> str:
    """Return what to say of a folder with an unfinished recording."""
    return (
        f"{folder} holds a recording that was not finished: its recorder was stopped, or is still at work. "
        f"Try: opsai record --finish {folder} makes a recording of what is there."
    )


class Left:
    """What an unfinished recording left behind, read back. Raises RecordingCorrupt when it has no head."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work = folder / FOLDER
        try:
            self.head = Head.model_validate_json((self._work / _HEAD).read_bytes())
        except (OSError, ValidationError) as error:
            raise RecordingCorrupt(
                f"{self._work / _HEAD} cannot be read ({error}): the recorder was stopped before it had seen anything. "
                "Try: remove the folder and record again."
            ) from error

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Yield each body's sha and its whole line."""
        for value, line in _whole_lines(self._work / _BODIES):
            yield str(value.get("sha")), line

    def polls(self) -> Iterator[tuple[dict[str, JsonValue], bytes]]:
        """Yield each poll and its line."""
        yield from _whole_lines(self._work / _POLLS)

    def parts(self) -> tuple[Part, ...]:
        """Return the answers of metrics that are there whole, in order."""
        path = self._work / _PARTS
        there = path.stat().st_size if path.exists() else 0
        parts = (Part.model_validate(value) for value, _ in _whole_lines(self._work / _INDEX))
        return tuple(part for part in parts if part.offset + part.bytes <= there)

    def content(self, part: Part) -> bytes:
        """Return the content of one of them."""
        if not part.bytes:
            return b""
        with (self._work / _PARTS).open("rb") as file:
            file.seek(part.offset)
            return zlib.decompress(file.read(part.bytes))

    def logs(self) -> tuple[Path, ...]:
        """Return the files of the logs, NODE.log each."""
        return tuple(sorted((self._work / _LOGS).glob("*.log")))


def _whole_lines(file: Path) -> Iterator[tuple[dict[str, JsonValue], bytes]]:
    """Yield each line that is whole; what stands behind the last line end was being written when the recorder stopped."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                try:
                    value: JsonValue = json.loads(line)
                except ValueError:
                    continue  # a disk that filled up mid-line and had room again
                if isinstance(value, dict):
                    yield value, line
