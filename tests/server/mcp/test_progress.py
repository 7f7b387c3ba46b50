"""A client that asks for it is told how far its call is: in both eras, over every transport, from work that knows none of them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client

from tests.server.mcp.bench import ERAS, served
from tests.server.mcp.sites import client, site
from tests.server.mcp.test_stdio import AMBER, program
from tests.server.toy import ToyWorld

pytestmark = pytest.mark.anyio

Told = tuple[float, float | None, str | None]
Serve = Callable[[Path, str], AbstractAsyncContextManager[tuple[Client, ToyWorld]]]


@asynccontextmanager
async def in_memory(folder: Path, mode: str) -> AsyncGenerator[tuple[Client, ToyWorld]]:
    async with served(folder, mode=mode) as it:
        yield it.client, it.world


@asynccontextmanager
async def http(folder: Path, mode: str) -> AsyncGenerator[tuple[Client, ToyWorld]]:
    async with site(folder) as it, client(it.url, mode) as one:
        world = it.desk.cluster.clock
        assert isinstance(world, ToyWorld)
        yield one, world


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("serve", [in_memory, http])
async def test_looking_at_a_slow_cluster_tells_how_far_it_is(tmp_path: Path, serve: Serve, mode: str) -> None:
    heard: list[Told] = []
    async with serve(tmp_path, mode) as (one, world):
        step = anyio.Semaphore(0)
        world.gate = step.acquire

        async def tell(done: float, total: float | None, says: str | None) -> None:
            heard.append((done, total, says))
            step.release()

        with anyio.fail_after(20):
            result = await one.call_tool("check_invariants", {}, progress_callback=tell)

    assert not result.is_error
    assert heard == [(0, 3, "parts of the toy"), (1, 3, "parts of the toy"), (2, 3, "parts of the toy")]


async def test_who_waits_for_what_another_call_has_begun_is_told_of_that(tmp_path: Path) -> None:
    first: list[float] = []
    second: list[float] = []
    async with served(tmp_path) as it:
        step = anyio.Semaphore(0)
        it.world.gate = step.acquire

        async def one(done: float, _total: float | None, _says: str | None) -> None:
            first.append(done)
            if done == 0:
                group.start_soon(ask_too)
            elif second:
                step.release()

        async def another(done: float, _total: float | None, _says: str | None) -> None:
            second.append(done)
            step.release()

        async def ask_too() -> None:
            await it.client.call_tool("overview", {}, progress_callback=another)

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                await it.client.call_tool("check_invariants", {}, progress_callback=one)

    assert first[0] == 0
    assert second[0] == 0
    assert second == sorted(set(second))


async def test_a_quick_call_and_one_that_fails_tell_nothing_on_their_way(tmp_path: Path) -> None:
    heard: list[float] = []

    async def tell(done: float, _total: float | None, _says: str | None) -> None:
        heard.append(done)

    async with served(tmp_path) as it:
        quick = await it.client.call_tool("check_invariants", {}, progress_callback=tell)
        it.world.later(60)
        it.world.broken = ValueError("a fault")
        failed = await it.client.call_tool("check_invariants", {}, progress_callback=tell)

    assert (quick.is_error, failed.is_error) == (False, True)
    assert "internal error ValueError" in str(failed.content)
    assert heard == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_call_that_waits_until_a_recording_is_played_is_told_how_far_that_is(tmp_path: Path, mode: str) -> None:
    heard: list[Told] = []

    async def tell(done: float, total: float | None, says: str | None) -> None:
        heard.append((done, total, says))
        if len(heard) > 1:
            enough.cancel()

    async with program(tmp_path, "--replay", str(AMBER), "--at", "end", mode=mode) as one:
        with anyio.CancelScope() as enough:
            await one.call_tool("overview", {}, progress_callback=tell)

    assert {says for _, _, says in heard} == {"playing the recording"}
    assert "tool_call tool=overview" in (audit := (tmp_path / "stderr.txt").read_text(encoding="utf-8"))
    assert "outcome=cancelled" in audit
    assert [done for done, _, _ in heard] == sorted({done for done, _, _ in heard})
    assert len(heard) > 1
    assert all(total is not None and done <= total for done, total, _ in heard)
