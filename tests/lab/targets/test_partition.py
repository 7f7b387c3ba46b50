"""What a partition really drops, asked of real etcd members."""

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
