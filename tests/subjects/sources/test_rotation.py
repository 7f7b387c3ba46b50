"""A log that was rotated: its files are found, read in the order of time, and unpacked only where the window is."""

import random
from pathlib import Path

import pytest

from opsai_subjects.model import LogQuery, ParsedLine
from tests.subjects.sources.test_files import search, whys, write
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio


async def test_rotated_and_packed_files_beside_it_are_searched_and_other_logs_are_not(tmp_path: Path) -> None:
    for second, name in enumerate(
        (
            "tikv-2026-03-01T11-00-00.000.log.gz",
            "tikv-2026-03-01T12-00-00.000.log",
            "tikv.log.2.gz",
            "tikv.log.1",
            "tikv.log-20260301",
            "tikv.log",
            "tikv-recovery.log",
            "tikv_stderr.log",
            "pd.log",
        )
    ):
        write(tmp_path / name, f"{second}.0 INFO {name}")
    page = await search(tmp_path / "tikv.log")

    assert [line.at.timestamp() for line in page.lines] == [0, 1, 2, 3, 4, 5]
    assert page.unread == ()


async def test_only_archives_whose_time_meets_the_window_are_unpacked_to_their_end(tmp_path: Path) -> None:
    for day in range(1, 6):
        lines = [f"{day * 1000 + n}.0 INFO day {day} {random.Random(n).random()}" for n in range(900)]
        write(tmp_path / f"tikv-2026-03-0{day}T00-00-00.000.log.gz", *lines)
    write(tmp_path / "tikv.log", "6000.0 INFO now")
    lines_read = 0

    def counting(line: str) -> ParsedLine | None:
        nonlocal lines_read
        lines_read += 1
        return parse(line)

    page = await search(tmp_path / "tikv.log", LogQuery(window(5100, 5200)), counting)
    across = await search(tmp_path / "tikv.log", LogQuery(window(3890, 4010)))

    assert (page.matched, page.unread) == (101, ())
    assert lines_read < 1_000, "of the four archives before it, only where they begin"
    assert across.matched == 10 + 11


async def test_logs_that_only_look_like_a_rotation_are_each_read(tmp_path: Path) -> None:
    write(tmp_path / "tikv-20160.log.gz", *(f"{n}.0 INFO a" for n in range(100)))
    write(tmp_path / "tikv-20161.log.gz", *(f"{n}.0 INFO b" for n in range(10, 100)))

    assert (await search(f"{tmp_path}/*.gz", LogQuery(window(50, 59)))).matched == 20


async def test_a_log_of_which_no_line_has_a_time_is_said_to_be_that(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", *(f"[INFO] [lib.rs:1] [line {n}]" for n in range(1000)))
    page = await search(file)

    assert whys(page) == [
        (
            "logs:tikv1",
            "tikv.log",
            "no line of it begins as a line of this log does, with a time",
            "give another file, or let the node log times (enable-timestamp)",
        )
    ]
