"""Logs in Loki: what it sifts, how its pages are read, and what is said of what was not searched."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import OpsaiError, QueryInvalid
from opsai_subjects.log_settings import LokiSettings
from opsai_subjects.model import LogPage, LogQuery, utc
from opsai_subjects.sources.loki import MAX_LINES, PATHS, Loki
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.fake_loki import FakeLoki
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Answers, Asked, Standin, json_of, standin
from tests.subjects.sources.toy import parse, window

pytestmark = pytest.mark.anyio


class StillClock:
    def now(self):
        return utc(1000)


A = ({"app": "tikv", "instance": "a"}, [(float(n), f"{n}.0 INFO tick {n}") for n in range(100, 200)])
B = ({"app": "tikv", "instance": "b"}, [(150.0, "150.0 ERROR disk gone"), (160.0, "160.0 WARN slow store=4")])
OTHER = ({"app": "web", "instance": "c"}, [(150.0, "150.0 ERROR not ours")])
WHOLE = window(0, 1000)


@asynccontextmanager
async def opened(
    answer: Answers, max_lines: int = MAX_LINES, **settings: object
) -> AsyncGenerator[tuple[Loki, Standin]]:
    async with standin(answer) as served:
        chosen = LokiSettings.model_validate({"url": served.url, "selector": '{app="tikv"}', **settings})
        async with open_web(chosen.access, WebLimits(), allow=PATHS) as web:
            yield Loki(chosen, web, parse, StillClock(), max_lines), served


def texts(page: LogPage) -> list[str]:
    return [f"{line.node}: {line.message}" for line in page.lines]


async def test_the_nodes_are_the_labels_values_in_the_selected_streams() -> None:
    async with opened(FakeLoki([A, B, OTHER])) as (loki, served):
        assert await loki.nodes() == ("a", "b")
        assert await loki.nodes() == ("a", "b")

    assert served.paths == ["/loki/api/v1/label/instance/values"]


async def test_lines_come_in_order_with_their_node_and_all_are_counted() -> None:
    async with opened(FakeLoki([A, B, OTHER])) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, limit=3, newest_first=True))
        first = await loki.search(LogQuery(WHOLE, limit=2))

    assert texts(page) == ["a: tick 199", "a: tick 198", "a: tick 197"]
    assert texts(first) == ["a: tick 100", "a: tick 101"]
    assert (page.matched, first.matched, page.unread, page.searched) == (102, 102, (), ("a", "b"))
    assert page.origins["b"].startswith("Loki at http://127.0.0.1:")


async def test_of_the_newest_lines_alone_nobody_counts() -> None:
    async with opened(FakeLoki([A])) as (loki, served):
        page = await loki.search(LogQuery(WHOLE, limit=1, newest_first=True, count=False))

    assert texts(page) == ["a: tick 199"]
    assert not [asked for asked in served.asked if asked.path.endswith("/query")]


async def test_texts_expressions_and_nodes_are_sifted_by_loki() -> None:
    async with opened(FakeLoki([A, B, OTHER])) as (loki, served):
        one = await loki.search(LogQuery(WHOLE, contains=("disk",)))
        some = await loki.search(LogQuery(WHOLE, contains=("tick 101", "store=4"), regex=r"101|slow"))
        named = await loki.search(LogQuery(WHOLE, nodes=("b",)))

    assert texts(one) == ["b: disk gone"]
    assert texts(some) == ["a: tick 101", "b: slow store=4"]
    assert texts(named) == ["b: disk gone", "b: slow store=4"]
    assert [asked.params["query"] for asked in served.asked if asked.path.endswith("query_range")] == [
        '{app="tikv", instance=~".+"} |= "disk"',
        '{app="tikv", instance=~".+"} |~ "tick 101|store=4" |~ "101|slow"',
        '{app="tikv", instance=~"b"}',
    ]


async def test_a_node_that_came_up_since_the_nodes_were_learned_is_found() -> None:
    fake = FakeLoki([A])
    async with opened(fake) as (loki, _):
        assert await loki.nodes() == ("a",)
        fake.streams.append(B)
        page = await loki.search(LogQuery(WHOLE, contains=("disk",)))

    assert texts(page) == ["b: disk gone"]
    assert page.searched == ("a", "b")


async def test_levels_are_sifted_by_words_there_and_judged_here() -> None:
    lines = [(1.0, "1.0 ERROR bad"), (2.0, "2.0 INFO no error at all"), (3.0, "3.0 WARN hm")]
    async with opened(FakeLoki([({"app": "tikv", "instance": "a"}, lines)])) as (loki, served):
        page = await loki.search(LogQuery(WHOLE, levels=("ERROR",)))

    assert texts(page) == ["a: bad"]
    assert page.matched == 1
    assert served.asked[-1].params["query"].endswith('|~ "(?i)err"')


@pytest.mark.parametrize("newest", [True, False])
async def test_pages_are_read_one_after_another_and_no_line_is_lost_between_them(newest: bool) -> None:
    fake = FakeLoki([A, B], max_entries=7)
    async with opened(fake, page_lines=7) as (loki, served):
        page = await loki.search(LogQuery(WHOLE, limit=200, newest_first=newest))

    assert page.matched == len(page.lines) == 102
    assert sorted(texts(page), key=str)[:2] == ["a: tick 100", "a: tick 101"]
    assert len(served.asked) > 15


async def test_lines_that_begin_no_entry_are_joined_also_going_backward() -> None:
    lines = [(1.0, "1.0 ERROR panic"), (1.0, "  at a"), (1.0, "  at b"), (2.0, "2.0 INFO on\n  and on")]
    async with opened(FakeLoki([({"app": "tikv", "instance": "a"}, lines)])) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, newest_first=True))

    assert [line.text for line in page.lines] == ["2.0 INFO on   and on", "1.0 ERROR panic   at a   at b"]


async def test_a_line_that_begins_no_entry_and_matches_stands_alone_at_lokis_time() -> None:
    lines = [(1.0, "1.0 ERROR panic"), (7.0, "  at raftstore")]
    async with opened(FakeLoki([({"app": "tikv", "instance": "a"}, lines)])) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, contains=("raftstore",)))

    assert [(line.at, line.text) for line in page.lines] == [(utc(7), "  at raftstore")]


async def test_what_lies_beyond_the_cap_is_said_to_be_unsearched() -> None:
    async with opened(FakeLoki([A]), max_lines=10) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, levels=("INFO",), newest_first=True))

    (unread,) = page.unread
    assert len(page.lines) == page.matched == 10
    assert "the newest 10 lines were read, to 1970-01-01 00:03:10Z; what is older was not" in unread.why
    assert "shorter window" in unread.advice


async def test_a_count_that_is_refused_leaves_the_lines_and_is_said() -> None:
    async with opened(FakeLoki([A], refuse_counts=True)) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, contains=("tick",), limit=2))

    assert texts(page) == ["a: tick 100", "a: tick 101"]
    assert "HTTP 404" in page.unread[0].why


@pytest.mark.parametrize("number", ["many", "NaN", "+Inf"])
async def test_a_count_that_is_no_number_leaves_the_lines_and_is_said(number: str) -> None:
    fake = FakeLoki([A])
    told = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1000,"%s"]}]}}'

    def answer(asked: Asked) -> bytes:
        return json_of(told % number) if asked.path.endswith("/query") else fake(asked)

    async with opened(answer) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, contains=("tick",), limit=2))

    assert texts(page) == ["a: tick 100", "a: tick 101"]
    assert "not what Loki answers (data.result.0.value.1: " in page.unread[0].why


async def test_more_lines_of_one_moment_than_a_page_holds_are_said_to_be_cut() -> None:
    lines = [(5.0, f"5.0 INFO {n}") for n in range(9)]
    async with opened(FakeLoki([({"app": "tikv", "instance": "a"}, lines)]), page_lines=3) as (loki, _):
        page = await loki.search(LogQuery(WHOLE))

    assert len(page.lines) == 3
    assert "more lines than one page holds bear the same time" in page.unread[0].why


async def test_set_nodes_are_called_as_set_and_loki_is_not_asked_for_them() -> None:
    async with opened(FakeLoki([A, B]), nodes={"tikv-0": "a"}) as (loki, served):
        assert await loki.nodes() == ("tikv-0",)
        page = await loki.search(LogQuery(WHOLE, nodes=("tikv-0", "b"), limit=1))

    assert texts(page) == ["tikv-0: tick 100"]
    assert page.unread[0].source == "logs:b"
    assert page.unread[0].advice == "known: tikv-0"
    assert "/loki/api/v1/label/instance/values" not in served.paths


async def test_a_tenant_is_named_by_a_header() -> None:
    fake = FakeLoki([A], tenant="prod")
    async with opened(fake, access={"headers": {"X-Scope-OrgID": "prod"}}) as (loki, _):
        assert (await loki.search(LogQuery(WHOLE, limit=1))).matched == 100
    async with opened(fake) as (loki, _):
        page = await loki.search(LogQuery(WHOLE))

    assert "HTTP 401: “no org id”" in page.unread[0].why
    assert "X-Scope-OrgID" in page.unread[0].advice


async def test_warnings_of_loki_are_passed_on() -> None:
    async with opened(FakeLoki([A], warnings=["one shard timed out"])) as (loki, _):
        page = await loki.search(LogQuery(WHOLE, limit=1))

    assert "Loki warns: “one shard timed out”" in page.unread[0].why


async def test_a_selector_of_nothing_names_the_labels_that_are_there() -> None:
    async with opened(FakeLoki([OTHER]), node_label="pod") as (loki, _):
        assert await loki.nodes() == ()
        page = await loki.search(LogQuery(WHOLE))

    assert page.searched == ()
    assert "no stream of the last 6 h has the label 'pod'; the labels there are app, instance" in page.unread[0].why


async def test_a_question_that_loki_refuses_says_what_to_set() -> None:
    async with opened(FakeLoki([A], max_entries=3)) as (loki, _):
        page = await loki.search(LogQuery(WHOLE))

    assert "max entries limit per query exceeded" in page.unread[0].why
    assert page.unread[0].advice == "set page_lines under loki to the server's limit"


async def test_an_expression_that_does_not_parse_is_refused_before_loki_is_asked() -> None:
    async with opened(FakeLoki([A])) as (loki, served):
        with pytest.raises(QueryInvalid, match="unclosed group"):
            await loki.search(LogQuery(WHOLE, regex="("))

    assert served.asked == []


@pytest.mark.parametrize(
    ("answer", "why", "advice"),
    [
        (http(500, b"<html>oops</html>"), "HTTP 500: “<html>oops</html>”", ""),
        (json_of('{"status":"success","data":'), "what is not JSON", "ask again"),
        (http(200, b"<!DOCTYPE html><title>Sign in</title>"), "HTML where JSON should be", "a login page"),
        (json_of('{"status":"success","data":{"a":1}}'), "not what Loki answers (data: Input should be", "Loki"),
        (http(401), "HTTP 401: (empty body)", "set the credentials"),
    ],
)
async def test_what_cannot_be_read_says_what_came_back_and_what_to_try(answer: bytes, why: str, advice: str) -> None:
    async with opened(lambda _: answer) as (loki, _):
        assert await loki.nodes() == ()
        page = await loki.search(LogQuery(WHOLE))

    (unread,) = page.unread
    assert (unread.source, page.searched, page.matched) == ("loki", (), 0)
    assert why in unread.why
    assert advice in unread.advice


async def test_a_loki_that_is_not_there_is_unread() -> None:
    settings = LokiSettings(url="http://127.0.0.1:1", selector='{app="tikv"}', nodes={"a": "a"})
    async with open_web(settings.access, WebLimits(), allow=PATHS) as web:
        page = await Loki(settings, web, parse, StillClock()).search(LogQuery(WHOLE))

    assert "Loki at http://127.0.0.1:1: no connection" in page.unread[0].why


@pytest.mark.parametrize(
    "path", ["/loki/api/v1/push", "/loki/api/v1/delete", "/loki/api/v1/rules", "/flush", "/config"]
)
async def test_no_other_path_can_be_asked(path: str) -> None:
    async with standin(lambda _: http(500)) as served, open_web(Access(), WebLimits(), allow=PATHS) as web:
        with pytest.raises(OpsaiError, match="is not one that may be read"):
            await web.get(served.url + path, of="loki")

    assert served.asked == []
