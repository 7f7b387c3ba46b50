"""compose/tikv on a real Docker Engine. PD and TiKV cannot be had here: images of their names answer as a recorded cluster did, of which a store is killed."""

import json
import os
import socket
from collections.abc import Generator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from opsai_lab.load.wanted import Wanted, write_wanted
from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.docker.kind import KIND
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Place
from opsai_subjects.registry import subject_kind
from tests.docker.local import ROOT, free_network, left_of
from tests.docker.project import Project, lines, skip_without, until
from tests.server.mcp.sites import client

pytestmark = [pytest.mark.docker, pytest.mark.anyio]

COMPOSE = ROOT / "compose" / "tikv"
STORES = ("tikv1", "tikv2", "tikv3")
MEMBERS = ("pd1", "pd2", "pd3")
OPERATOR = ("opsai-watch", "opsai-mcp")
STAND_INS = ("pingcap/pd:v8.5.4", "pingcap/tikv:v8.5.4", "opsai-load:local")
SUFFIXES = ("371", "372", "373", "161", "162", "163", "181", "182", "183", "090", "081", "080")


class Stack(Project):
    """The cluster that is up."""

    def url(self, suffix: str) -> str:
        return f"http://127.0.0.1:{self.environment['OPSAI_TIKV_PORTS']}{suffix}"

    def token(self) -> str:
        return self.within("opsai-mcp", "cat", "/var/lib/opsai/token").strip()

    def query(self, promql: str) -> list[dict[str, Any]]:
        reply = httpx.get(f"{self.url('090')}/api/v1/query", params={"query": promql}, trust_env=False)
        return reply.json()["data"]["result"]

    def release(self) -> None:
        """Let the recorded nodes go on from where they stand; 15 s later the store is killed."""
        self.within("pd1", "sh", "-c", "[ -s /logs/released ] || date +%s.%N >/logs/released")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    skip_without("opsai-operator:local", "prom/prometheus:v2.53.4", stand_ins=STAND_INS)
    folder = tmp_path_factory.mktemp("load")
    folder.chmod(0o755)  # who reads it in the container is somebody else
    environment = {
        "COMPOSE_PROFILES": "operator,load",
        "OPSAI_LOAD_FOLDER": str(folder),
        "OPSAI_TIKV_NET": free_network(),
        "OPSAI_TIKV_PORTS": free_digits(),
        "OPSAI_TIKV_FILES": "1024",  # the stand-ins need no more, and not every engine may give what TiKV needs
    }
    it = Stack(f"opsai-test-tikv-{os.getpid()}", COMPOSE / "compose.yaml", environment)
    try:
        it.up()
        yield it
    finally:
        it.down()
    assert left_of(it.name) == []


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
    read = stack.within("opsai-watch", "cat", "/logs/tikv1/tikv.log", "/logs/pd1/pd.log")
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
        assert stack.within(service, "id", "--user").strip() not in ("", "0")
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

    told = until(lambda: [one for one in stack.loads() if one["target"] == 900])
    assert told[0]["properties"]["tikv.pd"] == "pd1:2379,pd2:2379,pd3:2379"
    assert told[0]["properties"]["requestdistribution"] == "hotspot"


def test_the_docker_target_knows_every_node_and_can_do_every_fault_but_a_full_disk(
    stack: Stack, tmp_path: Path
) -> None:
    blueprint = read_blueprint(COMPOSE)
    target = KIND.open(Place(name=stack.name, folder=tmp_path, blueprint=blueprint))
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in stack.environment.items():
            patch.setenv(variable, value)
        endpoints = anyio.run(target.endpoints)
    assert endpoints.cluster.addresses["tikv2:20180"] == stack.url("182").removeprefix("http://")
    assert endpoints.pages["opsai-mcp"] == f"{stack.url('080')}/mcp"

    refused = {
        name
        for name, fault in blueprint.faults.items()
        if target.refusal(
            Harm(id=name, name=fault.harm, node=blueprint.of_role(fault.role)[0].name, amount=fault.amount)
        )
    }
    assert refused == {"full-disk"}


def test_the_containers_take_the_flags_that_the_processes_take() -> None:
    roles = read_blueprint(COMPOSE).roles
    configured = Project("flags", COMPOSE / "compose.yaml", {}).compose("config", "--format", "json")
    services = json.loads(configured)["services"]
    for node in read_blueprint(COMPOSE).nodes:
        flags = [argument.split("=")[0] for argument in services[node.name]["command"]]
        assert flags == [argument.split("=")[0] for argument in roles[node.role].command]
