"""Searching log files: the right part of them, whole entries, and every file that cannot be read said to be so."""

import gzip
import os
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.from_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsai_subjects.model import LogPage, LogQuery, ParsedLine
from opsai_subjects.sources.files import FileLogs
from opsai_subjects.sources.logs import Joiner, Parse, Sieve
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio
ALL = LogQuery(window(0, 10**9), limit=1000)


async def search(pattern: Path | str, query: LogQuery = ALL, read: Parse = parse) -> LogPage:
    return await FileLogs({"tikv1": str(pattern)}, read).search(query)


def texts(page: LogPage) -> list[str]:
    return [line.text for line in page.lines]


def write(file: Path, *lines: str) -> Path:
    content = "".join(f"{line}\n" for line in lines).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def whys(page: LogPage) -> list[tuple[str, str, str, str]]:
    return [(unread.source, Path(unread.asked).name, unread.why, unread.advice) for unread in page.unread]


async def test_the_window_is_searched_both_ends_included(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", "1.0 INFO a", "2.0 INFO b", "  of b", "3.0 WARN c x=1", "4.0 INFO d")
    page = await search(file, LogQuery(window(2, 3)))

    assert [(line.node, line.at.timestamp(), line.level, line.message, line.fields) for line in page.lines] == [
        ("tikv1", 2.0, "INFO", "b", {}),
        ("tikv1", 3.0, "WARN", "c x=1", {"x": "1"}),
    ]
    assert texts(page) == ["2.0 INFO b   of b", "3.0 WARN c x=1"]
    assert (page.matched, page.unread, page.searched) == (2, (), ("tikv1",))


async def test_only_so_many_lines_are_returned_and_all_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", *(f"{n}.0 INFO line" for n in range(50)))
    oldest = await search(file, LogQuery(window(0, 60), limit=2))
    newest = await search(file, LogQuery(window(0, 60), limit=2, newest_first=True))

    assert (texts(oldest), oldest.matched) == (["0.0 INFO line", "1.0 INFO line"], 50)
    assert (texts(newest), newest.matched) == (["49.0 INFO line", "48.0 INFO line"], 50)


async def test_a_glob_finds_files_once_and_nodes_are_told_apart(tmp_path: Path) -> None:
    for node in ("a", "b"):
        (tmp_path / node).mkdir()
        write(tmp_path / node / "tikv.log", f"1.0 INFO {node}")
        write(tmp_path / node / "tikv-2026-03-01.log", f"0.5 INFO old {node}")
    logs = FileLogs({"a": f"{tmp_path}/a/tikv*.log", "b": f"{tmp_path}/**/b/*.log"}, parse)
    page = await logs.search(ALL)
    one = await logs.search(LogQuery(ALL.window, nodes=("b",)))

    assert await logs.nodes() == ("a", "b")
    assert [(line.node, line.message) for line in page.lines] == [
        ("a", "old a"),
        ("b", "old b"),
        ("a", "a"),
        ("b", "b"),
    ]
    assert ([line.message for line in one.lines], one.searched) == (["old b", "b"], ("b",))


async def test_a_big_file_is_read_only_where_the_window_is(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", *(f"{n / 10} INFO line {n} {'x' * 60}" for n in range(100_000)))
    calls = 0

    def counting(line: str) -> ParsedLine | None:
        nonlocal calls
        calls += 1
        return parse(line)

    page = await search(file, LogQuery(window(5000, 5001)), counting)

    assert page.matched == 11
    assert calls < 20_000


async def test_entries_a_little_out_of_order_are_found_in_a_big_file(tmp_path: Path) -> None:
    jitter = random.Random(7)
    times = [max(0.0, n / 10 + jitter.uniform(-2, 2)) for n in range(50_000)]
    file = write(tmp_path / "tikv.log", *(f"{at:.3f} INFO line {'x' * 60}" for at in times))
    for start in (0.0, 1234.5, 2500.0, 4990.0):
        page = await search(file, LogQuery(window(start, start + 20)))

        assert page.matched == sum(start <= round(at, 3) <= start + 20 for at in times)


async def test_one_clock_gone_wild_does_not_end_the_search(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", "1.0 INFO a", "90000.0 INFO wild", "2.0 INFO b")

    assert texts(await search(file, LogQuery(window(0, 10)))) == ["1.0 INFO a", "2.0 INFO b"]


def reference(content: bytes, query: LogQuery) -> list[str]:
    joiner, sieve = Joiner(parse), Sieve(query)
    ended = [joiner.feed(line) for line in content.decode("utf-8", errors="replace").split("\n")]
    return [entry.text for entry in (*ended, joiner.flush()) if entry is not None and sieve.admits(entry)]


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"contains": ("needle",)},
        {"contains": ("at frame 7", "at frame 19", "needle")},
        {"contains": ("y",)},
        {"regex": "nee.le"},
        {"regex": "needle y|frame 7"},
        {"regex": r"(?s)needle.*frame \d"},
    ],
)
async def test_a_search_by_blocks_finds_what_reading_everything_finds(
    tmp_path: Path, conditions: dict[str, object]
) -> None:
    dice = random.Random(11)
    lines: list[str] = []
    for n in range(60_000):
        lines.append(f"{n / 100:.2f} INFO {'needle ' if dice.random() < 0.0002 else ''}{'y' * dice.randrange(60)}")
        lines += [f"   at frame {dice.randrange(2000)}"] * (dice.randrange(3) if dice.random() < 0.01 else 0)
    file = write(tmp_path / "tikv.log", *lines)
    query = LogQuery(window(50, 580), limit=10**6, **conditions)  # type: ignore[arg-type]
    expected = reference(file.read_bytes(), query)
    page = await search(file, query)

    assert page.matched == len(expected)
    assert sorted(texts(page)) == sorted(text.replace("\n", " ") for text in expected)


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.floats(0, 99).map(lambda at: f"{at:.3f} INFO x\xff".encode())), max_size=30
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_any_bytes_are_searched_without_an_error(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    with TemporaryDirectory() as folder:
        for name, sent in (("a.log", content), ("b.log.gz", gzip.compress(content)), ("c.log.gz", content)):
            (Path(folder) / name).write_bytes(sent)
        query = LogQuery(window(0, 50), limit=100)
        plain, packed, _ = anyio.run(each, folder, query)

    assert plain.matched == packed.matched == len(reference(content, query))
    assert plain.unread == packed.unread == ()


async def each(folder: str, query: LogQuery) -> list[LogPage]:
    return [await search(f"{folder}/{name}", query) for name in ("a.log", "b.log.gz", "c.log.gz")]


async def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "tikv.log"
    file.write_bytes(b"1.0 INFO key \xff\xfe end\r\n")

    assert texts(await search(file)) == ["1.0 INFO key �� end�"]


async def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "tikv.log"
    file.write_bytes(b"1.0 INFO " + b"x" * 5_000_000 + b"\n2.0 INFO next\n3.0 INFO being written")
    page = await search(file)

    assert [(line.at.timestamp(), len(line.text) < 5_000) for line in page.lines] == [(1, True), (2, True), (3, True)]


async def test_a_node_without_a_log_is_said_to_have_none() -> None:
    page = await FileLogs({"tikv1": "x.log"}, parse).search(LogQuery(window(0, 1), nodes=("tikv9",)))

    assert whys(page) == [("logs:tikv9", "its log", "no log is set for it", "give one of those known: tikv1")]
    assert page.searched == ()


async def test_a_glob_that_finds_nothing_says_where_to_look(tmp_path: Path) -> None:
    (page,) = (await search(tmp_path / "deep" / "tikv*.log"),)

    (unread,) = page.unread
    assert unread.why == f"no file matches {tmp_path}/deep/tikv*.log"
    assert unread.advice == f"look at what is there: ls {tmp_path}"


async def test_a_folder_a_pipe_and_an_unread_packing_are_said_to_be_that(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path / "tikv.log", "1.0 INFO a")
    (tmp_path / "tikv.log.1.zst").write_bytes(b"zst")
    folder, pipe, packed = [await search(tmp_path / name) for name in (".", "pipe", "tikv.log")]

    assert folder.unread[0].why.endswith("is a folder")
    assert folder.unread[0].advice.endswith("/*.log")
    assert pipe.unread[0].why.endswith("is no regular file (a pipe, or a link to nothing)")
    assert whys(packed) == [
        ("logs:tikv1", "tikv.log.1.zst", ".zst is not read, only gzip is", "unpack it, or compress with gzip")
    ]
    assert texts(packed) == ["1.0 INFO a"]


async def test_a_gzip_that_breaks_off_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log.gz", *(f"{n}.0 INFO {random.Random(n).random()}" for n in range(5_000)))
    file.write_bytes(file.read_bytes()[:-2_000])
    page = await search(file)

    assert 0 < page.matched < 5_000
    assert whys(page) == [
        ("logs:tikv1", "tikv.log.gz", "its gzip stream breaks off: it is cut or still being written", "ask again")
    ]


async def test_what_is_only_named_gz_is_said_to_be_no_gzip(tmp_path: Path) -> None:
    file = tmp_path / "tikv.log.gz"
    file.write_bytes(b"1.0 INFO a\n")
    page = await search(file)

    assert whys(page)[0][2].startswith("it is not whole gzip (Not a gzipped file")


async def test_an_archive_untouched_since_long_before_the_window_is_not_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "tikv.log.1.gz"
    file.write_bytes(b"not even gzip")
    os.utime(file, (100, 100))
    write(tmp_path / "tikv.log", "200000.0 INFO a")

    assert whys(await search(tmp_path / "tikv.log", LogQuery(window(100_000, 300_000)))) == []


@contextmanager
def nobody(folder: Path) -> Generator[None]:
    """Be somebody who may not read everything, and make sure that this one may enter the test's own folder."""
    for above in (folder, *folder.parents):
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o755)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(0)


