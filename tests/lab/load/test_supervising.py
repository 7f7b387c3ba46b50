"""The supervisor runs go-ycsb by the wanted pattern. go-ycsb itself cannot be had here: a stand-in of its command line notes what it is told."""

import json
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from opsai_lab.errors import LabError
from opsai_lab.load.driver import Driver
from opsai_lab.load.patterns import Pattern, Segment
from opsai_lab.load.supervisor import Load, supervise
from opsai_lab.load.wanted import Wanted, write_wanted

pytestmark = pytest.mark.anyio

STAND_IN = Path(__file__).with_name("go_ycsb.py")
SHORT_SECONDS = 1.5
"""Of a segment: the stand-in is a Python that has to start within it, on a machine that does much else."""
PATTERNS = {
    "steady": Pattern(says="long", segments=(Segment(seconds=60, share=1, workload="mixed"),)),
    "burst": Pattern(
        says="short",
        segments=(
            Segment(seconds=SHORT_SECONDS, share=0.1, workload="mixed"),
            Segment(seconds=SHORT_SECONDS, share=1, workload="scan"),
        ),
    ),
}
TIKV = Driver(driver="tikv", records=1000, rate=50, properties={"tikv.pd": "{endpoints}", "tikv.type": "raw"})
ETCD = Driver(driver="etcd", records=1000, rate=50, properties={"etcd.endpoints": "{endpoints}"})


class Bench:
    """A supervised load, what go-ycsb was told, and what the supervisor said."""

    def __init__(self, folder: Path, driver: Driver, endpoints: str) -> None:
        self.notes_file = folder / "notes"
        self.notes_file.touch()
        self.said: list[str] = []
        self.load = Load(
            driver=driver,
            endpoints=endpoints,
            wanted=folder / "load.json",
            state=folder / "state",
            binary=str(STAND_IN),
            patterns=PATTERNS,
            poll_seconds=0.02,
            retry_seconds=0.05,
        )

    def want(self, pattern: str, rate: int | None = None) -> None:
        write_wanted(self.load.wanted, Wanted(pattern=pattern, rate=rate))

    def notes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.notes_file.read_text(encoding="utf-8").splitlines()]

    def runs(self) -> list[dict[str, Any]]:
        return [note for note in self.notes() if note.get("command") == "run"]

    @asynccontextmanager
    async def supervised(self) -> AsyncGenerator[None]:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(supervise, self.load, self.said.append)
                yield
                group.cancel_scope.cancel()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    monkeypatch.setenv("GO_YCSB_NOTES", str(tmp_path / "notes"))
    return lambda driver=TIKV, endpoints="pd1:2379,pd2:2379": Bench(tmp_path, driver, endpoints)


async def until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await anyio.sleep(0.01)


async def test_the_records_are_written_once_and_then_the_pattern_runs(bench: Callable[..., Bench]) -> None:
    one = bench()
    for starts in (1, 2):
        async with one.supervised():
            await until(lambda starts=starts: len(one.runs()) == starts)
    loads = [note for note in one.notes() if note.get("command") == "load"]
    assert len(loads) == 1
    assert loads[0]["properties"]["recordcount"] == "1000"
    told = one.runs()[0]
    assert (told["db"], told["target"]) == ("tikv", 50)
    assert told["properties"]["tikv.pd"] == "pd1:2379,pd2:2379"
    assert told["properties"]["insertorder"] == loads[0]["properties"]["insertorder"] == "ordered"
    assert told["properties"]["debug.pprof"] == "127.0.0.1:0"


