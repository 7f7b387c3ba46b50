"""Opening a recording: quick, and whatever is wrong with its files is named with file and line."""

import gzip
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from opsai_subjects.errors import RecordingCorrupt
from opsai_subjects.recording.folder import Recording, open_recording
from tests.subjects.recording.making import INCIDENT, make, packed, poll, series


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return make(
        tmp_path / "made",
        polls=[poll(0, "/pd/api/v1/ping"), poll(1, "/pd/api/v1/members", '{"members":[]}')],
        samples=[series("up", [1, "stale"], job="pd")],
        logs={"pd1": "text"},
    )


def test_a_recording_says_what_it_is_of(whole: Path) -> None:
    recording = open_recording(whole)

    assert recording.folder == whole
    assert [(node.name, node.role, node.address) for node in recording.incident.nodes] == [
        ("pd1", "pd", "10.0.0.1:2379"),
        ("tikv1", "tikv", "10.0.0.2:20160"),
    ]
    assert (recording.incident.end - recording.incident.start).total_seconds() == 300
    assert recording.samples.names == ("up",)
    assert list(recording.logs) == ["pd1"]
    recording.verify()


def test_every_shipped_recording_is_whole(incidents: Path) -> None:
    names = sorted(folder.name for folder in incidents.iterdir() if folder.is_dir())

    assert len(names) == 10
    for name in names:
        recording = open_recording(incidents / name)
        assert recording.incident.name == name
        assert sorted(recording.logs) == sorted(node.name for node in recording.incident.nodes)
        assert not (incidents / name / "client.jsonl.gz").exists()


def test_a_shipped_recording_can_be_parsed_to_its_last_line(incidents: Path) -> None:
    open_recording(incidents / "lunar-toad").verify()


def test_a_recording_opens_before_a_reader_grows_impatient(incidents: Path) -> None:
    began = time.process_time()
    open_recording(incidents / "amber-heron")

    assert time.process_time() - began < 1.5


def edit(file: str, content: bytes | None) -> Callable[[Path], None]:
    def broken(folder: Path) -> None:
        if content is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(content)

    return broken


def cut(file: str) -> Callable[[Path], None]:
    def broken(folder: Path) -> None:
        whole = (folder / file).read_bytes()
        (folder / file).write_bytes(whole[: len(whole) * 2 // 3])

    return broken


def incident(changes: Mapping[str, Any]) -> bytes:
    return json.dumps({**INCIDENT, **changes}).encode()


METRICS, POLLS, BODIES, LOG = "metrics.jsonl.gz", "http/polls.jsonl.gz", "http/bodies.jsonl.gz", "logs/pd1.log.gz"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (edit("incident.json", None), "incident.json: the file is missing."),
        (edit("incident.json", b'{"format": 1,'), "incident.json, line 1: not JSON ("),
        (edit("incident.json", b"[]"), "incident.json, line 1: not a JSON object"),
        (edit("incident.json", incident({"format": 2})), "incident.json: format 2, and this opsai reads format 1."),
        (edit("incident.json", incident({"end": "soon"})), "incident.json: end: Input should be a valid datetime"),
        (
            edit("incident.json", incident({"end": "2026-03-01T12:05:00"})),
            "incident.json: end: Value error, a time without a zone",
        ),
        (edit("incident.json", incident({"end": INCIDENT["start"]})), "incident.json: it ends before it starts"),
        (edit("incident.json", incident({"nodes": [{"name": "pd1"}]})), "incident.json: nodes.0.role: Field required"),
        (edit("incident.json", incident({"nodes": []})), "incident.json: nodes: Tuple should have at least 1 item"),
        *((edit(file, None), f"{file}: the file is missing") for file in (METRICS, POLLS, BODIES)),
        *(
            (cut(file), f"{file}: the file is cut off: its gzip stream does not end")
            for file in (METRICS, POLLS, BODIES)
        ),
        *((edit(file, b"text"), f"{file}: the file is not whole gzip") for file in (METRICS, POLLS, BODIES)),
        (edit(POLLS, gzip.compress(b'{"at": 1}\nnope\n')), f"{POLLS}, line 1: a poll without at, node and path"),
        (edit(POLLS, packed([poll(0, "/"), 7])), f"{POLLS}, line 2: not a JSON object"),
        (
            edit(POLLS, packed([{"at": 1, "node": "pd1", "path": "/"}])),
            f"{POLLS}, line 1: a poll with neither an error nor",
        ),
        (
            edit(POLLS, packed([poll(2, "/"), poll(1, "/")])),
            f"{POLLS}, line 2: a poll of 'pd1' that is earlier than the one before",
        ),
        (
            edit(POLLS, packed([poll(0, "/x", "unheard")])),
            f"{POLLS}, line 1: names the body '047e9b3fcadd763c', which bodies.jsonl.gz",
        ),
        (
            edit(POLLS, packed([poll(0, "/pd/api/v1/ping", node="pd9")])),
            f"{POLLS}: polls of 'pd9', which incident.json does not name",
        ),
        (edit(BODIES, packed([{"body": "x"}])), f"{BODIES}, line 1: not a body"),
        (edit(BODIES, gzip.compress(b'\n{"sha": "ab", "bo\n')), f"{BODIES}, line 2: not a body"),
        (edit(METRICS, packed([series("up", [1]), {"t": [], "v": []}])), f"{METRICS}, line 2: not a series"),
        (
            edit(METRICS, gzip.compress(b'{"metric":{"__name__":"up"},"t":[1],"v":[1')),
            f"{METRICS}, line 1: not a series",
        ),
    ],
)
def test_what_is_wrong_is_named_when_the_recording_is_opened(
    whole: Path, broken: Callable[[Path], None], says: str
) -> None:
    broken(whole)
    with pytest.raises(RecordingCorrupt) as corrupt:
        open_recording(whole)

    assert str(corrupt.value).startswith(f"{whole}/{says}")


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": [1, 2], "v": [1]}])),
            f"{METRICS}, line 1: 2 times and 1 values",
        ),
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": [1, 0], "v": [1, 1]}])),
            f"{METRICS}, line 1: times that do not ascend",
        ),
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": ["a"], "v": [1]}])),
            f"{METRICS}, line 1: a time that is no whole",
        ),
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": [1], "v": ["old"]}])),
            f"{METRICS}, line 1: a value that is neither",
        ),
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": [1], "v": [None]}])),
            f"{METRICS}, line 1: a value that is neither",
        ),
        (
            edit(METRICS, packed([{"metric": {"__name__": "up"}, "t": 1}])),
            f"{METRICS}, line 1: not a series: metric, t and v",
        ),
        (
            edit(METRICS, gzip.compress(b'{"metric":{"__name__":"up"},"t":[1],"v":[1}')),
            f"{METRICS}, line 1: not JSON (",
        ),
        (edit(LOG, b"text"), f"{LOG}: the file is not whole gzip"),
        (cut(LOG), f"{LOG}: the file is cut off"),
    ],
)
def test_what_is_parsed_later_is_found_by_verifying(whole: Path, broken: Callable[[Path], None], says: str) -> None:
    broken(whole)
    recording: Recording = open_recording(whole)
    with pytest.raises(RecordingCorrupt) as corrupt:
        recording.verify()

    assert str(corrupt.value).startswith(f"{whole}/{says}")


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(
        RecordingCorrupt, match=r"'.*/nowhere' is not a folder\. A recording is a folder with incident.json in it\."
    ):
        open_recording(tmp_path / "nowhere")
