"""Whether a cluster that has come up can be seen."""

import pytest

from opsai_lab.seeing import until_seen
from opsai_lab.targets.target import Endpoints
from opsai_subjects.config import ClusterSettings

pytestmark = pytest.mark.anyio


def told() -> tuple[list[str], Endpoints]:
    return [], Endpoints(cluster=ClusterSettings(subject="etcd", endpoints=("http://127.0.0.1:9",)))


async def test_where_nothing_can_be_seen_it_says_what_and_does_not_wait() -> None:
    lines, endpoints = told()
    blind = await until_seen("gone", endpoints, lines.append, seconds=600)
    assert [sight.source for sight in blind][:1] != []
    assert lines == []


async def test_a_system_without_an_adapter_is_up_and_cannot_be_looked_at() -> None:
    lines, _ = told()
    endpoints = Endpoints(cluster=ClusterSettings(subject="abacus", endpoints=("http://127.0.0.1:9",)))
    (sight,) = await until_seen("beads", endpoints, lines.append)
    assert sight.source == "beads"
    assert "There is no subject 'abacus'" in sight.says
