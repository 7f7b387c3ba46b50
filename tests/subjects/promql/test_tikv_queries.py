"""Every named query on a TiKV cluster is evaluated on a recorded one."""

import pytest

from opsai_subjects.promql.engine import Engine
from tests.subjects.promql import recorded
from tests.subjects.promql.tikv_queries import QUERIES

ABSENT_HERE = 40
"""So many at most find nothing: no node exporter, no event of that kind, another version."""


@pytest.fixture(scope="module")
def samples() -> recorded.RecordedSamples:
    return recorded.samples()


@pytest.fixture(scope="module")
def cluster(samples: recorded.RecordedSamples) -> tuple[Engine, float, float]:
    start, end = recorded.stretch(samples.series("up"))
    return Engine(samples), start, end


@pytest.mark.parametrize("name", QUERIES)
def test_a_named_query_is_evaluated(cluster: tuple[Engine, float, float], name: str) -> None:
    held, start, end = cluster
    instant = held.instant(QUERIES[name], end - 30)
    assert instant.kind == "vector"
    over_time = held.range(QUERIES[name], start + 60, end, 15)
    assert len(over_time.series) >= len(instant.series)


def test_most_named_queries_find_something(cluster: tuple[Engine, float, float]) -> None:
    held, start, end = cluster
    empty = [name for name, query in QUERIES.items() if not held.range(query, start + 60, end, 15).series]
    assert len(empty) <= ABSENT_HERE, empty
