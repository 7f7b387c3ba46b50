"""The service `load` of compose/etcd: the supervisor in its container puts load on real etcd members. go-ycsb itself is a stand-in."""

import os

import httpx
import pytest

from opsai_lab.load.wanted import Wanted, write_wanted
from tests.docker.local import ETCD, environment, left_of
from tests.docker.project import Project, skip_without, until

pytestmark = pytest.mark.docker


def test_the_members_take_the_load_of_the_wanted_pattern(tmp_path_factory: pytest.TempPathFactory) -> None:
    skip_without("quay.io/coreos/etcd:v3.5.21", stand_ins=("opsai-load:local",))
    folder = tmp_path_factory.mktemp("load")
    folder.chmod(0o755)  # who reads it in the container is somebody else
    write_wanted(folder / "load.json", Wanted(pattern="hot-write", rate=300))
    settings = {**environment(), "COMPOSE_PROFILES": "load", "OPSAI_LOAD_FOLDER": str(folder)}
    it = Project(f"opsai-test-load-{os.getpid()}", ETCD / "compose.yaml", settings)
    try:
        it.up("etcd1", "etcd2", "etcd3", "load")
        told = until(it.loads)
        before = revision(settings["OPSAI_ETCD_PORT_1"])
        until(lambda: revision(settings["OPSAI_ETCD_PORT_1"]) > before + 300)
    finally:
        it.down()
    assert told[0]["db"] == "etcd"
    assert told[0]["target"] == 300
    assert told[0]["properties"]["etcd.endpoints"] == "etcd1:2379,etcd2:2379,etcd3:2379"
    assert left_of(it.name) == []


def revision(port: str) -> int:
    reply = httpx.post(f"http://127.0.0.1:{port}/v3/kv/range", json={"key": "AA=="}, trust_env=False)
    return int(reply.json()["header"]["revision"])
