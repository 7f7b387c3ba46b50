"""Named metrics: each parses, has its unit, meaning and normal range, and finds its series in every recorded cluster."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from opsai_subjects.opening import open_replay
from opsai_subjects.promql.parsing import parse
from opsai_subjects.subject import Signal
from opsai_tikv.kind import KIND
from opsai_tikv.metrics import ABSENT_WHILE_WELL, SIGNALS

pytestmark = pytest.mark.anyio
INCIDENTS = sorted(path for path in (Path(__file__).parents[3] / "compose" / "incidents").iterdir() if path.is_dir())


def test_each_metric_has_a_name_of_its_own_a_unit_a_meaning_and_a_normal_range() -> None:
    names = [signal.name for signal in SIGNALS]

    assert KIND.signals == SIGNALS
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", name) for name in names)
    assert all(signal.unit and signal.says and signal.normal for signal in SIGNALS)
    assert set(names) >= ABSENT_WHILE_WELL


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_each_query_parses_with_any_rate_range(signal: Signal) -> None:
    for window in ("1m", "90s"):
        parse(signal.promql.replace("$range", window))
    assert "[$range]" in signal.promql or "rate(" not in signal.promql


@pytest.mark.parametrize("folder", INCIDENTS, ids=lambda path: path.name)
async def test_each_metric_has_series_on_a_cluster_that_is_well(folder: Path) -> None:
    """The first minute is warm-up and nothing is done to a cluster before its second is over."""
    async with open_replay(folder) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=75))
        metrics = cluster.subject.sources.metrics
        assert metrics is not None
        empty = [
            signal.name
            for signal in SIGNALS
            if not (await metrics.instant(signal.promql.replace("$range", "60s"))).series
        ]

    assert set(empty) <= ABSENT_WHILE_WELL
