"""A recording made by us says what the cluster said, and nothing that stops the recorder loses what came before."""

import gzip
import json
import shutil
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from opsai_subjects.errors import RecordingCorrupt, RecordingNotWritten, SourceError
from opsai_subjects.opening import Cluster, open_replay
from opsai_subjects.recording.finishing import finish
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.recorder import Wish, begin
from opsai_subjects.recording.unfinished import FOLDER
from opsai_subjects.redaction import MASK
from opsai_subjects.registry import subject_kind
from tests.subjects.recording.making import INCIDENT, START, failed, make, poll, series
from tests.subjects.recording.opened import INCIDENTS
from tests.subjects.recording.pacing import SteppedPace, copied

pytestmark = pytest.mark.anyio

MEMBERS = json.dumps(
    {
        "members": [{"name": "pd1", "member_id": 1, "client_urls": ["http://10.0.0.1:2379"]}],
        "leader": {"name": "pd1", "member_id": 1, "client_urls": ["http://10.0.0.1:2379"]},
    }
)
CONFIG = '{"log":{"level":"info"},"security":{"secret-access-key":"hunter2","kms":"http://me:hunter2@kms/"}}'
STORES = "/pd/api/v1/stores?state=0&state=1&state=2"


async def said(cluster: Cluster) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what is judged of a cluster, but for where its nodes are served just now."""
    facts = await cluster.subject.facts()
    return {(one.invariant, one.entity): (one.state, one.says) for one in cluster.subject.judge(facts)}


def thinned(folder: Path) -> Path:
    """A shipped recording with those metrics alone that its adapter's own queries read: a third of them."""
    shutil.copytree(INCIDENTS / "amber-heron", folder)
    wanted = subject_kind("tikv").scraped
    lines = gzip.decompress((folder / "metrics.jsonl.gz").read_bytes()).splitlines(keepends=True)
    kept = [line for line in lines if line.split(b'"__name__":"')[1].split(b'"')[0].decode() in {*wanted, "up"}]
    (folder / "metrics.jsonl.gz").write_bytes(gzip.compress(b"".join(kept), 1))
    return folder


