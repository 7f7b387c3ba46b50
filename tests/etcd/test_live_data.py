"""Real members whose space is exceeded, whose data are called corrupt, and to which a learner is added."""

from collections.abc import Iterator

import httpx
import pytest

from opsai_subjects.model import Window
from tests.etcd.eyes import diagnosed, opened, seen, violated
from tests.etcd.members import Members, running, until

pytestmark = [pytest.mark.etcd, pytest.mark.anyio]
VALUE = "eHh4eHh4" * 40_000
"""Some hundred kilobytes, in base64."""


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with running(tmp_path_factory.mktemp("etcd"), 63, "--quota-backend-bytes=4194304") as found:
        yield found


def call(url: str, path: str, body: dict[str, object]) -> httpx.Response:
    return httpx.post(f"{url}{path}", json=body, timeout=5.0, trust_env=False)


async def test_a_learner_that_was_added_and_never_started_puts_nothing_at_risk(members: Members) -> None:
    body = {"peerURLs": [f"http://{members.host('etcd1').rpartition('.')[0]}.9:2380"], "isLearner": True}
    until(lambda: call(members.urls[0], "/v3/cluster/member/add", body).is_success, "a learner added", 15.0)

    async with opened(members) as cluster:
        facts = await seen(cluster, lambda facts: len(facts.members) == 4, "the learner")
        topology = await cluster.subject.topology()

    (learner,) = [node for node in topology.nodes if node.state == "not started"]
    assert learner.entity.startswith("member:")
    assert topology.summary["learners"] == 1
    assert violated(cluster, facts) == set()


async def test_a_corrupt_alarm_is_told_on_the_member_it_is_of_until_it_is_cleared(members: Members) -> None:
    listed = call(members.urls[0], "/v3/cluster/member/list", {}).json()["members"]
    ident = next(one["ID"] for one in listed if one.get("name") == "etcd2")
    alarm: dict[str, object] = {"memberID": ident, "alarm": "CORRUPT"}
    async with opened(members) as cluster:
        call(members.urls[0], "/v3/maintenance/alarm", {"action": "ACTIVATE", **alarm})
        facts = await diagnosed(cluster, "etcd_corrupt", "etcd2")
        call(members.urls[0], "/v3/maintenance/alarm", {"action": "DEACTIVATE", **alarm})

        assert ("etcd_data_sound", "etcd2") in violated(cluster, facts)
        await seen(cluster, lambda facts: facts.alarms == (), "no alarm")


async def test_writes_beyond_the_quota_are_told_as_space_exceeded(members: Members) -> None:
    url = members.urls[0]
    until(
        lambda: "space exceeded" in call(url, "/v3/kv/put", {"key": "a2V5", "value": VALUE}).text, "a full store", 15.0
    )

    async with opened(members, scrape=True) as cluster:
        facts = await diagnosed(cluster, "etcd_space_exceeded", "etcd1", "etcd2", "etcd3")
        happened = await cluster.subject.events(Window.last(60, cluster.clock.now()))

        broken = violated(cluster, facts)
        assert {"etcd_space_left", "etcd_db_within_quota", "etcd_member_healthy"} <= {name for name, _ in broken}
        raised = [event.says for event in happened.events if event.kind == "alarm_raised"]
        assert any("NOSPACE" in says for says in raised), raised
