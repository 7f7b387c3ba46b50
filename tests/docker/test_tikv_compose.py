"""compose/tikv on a real Docker Engine. PD and TiKV cannot be had here: images of their names answer as a recorded cluster did, of which a store is killed."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
import pytest

from opsai_lab.load.wanted import Wanted, write_wanted
from opsai_subjects.registry import subject_kind
from tests.docker.local import ROOT, docker, free_network, left_of, refused
from tests.server.mcp.sites import client

pytestmark = [pytest.mark.docker, pytest.mark.anyio]

COMPOSE = ROOT / "compose" / "tikv"
STORES = ("tikv1", "tikv2", "tikv3")
MEMBERS = ("pd1", "pd2", "pd3")
OPERATOR = ("opsai-watch", "opsai-mcp")
STAND_INS = ("pingcap/pd:v8.5.4", "pingcap/tikv:v8.5.4", "opsai-load:local")
SUFFIXES = ("371", "372", "373", "161", "162", "163", "181", "182", "183", "090", "081", "080")
WITHIN_SECONDS = 100.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Stack:
    """The cluster that is up."""

    name: str
    environment: dict[str, str]

    def compose(self, *words: str) -> str:
        command = ["docker", "compose", "--project-name", self.name, "--file", str(COMPOSE / "compose.yaml"), *words]
        ran = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False, timeout=180
        )
        assert ran.returncode == 0, f"{' '.join(words)}: {ran.stderr[-2000:]}"
        return ran.stdout

    def url(self, suffix: str) -> str:
        return f"http://127.0.0.1:{self.environment['OPSAI_TIKV_PORTS']}{suffix}"

    def inspected(self, service: str) -> dict[str, Any]:
        return json.loads(docker("inspect", f"{self.name}-{service}-1"))[0]

    def token(self) -> str:
        return self.compose("exec", "--no-TTY", "opsai-mcp", "cat", "/var/lib/opsai/token").strip()

    def query(self, promql: str) -> list[dict[str, Any]]:
        reply = httpx.get(f"{self.url('090')}/api/v1/query", params={"query": promql}, trust_env=False)
        return reply.json()["data"]["result"]

    def release(self) -> None:
        """Let the recorded nodes go on from where they stand; 15 s later the store is killed."""
        self.compose("exec", "--no-TTY", "pd1", "sh", "-c", "[ -s /logs/released ] || date +%s.%N >/logs/released")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    skip_without_images()
    folder = tmp_path_factory.mktemp("load")
    folder.chmod(0o755)  # who reads it in the container is somebody else
    environment = {
        "COMPOSE_PROFILES": "operator,load",
        "OPSAI_LOAD_FOLDER": str(folder),
        "OPSAI_TIKV_NET": free_network(),
        "OPSAI_TIKV_PORTS": free_digits(),
        "OPSAI_TIKV_FILES": "1024",  # the stand-ins need no more, and not every engine may give what TiKV needs
    }
    it = Stack(f"opsai-test-tikv-{os.getpid()}", environment)
    try:
        it.compose("up", "--detach", "--no-build", "--pull", "never", "--wait", "--wait-timeout", "150")
        yield it
    finally:
        it.compose("down", "--volumes", "--timeout", "2")
    assert left_of(it.name) == []


def skip_without_images() -> None:
    missing = [name for name in (*STAND_INS, "opsai-operator:local", "prom/prometheus:v2.53.4") if no_image(name)]
    if missing:
        why = f"no stand-in image {', '.join(missing)}: `scripts/images` makes them"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


def no_image(name: str) -> bool:
    if refused("image", "inspect", name):
        return True
    label = docker("image", "inspect", "--format", '{{index .Config.Labels "opsai.stand-in"}}', name)
    return name in STAND_INS and not label  # the real one: what follows is about the recording


def free_digits() -> str:
    """Return first two digits with which all the ports are free; from 32768 on any connection may have taken one."""
    for digits in range(24, 32):
        try:
            with ExitStack() as bound:
                for suffix in SUFFIXES:
                    bound.enter_context(socket.create_server(("127.0.0.1", int(f"{digits}{suffix}"))))
        except OSError:
            continue
        return str(digits)
    pytest.fail("no free ports")


def until(ask: Callable[[], _T]) -> _T:
    """Return the first answer that is something; containers set no event here."""
    ends = time.monotonic() + WITHIN_SECONDS
    while True:
        if found := ask():
            return found
        assert time.monotonic() < ends
        time.sleep(0.5)


def lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        yield json.loads(line)


def test_every_service_is_healthy_and_stores_started_once_the_members_were(stack: Stack) -> None:
    listed = {one["Service"]: one for one in lines(stack.compose("ps", "--all", "--format", "json"))}
    assert set(listed) == {*MEMBERS, *STORES, *OPERATOR, "prometheus", "load"}
    assert {one["Health"] for one in listed.values() if one["Service"] != "load"} == {"healthy"}

    states = {service: stack.inspected(service)["State"] for service in (*MEMBERS, *STORES, "opsai-watch")}
    first_store = min(datetime.fromisoformat(states[store]["StartedAt"]) for store in STORES)
    for member in MEMBERS:
        well = [one for one in states[member]["Health"]["Log"] if one["ExitCode"] == 0]
        assert datetime.fromisoformat(states[member]["StartedAt"]) < datetime.fromisoformat(well[0]["End"])
        assert datetime.fromisoformat(states[member]["StartedAt"]) < first_store
    assert max(datetime.fromisoformat(states[store]["StartedAt"]) for store in STORES) < datetime.fromisoformat(
        states["opsai-watch"]["StartedAt"]
    )


def test_everything_is_published_on_loopback_alone(stack: Stack) -> None:
    for service in (*MEMBERS, *STORES, *OPERATOR, "prometheus"):
        bindings = stack.inspected(service)["HostConfig"]["PortBindings"]
        assert bindings
        assert {one["HostIp"] for each in bindings.values() for one in each} == {"127.0.0.1"}, service


def test_nodes_have_the_addresses_of_the_network_that_was_set(stack: Stack) -> None:
    networks = {one: stack.inspected(one)["NetworkSettings"]["Networks"] for one in (*MEMBERS, *STORES)}
    start = stack.environment["OPSAI_TIKV_NET"]
    found = [network["IPAddress"] for one in networks.values() for network in one.values()]
    assert found == [f"{start}.{number}" for number in (11, 12, 13, 21, 22, 23)]


def test_a_nodes_log_is_a_file_that_the_operator_reads_and_dockers_output_too(stack: Stack) -> None:
    stack.release()
    shown = until(lambda: stack.compose("logs", "--no-log-prefix", "tikv1"))
    read = stack.compose("exec", "--no-TTY", "opsai-watch", "cat", "/logs/tikv1/tikv.log", "/logs/pd1/pd.log")
    line = shown.splitlines()[-1]
    assert line in read
    assert subject_kind("tikv").parse_log(line) is not None


def test_prometheus_scrapes_all_of_it_under_the_names_that_tiup_gives(stack: Stack) -> None:
    reply = httpx.get(f"{stack.url('090')}/api/v1/targets", trust_env=False).json()["data"]["activeTargets"]
    assert {(one["labels"]["job"], one["labels"]["instance"]) for one in reply} == {
        *(("pd", f"{member}:2379") for member in MEMBERS),
        *(("tikv", f"{store}:20180") for store in STORES),
        ("opsai", "opsai-watch:9464"),
    }
    until(lambda: len(stack.query("up{job=~'pd|opsai'} == 1")) == 4)
    rules = httpx.get(f"{stack.url('090')}/api/v1/rules", trust_env=False).json()["data"]["groups"]
    assert sum(len(group["rules"]) for group in rules) > len(subject_kind("tikv").invariants)


def test_the_operator_is_not_root_has_no_capability_and_cannot_write_to_its_root(stack: Stack) -> None:
    for service in OPERATOR:
        about = stack.inspected(service)
        assert about["HostConfig"]["ReadonlyRootfs"]
        assert about["HostConfig"]["CapDrop"] == ["ALL"]
        assert stack.compose("exec", "--no-TTY", service, "id", "--user").strip() not in ("", "0")
        mounts = {one["Destination"]: one["RW"] for one in about["Mounts"]}
        assert [where for where, writable in mounts.items() if writable] == ["/var/lib/opsai"]


async def test_the_ticket_of_the_killed_store_comes_to_prometheus_and_over_mcp(stack: Stack) -> None:
    await anyio.to_thread.run_sync(stack.release)
    ticket = 'opsai_ticket_open{invariant="store_up",parent=""}'
    found = await anyio.to_thread.run_sync(until, lambda: stack.query(ticket))
    assert len(found) == 1
    entity = found[0]["metric"]["entity"]
    assert found[0]["metric"]["severity"] == "critical"

    async with client(f"{stack.url('080')}/mcp", "auto", await anyio.to_thread.run_sync(stack.token)) as one:
        topology = await one.call_tool("topology", {})
        tickets = await one.call_tool("tickets", {})
    said = str(tickets.content)
    assert not tickets.is_error
    assert entity in said
    assert "tikv3" in said
    assert all(store in str(topology.content) for store in STORES)

    firing = 'ALERTS{alertstate="firing",invariant="store_up"}'
    alerts = await anyio.to_thread.run_sync(until, lambda: stack.query(firing))
    assert {one["metric"]["entity"] for one in alerts} == {entity}


def test_whoever_has_no_token_is_told_so(stack: Stack) -> None:
    url = f"{stack.url('080')}/mcp"
    for headers in ({}, {"Authorization": "Bearer wrong-token-of-nobody"}):
        reply = httpx.post(url, json={}, headers=headers, trust_env=False)
        assert reply.status_code == 401
    assert len(stack.token()) >= 32


def test_the_load_follows_the_file_in_the_folder_that_is_mounted(stack: Stack) -> None:
    until(lambda: "steady at 500 operations a second" in stack.compose("logs", "load"))
    write_wanted(Path(stack.environment["OPSAI_LOAD_FOLDER"]) / "load.json", Wanted(pattern="hot-write", rate=900))
    until(lambda: "hot-write at 900 operations a second" in stack.compose("logs", "load"))

    told = until(lambda: [one for one in started(stack) if one["target"] == 900])
    assert told[0]["properties"]["tikv.pd"] == "pd1:2379,pd2:2379,pd3:2379"
    assert told[0]["properties"]["requestdistribution"] == "hotspot"


def started(stack: Stack) -> list[dict[str, Any]]:
    notes = stack.compose("exec", "--no-TTY", "load", "cat", "/tmp/notes")
    return [one for one in lines(notes) if one.get("command") == "run"]
