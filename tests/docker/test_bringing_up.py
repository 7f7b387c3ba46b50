"""What `up` and `down` do in any state they meet, and what is left of a cluster that does not come up: nothing, or what was said."""

import json
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.target import Target
from opsai_subjects.config import WebLimits
from opsai_subjects.opening import open_cluster
from tests.docker.local import (
    ETCD,
    NODES,
    answers,
    container,
    copied,
    docker,
    healthy,
    inspected,
    left_of,
    reaches,
    refused,
    target_in,
    until,
)

pytestmark = [pytest.mark.docker, pytest.mark.anyio]


async def silent(target: Target) -> list[str]:
    told: list[str] = []
    await target.up(told.append)
    return told


async def failing(target: Target) -> tuple[str, list[str]]:
    """Return why `up` fails, and what was told before."""
    told: list[str] = []
    with pytest.raises(LabError) as failure:
        await target.up(told.append)
    return str(failure.value), told


async def test_what_is_up_is_left_alone(cluster: Target) -> None:
    await until(lambda: healthy(cluster))
    before = [inspected(cluster, node, "{{.Id}} {{.State.StartedAt}}") for node in NODES]

    told = await silent(cluster)

    assert [inspected(cluster, node, "{{.Id}} {{.State.StartedAt}}") for node in NODES] == before
    assert told[-1].endswith("is up (3 of 3 up)")


async def test_a_cluster_of_this_name_from_another_folder_is_left_alone(cluster: Target, tmp_path: Path) -> None:
    before = [inspected(cluster, node, "{{.Id}} {{.State.StartedAt}}") for node in NODES]
    other = target_in(
        tmp_path, cluster.place.name, compose=copied(tmp_path, "stop_grace_period: 5s", "stop_grace_period: 6s")
    )

    why, _told = await failing(other)

    assert f"A cluster of the name {cluster.place.name} runs in Docker already, brought up from {ETCD}" in why
    assert [inspected(cluster, node, "{{.Id}} {{.State.StartedAt}}") for node in NODES] == before


async def test_a_half_made_cluster_is_completed(cluster: Target) -> None:
    docker("rm", "--force", container(cluster, "etcd1"))
    docker("kill", container(cluster, "etcd2"))
    docker("pause", container(cluster, "etcd3"))
    assert [one.state for one in await cluster.status()] == ["absent", "stopped", "paused"]

    await cluster.up(lambda _line: None)

    await until(lambda: healthy(cluster))


async def test_the_endpoints_are_those_that_answer_from_here_and_name_every_node(cluster: Target) -> None:
    found = (await cluster.endpoints()).cluster

    assert found.subject == "etcd"
    assert len(found.endpoints) == 3
    assert found.names == {f"{node}:2379": node for node in NODES}
    assert [f"http://{found.addresses[f'{node}:2379']}" for node in NODES] == list(found.endpoints)
    assert found.docker is not None
    assert found.docker.containers == {node: container(cluster, node) for node in NODES}
    for node in NODES:
        assert '"health":"true"' in await answers(cluster, node, "/health")


async def test_opsai_sees_all_of_a_cluster_that_has_just_come_up(cluster: Target) -> None:
    await until(lambda: healthy(cluster))
    settings = (await cluster.endpoints()).cluster

    async with open_cluster(cluster.place.name, settings, WebLimits()) as opened:
        sights = await opened.subject.check()

    assert [sight.source for sight in sights if sight.state == "blind"] == []
    assert {f"etcd {node}" for node in NODES} <= {sight.source for sight in sights if sight.state == "ok"}


async def test_the_log_of_a_node_is_its_output_and_is_followed(cluster: Target) -> None:
    last = [line async for line in cluster.logs("etcd1", lines=3, follow=False)]

    assert len(last) == 3
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, docker, "restart", container(cluster, "etcd2"))
            followed = [line async for line in first(cluster.logs("etcd1", lines=0, follow=True))]

    assert followed[0] not in last


