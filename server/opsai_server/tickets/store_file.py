"""The store's file: opened, brought up to date, and every trouble with it put into words."""

import errno
import os
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path

import aiosqlite
import anyio

from opsai_server.tickets.migrations import APPLICATION_ID, MIGRATIONS
from opsai_subjects.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull

ELSEWHERE = "name another file with --store or OPSAI_STORE"

_FULL_BELOW_BYTES = 64 * 1024
"""With less room than this an I/O error of SQLite's (it cannot grow its -shm file, say) is a full disk."""
_WAL_TRY_SECONDS = 0.05


class Database:
    """One connection to the file. One transaction at a time: concurrent tasks of a process wait for each other here."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, busy_seconds: float) -> None:
        self._connection = connection
        self._lock = anyio.Lock()
        self._path = path
        self._busy_seconds = busy_seconds

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[aiosqlite.Connection]:
        """Run what is inside as one transaction that sees no other writer: all of it is stored, or nothing is.

        A cancellation waits until it is over, which the busy timeout bounds.
        """
        async with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[aiosqlite.Connection]:
        """Let everything inside see the store as it is at one moment."""
        async with self._transaction("BEGIN") as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncGenerator[aiosqlite.Connection]:
        async with self._lock:
            with anyio.CancelScope(shield=True), in_words(self._path, self._busy_seconds):
                await self._connection.execute(begin)
                try:
                    yield self._connection
                    await self._connection.commit()
                except BaseException:
                    await self._connection.rollback()
                    raise


@asynccontextmanager
async def open_database(
    path: Path, busy_seconds: float, trace: Callable[[str], None] | None
) -> AsyncGenerator[Database]:
    """Open the file, made and brought up to date where needed. Raises StoreError."""
    with in_words(path, busy_seconds):
        _make(path)
        connection = await aiosqlite.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        with in_words(path, busy_seconds):
            if trace is not None:
                await connection.set_trace_callback(trace)  # pyright: ignore[reportUnknownMemberType]  # half-typed there
            connection.row_factory = sqlite3.Row
            await connection.execute("PRAGMA foreign_keys = ON")
            await _check_ours(connection, path)
            await _use_wal(connection, busy_seconds)
            # Once a tick: a power cut costs no ticket, and one fsync is nothing at this rate.
            await connection.execute("PRAGMA synchronous = FULL")
        database = Database(connection, path, busy_seconds)
        await _bring_up_to_date(database, path)
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await connection.close()


def _make(path: Path) -> None:
    for folder in reversed([path.parent, *path.parent.parents]):
        folder.mkdir(mode=0o700, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


async def _check_ours(connection: aiosqlite.Connection, path: Path) -> None:
    if await _number(connection, "PRAGMA application_id") == APPLICATION_ID:
        return
    if await _number(connection, "SELECT count(*) FROM sqlite_master"):
        raise StoreCorrupt(
            f"{path} is a SQLite database, but not a store of opsai: it was left as it is. Try: {ELSEWHERE}."
        )


async def _use_wal(connection: aiosqlite.Connection, busy_seconds: float) -> None:
    """Let readers and a writer work side by side; where the file system cannot do it, the file works without."""
    deadline = anyio.current_time() + busy_seconds
    while True:
        try:
            await connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself here while another process opens the same file for the first time.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or anyio.current_time() > deadline:
                raise
            await anyio.sleep(_WAL_TRY_SECONDS)
        else:
            return


async def _bring_up_to_date(database: Database, path: Path) -> None:
    async with database.reading() as connection:
        known = await _number(connection, "PRAGMA user_version")
        if known > len(MIGRATIONS):
            raise StoreCorrupt(await _newer(connection, path, known))
    if known == len(MIGRATIONS):
        return
    async with database.writing() as connection:
        # Another process may have done it in between.
        known = await _number(connection, "PRAGMA user_version")
        for migration in MIGRATIONS[known:]:
            for statement in migration():
                await connection.execute(statement)
        await connection.execute("DELETE FROM written_by")
        await connection.execute("INSERT INTO written_by (version) VALUES (?)", (version("opsai"),))
        await connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        await connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


async def _newer(connection: aiosqlite.Connection, path: Path, known: int) -> str:
    try:
        cursor = await connection.execute("SELECT version FROM written_by")
        row = await cursor.fetchone()
    except sqlite3.OperationalError:  # a format that says it elsewhere
        row = None
    writer = f"opsai {row[0]}" if row else "a newer opsai"
    return (
        f"The store {path} was written by {writer} (format {known}; this is opsai {version('opsai')}, which knows "
        f"formats up to {len(MIGRATIONS)}). It was left as it is. Try: use {writer} or later, or {ELSEWHERE}."
    )


async def _number(connection: aiosqlite.Connection, query: str) -> int:
    cursor = await connection.execute(query)
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


@contextmanager
def in_words(path: Path, busy_seconds: float) -> Generator[None]:
    """Raise what SQLite or the file system says as a StoreError that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _said(error, path, busy_seconds) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(path) from error
        raise StoreError(
            f"The store {path} cannot be opened: {error.strerror} ({error.filename}). Try: let this user write there, "
            f"or {ELSEWHERE}."
        ) from error


def _said(error: sqlite3.DatabaseError, path: Path, busy_seconds: float) -> Exception:
    # The extended code's lower byte is the primary one; a mistake in our SQL has none of these and stays what it is.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"The store {path} has been locked by another program for more than {busy_seconds:g} s; nothing was written. "
            f"Try: again in a moment; when it stays so, see which program holds it (`fuser {path}`), or {ELSEWHERE}."
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _free_bytes(path) < _FULL_BELOW_BYTES):
        return _full(path)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        what = "is not a SQLite database" if code == sqlite3.SQLITE_NOTADB else f"is damaged ({error})"
        return StoreCorrupt(
            f"The store {path} {what}; it was left as it is. Try: move it away and a new one is begun "
            f"(`sqlite3 FILE .recover` may save what is in it), or {ELSEWHERE}."
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"The store {path} cannot be read or written: {error}. Try: see what the system says of that disk "
            f"(`dmesg`), or {ELSEWHERE}."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(
            f"The store {path} cannot be written: {error}. Try: let this user write the file and its folder "
            f"{path.parent} (SQLite keeps two more files beside it), or {ELSEWHERE}."
        )
    return error


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"The store {path} cannot grow: there is no room left on its disk. "
        f"Nothing was half-written. Try: free some space there, or {ELSEWHERE}."
    )


def _free_bytes(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return 0
