"""What the user reads when the store cannot be used, and that nothing of theirs is touched."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from opsai_subjects.model import Window
from tests.server.toy import NOON, ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary,\n" * 100, encoding="utf-8")
    with pytest.raises(StoreCorrupt, match=r"notes\.txt is not a SQLite database.*--store or OPSAI_STORE"):
        async with open_store(path):
            pass
    assert path.read_text(encoding="utf-8") == "Dear diary,\n" * 100


async def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE tickets (price REAL)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="not a store of opsai"):
        async with open_store(path):
            pass
    assert path.read_bytes() == before


async def test_a_store_of_a_newer_opsai_says_which_one_to_use(tmp_path: Path) -> None:
    path = tmp_path / "store"
    async with open_store(path):
        pass
    with closing(sqlite3.connect(path)) as future:
        future.execute("UPDATE written_by SET version = '7.1.0'")
        future.execute("PRAGMA user_version = 99")
        future.commit()
    with pytest.raises(StoreCorrupt, match=r"written by opsai 7\.1\.0 \(format 99.*use opsai 7\.1\.0 or later"):
        async with open_store(path):
            pass


async def test_a_damaged_store_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "store"
    async with open_store(path) as store:
        for _ in range(20):
            await store.put_evidence(cluster="c", tool="t", arguments={}, at=NOON, value=os.urandom(3000).hex())
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    with pytest.raises(StoreCorrupt, match=r"is damaged.*move it away"):
        async with open_store(path) as store:
            await store.list_evidence("c")


async def test_a_store_that_another_program_holds_says_for_how_long_it_waited(tmp_path: Path) -> None:
    path = tmp_path / "store"
    world = ToyWorld()
    async with open_store(path, busy_seconds=0.1) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy, match=r"locked by another program for more than 0\.1 s; nothing was written"):
                await tick(toy_cluster(world), store, WatchSettings())
            assert await store.tickets() == ()  # reading goes on meanwhile
        await tick(toy_cluster(world), store, WatchSettings())
        assert len(await store.ticks("toy", Window(start=NOON, end=NOON))) == 1


@pytest.mark.parametrize("name", ["a-file/store", "a-folder"])
async def test_a_path_that_cannot_be_a_store_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(StoreError, match=r"cannot be opened: .*Try: let this user write there"):
        async with open_store(tmp_path / name):
            pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with hardly any room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def fill(store: Store) -> None:
    for _ in range(1000):
        await store.put_evidence(cluster="toy", tool="t", arguments={}, at=NOON, value=os.urandom(2000).hex())


async def test_a_full_disk_says_so_and_loses_nothing_that_was_stored(small_disk: Path) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    cluster = toy_cluster(world)
    async with open_store(small_disk / "store") as store:
        for _ in range(2):
            await tick(cluster, store, WatchSettings())
            world.later(30)
        before = await store.tickets()
        with pytest.raises(StoreFull, match=r"no room left on its disk\. Nothing was half-written.*free some space"):
            await fill(store)
        world.parts["b"].up = False
        for _ in range(3):
            with pytest.raises(StoreFull):
                await tick(cluster, store, WatchSettings())
            world.later(30)
        assert await store.tickets() == before
    assert before[0].status == "created"


@pytest.mark.parametrize("exists", [False, True])
async def test_a_folder_that_may_not_be_written_says_so(exists: bool) -> None:
    # pytest's own folders are closed to other users
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store"
        if exists:
            async with open_store(path):
                pass
            path.chmod(0o444)
        await anyio.Path(name).chmod(0o555)
        script = Path(__file__).with_name("readonly.py")
        done = await anyio.run_process([sys.executable, str(script), str(path)], cwd="/", check=False)
    said = done.stdout.decode()
    assert f"The store {path} cannot be opened: Permission denied" in said, done.stderr
    assert "let this user write there, or name another file with --store or OPSAI_STORE" in said