async def test_a_copy_of_a_recorded_cluster_says_and_holds_what_the_original_does(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    async with open_replay(thinned(tmp_path / "original")) as original:
        since = original.recording.incident.start + timedelta(seconds=106)
        until = since + timedelta(seconds=60)
        await copied(original, folder, since, seconds=60, every=30)
        done = finish(folder)
        async with open_replay(folder, until) as copy:
            original.clock.set(until)

            expected, heard = await said(original), await said(copy)

            assert expected.keys() == heard.keys()
            assert {state for state, _ in expected.values()} >= {"held", "violated"}
            assert {key: (heard[key], one) for key, one in expected.items() if heard[key] != one} == {}
        window = since.timestamp(), (until - timedelta(seconds=10)).timestamp()
        theirs = original.recording.samples.select((), *window)
        ours = open_recording(folder).samples.select((), *window)
        for name in ("up", "tikv_raftstore_region_count", "pd_scheduler_store_status"):
            assert points(ours, name) == points(theirs, name) != {}
    assert done.notes == ()


def points(selection: object, name: str) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for one in selection:  # type: ignore[attr-defined]  # a Selection
        labels = dict(one.labels)
        if labels["__name__"] == name and len(one.t):
            found[str(sorted(labels.items()))] = [(t, str(v)) for t, v in zip(one.t, one.v, strict=True)]
    return found


def small(folder: Path) -> Path:
    """A cluster of one PD that is seen for a minute, then hangs."""
    polls = [
        one
        for second in range(0, 60, 5)
        for one in (
            poll(second, "/pd/api/v1/members", MEMBERS),
            poll(second, STORES, '{"count":0,"stores":[]}'),
            poll(second, "/pd/api/v1/config", CONFIG),
            poll(second, "/pd/api/v1/status", "{}"),
            poll(second, "/pd/api/v1/status", "{}", local=True),
            poll(second, "/pd/api/v1/members", MEMBERS, local=True),
        )
    ]
    polls += [
        one for second in range(60, 90, 5) for one in (failed(second, "/pd/api/v1/members"), failed(second, STORES))
    ]
    up = series("up", [1] * 18, job="pd", instance="10.0.0.1:2379")
    log = '[2026/03/01 12:00:20.000 +00:00] [INFO] [main.rs:1] ["region split"] [key=7480000000000000FF]\n'
    incident = {**INCIDENT, "nodes": INCIDENT["nodes"][:1]}
    return make(folder, polls=polls, samples=[up], logs={"pd1": log}, incident=incident)


async def recorded(tmp_path: Path, seconds: float = 80) -> Path:
    folder = tmp_path / "copy"
    async with open_replay(small(tmp_path / "original")) as cluster:
        since = cluster.recording.incident.start + timedelta(seconds=5)
        await copied(cluster, folder, since, seconds=seconds, every=5)
    return folder


def content(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


async def test_secrets_never_land_in_it_and_row_keys_of_logs_do_not(tmp_path: Path) -> None:
    folder = await recorded(tmp_path)
    finish(folder)

    everything = "".join(content(file) for file in folder.rglob("*.gz")) + (folder / "incident.json").read_text()

    assert "hunter2" not in everything
    assert '\\"level\\":\\"info\\"' in everything
    assert content(folder / "logs" / "pd1.log.gz") == (
        f'[2026/03/01 12:00:20.000 +00:00] [INFO] [main.rs:1] ["region split"] [key={MASK}]\n'
    )


async def test_a_node_that_hangs_is_recorded_as_one_and_two_errors_end_its_round(tmp_path: Path) -> None:
    folder = await recorded(tmp_path)
    finish(folder)

    lines = [json.loads(line) for line in content(folder / "http" / "polls.jsonl.gz").splitlines()]
    late = [line for line in lines if line["at"] > START + 60]

    assert {line["error"].partition(":")[0] for line in late} == {"TimeoutError"}
    assert {sum(line["at"] == at for line in late) for at in {line["at"] for line in late}} == {2}


async def test_a_killed_recorder_leaves_what_opening_names_and_finishing_makes_readable(tmp_path: Path) -> None:
    folder = await recorded(tmp_path, seconds=40)
    polls = folder / FOLDER / "polls.jsonl"
    polls.write_bytes(polls.read_bytes()[:-30])  # as a kill leaves it: in the middle of a line
    parts = folder / FOLDER / "parts"
    parts.write_bytes(parts.read_bytes() + b"half a part")

    with pytest.raises(RecordingCorrupt, match=r"not finished.*opsai record --finish"):
        open_recording(folder)
    done = finish(folder)

    recording = open_recording(folder)
    recording.verify()
    assert recording.incident.end == done.end
    assert (done.end - done.start).total_seconds() == pytest.approx(40, abs=5)
    assert not (folder / FOLDER).exists()
    with pytest.raises(RecordingCorrupt, match="nothing to finish"):
        finish(folder)


async def test_a_full_disk_ends_it_with_a_word_and_keeps_what_came_before(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    async with open_replay(small(tmp_path / "original")) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=5))
        recorder = await begin(cluster.subject, Wish(folder, every_seconds=5, for_seconds=60), None)
        (folder / FOLDER / "bodies.jsonl").symlink_to("/dev/full")

        with pytest.raises(RecordingNotWritten, match=r"No space left on device.*--finish"), anyio.fail_after(10):
            await recorder.run(SteppedPace(cluster.clock, 5))

    with pytest.raises(RecordingCorrupt, match="not finished"):
        open_recording(folder)


async def test_it_ends_by_itself_when_it_has_written_as_much_as_it_may(tmp_path: Path) -> None:
    async with open_replay(small(tmp_path / "original")) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=5))
        recorder = await begin(cluster.subject, Wish(tmp_path / "copy", most_bytes=1000), None)

        await recorder.run(SteppedPace(cluster.clock, 5))

    assert "the most it may take" in recorder.ended
    assert recorder.cost.written_bytes < 3000
    assert finish(tmp_path / "copy").polls > 0


async def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    async with open_replay(small(tmp_path / "original")) as cluster:
        with pytest.raises(RecordingNotWritten, match="not an empty folder"):
            await begin(cluster.subject, Wish(tmp_path), None)


async def test_a_cluster_that_nobody_tells_the_nodes_of_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    polls = [failed(0, "/pd/api/v1/members"), failed(0, STORES)]
    async with open_replay(make(tmp_path / "original", polls=polls)) as cluster:
        with pytest.raises(SourceError):
            await begin(cluster.subject, Wish(tmp_path / "copy"), None)

    assert not (tmp_path / "copy").exists()
