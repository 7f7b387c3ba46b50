"""A call that its client gives up ends on the server too: in both eras, over every transport, whatever it was doing."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream
from mcp import Client, MCPError

from opsai_server.app import Deps, build
from opsai_server.tickets.store import open_store
from opsai_subjects.config import Settings
from opsai_subjects.model import MetricsReply, Window
from opsai_subjects.opening import open_cluster
from opsai_subjects.sources.files import FileLogs
from opsai_tikv.logs.lines import parse_log
from tests.server.mcp.bench import ERAS, ToyMetrics, served
from tests.server.mcp.sites import client, site
from tests.server.toy import NOON, ToyWorld, toy_cluster
from tests.subjects.sources.loopback import loopback

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 10
SOON_SECONDS = 0.3
BIG_LOG_BYTES = 60_000_000


class Hanging(ToyMetrics):
    """An engine that never answers until it is told to, and knows what became of the question."""

    def __init__(self, world: ToyWorld) -> None:
        super().__init__([], world)
        self.answers = False
        self.asked = anyio.Event()
        self.left = anyio.Event()

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        if not self.answers:
            self.asked.set()
            try:
                await anyio.sleep_forever()
            finally:
                self.left.set()
        return await super().range(promql, window, step_seconds)


@dataclass
class Scene:
    """A client, and the world and engine of the cluster that it asks about."""

    client: Client
    world: ToyWorld
    engine: Hanging


Serve = Callable[[Path, str], AbstractAsyncContextManager[Scene]]


@asynccontextmanager
async def in_memory(folder: Path, mode: str) -> AsyncGenerator[Scene]:
    world = ToyWorld()
    engine = Hanging(world)
    settings = Settings(store=folder / "opsai.sqlite")
    async with (
        open_store(settings.store) as store,
        Client(build(Deps(toy_cluster(world, metrics=engine), store, settings)), mode=mode) as one,
    ):
        yield Scene(one, world, engine)


@asynccontextmanager
async def http(folder: Path, mode: str) -> AsyncGenerator[Scene]:
    engine = Hanging(ToyWorld())
    async with site(folder, metrics=engine) as it, client(it.url, mode) as one:
        world = it.desk.cluster.clock
        assert isinstance(world, ToyWorld)
        yield Scene(one, world, engine)


def outcomes(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "opsai_server.calls"]
    return [line.rpartition("outcome=")[2] for line in lines]


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("serve", [in_memory, http])
@pytest.mark.parametrize("how", ["its client waits no longer", "its caller is cancelled"])
async def test_what_is_asked_for_a_call_is_left_when_the_call_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, serve: Serve, mode: str, how: str
) -> None:
    caplog.set_level(logging.INFO, "opsai_server.calls")
    asked = {"query": "toy_latency_seconds"}
    async with serve(tmp_path, mode) as scene:
        with anyio.fail_after(PATIENCE_SECONDS):
            if how == "its client waits no longer":
                with pytest.raises(MCPError, match=r"(?i)timed out"):
                    await scene.client.call_tool("query_metrics", asked, read_timeout_seconds=SOON_SECONDS)
            else:
                async with anyio.create_task_group() as group:
                    group.start_soon(scene.client.call_tool, "query_metrics", asked)
                    await scene.engine.asked.wait()
                    group.cancel_scope.cancel()
            await scene.engine.left.wait()
            scene.engine.answers = True
            after = await scene.client.call_tool("query_metrics", asked)

    assert not after.is_error
    assert outcomes(caplog) == ["cancelled", "answered"]


@pytest.mark.parametrize("mode", ERAS)
async def test_who_waits_for_a_look_that_another_began_gets_it_though_that_one_gives_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    caplog.set_level(logging.INFO, "opsai_server.calls")
    answers: list[bool] = []
    async with served(tmp_path, mode=mode) as it:
        begun, let_go = anyio.Event(), anyio.Event()

        async def gate() -> None:
            begun.set()
            await let_go.wait()

        async def ask() -> None:
            result = await it.client.call_tool("check_invariants", {})
            answers.append(result.is_error)

        it.world.gate = gate
        with anyio.fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as all_of_them:
                async with anyio.create_task_group() as first:
                    first.start_soon(it.client.call_tool, "overview", {})
                    await begun.wait()
                    all_of_them.start_soon(ask)
                    await anyio.wait_all_tasks_blocked()
                    first.cancel_scope.cancel()
                let_go.set()

    assert answers == [False]
    assert sorted(outcomes(caplog)) == ["answered", "cancelled"]


@pytest.mark.parametrize("mode", ERAS)
async def test_nothing_of_a_call_that_was_given_up_is_kept(tmp_path: Path, mode: str) -> None:
    async with in_memory(tmp_path, mode) as scene:
        with pytest.raises(MCPError):
            await scene.client.call_tool(
                "query_metrics", {"query": "toy_latency_seconds"}, read_timeout_seconds=SOON_SECONDS
            )
        with anyio.fail_after(PATIENCE_SECONDS):
            await scene.engine.left.wait()
        async with open_store(tmp_path / "opsai.sqlite") as store:
            kept = await store.list_evidence("toy")

    assert kept == ()


@pytest.mark.parametrize("mode", ERAS)
async def test_a_big_log_is_read_no_further(tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str) -> None:
    caplog.set_level(logging.INFO, "opsai_server.calls")
    at = [f"{NOON - timedelta(seconds=60 - second):[%Y/%m/%d %H:%M:%S.000 +00:00]}" for second in range(60)]
    block = "".join(f'{moment} [INFO] [raft.rs:1] ["became leader"] [region_id=7] [peer=9]\n' * 100 for moment in at)
    (tmp_path / "a.log").write_text(block * (BIG_LOG_BYTES // len(block)), encoding="utf-8")
    world = ToyWorld()
    logs = FileLogs({"a": str(tmp_path / "a.log")}, parse_log)
    settings = Settings(store=tmp_path / "opsai.sqlite")
    heard: list[float] = []

    async def tell(done: float, _total: float | None, _says: str | None) -> None:
        heard.append(done)
        enough.cancel()

    async with (
        open_store(settings.store) as store,
        Client(build(Deps(toy_cluster(world, logs=logs), store, settings)), mode=mode) as one,
    ):
        with anyio.fail_after(PATIENCE_SECONDS), anyio.CancelScope() as enough:
            await one.call_tool("search_logs", {"minutes": 5, "templates": True}, progress_callback=tell)
        with anyio.fail_after(PATIENCE_SECONDS):
            while not outcomes(caplog):
                await anyio.wait_all_tasks_blocked()

    assert outcomes(caplog) == ["cancelled"]
    assert heard[0] < 1


async def test_a_request_to_the_cluster_is_closed(tmp_path: Path) -> None:
    asked, closed = anyio.Event(), anyio.Event()

    async def hang(stream: ByteStream) -> None:
        asked.set()
        try:
            await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            closed.set()

    settings = Settings.model_validate({"store": tmp_path / "opsai.sqlite", "clusters": {"toy": {"subject": "tikv"}}})
    async with loopback(hang) as pd:
        cluster = settings.clusters["toy"].model_copy(update={"endpoints": (pd.url,)})
        async with (
            open_store(settings.store) as store,
            open_cluster("toy", cluster, settings.web) as opened,
            Client(build(Deps(opened, store, settings))) as one,
        ):
            with anyio.fail_after(PATIENCE_SECONDS):
                async with anyio.create_task_group() as group:
                    group.start_soon(one.call_tool, "overview", {})
                    await asked.wait()
                    group.cancel_scope.cancel()
                await closed.wait()

    assert closed.is_set()
