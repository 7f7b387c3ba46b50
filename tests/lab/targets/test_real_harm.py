"""What a partition really drops, and what a slow disk really slows, asked of real etcd members."""

import subprocess
from pathlib import Path

import anyio
import httpx
import pytest

from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.packets import table_name
from opsai_lab.targets.processes.target import Processes
from tests.lab.places import etcd_place, silent

pytestmark = [pytest.mark.anyio, pytest.mark.etcd, pytest.mark.root]


def tables() -> str:
    return subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout


def control_groups(name: str) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"**/{name}_*"))


async def answers(url: str, seconds: float = 1.0) -> str:
    """Return what a health check says: `true`, `false` (no leader), or `silence`."""
    async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
        try:
            return str((await client.get(f"{url}/health")).json()["health"])
        except httpx.TimeoutException:
            return "silence"


async def until(url: str, said: str) -> None:
    with anyio.fail_after(20):
        while await answers(url) != said:  # noqa: ASYNC110 (of another program)
            await anyio.sleep(0.05)


async def test_a_partition_is_silence_as_far_as_it_says_and_no_further(tmp_path: Path) -> None:
    target = Processes(etcd_place(tmp_path))
    try:
        await target.up(silent)
        one, two, _ = (await target.endpoints()).cluster.endpoints

        everyone = Harm(id="h1", name="partition", node="etcd1")
        await target.inject(everyone)
        await target.inject(everyone)
        assert await answers(one) == "silence"
        await until(two, "true")
        await target.undo(everyone)
        await target.undo(everyone)
        await until(one, "true")

        members = Harm(id="h2", name="partition", node="etcd1", apart_from=("etcd2", "etcd3"))
        await target.inject(members)
        await until(one, "false")  # it answers whoever looks, and has no leader
        await until(two, "true")
        await target.undo(members)
        await until(one, "true")

        port = Harm(id="h3", name="partition", node="etcd1", ports=(2379,))
        await target.inject(port)
        assert await answers(one) == "silence"
        assert await answers(two) == "true"
        await target.inject(everyone)  # left to `down`
    finally:
        await target.down(silent)

    assert table_name(target.place) not in tables()


async def put_seconds(url: str) -> float:
    """Return how long a member takes to answer a write; no more than two seconds are waited."""
    began = anyio.current_time()
    async with httpx.AsyncClient(trust_env=False) as client:
        with anyio.move_on_after(2):
            await client.post(f"{url}/v3/kv/put", json={"key": "YQ==", "value": "YQ=="}, timeout=None)
    return anyio.current_time() - began


async def test_a_slow_disk_makes_writes_wait_until_it_is_undone(tmp_path: Path) -> None:
    target = Processes(etcd_place(tmp_path))
    slow = Harm(id="h1", name="slow_disk", node="etcd1", amount=3)
    try:
        await target.up(silent)
        if why := target.refusal(slow):
            pytest.skip(why)
        url = (await target.endpoints()).cluster.endpoints[0]
        before = await put_seconds(url)
        await target.inject(slow)
        slowed = max([await put_seconds(url) for _ in range(2)])
        await target.undo(slow)
        await until(url, "true")
        after = min([await put_seconds(url) for _ in range(3)])
    finally:
        await target.down(silent)

    assert control_groups(table_name(target.place)) == []
    assert slowed > 0.5
    assert min(before, after) < slowed / 2
