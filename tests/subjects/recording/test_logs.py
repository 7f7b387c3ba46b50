"""Searching the logs of a recording, up to the clock's now."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogQuery, LogSource, Window, utc
from opsai_subjects.opening import ReplayCluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.logs import RecordedLogs
from tests.subjects.recording.opened import Replay
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio


def logs(folder: Path, **texts: str) -> tuple[RecordedLogs, ReplayClock]:
    files: dict[str, Path] = {}
    for node, text in texts.items():
        files[node] = folder / f"{node}.log.gz"
        files[node].write_bytes(gzip.compress(text.encode("utf-8", "surrogateescape")))
    clock = ReplayClock(utc(10))
    return RecordedLogs(files, parse, clock), clock


async def test_what_is_logged_after_now_is_not_there_yet(tmp_path: Path) -> None:
    source, clock = logs(tmp_path, tikv1="9.0 INFO a\n10.0 INFO b\n  more\n10.5 INFO c\n", pd1="9.5 WARN p\n")
    query = LogQuery(window(0, 100))
    now = await source.search(query)
    clock.set(utc(11))
    later = await source.search(query)

    assert [(line.node, line.text) for line in now.lines] == [
        ("tikv1", "9.0 INFO a"),
        ("pd1", "9.5 WARN p"),
        ("tikv1", "10.0 INFO b   more"),
    ]
    assert (now.matched, later.matched) == (3, 4)
    assert now.searched == ("tikv1", "pd1") == await source.nodes()


async def test_a_node_without_a_log_and_a_broken_log_are_unread(tmp_path: Path) -> None:
    source, _ = logs(tmp_path, tikv1="9.0 INFO a\n", pd1="")
    (tmp_path / "pd1.log.gz").write_bytes(b"text")
    page = await source.search(LogQuery(window(0, 100), nodes=("tikv9", "pd1", "tikv1")))

    assert page.searched == ("tikv1",)
    assert [(unread.source, unread.asked) for unread in page.unread] == [
        ("logs:tikv9", "its log"),
        ("logs:pd1", "pd1.log.gz"),
    ]
    assert page.unread[0].why == "the recording holds no log of it"
    assert page.unread[0].advice == "give one of those known: tikv1, pd1"
    assert "the file is not whole gzip" in page.unread[1].why


async def test_a_regular_expression_that_does_not_parse_is_refused(tmp_path: Path) -> None:
    source, _ = logs(tmp_path, tikv1="9.0 INFO a\n")
    with pytest.raises(QueryInvalid, match="not a regular expression"):
        await source.search(LogQuery(window(0, 1), regex="("))


def recorded(cluster: ReplayCluster) -> LogSource:
    assert cluster.subject.sources.logs is not None
    return cluster.subject.sources.logs


async def test_the_logs_of_a_shipped_recording_are_read_by_the_grammar_of_its_subject(replay: Replay) -> None:
    async with replay("amber-heron", 250) as cluster:
        start = cluster.recording.incident.start
        everything = LogQuery(Window(start=start - timedelta(hours=1), end=start + timedelta(hours=1)), limit=5)
        page = await recorded(cluster).search(everything)
        welcome = await recorded(cluster).search(
            LogQuery(everything.window, nodes=("tikv3",), contains=("Welcome to TiKV",), newest_first=True)
        )

    assert sorted(page.searched) == ["pd1", "pd2", "pd3", "tikv1", "tikv2", "tikv3"]
    assert page.matched > 1_000
    assert len(page.lines) == 5
    assert welcome.lines[0].level == "INFO"
    assert start < welcome.lines[0].at <= start + timedelta(seconds=250)
