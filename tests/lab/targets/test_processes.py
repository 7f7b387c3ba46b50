"""A cluster as processes: real etcd members where etcd is, small web servers where a node must misbehave."""

import os
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.cycler import __name__ as cycler_module
from opsai_lab.targets.processes.disks import mounted_below
from opsai_lab.targets.processes.launcher import birth
from opsai_lab.targets.processes.lives import Life, Lives
from opsai_lab.targets.processes.target import Processes
from opsai_lab.targets.target import Place
from tests.lab.places import DYING, etcd_place, silent, web_place, web_role

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def up(place: Place) -> AsyncGenerator[Processes]:
    target = Processes(place)
    try:
        await target.up(silent)
        yield target
    finally:
        await target.down(silent)


async def states(target: Processes) -> dict[str, str]:
    return {one.name: one.state for one in await target.status()}


async def until(target: Processes, node: str, state: str) -> None:
    with anyio.fail_after(20):
        while (await states(target))[node] != state:  # noqa: ASYNC110 (of another program)
            await anyio.sleep(0.05)


def pids(place: Place) -> list[int]:
    """Return the processes of a place, found by what they were started with and not by what it wrote down."""
    found: list[int] = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes()
        except OSError:
            continue
        if str(place.folder).encode() in words and birth(int(line.parent.name)):
            found.append(int(line.parent.name))
    return found


@pytest.mark.etcd
async def test_etcd_comes_up_is_harmed_node_by_node_heals_and_goes(tmp_path: Path) -> None:
    told: list[str] = []
    target = Processes(etcd_place(tmp_path))
    try:
        await target.up(told.append)
        first = await states(target)
        endpoints = (await target.endpoints()).cluster
        kill = Harm(id="h1", name="kill", node="etcd1")
        pause = Harm(id="h2", name="pause", node="etcd2")
        for harm in (kill, kill, pause, pause):
            await target.inject(harm)
        harmed = await states(target)
        for harm in (pause, pause, kill, kill):
            await target.undo(harm)
        await until(target, "etcd1", "running")
        await until(target, "etcd2", "running")
        before = Lives(target.place.folder).alive("etcd3")
        await target.inject(Harm(id="h3", name="restart", node="etcd3"))
        after = Lives(target.place.folder).alive("etcd3")
        log = [line async for line in target.logs("etcd1", lines=3, follow=False)]
    finally:
        await target.down(silent)

    assert first == dict.fromkeys(("etcd1", "etcd2", "etcd3"), "running")
    assert [line for line in told if "is healthy" in line][-1].endswith("(3 of 3)")
    assert len(endpoints.endpoints) == 3
    assert sorted(endpoints.names.values()) == ["etcd1", "etcd2", "etcd3"]
    assert (harmed["etcd1"], harmed["etcd2"]) == ("stopped", "paused")
    assert None is not before != after is not None
    assert len(log) == 3
    assert pids(target.place) == []
    assert list(target.place.folder.iterdir()) == []


async def test_up_leaves_alone_what_runs_and_starts_what_does_not(tmp_path: Path) -> None:
    async with up(web_place(tmp_path)) as target:
        lives = Lives(target.place.folder)
        kept = lives.alive("back1")
        await lives.end("front1")
        told: list[str] = []
        await target.up(told.append)

        assert [line.split(" (")[0] for line in told if line.startswith("starting")] == ["starting front1"]
        assert lives.alive("back1") == kept
        assert await states(target) == {"front1": "running", "back1": "running"}


async def test_a_node_that_dies_at_its_start_is_named_with_its_last_words_and_nothing_but_logs_is_left(
    tmp_path: Path,
) -> None:
    place = web_place(tmp_path, front=web_role(), back=web_role(DYING, port=18791))

    with pytest.raises(LabError) as caught:
        await Processes(place).up(silent)

    assert str(caught.value).startswith("back1 ended soon after its start. Its log is ")
    assert "no such flag: --frobnicate" in str(caught.value)
    assert pids(place) == []
    assert [path.name for path in place.folder.iterdir()] == ["logs"]


async def test_a_node_that_never_gets_healthy_is_named_with_what_it_answered(tmp_path: Path) -> None:
    place = web_place(tmp_path, wait_seconds=0.5, front=web_role(answers=503))

    with pytest.raises(LabError, match=r"After 0 s not healthy: front1\. Last answer: .*HTTP 503 \{\}\. Its log: "):
        await Processes(place).up(silent)


async def test_being_cancelled_while_coming_up_leaves_no_process(tmp_path: Path) -> None:
    place = web_place(tmp_path, front=web_role(answers=503))

    with anyio.move_on_after(0.7):
        await Processes(place).up(silent)

    assert pids(place) == []


