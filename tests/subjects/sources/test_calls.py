"""Reads that a system offers only as POST: exactly the listed path with exactly the listed body is sent, and nothing else."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import OpsaiError, SourceError, SourceRefused
from opsai_subjects.sources.paths import calls_below
from opsai_subjects.sources.web import Web, open_web
from opsai_subjects.subject import ReadRpc

pytestmark = pytest.mark.anyio

MEMBERS = ReadRpc(path="/v3/cluster/member/list")
ALARMS = ReadRpc(path="/v3/maintenance/alarm", body={"action": "GET", "alarm": "NONE"})
HARM = ReadRpc(path="/v3/maintenance/alarm", body={"action": "DEACTIVATE", "alarm": "NOSPACE"})
URL = "http://10.0.0.1:2379"


class Noting(httpx.AsyncBaseTransport):
    """Answers every request, and keeps it."""

    def __init__(self, status: int = 200) -> None:
        self.seen: list[httpx.Request] = []
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(self._status, json={"members": []})


@asynccontextmanager
async def calling(*bases: str, status: int = 200) -> AsyncGenerator[tuple[Web, list[httpx.Request]]]:
    noting = Noting(status)
    calls = calls_below((MEMBERS, ALARMS), bases)
    async with open_web(Access(), WebLimits(), allow=("/health",), calls=calls, transport=noting) as web:
        yield web, noting.seen


async def test_a_listed_call_is_posted_with_its_body_and_answers_as_any_question() -> None:
    async with calling() as (web, seen):
        reply = await web.call(URL, ALARMS)

    assert (seen[0].method, str(seen[0].url)) == ("POST", f"{URL}/v3/maintenance/alarm")
    assert seen[0].content == b'{"action":"GET","alarm":"NONE"}'
    assert seen[0].headers["content-type"] == "application/json"
    assert reply.json() == {"members": []}
    assert (reply.asked, reply.of) == ("/v3/maintenance/alarm", "10.0.0.1:2379")


async def test_the_order_in_which_a_body_was_written_changes_nothing() -> None:
    async with calling() as (web, seen):
        await web.call(URL, ReadRpc(path=ALARMS.path, body={"alarm": "NONE", "action": "GET"}), of="etcd1")

    assert [request.content for request in seen] == [ALARMS.sent]


@pytest.mark.parametrize(
    ("base", "rpc"),
    [
        (URL, HARM),
        (URL, ReadRpc(path=ALARMS.path)),
        (URL, ReadRpc(path=ALARMS.path, body={**ALARMS.body, "memberID": "0"})),
        (URL, ReadRpc(path=MEMBERS.path, body={"linearizable": True})),
        (URL, ReadRpc(path="/v3/kv/put")),
        (URL, ReadRpc(path="/health")),
        (URL, ReadRpc(path="/v3/cluster/member/list/")),
        (URL, ReadRpc(path="/v3/cluster/member/list?x=1")),
        (URL, ReadRpc(path="/v3/x/../cluster/member/list")),
        (f"{URL}/etcd", MEMBERS),
        (f"{URL}/v3/kv/put?", MEMBERS),
    ],
)
async def test_any_other_call_is_refused_before_anything_is_sent(base: str, rpc: ReadRpc) -> None:
    async with calling() as (web, seen):
        with pytest.raises(OpsaiError, match=r"is not one that may be made\. Nothing was sent\.$") as refused:
            await web.call(base, rpc, of="etcd1")

    assert not isinstance(refused.value, SourceError)
    assert seen == []


async def test_the_path_of_a_call_cannot_be_got() -> None:
    async with calling() as (web, seen):
        with pytest.raises(OpsaiError, match="is not one that may be read"):
            await web.get(f"{URL}{MEMBERS.path}", of="etcd1")

    assert seen == []


async def test_a_call_goes_below_the_path_of_a_proxy_that_the_settings_name() -> None:
    async with calling("http://proxy/etcd.one", "10.0.0.1:2379") as (web, seen):
        await web.call("http://proxy/etcd.one/", MEMBERS)
        await web.call(URL, MEMBERS)
        with pytest.raises(OpsaiError, match="not one that may be made"):
            await web.call("http://proxy/etcdXone", MEMBERS)

    assert [request.url.path for request in seen] == ["/etcd.one/v3/cluster/member/list", MEMBERS.path]


async def test_a_call_that_is_turned_down_says_by_whom_and_what_for() -> None:
    async with calling(status=404) as (web, _):
        with pytest.raises(SourceRefused) as failed:
            await web.call(URL, MEMBERS, of="etcd1", asked="the members")
        assert (await web.call(URL, MEMBERS, accept=(404,))).status == 404

    assert str(failed.value).startswith("Asked etcd1 for the members: HTTP 404")


@given(st.text(max_size=30), st.dictionaries(st.text(max_size=5), st.booleans() | st.text(max_size=5), max_size=3))
async def test_whatever_is_called_only_what_is_listed_is_ever_sent(path: str, body: dict[str, bool | str]) -> None:
    async with calling() as (web, seen):
        for rpc in (ReadRpc(path=f"/{path}", body=dict(body)), ReadRpc(path=ALARMS.path, body=dict(body))):
            with pytest.raises(OpsaiError):
                await web.call(URL, rpc)

    assert seen == []
    assert json.loads(ReadRpc(path="/", body=dict(body)).sent) == body
