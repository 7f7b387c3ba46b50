"""Real members seen through a real Prometheus, and no logs: its history tells who led."""

import json
import os
import shutil
from collections.abc import Iterator

import pytest

from tests.etcd.eyes import diagnosed, opened, seen, well
from tests.etcd.members import NAMES, Members, running
from tests.subjects.promql import real

pytestmark = [pytest.mark.etcd, pytest.mark.prometheus, pytest.mark.anyio]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with running(tmp_path_factory.mktemp("etcd"), 64) as found:
        yield found


@pytest.fixture(scope="module")
def prometheus(members: Members, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("prometheus")
    if program is None:
        reason = "prometheus is not on PATH: its Debian package brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    targets = json.dumps([url.removeprefix("http://") for url in members.urls])
    settings = f"""
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: some-store
  static_configs: [{{targets: {targets}}}]
"""
    with real.running(program, tmp_path_factory.mktemp("prometheus"), settings) as running_one:
        yield running_one.url


async def test_a_killed_leader_is_told_by_what_prometheus_saw_of_it(members: Members, prometheus: str) -> None:
    leader = members.leader()
    async with opened(members, logs=False, prometheus=prometheus) as cluster:
        before = await seen(cluster, lambda facts: set(facts.active) == set(NAMES), "metrics of every member")
        assert not before.scraped_by_us
        members.kill(leader)

        await diagnosed(cluster, "etcd_leader_down", leader)

        members.start(leader)
        await well(cluster)