async def test_a_node_that_ends_by_itself_is_failed_and_one_that_was_ended_is_stopped(tmp_path: Path) -> None:
    async with up(web_place(tmp_path)) as target:
        pid = Lives(target.place.folder).alive("front1")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await target.inject(Harm(id="h1", name="kill", node="back1"))

        await until(target, "front1", "failed")
        assert (await states(target))["back1"] == "stopped"


async def test_a_pid_that_another_process_has_now_is_never_touched(tmp_path: Path) -> None:
    place = web_place(tmp_path)
    (place.folder / "run").mkdir(parents=True)
    recycled = Life(pid=os.getpid(), birth="an earlier boot:17")
    (place.folder / "run" / "front1.json").write_text(recycled.model_dump_json(), encoding="utf-8")

    lives = Lives(place.folder)
    assert lives.alive("front1") is None
    await lives.end("front1")
    await Processes(place).down(silent)  # we are still here


async def test_an_unknown_node_is_said_with_the_known_ones(tmp_path: Path) -> None:
    async with up(web_place(tmp_path)) as target:
        with pytest.raises(LabError, match=r"has no node 'tikv9'\. Known: front1, back1\."):
            await target.inject(Harm(id="h1", name="kill", node="tikv9"))
        with pytest.raises(LabError, match=r"no log of 'tikv9'\. Known: front1, back1"):
            await anext(target.logs("tikv9", lines=1, follow=False))


async def test_harm_that_would_reach_beyond_the_cluster_is_refused_with_what_would_allow_it(tmp_path: Path) -> None:
    async with up(web_place(tmp_path)) as target:
        with pytest.raises(HarmRefused, match=r"would fill the disk of this machine: .*--small-disks"):
            await target.inject(Harm(id="h1", name="fill_disk", node="front1"))


async def test_undoing_where_nothing_is_up_does_nothing(tmp_path: Path) -> None:
    target = Processes(web_place(tmp_path))

    await target.undo(Harm(id="h1", name="kill", node="front1"))
    await target.down(silent)

    assert await states(target) == {"front1": "absent", "back1": "absent"}
    with pytest.raises(LabError, match="is not up: opsai deploy local up"):
        await target.endpoints()


async def test_a_log_is_followed_as_it_grows(tmp_path: Path) -> None:
    async with up(web_place(tmp_path)) as target:
        lines = target.logs("front1", lines=1, follow=True)
        first = await anext(lines)
        with (target.place.folder / "logs" / "front1.log").open("a", encoding="utf-8") as log:
            log.write("half a line, ")
            log.flush()
            log.write("and the rest\n")
        with anyio.fail_after(10):
            then = await anext(lines)
        await lines.aclose()

    assert (first, then) == ("serving", "half a line, and the rest")


async def test_the_duty_cycle_stops_and_continues_until_it_is_ended(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    await lives.start("node", (shutil.which("sleep") or "sleep", "60"), tmp_path / "node.log")
    try:
        pid = lives.alive("node")
        assert pid is not None
        cycle = (sys.executable, "-m", cycler_module, str(pid), birth(pid), "0.5")
        await lives.start("node.cycler", cycle, tmp_path / "cycler.log")
        seen: set[bool] = set()
        with anyio.fail_after(10):
            while len(seen) < 2:
                seen.add(lives.paused("node"))
                await anyio.sleep(0.005)
        await lives.end("node.cycler")
        lives.send("node", signal.SIGCONT)

        assert not lives.paused("node")
        assert lives.alive("node") == pid
    finally:
        await lives.end("node")
    assert lives.alive("node.cycler") is None


@pytest.mark.etcd
@pytest.mark.root
async def test_small_disks_fill_and_slow_harms_are_lifted_and_all_is_unmounted(tmp_path: Path) -> None:
    place = etcd_place(tmp_path)
    small = Place(place.name, place.folder, place.blueprint, wait_seconds=30, companions=False, small_disks_mb=200)
    data = place.folder / "data" / "etcd1"
    fill = Harm(id="h1", name="fill_disk", node="etcd1", amount=0)
    slow = Harm(id="h2", name="slow_cpu", node="etcd2", amount=0.05)
    async with up(small) as target:
        for harm in (fill, slow, slow):
            await target.inject(harm)
        full = shutil.disk_usage(data).free
        for harm in (slow, slow, fill, fill):
            await target.undo(harm)
        empty = shutil.disk_usage(data).free
        await until(target, "etcd1", "running")
        await until(target, "etcd2", "running")

    assert full < 1 << 20 < empty
    assert mounted_below(tmp_path) == ()
    assert list(place.folder.iterdir()) == []
