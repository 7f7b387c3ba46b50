"""A recording made of what an unfinished one left behind; doing it twice is as once."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from pydantic import JsonValue

from opsai_subjects.errors import RecordingCorrupt, RecordingNotWritten
from opsai_subjects.model import utc
from opsai_subjects.promql.labels import NAME
from opsai_subjects.recording.stitching import UP, Stitched
from opsai_subjects.recording.unfinished import FOLDER, Head, Left, Part, is_unfinished
from opsai_subjects.sources.exposition import Exposition, NotExposition

_LEVEL = 6
WARM_UP_ROUNDS = 2
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Finished:
    """What the recording came to."""

    folder: Path
    start: datetime
    end: datetime
    polls: int
    series: int
    log_lines: int
    bytes: int
    notes: tuple[str, ...]


def finish(folder: Path) -> Finished:
    """Make the recording, and remove what it was made of. `incident.json` is written last.

    Raises RecordingCorrupt when nothing was begun there or nothing was seen, RecordingNotWritten when there is no room.
    """
    if not is_unfinished(folder):
        raise RecordingCorrupt(f"{folder} holds no unfinished recording: there is nothing to finish.")
    left = Left(folder)
    try:
        return _finished(left)
    except OSError as error:
        raise RecordingNotWritten(
            f"{error.filename or folder} cannot be written: {error.strerror}. What was recorded is still there. "
            f"Try: make room, then opsai record --finish {folder}"
        ) from error


def _finished(left: Left) -> Finished:
    folder = left.folder
    (folder / "http").mkdir(exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    bodies = _write(folder / "http" / "bodies.jsonl.gz", (line for _, line in left.bodies()))
    known = {sha for sha, _ in left.bodies()}
    ends: list[float] = []

    def polls() -> Iterator[bytes]:
        for poll, line in left.polls():
            if "error" in poll or poll.get("sha") in known:
                ends.append(_at(poll))
                yield line

    polled = _write(folder / "http" / "polls.jsonl.gz", polls())
    parts = left.parts()
    ends += [part.at_ms / 1000 for part in parts]
    series = _write(folder / "metrics.jsonl.gz", _series(left, parts))
    lines = sum(_write_log(file, folder / "logs" / f"{file.name}.gz") for file in left.logs())
    if not (polled or series) or (not bodies and not series):
        raise RecordingCorrupt(
            f"{folder}: nothing was seen before the recorder stopped. Try: remove it and record again."
        )
    end = max(utc(max(ends)), left.head.start + _MILLISECOND)
    _write_incident(folder, left.head, end)
    shutil.rmtree(folder / FOLDER)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Finished(folder, left.head.start, end, polled, series, lines, size, left.head.notes)


def _at(poll: dict[str, JsonValue]) -> float:
    at = poll.get("at")
    return float(at) if isinstance(at, int | float) else 0.0


def _write(file: Path, lines: Iterator[bytes]) -> int:
    count = 0
    with gzip.GzipFile(file, "wb", compresslevel=_LEVEL, mtime=0) as packed:
        for line in lines:
            packed.write(line)
            count += 1
    return count


def _write_log(source: Path, file: Path) -> int:
    with source.open("rb") as lines:
        return _write(file, (line for line in lines if line.endswith(b"\n")))


def _series(left: Left, parts: tuple[Part, ...]) -> Iterator[bytes]:
    """Yield the series of one target after the other: only one target's samples are in memory at a time."""
    targets = dict.fromkeys((part.job, part.instance) for part in parts)
    for job, instance in targets:
        own = [part for part in parts if (part.job, part.instance) == (job, instance)]
        stitched = Stitched()
        _stitch_series(stitched, (left.content(part) for part in own if part.kind == "series"))
        scraped = [part for part in own if part.kind == "scrape"]
        if scraped:
            _stitch_scrapes(stitched, scraped, left.content)
        yield from stitched.lines()


def _stitch_scrapes(stitched: Stitched, parts: list[Part], content: Callable[[Part], bytes]) -> None:
    own = {"instance": parts[0].instance, "job": parts[0].job}
    exposition = Exposition(lambda _: True, own)
    heads: dict[bytes, tuple[tuple[tuple[str, str], ...], dict[str, str]]] = {}
    for part in parts:
        values: dict[bytes, float] = {}
        up = part.up
        if up:
            try:
                values = exposition.read(content(part))
                for head in values:
                    if head not in heads:
                        labels = exposition.labels(head)
                        heads[head] = (tuple(sorted(labels.items())), labels)
            except NotExposition:
                values, up = {}, False
        stitched.scrape(part.at_ms)
        for head, value in values.items():
            stitched.sample(*heads[head], part.at_ms, value)
        made = {UP: float(up), "scrape_duration_seconds": part.seconds, "scrape_samples_scraped": float(len(values))}
        for name, value in made.items():
            labels = {NAME: name, **own}
            stitched.sample(tuple(sorted(labels.items())), labels, part.at_ms, value)


def _stitch_series(stitched: Stitched, contents: Iterator[bytes]) -> None:
    for content in contents:
        chunk: list[tuple[dict[str, str], list[tuple[float, float | str]]]] = orjson.loads(content)
        for labels, points in chunk:
            key = tuple(sorted(labels.items()))
            for at, value in points:
                at_ms = round(at * 1000)
                stitched.sample(key, labels, at_ms, float(value))
                if labels[NAME] == UP:
                    stitched.scrape(at_ms)


def _write_incident(folder: Path, head: Head, end: datetime) -> None:
    fields = head.model_dump(mode="json", exclude_defaults=True)
    # The first round is not over at once: before, nothing is known yet.
    warm_up = min(WARM_UP_ROUNDS * head.poll_interval_seconds, (end - head.start).total_seconds() / 2)
    fields |= {"format": 1, "start": _moment(head.start), "end": _moment(end), "warm_up_seconds": round(warm_up, 3)}
    new = folder / "incident.json.new"
    new.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(folder / "incident.json")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
