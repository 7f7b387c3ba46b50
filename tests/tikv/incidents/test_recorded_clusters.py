"""Recorded clusters are judged right: well while they are well, and sick in the part that is."""

from datetime import datetime, timedelta
from json import loads
from pathlib import Path

import pytest

from opsai_subjects.differential import merge, rank
from opsai_subjects.fault import Sign
from opsai_subjects.opening import ReplayCluster, open_replay
from tests.subjects.recording.opened import INCIDENTS

pytestmark = pytest.mark.anyio

FOLDERS = sorted(folder for folder in INCIDENTS.iterdir() if (folder / "truth.json").is_file())
WARM_UP = timedelta(seconds=60)


def _truth(folder: Path) -> tuple[datetime, datetime, list[dict[str, object]], bool]:
    truth = loads((folder / "truth.json").read_text(encoding="utf-8"))
    times = [datetime.fromisoformat(truth[name]) for name in ("injected_at", "incident_end")]
    return times[0], times[1], truth["causes"], truth["healthy"]


def _aliases(cluster: ReplayCluster, entity: str) -> set[str]:
    names = cluster.settings.names
    return {entity, names.get(entity, entity)}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_nothing_is_violated_before_the_fault(folder: Path) -> None:
    injected, _, _, _ = _truth(folder)
    async with open_replay(folder) as cluster:
        moment = cluster.recording.incident.start + WARM_UP
        while moment < injected:
            cluster.clock.set(moment)
            verdicts = cluster.subject.judge(await cluster.subject.facts())
            assert [verdict for verdict in verdicts if verdict.state == "violated"] == []
            moment += timedelta(seconds=15)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_the_differential_names_the_cause_and_nothing_else(folder: Path) -> None:
    _, end, causes, healthy = _truth(folder)
    seen: list[tuple[datetime, tuple[Sign, ...]]] = []
    async with open_replay(folder) as cluster:
        for back in (90, 60, 30, 0):
            cluster.clock.set(end - timedelta(seconds=back))
            facts = await cluster.subject.facts()
            signs = cluster.subject.signs(facts)
            seen.append((facts.at, signs))
        found = rank(cluster.subject.kind.faults, merge(signs, seen[:-1]), cluster.subject.groups(facts)).causes
        violated = [verdict for verdict in cluster.subject.judge(facts) if verdict.state == "violated"]
        nodes = {node.entity: {node.entity, node.name, node.address} for node in facts.nodes}
    active = [cause for cause in found if cause.active]
    assert [cause.kind.split("/")[0] for cause in active] == [cause["kind"] for cause in causes]
    for cause, truth in zip(active, causes, strict=True):
        assert nodes.get(cause.entity, {cause.entity}) & set(truth["entities"])  # type: ignore[call-overload]  # JSON
    assert bool(violated) is not healthy