async def test_a_file_that_may_not_be_read_is_said_to_be_so_and_the_others_are_searched() -> None:
    with TemporaryDirectory() as folder:
        file = write(Path(folder) / "tikv.log", "1.0 INFO a")
        file.chmod(0)
        write(Path(folder) / "tikv.log.1", "0.5 INFO b").chmod(0o644)
        with nobody(Path(folder)):
            page = await search(file)

    assert texts(page) == ["0.5 INFO b"]
    assert whys(page) == [
        ("logs:tikv1", "tikv.log", "permission denied", "run as a user who may read it, often one of group adm")
    ]


async def test_a_folder_that_may_not_be_read_is_said_to_be_so() -> None:
    with TemporaryDirectory() as folder:
        inner = Path(folder) / "closed"
        inner.mkdir()
        file = write(inner / "tikv.log", "1.0 INFO a")
        inner.chmod(0)
        with nobody(Path(folder)):
            page = await search(file)
        inner.chmod(0o755)

    (unread,) = page.unread
    assert unread.why == f"permission denied for the folder {inner}"
    assert unread.advice == "run as a user who may read it"


def vanish(file: Path) -> None:
    file.unlink()


def rotate(file: Path) -> None:
    file.rename(file.with_suffix(".old"))
    write(file, "9.0 INFO new")


