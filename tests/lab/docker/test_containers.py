"""What an inspected container says of its node. The answers have the shape of Docker Engine 20.10's and 28's, shortened."""

import json

import pytest

from opsai_lab.targets.docker.containers import Container, described


def inspected(state: dict[str, object], **more: object) -> Container:
    answer = {
        "Id": "abc",
        "Name": "/opsai-etcd-etcd1-1",
        "State": {"StartedAt": "2026-11-24T12:00:00.123456789Z", **state},
        "Config": {"Image": "etcd", "Labels": {"com.docker.compose.service": "etcd1"}},
        **more,
    }
    return described(json.dumps([answer]).encode())[0]


STATES = [
    ({"Status": "running"}, "running", ""),
    ({"Status": "running", "Health": {"Status": "healthy", "Log": []}}, "running", ""),
    ({"Status": "running", "Health": {"Status": "starting", "Log": None}}, "starting", ""),
    (
        {
            "Status": "running",
            "Health": {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "no\x1b leader\n"}]},
        },
        "unhealthy",
        "its health check says: no� leader",
    ),
    (
        {"Status": "running", "Health": {"Status": "unhealthy", "Log": [{"Output": '{"level":"warn"}\nno leader\n'}]}},
        "unhealthy",
        "its health check says: no leader",
    ),
    ({"Status": "running", "Health": {"Status": "unhealthy"}}, "unhealthy", "its health check says: nothing"),
    ({"Status": "paused", "Health": {"Status": "healthy"}}, "paused", "its processes are frozen"),
    ({"Status": "exited", "ExitCode": 0}, "stopped", "it ended in order (status 0)"),
    ({"Status": "exited", "ExitCode": 137}, "stopped", "it was killed (SIGKILL)"),
    (
        {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
        "failed",
        "it was killed because it took more memory than its limit (OOM)",
    ),
    ({"Status": "exited", "ExitCode": 1}, "failed", "it ended with status 1"),
    ({"Status": "created", "Error": ""}, "stopped", "it was never started"),
    ({"Status": "created", "Error": "no such file"}, "failed", "it could not be started: no such file"),
    ({"Status": "restarting", "ExitCode": 2}, "failed", "it ended with status 2, and is started again"),
    ({"Status": "odd"}, "unknown", "the engine calls it 'odd'"),
]


@pytest.mark.parametrize(("state", "name", "says"), STATES)
def test_a_node_is_what_its_container_is_and_why_is_said(state: dict[str, object], name: str, says: str) -> None:
    container = inspected(state)

    assert (container.state, container.says) == (name, says)


def test_ports_are_known_while_the_container_is_stopped() -> None:
    bindings = {
        "2379/tcp": [{"HostIp": "127.0.0.1", "HostPort": "34001"}],
        "2380/tcp": [{"HostIp": "", "HostPort": ""}],
        "53/udp": [{"HostIp": "", "HostPort": "53"}],
        "9090/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9090"}],
        "1/tcp": None,
    }

    container = inspected({"Status": "exited"}, HostConfig={"PortBindings": bindings})

    assert container.published == {2379: ("127.0.0.1", 34001), 9090: ("127.0.0.1", 9090)}


def test_a_fixed_address_is_known_while_the_container_is_stopped() -> None:
    network = {"IPAMConfig": {"IPv4Address": "172.30.40.11"}, "IPAddress": "", "GlobalIPv6Address": ""}

    container = inspected(
        {"Status": "exited"}, NetworkSettings={"Networks": {"cluster": network, "other": {"IPAMConfig": None}}}
    )

    assert container.addresses == ("172.30.40.11",)


def test_only_volumes_that_it_writes_to_hold_data() -> None:
    mounts = [
        {"Type": "bind", "Destination": "/etc/conf", "RW": False},
        {"Type": "volume", "Name": "rules", "Destination": "/rules", "RW": False},
        {"Type": "volume", "Name": "data", "Destination": "/data", "RW": True},
    ]

    assert inspected({"Status": "running"}, Mounts=mounts).volumes == {"data": "/data"}


def test_a_container_that_never_started_has_no_start() -> None:
    assert inspected({"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"}).started_at is None
