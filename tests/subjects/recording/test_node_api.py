"""A recorded node over HTTP, asked by the ordinary client: real recordings of nodes that died, hung and were cut off."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsai_subjects.errors import (
    NotRecorded,
    OpsaiError,
    RecordingCorrupt,
    SourceError,
    SourceRefused,
    SourceTimedOut,
    SourceUnreachable,
)
from opsai_subjects.opening import ReplayCluster, open_replay
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.serve import serve
from tests.subjects.recording.making import make, poll, sha
from tests.subjects.recording.opened import Replay

pytestmark = pytest.mark.anyio
LOCAL = {"PD-Allow-follower-handle": "true"}
STORES = "/pd/api/v1/stores"


async def ask(cluster: ReplayCluster, address: str, path: str, **how: Any) -> str:
    """Return the body, or the class of what was raised in its place."""
    try:
        reply = await cluster.subject.sources.web.get(
            f"http://{cluster.settings.addresses[address]}{path}", of=address, **how
        )
    except SourceError as error:
        return type(error).__name__
    return reply.text


async def test_a_killed_store_refuses_whatever_it_is_asked_until_it_is_back(replay: Replay) -> None:
    store = "10.77.0.23:20180"
    async with replay("amber-heron", 60) as cluster:
        healthy = [await ask(cluster, store, path) for path in ("/status", "/config")]
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=160))
        dead = [await ask(cluster, store, path) for path in ("/status", "/ready", "/config")]
        alive = await ask(cluster, "10.77.0.22:20180", "/config")
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=250))
        back = await ask(cluster, store, "/status")

    assert healthy[0] == ""
    assert healthy[1].startswith('{"slow-log-file":')
    assert dead == ["SourceUnreachable"] * 3
    assert alive.startswith("{")
    assert back == ""


async def test_a_stopped_store_lets_every_question_time_out_at_once(replay: Replay) -> None:
    async with replay("ebony-tern", 150) as cluster:
        began = cluster.recording.incident.start
        for seconds in (101, 102.9, 104, 128, 180):
            cluster.clock.set(began + timedelta(seconds=seconds))
            assert [await ask(cluster, "10.77.0.22:20180", path) for path in ("/status", "/config")] == [
                "SourceTimedOut"
            ] * 2

        with pytest.raises(
            SourceTimedOut, match=r"Asked tikv2 for /status: no whole answer within 10 s\. Try: see whether"
        ):
            await cluster.subject.sources.web.get(
                f"http://{cluster.settings.addresses['10.77.0.22:20180']}/status", of="tikv2"
            )


async def test_without_a_quorum_dead_members_refuse_and_the_last_one_says_what_it_said(replay: Replay) -> None:
    async with replay("lunar-toad", 150) as cluster:
        dead = [
            await ask(cluster, f"10.77.0.1{n}:2379", path)
            for n in (1, 2)
            for path in ("/pd/api/v1/members", "/pd/api/v1/config")
        ]
        last = "10.77.0.13:2379"
        alone = [
            await ask(cluster, last, "/pd/api/v1/members", headers=LOCAL),
            await ask(cluster, last, "/pd/api/v1/leader"),
        ]
        with pytest.raises(SourceRefused) as refused:
            await cluster.subject.sources.web.get(
                f"http://{cluster.settings.addresses[last]}/pd/api/v1/stores", of="pd3"
            )

    assert dead == ["SourceUnreachable"] * 4
    assert alone == ["SourceTimedOut", "SourceRefused"]
    assert refused.value.status in (500, 503)
    assert refused.value.body


async def test_a_path_that_was_never_asked_is_not_recorded_and_the_cluster_was_not_asked(replay: Replay) -> None:
    async with replay("amber-heron", 60) as cluster:
        url = f"http://{cluster.settings.addresses['10.77.0.21:20180']}/pd/api/v1/members"
        with pytest.raises(NotRecorded) as failed:
            await cluster.subject.sources.web.get(url, of="status:store:4", asked="the members")

    assert str(failed.value) == (
        "Asked status:store:4 for the members: not recorded (as of 2026-11-23T23:05:13.194000+00:00). "
        "Try: another question: the recording holds no answer to this one"
    )


async def test_an_address_outside_the_recording_is_never_dialled(replay: Replay) -> None:
    async with replay("amber-heron", 60) as cluster:
        for url in (
            "http://10.77.0.11:2379/pd/api/v1/members",
            "http://tikv-9.sim:20180/status",
            "http://127.0.0.1:1/status",
        ):
            with pytest.raises(NotRecorded):
                await cluster.subject.sources.web.get(url, of="somebody")


async def test_a_members_own_view_is_another_question(replay: Replay, tmp_path: Path) -> None:
    polls = [
        poll(1, STORES, "leader's"),
        poll(1, "/pd/api/v1/members", "leader's"),
        poll(1, "/pd/api/v1/members", "own", local=True),
    ]
    folder = make(tmp_path / "made", polls=polls)
    async with open_replay(folder) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=2))
        address = "10.0.0.1:2379"

        assert await ask(cluster, address, "/pd/api/v1/members") == "leader's"
        assert await ask(cluster, address, "/pd/api/v1/members", headers=LOCAL) == "own"
        assert await ask(cluster, address, STORES, headers=LOCAL) == "NotRecorded"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["up", "gone"]),
        ("?state=0", ["up"]),
        ("?state=1", ["gone"]),
        ("?state=2", ["buried"]),
        ("?state=2&state=0", ["up", "buried"]),
        ("?state=2&state=1&state=0", ["up", "gone", "buried"]),
    ],
)
async def test_stores_of_any_state_are_answered_from_the_recorded_list_of_all(
    tmp_path: Path, query: str, names: list[str]
) -> None:
    states = {"up": "Disconnected", "gone": "Offline", "buried": "Tombstone"}
    stores = ",".join(json.dumps({"store": {"address": name, "state_name": state}}) for name, state in states.items())
    recorded = poll(1, f"{STORES}?state=0&state=1&state=2", f'{{"count":3,"stores":[{stores}]}}')
    async with open_replay(make(tmp_path / "made", polls=[recorded])) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=2))
        reply = await cluster.subject.sources.web.get(
            f"http://{cluster.settings.addresses['10.0.0.1:2379']}{STORES}{query}", of="pd1"
        )
    body: Any = reply.json()

    assert [entry["store"]["address"] for entry in body["stores"]] == names
    assert body["count"] == len(names)


async def test_a_recorded_status_and_body_come_back_as_they_were(tmp_path: Path) -> None:
    text = "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n"
    polls = [poll(1, "/pd/api/v1/members", text, status=503), poll(1, "/pd/api/v1/leader", '{"name":"pd\ud800"}')]
    async with open_replay(make(tmp_path / "made", polls=polls)) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=2))
        base = f"http://{cluster.settings.addresses['10.0.0.1:2379']}/pd/api/v1"
        with pytest.raises(SourceRefused) as refused:
            await cluster.subject.sources.web.get(f"{base}/members", of="pd1")
        leader = await cluster.subject.sources.web.get(f"{base}/leader", of="pd1")

    assert (refused.value.status, refused.value.body) == (503, text.replace("\n", " "))
    assert (leader.content_type, leader.text) == ("application/json", '{"name":"pd?"}')


async def test_a_body_that_cannot_be_read_is_a_corrupt_recording_and_no_answer(tmp_path: Path) -> None:
    folder = make(tmp_path / "made", polls=[poll(1, "/pd/api/v1/members", "x")])
    broken = f'{{"sha": "{sha("x")}", "body": "x}}\n'
    (folder / "http" / "bodies.jsonl.gz").write_bytes(gzip.compress(broken.encode()))
    async with open_replay(folder) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=2))
        url = f"http://{cluster.settings.addresses['10.0.0.1:2379']}/pd/api/v1/members"
        with pytest.raises(RecordingCorrupt, match=r"bodies\.jsonl\.gz, line 1: not JSON"):
            await cluster.subject.sources.web.get(url, of="pd1")


async def test_any_http_client_sees_what_stands_for_a_failure(replay: Replay) -> None:
    async with replay("amber-heron", 160) as cluster, httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(f"http://{cluster.settings.addresses['10.77.0.23:20180']}/status")

    assert (reply.status_code, reply.headers["opsai-recorded"]) == (599, "unreachable")
    assert reply.text == "ConnectionRefusedError: [Errno 111] Connection refused"


async def test_an_error_of_the_block_comes_out_bare(incidents: Path) -> None:
    with pytest.raises(OpsaiError, match="of the block"):
        await fail_inside(incidents / "amber-heron")


async def fail_inside(folder: Path) -> None:
    async with open_replay(folder):
        raise OpsaiError("of the block")


async def test_when_the_block_ends_nothing_is_served_any_more(incidents: Path) -> None:
    async with open_replay(incidents / "amber-heron") as cluster:
        url = f"http://{cluster.settings.addresses['10.77.0.11:2379']}/pd/api/v1/ping"
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_cluster_that_is_unreachable_is_so_in_the_words_of_a_live_one(replay: Replay) -> None:
    async with replay("amber-heron", 160) as cluster:
        with pytest.raises(SourceUnreachable) as failed:
            await cluster.subject.sources.web.get(
                f"http://{cluster.settings.addresses['10.77.0.23:20180']}/status", of="status:tikv3"
            )

    assert str(failed.value) == (
        "Asked status:tikv3 for /status: no connection (ConnectionRefusedError: [Errno 111] Connection refused). "
        "Try: check that it runs and that the address is the one reachable from here"
    )


async def test_a_call_answers_from_what_was_recorded_under_its_path(tmp_path: Path) -> None:
    call = "/v3/cluster/member/list"
    folder = make(tmp_path / "made", polls=[poll(10, call, '{"members":[1]}', rpc=True), poll(10, "/health", "{}")])
    recording = open_recording(folder)
    clock = ReplayClock(recording.incident.start + timedelta(seconds=12))

    async with serve(recording, clock) as served, httpx.AsyncClient(trust_env=False) as client:
        node = f"http://{served.addresses['10.0.0.1:2379']}"
        posted = await client.post(node + call, json={})
        got = await client.get(node + call)
        other = await client.post(f"{node}/v3/kv/range", json={})

    assert (posted.status_code, posted.json()) == (200, {"members": [1]})
    assert got.json() == posted.json()
    assert other.headers["opsai-recorded"] == "not_recorded"