def truncate(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (vanish, "it vanished while it was read: rotated away or deleted"),
        (rotate, "it was rotated while it was read, and the new file was not"),
        (truncate, "it was truncated while it was read"),
    ],
)
async def test_a_file_that_changes_under_the_reader_is_said_to_have(
    tmp_path: Path, happens: Callable[[Path], None], why: str
) -> None:
    file = write(tmp_path / "tikv.log", "1.0 INFO a", "2.0 INFO b")

    def meanwhile(line: str) -> ParsedLine | None:
        if line.startswith("1.0"):
            happens(file)
        return parse(line)

    page = await search(file, read=meanwhile)

    assert whys(page) == [("logs:tikv1", "tikv.log", why, "ask again")]


async def test_a_file_that_vanishes_before_it_is_opened_is_said_to_have(tmp_path: Path) -> None:
    first = write(tmp_path / "a.log", "1.0 INFO a")
    second = write(tmp_path / "b.log", "2.0 INFO b")

    def meanwhile(line: str) -> ParsedLine | None:
        second.unlink(missing_ok=True)
        return parse(line)

    page = await search(f"{tmp_path}/*.log", read=meanwhile)

    assert texts(page) == ["1.0 INFO a"]
    assert whys(page) == [("logs:tikv1", "b.log", "it vanished: rotated away or deleted", "ask again")]
    assert first.exists()


async def test_a_search_can_be_cancelled_before_its_end(tmp_path: Path) -> None:
    file = write(tmp_path / "tikv.log", *(f"{n}.0 INFO {'x' * 100}" for n in range(100_000)))
    calls = 0
    with anyio.CancelScope() as scope:

        def impatient(line: str) -> ParsedLine | None:
            nonlocal calls
            calls += 1
            if calls == 100:
                anyio.from_thread.run_sync(scope.cancel)
            return parse(line)

        await search(file, read=impatient)

    assert scope.cancelled_caught
    assert calls < 30_000
