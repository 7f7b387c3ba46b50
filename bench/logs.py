"""Searching a large log file: by text, by regular expression, as templates, in a short window; ripgrep on the same file beside it."""

import gzip
import importlib
import itertools
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio

from bench.table import Row
from opsai_subjects.model import LogPage, LogQuery, Window
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.files import FileLogs
from opsai_subjects.sources.logs import template

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(milliseconds=4)
RARE = "sst corrupted in block 7"
EVERY_LINES = 100_000
"""So far apart stand the lines that hold the rare text."""
RARE_REGEX = r'corrupted in block \d+"\]$'
KEPT_LINES = 20_000
_HEADER = re.compile(rb"^\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d\]", re.MULTILINE)


def searching(folder: Path, scratch: Path, megabytes: int) -> list[Row]:
    """Time each kind of search over a file of that size; the file is made of the recording's own lines."""
    recording = open_recording(folder)
    file = scratch / "tikv.log"
    last = _write(file, _lines(recording.logs.values()), megabytes)
    logs = FileLogs({"node": str(file)}, subject_kind(recording.incident.subject).parse_log)
    whole = Window(start=BEGINS, end=last)
    size = file.stat().st_size / 1e6
    took, page = _timed(logs, LogQuery(whole, contains=(RARE,)))
    rows = [Row(f"logs: one text in {size:.0f} MB", f"{took:.2f} s", f"{size / took:,.0f} MB/s, {page.matched} found")]
    rows += _ripgrep(file, ("--fixed-strings", RARE), took, page.matched)
    took, page = _timed(logs, LogQuery(whole, regex=RARE_REGEX))
    rows.append(Row("logs: a regular expression", f"{took:.2f} s", f"{size / took:,.0f} MB/s, {page.matched} found"))
    rows += _ripgrep(file, (RARE_REGEX,), took, page.matched)
    took, page = _timed(logs, LogQuery(whole, limit=KEPT_LINES, newest_first=True))
    began = time.perf_counter()
    kinds = len({template(line.message) for line in page.lines})
    masked = time.perf_counter() - began
    how = f"{kinds} kinds in the newest {len(page.lines):,} of {page.matched:,} lines; {size / took:,.0f} MB/s"
    rows.append(Row("logs: every line, as templates", f"{took + masked:.2f} s", how))
    rows.append(Row("logs: one message to its template", f"{masked / len(page.lines) * 1e6:.1f} µs", "of those"))
    rows.append(_drain3([line.message for line in page.lines]))
    minute = Window(start=BEGINS + (last - BEGINS) / 2, end=BEGINS + (last - BEGINS) / 2 + timedelta(seconds=60))
    took, page = _timed(logs, LogQuery(minute))
    how = f"{page.matched:,} lines, in the middle of the file"
    rows.append(Row("logs: every line of one minute", f"{took * 1000:.0f} ms", how))
    file.unlink()
    return rows


def _timed(logs: FileLogs, query: LogQuery) -> tuple[float, LogPage]:
    began = time.perf_counter()
    page = anyio.run(logs.search, query)
    return time.perf_counter() - began, page


def _ripgrep(file: Path, asked: tuple[str, ...], ours: float, matched: int) -> list[Row]:
    program = shutil.which("rg")
    if program is None:
        return [Row("ripgrep: the same", "not here", "Debian: apt install ripgrep")]
    began = time.perf_counter()
    done = subprocess.run([program, "--count", *asked, str(file)], check=False, capture_output=True, text=True)
    took = time.perf_counter() - began
    same = "the same lines" if done.stdout.strip() == str(matched) else f"it found {done.stdout.strip() or 0}"
    return [Row("ripgrep: the same", f"{took:.2f} s", f"{same}; ours takes {ours / took:.1f} times as long")]


def _drain3(messages: Sequence[str]) -> Row:
    """Mine the same messages with drain3, where somebody installed it: opsai does not use it (docs/why.md)."""
    try:
        miner: Any = importlib.import_module("drain3").TemplateMiner()
    except ImportError:
        return Row("drain3: the same, unmasked", "not here", "pip install drain3")
    began = time.perf_counter()
    for message in messages:
        miner.add_log_message(message)
    took = time.perf_counter() - began
    how = f"{len(miner.drain.clusters)} kinds, which change with what was read before"
    return Row("drain3: the same, unmasked", f"{took / len(messages) * 1e6:.1f} µs", how)


def _lines(files: Iterable[Path]) -> list[bytes]:
    found: list[bytes] = []
    for file in files:
        found += gzip.decompress(file.read_bytes()).splitlines()
    return [line for line in found if _HEADER.match(line)]


def _write(file: Path, lines: list[bytes], megabytes: int) -> datetime:
    """Write that much of a log, time ascending, and return the time of its last line."""
    at, written = BEGINS, 0
    with file.open("wb") as stream:
        for number, line in enumerate(itertools.cycle(lines)):
            at += APART
            text = f"[{at:%Y/%m/%d %H:%M:%S}.{at.microsecond // 1000:03d} +00:00]".encode()
            text = _HEADER.sub(text, line, count=1)
            if number % EVERY_LINES == EVERY_LINES // 2:
                text = text.partition(b'] ["')[0] + f'] ["{RARE}"]'.encode()
            written += stream.write(text + b"\n")
            if written >= megabytes * 1_000_000:
                return at
    return at
