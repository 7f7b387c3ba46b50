"""A recorded cluster of which a part cannot be seen, or is seen seldom: the cause is named right, or not at all."""

import gzip
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from orjson import dumps, loads

from opsai_subjects.differential import merge, rank
from opsai_subjects.fault import Candidate, Sign
from opsai_subjects.opening import open_replay
from tests.tikv.incidents.told import FOLDERS, Truth, truth_of

pytestmark = pytest.mark.anyio

SCRAPE_MS = 5000


def _without_logs(folder: Path) -> None:
    for log in (folder / "logs").iterdir():
        log.unlink()


def _without_prometheus(folder: Path) -> None:
    (folder / "metrics.jsonl.gz").write_bytes(gzip.compress(b""))


def _without_polls_of(role: str) -> Callable[[Path], None]:
    def drop(folder: Path) -> None:
        polls = folder / "http" / "polls.jsonl.gz"
        kept = [
            line
            for line in gzip.decompress(polls.read_bytes()).splitlines(keepends=True)
            if not str(loads(line)["node"]).startswith(role)
        ]
        polls.write_bytes(gzip.compress(b"".join(kept), compresslevel=1))

    return drop


def _with_scrapes_apart(folder: Path, times: int) -> None:
    """Keep each so many-th scrape, and every mark of staleness."""
    metrics = folder / "metrics.jsonl.gz"
    kept: list[bytes] = []
    for line in gzip.decompress(metrics.read_bytes()).splitlines():
        series = loads(line)
        at = list(accumulate(series["t"]))
        chosen = [
            index
            for index, value in enumerate(series["v"])
            if value == "stale" or round(at[index] / SCRAPE_MS) % times == 0
        ]
        moments = [at[index] for index in chosen]
        series["t"] = [after - before for before, after in pairwise((0, *moments))]
        series["v"] = [series["v"][index] for index in chosen]
        if chosen:
            kept.append(dumps(series))
    metrics.write_bytes(gzip.compress(b"\n".join(kept), compresslevel=1))
    described = folder / "incident.json"
    incident = loads(described.read_bytes())
    described.write_bytes(dumps(incident | {"scrape_interval_seconds": 5 * times}))


BLINDNESS = {
    "logs": _without_logs,
    "prometheus": _without_prometheus,
    "pd": _without_polls_of("pd"),
    "status": _without_polls_of("tikv"),
}


async def _causes(folder: Path, truth: Truth) -> list[tuple[Candidate, bool]]:
    """Return the causes at the incident's end, seen over its last minutes, and whether each is right."""
    seen: list[tuple[datetime, tuple[Sign, ...]]] = []
    async with open_replay(folder) as cluster:
        for back in (90, 60, 30, 0):
            cluster.clock.set(truth.end - timedelta(seconds=back))
            facts = await cluster.subject.facts()
            signs = cluster.subject.signs(facts)
            seen.append((facts.at, signs))
        found = rank(cluster.subject.kind.faults, merge(signs, seen[:-1]), cluster.subject.groups(facts)).causes
        names = {node.entity: {node.entity, node.name, node.address} for node in facts.nodes}
    return [(cause, truth.names(cause.kind, names.get(cause.entity, {cause.entity}))) for cause in found]


@pytest.mark.parametrize("unseen", BLINDNESS)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_no_wrong_cause_is_named(folder: Path, unseen: str, tmp_path: Path) -> None:
    here = shutil.copytree(folder, tmp_path / folder.name)
    BLINDNESS[unseen](here)
    assert [cause for cause, right in await _causes(here, truth_of(folder)) if not right] == []


@pytest.mark.parametrize("times", [3, 6])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_the_cause_is_named_where_scrapes_are_far_apart(folder: Path, times: int, tmp_path: Path) -> None:
    truth = truth_of(folder)
    here = shutil.copytree(folder, tmp_path / folder.name)
    _with_scrapes_apart(here, times)
    assert [right for _, right in await _causes(here, truth)] == [True] * len(truth.causes)
