"""Recorded clusters are judged right: well while they are well, and sick in the part that is."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsai_subjects.differential import merge, rank
from opsai_subjects.fault import Sign
from opsai_subjects.opening import open_replay
from tests.tikv.incidents.told import FOLDERS, truth_of

pytestmark = pytest.mark.anyio

WARM_UP = timedelta(seconds=60)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_nothing_is_violated_before_the_fault(folder: Path) -> None:
    injected = truth_of(folder).injected
    async with open_replay(folder) as cluster:
        moment = cluster.recording.incident.start + WARM_UP
        while moment < injected:
            cluster.clock.set(moment)
            verdicts = cluster.subject.judge(await cluster.subject.facts())
            assert [verdict for verdict in verdicts if verdict.state == "violated"] == []
            moment += timedelta(seconds=15)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_the_differential_names_the_cause_and_nothing_else(folder: Path) -> None:
    truth = truth_of(folder)
    seen: list[tuple[datetime, tuple[Sign, ...]]] = []
    async with open_replay(folder) as cluster:
        for back in (90, 60, 30, 0):
            cluster.clock.set(truth.end - timedelta(seconds=back))
            facts = await cluster.subject.facts()
            signs = cluster.subject.signs(facts)
            seen.append((facts.at, signs))
        found = rank(cluster.subject.kind.faults, merge(signs, seen[:-1]), cluster.subject.groups(facts)).causes
        violated = [verdict for verdict in cluster.subject.judge(facts) if verdict.state == "violated"]
        names = {node.entity: {node.entity, node.name, node.address} for node in facts.nodes}
    active = [cause for cause in found if cause.active]
    assert [cause.kind.split("/")[0] for cause in active] == [kind for kind, _ in truth.causes]
    for cause in active:
        assert truth.names(cause.kind, names.get(cause.entity, {cause.entity}))
    assert bool(violated) is not truth.healthy