async def test_segments_follow_one_another_each_at_its_share_of_the_rate(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.want("burst", 200)
    async with one.supervised():
        await until(lambda: len(one.runs()) >= 3)
    assert [run["target"] for run in one.runs()[:3]] == [20, 200, 20]
    assert [run["properties"].get("scanproportion") for run in one.runs()[:2]] == ["0", "1"]


async def test_a_new_wish_ends_the_segment_at_once(bench: Callable[..., Bench]) -> None:
    one = bench()
    async with one.supervised():
        await until(lambda: len(one.runs()) == 1)
        one.want("steady", 300)
        await until(lambda: len(one.runs()) == 2)
        assert {"ended": "signal"} in one.notes()
    assert [run["target"] for run in one.runs()] == [50, 300]
    assert "steady at 300 operations a second" in one.said


async def test_at_rate_nought_nothing_runs_until_something_is_wanted(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.want("steady", 0)
    async with one.supervised():
        await until(lambda: "steady at 0 operations a second" in one.said)
        assert one.runs() == []
        one.want("steady", 10)
        await until(lambda: len(one.runs()) == 1)


async def test_a_file_that_cannot_be_followed_is_told_of_once_and_changes_nothing(bench: Callable[..., Bench]) -> None:
    one = bench()
    async with one.supervised():
        await until(lambda: len(one.runs()) == 1)
        one.load.wanted.write_text('{"pattern": "storm"}', encoding="utf-8")
        await until(lambda: any("there is no pattern 'storm'" in text for text in one.said))
        one.want("steady", 70)
        await until(lambda: len(one.runs()) == 2)
    assert sum("storm" in text for text in one.said) == 1


async def test_a_go_ycsb_that_fails_is_started_again(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_YCSB_FAILS", "2")
    one = bench()
    async with one.supervised():
        await until(lambda: len(one.runs()) == 3)
    assert sum("ended with status 1" in text for text in one.said) == 2


async def test_no_go_ycsb_is_left_when_the_supervisor_ends(bench: Callable[..., Bench]) -> None:
    one = bench()
    async with one.supervised():
        await until(lambda: len(one.runs()) == 1)
    assert one.notes()[-1] == {"ended": "signal"}


async def test_a_missing_go_ycsb_is_said_with_where_to_have_it_from(tmp_path: Path) -> None:
    load = Load(TIKV, "pd1:2379", tmp_path / "load.json", tmp_path, binary="no-such-go-ycsb")
    with pytest.raises(LabError, match=r"no-such-go-ycsb cannot be started: .*pingcap/go-ycsb"):
        await supervise(load, lambda _: None)


async def test_the_program_ends_in_order_at_sigterm(bench: Callable[..., Bench], tmp_path: Path) -> None:
    one = bench()
    driver = tmp_path / "load.toml"
    driver.write_text('driver = "tikv"\nrecords = 1000\nrate = 50\n[properties]\n"tikv.pd" = "{endpoints}"\n')
    flags = ["--driver", str(driver), "--endpoints", "pd1:2379", "--wanted", str(one.load.wanted)]
    command = [sys.executable, "-m", "opsai_lab.load.cli", *flags, "--state", str(tmp_path), "--binary", str(STAND_IN)]
    with anyio.fail_after(60):
        async with await anyio.open_process(command, stderr=subprocess.PIPE) as process:
            await until(lambda: len(one.runs()) == 1)
            process.terminate()
            assert await process.wait() == 0
    assert one.notes()[-1] == {"ended": "signal"}


@pytest.mark.etcd
async def test_etcd_really_takes_the_load(bench: Callable[..., Bench], tmp_path: Path) -> None:
    client, peer = free_port(), free_port()
    command = [
        "etcd",
        f"--data-dir={tmp_path / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
    ]
    one = bench(ETCD, f"127.0.0.1:{client}")
    one.want("burst", 400)
    async with (
        await anyio.open_process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as etcd,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{client}") as asked,
    ):
        try:
            with anyio.fail_after(60):
                await answering(asked)
            before = await revision(asked)
            async with one.supervised():
                await until(lambda: len(one.runs()) >= 3)
            assert await revision(asked) > before + 100
        finally:
            etcd.kill()


async def answering(etcd: httpx.AsyncClient) -> None:
    while True:
        try:
            if (await etcd.get("/health")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await anyio.sleep(0.05)


async def revision(etcd: httpx.AsyncClient) -> int:
    reply = await etcd.post("/v3/kv/range", json={"key": "AA=="})
    return int(reply.json()["header"]["revision"])


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