async def first(lines: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(lines):
        async for line in lines:
            yield line
            return


async def test_no_log_of_what_is_no_node(cluster: Target) -> None:
    with pytest.raises(LabError, match="no node 'etcd9'"):
        _ = [line async for line in cluster.logs("etcd9", lines=3, follow=False)]


async def test_small_disks_can_be_filled_and_keep_their_data_over_a_kill_and_down_leaves_nothing(
    elsewhere: str, tmp_path: Path
) -> None:
    target = target_in(tmp_path, elsewhere, small_disks_mb=192)
    await silent(target)
    docker("exec", container(target, "etcd1"), "etcdctl", "put", "kept", "yes")
    kill, fill = Harm(id="h1", name="kill", node="etcd1"), Harm(id="h2", name="fill_disk", node="etcd1")
    await target.inject(kill)
    await target.undo(kill)
    await until(lambda: healthy(target))

    await target.inject(fill)
    full = room(target, "etcd1")
    await target.undo(fill)

    assert full == 0
    assert room(target, "etcd1") > 0
    await until(lambda: healthy(target))
    assert "yes" in docker("exec", container(target, "etcd1"), "etcdctl", "get", "kept")
    assert await reaches(target, "etcd2", "etcd1")

    await target.down(lambda _line: None)
    await target.down(lambda _line: None)
    assert left_of(elsewhere) == []
    assert {one.state for one in await target.status()} == {"absent"}
    with pytest.raises(LabError, match="is not up"):
        await target.endpoints()


def room(target: Target, node: str) -> int:
    """Return the free bytes of a node's data, seen by a container beside it."""
    beside = ("run", "--rm", "--volumes-from", container(target, node), "opsai-tools:local")
    return int(docker(*beside, "stat", "--file-system", "--format", "%a", "/var/lib/etcd"))


async def test_a_taken_port_is_named_with_what_sets_it_and_nothing_is_left(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("OPSAI_ETCD_PORT_2", str(port))

        why, _ = await failing(target_in(tmp_path, elsewhere))

    assert f"port {port} of this machine is taken" in why
    assert "$OPSAI_ETCD_PORT_2" in why
    assert left_of(elsewhere) == []


async def test_an_overlapping_subnet_is_named_with_what_sets_it_and_nothing_is_left(
    cluster: Target, elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads(docker("network", "inspect", f"{cluster.place.name}_cluster"))[0]["IPAM"]["Config"]
    monkeypatch.setenv("OPSAI_ETCD_NET", config[0]["Subnet"].removesuffix(".0/24"))

    why, _ = await failing(target_in(tmp_path, elsewhere))

    assert "subnet overlaps" in why
    assert "$OPSAI_ETCD_NET" in why
    assert left_of(elsewhere) == []


async def test_an_image_that_cannot_be_had_is_named_with_what_sets_it_and_nothing_is_left(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = "127.0.0.1:1/etcd:none"
    monkeypatch.setenv("OPSAI_ETCD_IMAGE", image)

    why, told = await failing(target_in(tmp_path, elsewhere))

    assert why.startswith(f"The image {image} is not on this machine and cannot be pulled: ")
    assert f"pulling {image}" in told
    assert left_of(elsewhere) == []


async def test_an_image_with_a_recipe_is_built_and_its_steps_are_told(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = json.loads(docker("compose", "--file", str(ETCD / "compose.yaml"), "config", "--format", "json"))
    own = copied(tmp_path, "x-etcd: &etcd\n", "x-etcd: &etcd\n  build: .\n")
    (own / "Dockerfile").write_text(f'FROM {base["services"]["etcd1"]["image"]}\nENV A=b\nRUN ["etcdctl", "version"]\n')
    image = f"{elsewhere}:built"
    monkeypatch.setenv("OPSAI_ETCD_IMAGE", image)

    try:
        told = await silent(target_in(tmp_path, elsewhere, compose=own))
    finally:
        await target_in(tmp_path, elsewhere, compose=own).down(lambda _line: None)
        docker("image", "rm", image)

    assert told[:2] == ["images: 0 of 1 are here", f"building {image}"]
    assert [line for line in told if "RUN" in line and line.startswith(f"building {image}: step ")]
    assert not [line for line in told if "ENV" in line]


async def test_a_container_that_dies_at_start_is_named_with_its_last_lines_and_left_to_be_looked_at(
    elsewhere: str, tmp_path: Path
) -> None:
    broken = copied(
        tmp_path, "name=etcd2\n      - --data-dir=/var/lib/etcd\n", "name=etcd2\n      - --data-dir=/proc/none\n"
    )
    target = target_in(tmp_path, elsewhere, compose=broken)

    why, told = await failing(target)

    assert why.startswith("etcd2 did not come up: it ended with status ")
    assert f"docker logs {container(target, 'etcd2')}" in why
    assert any("/proc/none" in line for line in told)
    assert left_of(elsewhere) != []
    assert [one.state for one in await target.status() if one.name == "etcd2"] == ["failed"]
    await target.down(lambda _line: None)
    assert left_of(elsewhere) == []


async def test_up_that_is_broken_off_leaves_nothing(elsewhere: str, tmp_path: Path) -> None:
    target = target_in(tmp_path, elsewhere)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(target.up, lambda _line: None)
            await until(lambda: begun(elsewhere))
            tasks.cancel_scope.cancel()

    assert left_of(elsewhere) == []


async def begun(name: str) -> bool:
    return left_of(name) != []


async def test_what_an_interrupted_command_left_in_the_network_of_a_node_goes_with_down(
    elsewhere: str, tmp_path: Path
) -> None:
    helper = ("--label", f"opsai.tools-of={elsewhere}", "--network", "none")
    docker("run", "--detach", *helper, "opsai-tools:local", "sleep", "60")
    assert left_of(elsewhere) != []

    await target_in(tmp_path, elsewhere).down(lambda _line: None)

    assert left_of(elsewhere) == []


async def test_an_engine_that_does_not_answer_is_said(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_in(tmp_path, elsewhere)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    why, _ = await failing(target)

    assert "no Docker daemon answers" in why
    assert f"{tmp_path}/none.sock" in why
    monkeypatch.delenv("DOCKER_HOST")  # what takes everything away afterwards needs the real one
    assert not refused("version")


async def test_a_machine_without_docker_is_told_what_to_install(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = target_in(tmp_path, elsewhere)
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))

        why, _ = await failing(target)

    assert why.startswith("There is no program `docker` on PATH.")
    assert "--target processes" in why


async def test_a_docker_without_compose_2_is_told_so(
    elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    if not refused("compose", "version"):
        pytest.skip("Compose is installed for all users here")

    why, _ = await failing(target_in(tmp_path, elsewhere))

    assert "Compose 2 or newer is missing" in why
    assert left_of(elsewhere) == []
