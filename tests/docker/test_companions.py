"""compose/etcd with all that belongs to it, brought up by hand: Prometheus reads everything, the operator looks at the cluster."""

import json
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import anyio
import httpx
import pytest

from tests.docker.local import ETCD, NODES, docker, environment, left_of, refused, target_in, until

pytestmark = [pytest.mark.docker, pytest.mark.anyio]
OPERATOR = os.environ.get("OPSAI_OPERATOR_IMAGE", "opsai-operator:local")
SCRAPED = {"etcd": 3, "opsai": 1, "prometheus": 1}


@pytest.fixture(scope="module")
def by_hand(images: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, dict[str, str]]]:
    """The name of a cluster brought up by `docker compose up` alone, and the environment it was brought up in."""
    if refused("image", "inspect", OPERATOR):
        why = f"no image {OPERATOR}: `scripts/images` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    name = f"opsai-test-hand-{os.getpid()}"
    chosen = environment() | {"OPSAI_OPERATOR_IMAGE": OPERATOR}
    compose = ["docker", "compose", "--file", str(ETCD / "compose.yaml"), "--project-name", name]
    try:
        done = subprocess.run(
            [*compose, "up", "--detach", "--wait", "--no-build"],
            env=os.environ | chosen,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        yield name, chosen
    finally:
        anyio.run(target_in(tmp_path_factory.mktemp("place"), name).down, print)
    assert left_of(name) == []


async def asked(url: str) -> str:
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        return (await client.get(url)).text


async def test_prometheus_reads_every_member_and_the_operator(by_hand: tuple[str, dict[str, str]]) -> None:
    _, chosen = by_hand
    url = f"http://127.0.0.1:{chosen['OPSAI_PROMETHEUS_PORT']}/api/v1/query?query=sum by (job) (up)"

    async def all_up() -> bool:
        rows = json.loads(await asked(url))["data"]["result"]
        return {row["metric"]["job"]: int(row["value"][1]) for row in rows} == SCRAPED

    await until(all_up)


async def test_the_alert_rules_are_loaded(by_hand: tuple[str, dict[str, str]]) -> None:
    _, chosen = by_hand

    groups = json.loads(await asked(f"http://127.0.0.1:{chosen['OPSAI_PROMETHEUS_PORT']}/api/v1/rules"))["data"][
        "groups"
    ]

    assert [group["name"] for group in groups] == ["opsai-etcd"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}


async def test_the_operator_sees_everything(by_hand: tuple[str, dict[str, str]]) -> None:
    name, chosen = by_hand

    async def looked() -> bool:
        return '"looks_stored":0' not in await asked(f"http://127.0.0.1:{chosen['OPSAI_WATCH_PORT']}/healthz")

    await until(looked)
    assert "Everything can be seen." in docker("exec", f"{name}-opsai-mcp-1", "opsai", "check")


async def test_the_operator_serves_nobody_without_its_token(by_hand: tuple[str, dict[str, str]]) -> None:
    name, chosen = by_hand
    token = docker("exec", f"{name}-opsai-mcp-1", "cat", "/var/lib/opsai/token")
    url = f"http://127.0.0.1:{chosen['OPSAI_MCP_PORT']}/mcp"

    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        without = await client.post(url, json={})
        bearing = await client.post(url, json={}, headers={"Authorization": f"Bearer {token}"})

    assert without.status_code == 401
    assert bearing.status_code not in (401, 403)


async def test_the_operator_is_not_root_and_writes_to_nothing_but_its_own_volume(
    by_hand: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    name, _ = by_hand

    for service in ("opsai-watch", "opsai-mcp"):
        template = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}"
        assert docker("inspect", "--format", template, f"{name}-{service}-1") == "10001:10001 true [ALL] false"
        assert refused("exec", f"{name}-{service}-1", "touch", "/logs/mine")

    target = target_in(tmp_path, name)
    found = await target.endpoints()
    assert found.pages.keys() == {"Prometheus", "opsai-mcp"}
    assert {one.name: one.state for one in await target.status() if one.name not in NODES} == {
        "opsai-mcp": "running",
        "opsai-watch": "running",
        "prometheus": "running",
    }
