"""What the tests of containers share: places of their own, and what is really so behind a target's back."""

import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import anyio
import httpx

from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.docker.kind import KIND
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Place, Target

ROOT = Path(__file__).resolve().parents[2]
ETCD = ROOT / "compose" / "etcd"
NODES = ("etcd1", "etcd2", "etcd3")
WITHIN_SECONDS = 25.0


def docker(*words: str) -> str:
    """Return what docker answers. Raises CalledProcessError."""
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


def refused(*words: str) -> bool:
    return subprocess.run(["docker", *words], check=False, capture_output=True).returncode != 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at, below those that the kernel gives to outgoing connections."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 200):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            break
    return found


def free_network() -> str:
    """Return the first three numbers of a subnet that no network of the engine has."""
    ids = docker("network", "ls", "--quiet").split()
    # unchecked: one that another test has just taken away is named on stderr, and the others are told
    seen = subprocess.run(["docker", "network", "inspect", *ids], check=False, capture_output=True, text=True)
    configs = [config for network in json.loads(seen.stdout) for config in network["IPAM"]["Config"] or ()]
    taken = [ip_network(config["Subnet"]) for config in configs if ":" not in config.get("Subnet", ":")]
    # a range for each process of a run, so that two that choose at the same time choose differently
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    candidates = (f"10.{200 + worker % 50}.{number}" for number in random.sample(range(1, 255), 100))
    return next(
        start for start in candidates if not any(ip_network(f"{start}.0/24").overlaps(other) for other in taken)
    )


def environment() -> dict[str, str]:
    """Return what compose/etcd/compose.yaml takes so that it gets into nobody's way."""
    first, second, third, prometheus, server, watch = map(str, free_ports(6))
    return {
        "OPSAI_ETCD_NET": free_network(),
        "OPSAI_ETCD_PORT_1": first,
        "OPSAI_ETCD_PORT_2": second,
        "OPSAI_ETCD_PORT_3": third,
        "OPSAI_PROMETHEUS_PORT": prometheus,
        "OPSAI_MCP_PORT": server,
        "OPSAI_WATCH_PORT": watch,
    }


def target_in(folder: Path, name: str, *, compose: Path = ETCD, small_disks_mb: int = 0) -> Target:
    """Return a target as another process would have it: it knows what stands on the disk and in the engine."""
    place = Place(
        name=name,
        folder=folder,
        blueprint=read_blueprint(compose),
        wait_seconds=60,
        companions=False,
        small_disks_mb=small_disks_mb,
    )
    return KIND.open(place)


def left_of(name: str) -> list[str]:
    """Return what the engine still has of a place: containers, networks, volumes, containers of the tools."""
    of_project = ("--quiet", "--filter", f"label=com.docker.compose.project={name}")
    listed = [docker(kind, "ls", *of_project) for kind in ("network", "volume")]
    listed += [docker("ps", "--all", *of_project)]
    listed += [docker("ps", "--all", "--quiet", "--filter", f"label=opsai.tools-of={name}")]
    return [one for lines in listed for one in lines.split()]


def container(target: Target, node: str) -> str:
    return f"{target.place.name}-{node}-1"


def inspected(target: Target, node: str, template: str) -> str:
    return docker("inspect", "--format", template, container(target, node))


def tables(target: Target, node: str) -> list[str]:
    """Return our packet filters in a node's own network."""
    alone = ("--rm", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
    network = f"container:{container(target, node)}"
    listed = docker("run", *alone, "--network", network, "opsai-tools:local", "nft", "list", "tables")
    return [line for line in listed.splitlines() if "opsai" in line]


async def answers(target: Target, node: str, path: str = "/metrics") -> str:
    """Return what a node says at its published port; empty when nothing comes."""
    port = inspected(target, node, '{{(index (index .HostConfig.PortBindings "2379/tcp") 0).HostPort}}')
    async with httpx.AsyncClient(timeout=1.0, trust_env=False) as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}{path}")).text
        except httpx.HTTPError:
            return ""


async def metric(target: Target, node: str, name: str) -> float | None:
    """Return a metric of a node from its published port; None when it does not answer."""
    for line in (await answers(target, node)).splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return None


async def leader(target: Target) -> str:
    """Return the leader, once there is one."""
    with anyio.fail_after(WITHIN_SECONDS):
        while True:
            for node in NODES:
                if await metric(target, node, "etcd_server_is_leader") == 1:
                    return node
            await anyio.sleep(0.2)


async def follower(target: Target) -> str:
    leading = await leader(target)
    return next(node for node in NODES if node != leading)


async def reaches(target: Target, peer: str, node: str) -> bool:
    """Return whether a node gets an answer from another, in the cluster's own network."""
    asked = f"--endpoints=http://{node}:2379"
    words = ("etcdctl", asked, "--dial-timeout=1s", "--command-timeout=1500ms", "get", "--consistency=s", "nothing")
    ran = await anyio.run_process(["docker", "exec", container(target, peer), *words], check=False)
    return ran.returncode == 0


async def reached(target: Target, *pairs: tuple[str, str]) -> list[bool]:
    """Return for each pair whether the first gets an answer from the second, asked all at once."""
    found: dict[tuple[str, str], bool] = {}

    async def ask(peer: str, node: str) -> None:
        found[peer, node] = await reaches(target, peer, node)

    async with anyio.create_task_group() as tasks:
        for pair in pairs:
            tasks.start_soon(ask, *pair)
    return [found[pair] for pair in pairs]


async def until(fact: Callable[[], Awaitable[object]]) -> None:
    """Return once an async question is answered by something true; real parts take their time."""
    with anyio.fail_after(WITHIN_SECONDS):
        while not await fact():  # noqa: ASYNC110 (containers set no event here)
            await anyio.sleep(0.1)


async def healthy(target: Target) -> bool:
    """Return whether every node runs, follows a leader and answers."""
    leading = [await metric(target, node, "etcd_server_has_leader") for node in NODES]
    return leading == [1, 1, 1] and all(one.state == "running" for one in await target.status())


@asynccontextmanager
async def harmed(target: Target, harm: Harm, *, times: int = 1) -> AsyncGenerator[None]:
    """Do a harm, so many times over; undo it as often, from its value alone, as another process would; wait for health."""
    await until(lambda: healthy(target))
    for _ in range(times):
        await target.inject(harm)
    try:
        yield
    finally:
        other = KIND.open(target.place)
        with anyio.CancelScope(shield=True):
            for _ in range(times):
                await other.undo(harm)
    await until(lambda: healthy(target))


def copied(folder: Path, old: str, new: str) -> Path:
    """Return a copy of compose/etcd in which one text of compose.yaml is another."""
    copy = folder / "etcd"
    shutil.copytree(ETCD, copy)
    text = (copy / "compose.yaml").read_text(encoding="utf-8")
    assert old in text
    (copy / "compose.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return copy
