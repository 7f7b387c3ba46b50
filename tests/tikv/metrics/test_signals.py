"""Named metrics: each parses, has its unit, meaning and normal range, and finds its series in every recorded cluster."""

import dataclasses
import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from opsai_server.tools.shaping import is_list
from opsai_subjects.opening import open_replay
from opsai_subjects.promql.expression import Select
from opsai_subjects.promql.parsing import parse
from opsai_subjects.subject import Signal
from opsai_tikv.kind import KIND
from opsai_tikv.metrics import SIGNALS
from opsai_tikv.metrics.unseen import UNSEEN

pytestmark = pytest.mark.anyio
INCIDENTS = sorted(path for path in (Path(__file__).parents[3] / "compose" / "incidents").iterdir() if path.is_dir())
ALWAYS = [signal for signal in SIGNALS if not signal.needs]
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def selectors(promql: str) -> Iterator[Select]:
    return (node for node in walk(parse(promql.replace("$range", "1m"))) if isinstance(node, Select))


def walk(node: object) -> Iterator[object]:
    yield node
    if is_list(node):
        for item in node:
            yield from walk(item)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for field in dataclasses.fields(node):
            yield from walk(getattr(node, field.name))


def names(signal: Signal) -> set[str]:
    found = selectors(signal.promql)
    return {one.value for select in found for one in select.matchers if one.name == "__name__"}


def jobs(signal: Signal) -> set[tuple[str, str]]:
    found = selectors(signal.promql)
    return {(one.op, one.value) for select in found for one in select.matchers if one.name == "job"}


def recorded() -> set[str]:
    seen: set[str] = set()
    for folder in INCIDENTS:
        with gzip.open(folder / "metrics.jsonl.gz") as file:
            seen |= {orjson.loads(line)["metric"]["__name__"] for line in file}
    return seen


def test_each_metric_has_a_name_of_its_own_a_unit_a_meaning_a_normal_range_a_topic_and_a_grain() -> None:
    known = [signal.name for signal in SIGNALS]

    assert KIND.signals == SIGNALS
    assert len(known) >= 140
    assert len(known) == len(set(known))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", name) for name in known)
    assert all(signal.unit and signal.says and signal.normal and signal.topic for signal in SIGNALS)
    assert all(signal.grain > 0 for signal in SIGNALS)
    assert all(re.fullmatch(r"((TiDB )?v\d[\d.]*\+?(, )?)*", signal.versions) for signal in SIGNALS)


def test_the_stages_of_writes_and_reads_and_every_part_of_the_system_have_their_metrics() -> None:
    topics = {signal.topic for signal in SIGNALS}

    assert topics >= {
        "writes",
        "flow-control",
        "reads",
        "coprocessor",
        "raft",
        "raft-logs",
        "snapshots",
        "cpu",
        "engine",
        "blob",
    }
    assert topics >= {"disk", "memory", "locks", "gc", "resolved-ts", "cdc", "log-backup", "import", "callers", "hosts"}
    assert topics >= {"pd", "timestamps", "etcd", "regions", "scheduling", "hotspots", "pd-client"}


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_each_query_parses_with_any_rate_range(signal: Signal) -> None:
    for window in ("1m", "90s"):
        parse(signal.promql.replace("$range", window))
    assert "[$range]" in signal.promql or "rate(" not in signal.promql


def test_a_query_that_asks_for_a_job_fits_the_jobs_of_tiup_and_of_the_kubernetes_operator() -> None:
    asked = {job for signal in SIGNALS for job in jobs(signal)}

    assert asked
    for op, value in asked:
        assert op == "=~"
        role = "pd" if value.endswith(("pd", "pd)")) and "tikv" not in value else "tikv"
        assert all(re.fullmatch(value, job) for job in (role, f"ns-basic-{role}", f"db/{role}"))
        assert not any(re.fullmatch(value, job) for job in ("tidb", "tikv-ns-basic-tidb", "ticdc", "node"))


def test_each_name_was_recorded_or_its_source_is_told() -> None:
    asked = set[str]().union(*(names(signal) for signal in SIGNALS))
    told = {name for listed in UNSEEN.values() for name in listed}
    unseen = asked - recorded()

    assert {HISTOGRAM.sub("", name) if name not in told else name for name in unseen} == told


@pytest.mark.parametrize("folder", INCIDENTS, ids=lambda path: path.name)
async def test_each_metric_that_needs_nothing_has_series_on_a_cluster_that_is_well(folder: Path) -> None:
    """The first minute is warm-up and nothing is done to a cluster before its second is over."""
    async with open_replay(folder) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=75))
        metrics = cluster.subject.sources.metrics
        assert metrics is not None
        empty = [
            signal.name
            for signal in ALWAYS
            if not (await metrics.instant(signal.promql.replace("$range", "60s"))).series
        ]

    assert len(ALWAYS) > 140
    assert empty == []
