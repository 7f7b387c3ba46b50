"""compare_windows on the recordings: from the moment something was done, its first rows name the part that is sick."""

from pathlib import Path

import anyio.lowlevel
import pytest

from opsai_server.tickets.store import open_store
from opsai_server.tools.compare_windows import compare_windows
from opsai_server.tools.desk import Desk
from opsai_server.tools.query_metrics import query_metrics
from opsai_server.tools.shaping import compact, plain, render
from opsai_subjects.config import Settings
from opsai_subjects.contrast import UNUSUAL
from opsai_subjects.opening import open_replay
from opsai_tikv.metrics import SIGNALS
from tests.tikv.incidents.told import FOLDERS, truth_of

pytestmark = pytest.mark.anyio
LOAD = frozenset({"load", "region"})
"""Causes that sit in no node: metrics show which node bears them."""
FIRST = 5
CHARS = 4_000
SICK = [folder for folder in FOLDERS if not truth_of(folder).healthy]
QUIET = "birch-lynx"


async def compared(folder: Path, tmp_path: Path) -> tuple[list[dict[str, object]], dict[str, object], set[str]]:
    """Return the rows, the reply, and the names of the entities of the first rows."""
    truth = truth_of(folder)
    settings = Settings(store=tmp_path / "opsai.sqlite")
    async with open_replay(folder) as cluster, open_store(settings.store) as store:
        cluster.clock.set(truth.end)
        desk = Desk(cluster, store, settings)
        answer = await compare_windows(desk, start=truth.injected.isoformat())
        facts = await desk.names()
    names = {node.entity: {node.entity, node.name, node.address} for node in facts.nodes}
    reply = render({}, answer.shown)
    rows = reply["rows"]
    assert isinstance(rows, list)
    found = [row for row in rows if isinstance(row, dict)]
    first = set[str]().union(*(names.get(str(row.get("entity")), set[str]()) for row in found[:FIRST]))
    return [dict(row) for row in found], dict(reply), first


@pytest.mark.parametrize("folder", SICK, ids=lambda folder: folder.name)
async def test_the_first_five_rows_name_what_is_sick(folder: Path, tmp_path: Path) -> None:
    rows, reply, first = await compared(folder, tmp_path)
    ours = set[str]().union(*(entities for _, entities in truth_of(folder).causes))

    assert ours & first or ours <= LOAD
    score = rows[0]["score"]
    assert isinstance(score, float)
    assert score >= UNUSUAL
    assert "unread" not in reply
    assert len(compact(plain(reply))) <= CHARS


async def test_on_a_quiet_cluster_every_score_is_low_and_it_is_said(tmp_path: Path) -> None:
    folder = next(folder for folder in FOLDERS if folder.name == QUIET)
    rows, reply, _ = await compared(folder, tmp_path)

    assert str(reply["says"]).startswith("Nothing unusual")
    assert all(isinstance(row["score"], int | float) and row["score"] < UNUSUAL / 2 for row in rows)


async def test_the_replies_about_all_named_metrics_are_short(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "opsai.sqlite")
    async with open_replay(SICK[0]) as cluster, open_store(settings.store) as store:
        cluster.clock.set(cluster.recording.incident.end)
        desk = Desk(cluster, store, settings)
        sizes: list[int] = []
        for signal in SIGNALS:
            answer = await query_metrics(desk, name=signal.name)
            sizes.append(len(compact(render({}, answer.shown))))
            await anyio.lowlevel.checkpoint()

    assert sorted(sizes)[len(sizes) // 2] <= CHARS / 2
    assert max(sizes) <= 2 * CHARS
