"""Logs of pods, from a stand-in for the Kubernetes API (made by hand after its documentation; no real cluster)."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import OpsaiError, SettingsInvalid
from opsai_subjects.log_settings import KubernetesSettings
from opsai_subjects.model import LogPage, LogQuery, utc
from opsai_subjects.sources.kubernetes import PATHS, Kubernetes, open_kubernetes
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.fake_kubernetes import API, FakeApi, ended, running, stamped
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Answers, Standin, json_of, standin
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio
WHOLE = window(200, 1000)


class StillClock:
    def now(self):
        return utc(1000)


@asynccontextmanager
async def opened(answer: Answers, **settings: object) -> AsyncGenerator[tuple[Kubernetes, Standin]]:
    async with standin(answer) as served:
        given = {"url": served.url, "namespace": "db", "pods": {"a": "tikv-0/tikv"}, **settings}
        chosen = KubernetesSettings.model_validate(given)
        async with open_kubernetes(chosen, WebLimits(), parse, StillClock()) as pods:
            yield pods, served


def texts(page: LogPage) -> list[str]:
    return [f"{line.node}: {line.message}" for line in page.lines]


async def test_the_log_of_a_pod_is_read_from_the_windows_start_to_its_end() -> None:
    text = stamped(300, "300.0 INFO on") + stamped(301, "  and on") + stamped(2000, "2000.0 INFO later") + "junk"
    async with opened(FakeApi({"tikv-0": running(100)}, {"tikv-0": (text, "")})) as (pods, served):
        page = await pods.search(LogQuery(WHOLE))

    assert [line.text for line in page.lines] == ["300.0 INFO on   and on"]
    assert (page.searched, page.unread) == (("a",), ())
    assert page.origins == {"a": f"Kubernetes at {served.url}"}
    assert served.asked[-1].params == {
        "container": "tikv",
        "previous": "false",
        "timestamps": "true",
        "sinceTime": "1970-01-01T00:03:15Z",
        "limitBytes": str(64 * 1024 * 1024 + 1),
    }
    assert {asked.method for asked in served.asked} == {"GET"}


async def test_of_the_newest_lines_alone_the_end_only_is_asked_for() -> None:
    text = stamped(300, "300.0 INFO on") + stamped(900, "900.0 INFO later")
    newest = LogQuery(WHOLE, limit=1, newest_first=True, count=False)
    before = LogQuery(window(200, 400), limit=1, newest_first=True, count=False)
    async with opened(FakeApi({"tikv-0": running(100)}, {"tikv-0": (text, "")})) as (pods, served):
        end = await pods.search(newest)
        earlier = await pods.search(before)

    assert (texts(end), texts(earlier)) == (["a: later"], ["a: on"])
    assert [asked.params.get("tailLines") for asked in served.asked if asked.path.endswith("/log")] == [
        "200",
        "200",
        None,
    ]


async def test_a_tail_that_goes_beyond_the_window_tells_no_line_twice() -> None:
    text = "".join(stamped(n, f"{n}.0 INFO tick {n}") for n in (300, 301, 302, 900))
    newest = LogQuery(window(200, 400), limit=3, newest_first=True, count=False)
    async with opened(FakeApi({"tikv-0": running(100)}, {"tikv-0": (text, "")})) as (pods, _):
        page = await pods.search(newest)

    assert (texts(page), page.matched) == (["a: tick 302", "a: tick 301", "a: tick 300"], 3)


async def test_the_run_before_is_read_where_the_window_begins_before_the_container_did() -> None:
    status = running(500, 1, ended(100, 490, "OOMKilled", 137))
    output = {"tikv-0": (stamped(510, "510.0 INFO welcome"), stamped(480, "480.0 INFO last words"))}
    async with opened(FakeApi({"tikv-0": status}, output)) as (pods, served):
        page = await pods.search(LogQuery(WHOLE))
        later = await pods.search(LogQuery(window(600, 1000)))

    assert texts(page) == ["a: last words", "a: welcome"]
    assert (page.unread, later.lines) == ((), ())
    assert [asked.params["previous"] for asked in served.asked if asked.path.endswith("/log")] == [
        "true",
        "false",
        "false",
    ]


async def test_what_was_before_the_last_two_runs_is_not_searched() -> None:
    status = running(500, 4, ended(400, 490, "Error", 134))
    async with opened(FakeApi({"tikv-0": status}, {"tikv-0": ("", "")})) as (pods, _):
        page = await pods.search(LogQuery(WHOLE))

    assert page.searched == ("a",)
    assert "last two runs, here since 1970-01-01 00:06:40Z: what was before is not there" in page.unread[0].why


async def test_a_container_that_waits_after_a_crash_shows_the_run_that_crashed() -> None:
    waiting = {
        "name": "tikv",
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended(100, 490, "Error", 1)},
    }
    async with opened(FakeApi({"tikv-0": waiting}, {"tikv-0": (stamped(480, "480.0 FATAL gone"), "")})) as (pods, _):
        page = await pods.search(LogQuery(WHOLE))
        (state,) = (await pods.last_states()).states

    assert texts(page) == ["a: gone"]
    assert (state.running, state.reason, state.exit_code, state.restarts) == (False, "Error", 1, 5)


async def test_how_a_container_ended_is_told_with_its_reason() -> None:
    well, back = running(100), running(500, 1, ended(100, 490, "OOMKilled", 137))
    api = FakeApi({"tikv-0": well, "tikv-1": back, "tikv-2": None})
    async with opened(api, pods={}, label_selector="app=tikv") as (pods, served):
        api.annotations = {"kubectl.kubernetes.io/default-container": "tikv"}
        seen = await pods.last_states()
    states = {state.node: state for state in seen.states}

    assert (states["tikv-0"].running, states["tikv-0"].ended_at, states["tikv-0"].reason) == (True, None, "")
    assert (states["tikv-1"].running, states["tikv-1"].ended_at) == (True, utc(490))
    assert (states["tikv-1"].reason, states["tikv-1"].exit_code) == ("OOMKilled", 137)
    assert set(states) == {"tikv-0", "tikv-1"}
    assert served.paths == [API]


async def test_pods_are_found_by_label_and_called_by_their_names() -> None:
    api = FakeApi({"tikv-0": running(100), "tikv-1": running(100)}, {"tikv-1": (stamped(300, "300.0 INFO x"), "")})
    async with opened(api, label_selector="app=tikv") as (pods, served):
        assert await pods.nodes() == ("a", "tikv-1")
        page = await pods.search(LogQuery(WHOLE, nodes=("tikv-1",)))
        assert await pods.nodes() == ("a", "tikv-1")

    assert (texts(page), page.searched) == ([], ())
    assert "container 'slowlog' has not run" in page.unread[0].why
    assert served.paths.count(API) == 1


async def test_labels_that_no_pod_has_are_told() -> None:
    async with opened(FakeApi({}), pods={}, label_selector="app=typo") as (pods, _):
        assert await pods.nodes() == ()
        page = await pods.search(LogQuery(WHOLE))

    assert "no pod has the labels 'app=typo'" in page.unread[0].why


async def test_what_lies_beyond_the_cap_is_said_to_be_unsearched() -> None:
    text = "".join(stamped(n, f"{n}.0 INFO tick {n}") for n in range(201, 900))
    api = FakeApi({"tikv-0": running(100)}, {"tikv-0": (text, "")})
    async with standin(api) as served:
        settings = KubernetesSettings(url=served.url, namespace="db", pods={"a": "tikv-0/tikv"})
        async with open_web(Access(), WebLimits(), allow=PATHS) as web:
            page = await Kubernetes(settings, web, parse, StillClock(), max_bytes=1000).search(LogQuery(WHOLE))

    assert 10 < page.matched < 30
    assert page.unread[0].why.startswith("it was read to 1,000 bytes (1970-01-01 00:03:")


@pytest.mark.parametrize(
    ("pods", "why", "advice"),
    [
        ({"a": "tikv-9"}, 'HTTP 404: “pods "tikv-9" not found”', "check namespace and pods under kubernetes"),
        ({"a": "tikv-0/pd"}, "container 'pd' has not run: the pod is Running and its containers are slowlog, tikv", ""),
    ],
)
async def test_a_pod_or_container_that_is_not_there_says_so(pods: dict[str, str], why: str, advice: str) -> None:
    async with opened(FakeApi({"tikv-0": running(100)}), pods=pods) as (source, _):
        page = await source.search(LogQuery(WHOLE))

    assert (page.searched, page.unread[0].source) == ((), "logs:a")
    assert why in page.unread[0].why
    assert advice in page.unread[0].advice


async def test_the_token_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n", encoding="utf-8")
    api = FakeApi({"tikv-0": running(100)}, {"tikv-0": ("", "")}, token="new")
    async with opened(api, access={"bearer_token_file": str(token)}) as (pods, _):
        old = await pods.search(LogQuery(WHOLE))
        token.write_text("new\n", encoding="utf-8")
        new = await pods.search(LogQuery(WHOLE))
        token.unlink()
        gone = await pods.search(LogQuery(WHOLE))

    assert "HTTP 401: “Unauthorized”" in old.unread[0].why
    assert "bearer_token_file" in old.unread[0].advice
    assert (new.unread, new.searched) == ((), ("a",))
    assert "bearer_token_file" in gone.unread[0].why


async def test_outside_a_cluster_it_says_what_to_set(tmp_path: Path) -> None:
    settings = KubernetesSettings(namespace="db", pods={"a": "tikv-0"})
    with pytest.raises(SettingsInvalid, match="kubernetes has no url, so the cluster that this runs in is meant"):
        async with open_kubernetes(settings, WebLimits(), parse, StillClock(), account=tmp_path):
            pass


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(500, b"<html>oops</html>"), "HTTP 500: “<html>oops</html>”"),
        (json_of('{"metadata":'), "what is not JSON"),
        (json_of('{"metadata":{}}'), "not what the Kubernetes API answers (metadata.name: Field required)"),
        (
            json_of('{"message":"pods is forbidden: User \\"x\\" cannot get","code":403}', 403),
            "HTTP 403: “pods is forb",
        ),
    ],
)
async def test_what_cannot_be_read_says_what_came_back(answer: bytes, why: str) -> None:
    async with opened(lambda _: answer) as (pods, _):
        page = await pods.search(LogQuery(WHOLE))
        states = await pods.last_states()

    assert page.searched == ()
    assert why in page.unread[0].why
    assert states.states == ()
    assert why in states.unread[0].why


@pytest.mark.parametrize(
    "path", [f"{API}/tikv-0/exec", f"{API}/tikv-0/eviction", "/api/v1/namespaces/db/secrets", "/api"]
)
async def test_no_other_path_can_be_asked(path: str) -> None:
    async with standin(lambda _: http(500)) as served, open_web(Access(), WebLimits(), allow=PATHS) as web:
        with pytest.raises(OpsaiError, match="is not one that may be read"):
            await web.get(served.url + path, of="kubernetes")

    assert served.asked == []
