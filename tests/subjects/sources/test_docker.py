"""Output of containers, from a stand-in for the Docker Engine on a unix socket; the answers are as Engine 20.10 gave them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.errors import OpsaiError
from opsai_subjects.log_settings import DockerSettings
from opsai_subjects.model import LogPage, LogQuery, utc
from opsai_subjects.sources.docker import PATHS, Docker, open_docker
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.fake_docker import FakeEngine, frame
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Asked, Standin, json_of, standin
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio
WHOLE = window(0, 1000)


@asynccontextmanager
async def opened(engine: FakeEngine, folder: Path, **containers: str) -> AsyncGenerator[tuple[Docker, Standin]]:
    async with standin(engine, folder / "docker.sock") as served:
        settings = DockerSettings(url=served.url, containers=containers or {name: name for name in engine.output})
        async with open_docker(settings, WebLimits(), parse) as docker:
            yield docker, served


def texts(page: LogPage) -> list[str]:
    return [f"{line.node}: {line.message}" for line in page.lines]


async def test_output_is_taken_out_of_its_frames_and_put_together(tmp_path: Path) -> None:
    stream = frame(1, "1.0 INFO on") + frame(2, "2.0 ERROR panic") + frame(2, "  at a", 2) + frame(3, "3.0 INFO off")
    async with opened(FakeEngine({"t1": stream}), tmp_path, a="t1") as (docker, served):
        page = await docker.search(LogQuery(WHOLE))
        later = await docker.search(LogQuery(window(100.5, 200)))

    assert [line.text for line in page.lines] == ["1.0 INFO on", "2.0 ERROR panic   at a", "3.0 INFO off"]
    assert (page.searched, page.unread, later.lines) == (("a",), (), ())
    assert page.origins == {"a": f"Docker at unix://{tmp_path}/docker.sock"}
    assert {asked.method for asked in served.asked} == {"GET"}
    assert served.asked[-1].params == {"stdout": "1", "stderr": "1", "timestamps": "1", "since": "95.500000"}


async def test_an_engine_behind_a_proxy_is_asked_below_its_path() -> None:
    engine = FakeEngine({"t1": frame(1, "1.0 INFO on")})

    def answer(asked: Asked) -> bytes:
        return engine(replace(asked, path=asked.path.removeprefix("/engine")))

    async with standin(answer) as served:
        settings = DockerSettings(url=f"{served.url}/engine", containers={"a": "t1"})
        async with open_docker(settings, WebLimits(), parse) as docker:
            page = await docker.search(LogQuery(WHOLE))

    assert (texts(page), page.unread) == (["a: on"], ())
    assert served.paths == ["/engine/containers/t1/json", "/engine/containers/t1/logs"]


async def test_output_of_a_terminal_has_no_frames(tmp_path: Path) -> None:
    stream = b"1970-01-01T00:00:01.000000001Z 1.0 INFO on\r\n1970-01-01T00:00:02Z 2.0 INFO off\r\n"
    async with opened(FakeEngine({"t1": stream}, tty=("t1",)), tmp_path) as (docker, _):
        page = await docker.search(LogQuery(WHOLE, newest_first=True))

    assert texts(page) == ["t1: off", "t1: on"]


async def test_reading_stops_at_the_first_line_beyond_the_window(tmp_path: Path) -> None:
    stream = frame(1, "1.0 INFO on") + frame(50, "50.0 INFO later") + b"what is no frame is never looked at"
    async with opened(FakeEngine({"t1": stream}), tmp_path) as (docker, _):
        page = await docker.search(LogQuery(window(0, 10)))

    assert texts(page) == ["t1: on"]
    assert page.unread == ()


async def test_of_the_newest_lines_alone_the_engine_is_asked_for_the_end_only(tmp_path: Path) -> None:
    stream = frame(1, "1.0 INFO on") + frame(50, "50.0 INFO later")
    newest = LogQuery(WHOLE, limit=1, newest_first=True, count=False)
    before = LogQuery(window(0, 10), limit=1, newest_first=True, count=False)
    async with opened(FakeEngine({"t1": stream}), tmp_path) as (docker, served):
        end = await docker.search(newest)
        earlier = await docker.search(before)

    assert texts(end) == ["t1: later"]
    assert texts(earlier) == ["t1: on"]
    assert [asked.params.get("tail") for asked in served.asked if asked.path.endswith("logs")] == ["200", "200", None]


async def test_a_tail_that_goes_beyond_the_window_tells_no_line_twice(tmp_path: Path) -> None:
    stream = b"".join(frame(n, f"{n}.0 INFO tick {n}") for n in (1, 2, 3, 50))
    newest = LogQuery(window(0, 10), limit=3, newest_first=True, count=False)
    async with opened(FakeEngine({"t1": stream}), tmp_path) as (docker, _):
        page = await docker.search(newest)

    assert (texts(page), page.matched) == (["t1: tick 3", "t1: tick 2", "t1: tick 1"], 3)


async def test_what_lies_beyond_the_cap_is_said_to_be_unsearched(tmp_path: Path) -> None:
    stream = b"".join(frame(n, f"{n}.0 INFO tick {n}") for n in range(1, 900))
    async with standin(FakeEngine({"t1": stream})) as served:
        settings = DockerSettings(url=served.url, containers={"a": "t1"})
        async with open_web(settings.access, WebLimits(), allow=PATHS) as web:
            page = await Docker(settings, web, parse, max_bytes=1000).search(LogQuery(WHOLE))

    (unread,) = page.unread
    assert 10 < page.matched < 30
    assert unread.why.startswith("it was read to 1,000 bytes (1970-01-01 00:00:")
    assert unread.why.endswith("Z); what follows was not searched")


async def test_what_ran_before_the_container_was_made_is_not_searched(tmp_path: Path) -> None:
    engine = FakeEngine({"t1": frame(500, "500.0 INFO on")}, created="1970-01-01T00:08:00.5Z")
    async with opened(engine, tmp_path) as (docker, _):
        page = await docker.search(LogQuery(WHOLE))

    assert page.searched == ("t1",)
    assert "created at 1970-01-01 00:08:00Z: what ran before it has left no output here" in page.unread[0].why


async def test_a_container_that_was_killed_for_its_memory_says_so_also_when_it_runs_again(tmp_path: Path) -> None:
    dead = {"Running": False, "OOMKilled": True, "ExitCode": 137, "FinishedAt": "1970-01-01T00:01:31.899933106Z"}
    back = {"Running": True, "OOMKilled": True, "ExitCode": 0, "FinishedAt": "1970-01-01T00:01:31.899933106Z"}
    engine = FakeEngine({"dead": b"", "back": b"", "well": b""}, {"dead": dead, "back": back}, restarts=2)
    async with opened(engine, tmp_path) as (docker, _):
        seen = await docker.last_states()
    states = {state.node: state for state in seen.states}

    assert (states["dead"].running, states["dead"].reason, states["dead"].exit_code) == (False, "OOMKilled", 137)
    assert states["dead"].ended_at == utc(91.899933)
    assert (states["back"].running, states["back"].reason, states["back"].exit_code) == (True, "OOMKilled", None)
    assert (states["well"].ended_at, states["well"].reason, states["well"].restarts) == (None, "", 2)
    assert seen.unread == ()


async def test_an_unknown_container_leaves_the_others_readable(tmp_path: Path) -> None:
    async with opened(FakeEngine({"t1": frame(1, "1.0 INFO on")}), tmp_path, a="t1", b="nope") as (docker, _):
        page = await docker.search(LogQuery(WHOLE))
        other = await docker.search(LogQuery(WHOLE, nodes=("c",)))
        states = await docker.last_states()

    assert texts(page) == ["a: on"]
    assert (page.searched, page.unread[0].source) == (("a",), "logs:b")
    assert 'HTTP 404: “{"message": "No such container: nope"}”' in page.unread[0].why
    assert "docker ps -a" in page.unread[0].advice
    assert (other.unread[0].source, other.unread[0].advice) == ("logs:c", "one of a, b")
    assert ([state.node for state in states.states], states.unread[0].source) == (["a"], "logs:b")


async def test_a_socket_that_is_not_there_says_where_to_run_or_what_to_set(tmp_path: Path) -> None:
    settings = DockerSettings(url=f"unix://{tmp_path}/none.sock", containers={"a": "t1"})
    async with open_docker(settings, WebLimits(), parse) as docker:
        page = await docker.search(LogQuery(WHOLE))

    assert page.searched == ()
    assert f"Docker at unix://{tmp_path}/none.sock: no connection" in page.unread[0].why
    assert page.unread[0].advice == "the socket is not there: run where Docker runs, or set docker.url"


async def test_a_driver_that_keeps_nothing_to_read_says_where_to_look(tmp_path: Path) -> None:
    text = b'{"message":"configured logging driver does not support reading"}\n'
    async with opened(FakeEngine({"t1": b""}, refused_logs=http(501, text)), tmp_path) as (docker, _):
        page = await docker.search(LogQuery(WHOLE))

    assert "does not support reading" in page.unread[0].why
    assert "logging driver writes to" in page.unread[0].advice


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (frame(1, "1.0 INFO on") + b"\x03\0\0\0\0\0\0\x05error", "the engine broke off: “error”"),
        (frame(1, "1.0 INFO on") + b"<html>oops</html>", "the engine broke off: “<html>oops</html>”"),
    ],
)
async def test_a_stream_that_breaks_off_keeps_what_came_and_says_so(tmp_path: Path, stream: bytes, why: str) -> None:
    async with opened(FakeEngine({"t1": stream}), tmp_path) as (docker, _):
        page = await docker.search(LogQuery(WHOLE))

    assert texts(page) == ["t1: on"]
    assert why in page.unread[0].why


async def test_a_connection_that_breaks_keeps_what_came_and_says_so(tmp_path: Path) -> None:
    cut = http(200, frame(1, "1.0 INFO on"), **{"content-length": "4000"})
    async with opened(FakeEngine({"t1": b""}, refused_logs=cut), tmp_path) as (docker, _):
        page = await docker.search(LogQuery(WHOLE))

    assert texts(page) == ["t1: on"]
    assert page.searched == ("t1",)
    assert "the connection broke before the answer was whole" in page.unread[0].why


@pytest.mark.parametrize("body", ["{", "[]", '{"State":{"Running":"who knows"}}', "<html>"])
async def test_an_inspection_that_is_none_is_told(tmp_path: Path, body: str) -> None:
    settings = DockerSettings(url=f"unix://{tmp_path}/s", containers={"a": "b"})
    async with standin(lambda _: json_of(body), tmp_path / "s"), open_docker(settings, WebLimits(), parse) as docker:
        seen = await docker.last_states()

    assert seen.states == ()
    assert "HTTP 200" in seen.unread[0].why


@pytest.mark.parametrize("path", ["/containers/t1/kill", "/containers/t1/exec", "/images/json"])
async def test_no_other_path_can_be_asked(path: str) -> None:
    async with standin(lambda _: http(500)) as served:
        settings = DockerSettings(url=served.url, containers={"a": "t1"})
        async with open_web(settings.access, WebLimits(), allow=PATHS) as web:
            with pytest.raises(OpsaiError, match="is not one that may be read"):
                await web.get(served.url + path, of="docker")

    assert served.asked == []
