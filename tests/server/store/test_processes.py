"""Several processes on one store, some of them killed in the middle of what they do."""

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.model import Window
from tests.server.store import killed
from tests.server.toy import NOON

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
LOOKS = 30
SEEDS = range(4)


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "tests.server.store.killed", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


async def stored(path: Path) -> tuple[tuple[Ticket, ...], int, list[str]]:
    async with open_store(path) as store:
        ticks = await store.ticks("toy", Window(start=NOON, end=NOON.replace(hour=23)))
        evidence = [summary.id for summary in await store.list_evidence("toy", limit=1000)]
        return await store.tickets(limit=1000), len(ticks), evidence


async def test_killed_at_any_statement_again_and_again_it_ends_as_if_never_killed(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    await killed.main(whole, LOOKS, 0)
    tickets, ticks, evidence = await stored(whole)
    assert ticks == LOOKS
    assert {step.step for ticket in tickets for step in ticket.history} >= {"created", "joined", "resolved", "reopened"}

    kills = 0
    for seed in SEEDS:
        path = tmp_path / f"seed-{seed}"
        kills += int(finish(start(path, LOOKS, seed)).split("killed ")[1].split()[0])
        assert await stored(path) == (tickets, ticks, evidence)
        check_tables(path)
    assert kills > 5 * len(SEEDS)


async def test_two_watchers_of_one_cluster_double_no_ticket(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    processes = [start(path, LOOKS, seed) for seed in (101, 102)]
    for process in processes:
        finish(process)
    tickets, _, _ = await stored(path)
    check_keys(tickets)
    check_tables(path)


def check_keys(tickets: Sequence[Ticket]) -> None:
    is_open = [(ticket.invariant, ticket.entity) for ticket in tickets if ticket.status != "resolved"]
    assert len(is_open) == len(set(is_open))
    for ticket in tickets:
        assert ticket.history[0].step == "created"
        assert (ticket.status == "resolved") == (ticket.history[-1].step == "resolved")


def check_tables(path: Path) -> None:
    """Check what only the file itself can show: no half of a tick is left behind."""
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        lonely = "SELECT number FROM tickets WHERE number NOT IN (SELECT ticket FROM transitions)"
        assert file.execute(lonely).fetchall() == []
        bare = "SELECT number FROM tickets WHERE number NOT IN (SELECT ticket FROM ticket_evidence)"
        assert file.execute(bare).fetchall() == []
        (tickets,) = file.execute("SELECT count(*) FROM tickets").fetchone()
        (last,) = file.execute("SELECT max(number) FROM tickets").fetchone()
        assert tickets == last
