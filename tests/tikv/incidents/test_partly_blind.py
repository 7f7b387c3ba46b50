"""A recorded cluster of which a part cannot be seen: the cause is named right, or not at all."""

import gzip
import shutil
from collections.abc import Callable
from datetime import timedelta
from json import loads
from pathlib import Path

import pytest

from opsai_subjects.differential import merge, rank
from opsai_subjects.fault import Sign
from opsai_subjects.opening import open_replay
from tests.tikv.incidents.told import FOLDERS, truth_of

pytestmark = pytest.mark.anyio


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


BLINDNESS = {
    "logs": _without_logs,
    "prometheus": _without_prometheus,
    "pd": _without_polls_of("pd"),
    "status": _without_polls_of("tikv"),
}


@pytest.mark.parametrize("unseen", BLINDNESS)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_no_wrong_cause_is_named(folder: Path, unseen: str, tmp_path: Path) -> None:
    truth = truth_of(folder)
    here = shutil.copytree(folder, tmp_path / folder.name)
    BLINDNESS[unseen](here)
    seen: list[tuple[object, tuple[Sign, ...]]] = []
    async with open_replay(here) as cluster:
        for back in (90, 60, 30, 0):
            cluster.clock.set(truth.end - timedelta(seconds=back))
            facts = await cluster.subject.facts()
            signs = cluster.subject.signs(facts)
            seen.append((facts.at, signs))
        found = rank(cluster.subject.kind.faults, merge(signs, seen[:-1]), cluster.subject.groups(facts)).causes
        names = {node.entity: {node.entity, node.name, node.address} for node in facts.nodes}
    for cause in found:
        assert truth.names(cause.kind, names.get(cause.entity, {cause.entity})), cause
