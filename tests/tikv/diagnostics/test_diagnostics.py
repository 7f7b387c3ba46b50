"""Logs asked of the nodes themselves: within bounds, one after another, and never by a look."""

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import grpc
import pytest

from opsai_subjects.endpoint import Access
from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import LogPage, LogQuery, Node, Window, utc
from opsai_tikv.logs.diagnostics import MAX_NODES, ORIGIN, DiagnosticsLogs, Limits
from opsai_tikv.logs.diagnostics_rpc import METHOD, Diagnostics
from tests.subjects.sources.pki import Pki, made_in
from tests.tikv.cluster import healthy, subject
from tests.tikv.diagnostics_server import SEARCH, FakeNode, Line, served
from tests.tikv.eyes import AT, MemoryLogs, MemoryMetrics, StillClock, said
from tests.tikv.pd.fake import FakePd

pytestmark = pytest.mark.anyio
NOW = round(AT.timestamp() * 1000)
LAST = Window.last(600, AT)
NOWHERE = {f"10.1.0.{n}:2379": f"127.0.0.1:{n}" for n in (1, 2, 3)} | {
    f"10.1.0.{n}:20160": "127.0.0.1:1" for n in (21, 22, 23)
}
"""No node is dialled but on loopback."""


def line(seconds_ago: float, text: str, level: str = "Info") -> Line:
    return (NOW - round(seconds_ago * 1000), level, text)


def at_home() -> FakePd:
    """Return a PD behind the addresses of NOWHERE."""
    pd = healthy()
    pd.doors = {NOWHERE[address]: name for address, name in pd.doors.items()}
    return pd


def ok(name: str) -> str:
    return f'[any.rs:1] ["{name}"]'


def kv(index: int, address: str, **changes: str) -> Node:
    return Node(
        **{"entity": f"store:{index}", "name": f"kv{index}", "role": "tikv", "address": address, "state": "Up"}
        | changes
    )


@asynccontextmanager
async def opened(
    *fakes: FakeNode, limits: Limits | None = None, others: MemoryLogs | None = None
) -> AsyncGenerator[DiagnosticsLogs]:
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(served(fake)) for fake in fakes]
        nodes = [kv(index, f"10.0.0.{index}:20160") for index in range(1, len(fakes) + 1)]
        reach = {node.address: address for node, address in zip(nodes, addresses, strict=True)}

        async def known() -> Sequence[Node]:
            return nodes

        rpc = Diagnostics(Access(), tls=False)
        yield DiagnosticsLogs(rpc, known, StillClock(), reach, others, limits)


def messages(page: LogPage) -> list[str]:
    return [f"{one.node}: {one.level} {one.message}" for one in page.lines]


async def test_lines_come_whole_with_time_level_and_node() -> None:
    told = [
        line(60, ok("election"), "Warn"),
        line(30.5, '[raft.rs:7] ["vote"] [to=3]'),
        line(5, ok("gone"), "Critical"),
    ]
    async with opened(FakeNode(told)) as logs:
        page = await logs.search(LogQuery(LAST))

    assert messages(page) == ["kv1: WARN election", "kv1: INFO vote", "kv1: FATAL gone"]
    assert (page.lines[1].at, page.lines[1].fields) == (utc((NOW - 30_500) / 1000), {"to": "3"})
    assert (page.matched, page.unread, page.searched, page.origins) == (3, (), ("kv1",), {"kv1": ORIGIN})


async def test_lines_that_continue_an_entry_are_joined_to_it() -> None:
    told = [line(9, ok("panic"), "Critical"), line(9, "  0: raftstore", "Critical"), line(9, "  1: main", "Critical")]
    async with opened(FakeNode([*told, line(8, ok("on"))])) as logs:
        page = await logs.search(LogQuery(LAST, newest_first=True))

    assert [one.text.partition("] ")[2] for one in page.lines] == [
        '[INFO] [any.rs:1] ["on"]',
        '[FATAL] [any.rs:1] ["panic"]   0: raftstore   1: main',
    ]


async def test_texts_expressions_levels_and_times_are_judged_by_the_node() -> None:
    told = [
        line(60, ok("a.b [x]"), "Error"),
        line(50, ok("aXb"), "Error"),
        line(40, ok("a.b [x]")),
        line(4000, ok("a.b [x]"), "Error"),
    ]
    fake = FakeNode(told)
    async with opened(fake) as logs:
        page = await logs.search(LogQuery(LAST, contains=("a.b [x]", "never"), regex="a.b", levels=("ERROR", "FATAL")))

    assert messages(page) == ["kv1: ERROR a.b [x]"]
    (request,) = fake.requests
    assert (request.start_time, request.end_time) == (NOW - 600_000, NOW)
    assert list(request.levels) == [6, 5]
    assert list(request.patterns) == [r"(?:a\.b \[x\]|never)", "a.b"]


async def test_of_a_longer_window_the_last_quarter_of_an_hour_is_searched_and_the_rest_said() -> None:
    fake = FakeNode([line(2000, ok("old")), line(800, ok("new"))])
    async with opened(fake) as logs:
        page = await logs.search(LogQuery(Window.last(3600, AT)))

    assert messages(page) == ["kv1: INFO new"]
    assert fake.requests[0].start_time == NOW - 900_000
    assert "what was before 2026-05-04 02:45:00Z was not searched" in page.unread[0].why


@pytest.mark.parametrize("limits", [Limits(lines=300), Limits(bytes=6000)])
async def test_a_node_is_left_as_soon_as_there_is_enough(limits: Limits) -> None:
    fake = FakeNode([line(500 - n / 100, ok(f"tick {n}")) for n in range(40_000)], hangs=True)
    async with opened(fake, limits=limits) as logs:
        page = await logs.search(LogQuery(LAST, newest_first=True, limit=5))
        with anyio.fail_after(5):
            await fake.left.wait()

    assert 200 < page.matched <= 300
    assert "lines, at 2026-05-04 02:51:4" in page.unread[0].why
    assert "what follows was not searched" in page.unread[0].why


async def test_a_node_that_hangs_costs_a_deadline_and_keeps_what_came() -> None:
    fake = FakeNode([line(60, ok("last words"))], hangs=True)
    async with opened(fake, limits=Limits(seconds=0.3)) as logs:
        page = await logs.search(LogQuery(LAST))

    assert (messages(page), page.searched) == (["kv1: INFO last words"], ("kv1",))
    assert page.unread[0].why == "diagnostics: no whole answer within 0.3 s"


async def test_nodes_are_asked_one_after_another_and_only_a_few_in_one_search() -> None:
    fakes = [FakeNode([line(n, ok(f"of {n}"))]) for n in range(1, MAX_NODES + 2)]
    async with opened(*fakes) as logs:
        page = await logs.search(LogQuery(LAST))
        last = await logs.search(LogQuery(LAST, nodes=(f"kv{MAX_NODES + 1}",)))

    assert page.searched == tuple(f"kv{n}" for n in range(1, MAX_NODES + 1))
    assert (page.unread[0].source, page.unread[0].advice) == (f"logs:kv{MAX_NODES + 1}", "name it in nodes")
    assert messages(last) == [f"kv{MAX_NODES + 1}: INFO of {MAX_NODES + 1}"]
    assert [len(fake.requests) for fake in fakes] == [1] * (MAX_NODES + 1)


async def test_a_node_without_a_log_file_is_told_from_one_in_which_nothing_matches() -> None:
    silent, well = FakeNode(), FakeNode([line(60, ok("alive"))])
    async with opened(silent, well) as logs:
        page = await logs.search(LogQuery(LAST, contains=("nothing like this",)))

    assert page.searched == ("kv2",)
    assert [unread.source for unread in page.unread] == ["logs:kv1"]
    assert "it writes no log file" in page.unread[0].why
    assert [len(request.patterns) for request in well.requests] == [1, 0]


async def test_nodes_whose_log_is_elsewhere_are_left_alone() -> None:
    fakes = [FakeNode(), FakeNode([line(60, ok("alive"))])]
    async with opened(*fakes, others=MemoryLogs({"10.0.0.1:20160": []})) as logs:
        assert await logs.nodes() == ("kv2",)
        page = await logs.search(LogQuery(LAST, nodes=("kv1", "kv2")))

    assert page.searched == ("kv2",)
    assert page.unread[0].source == "logs:kv1"
    assert fakes[0].requests == []


@pytest.mark.parametrize(
    ("fails", "why", "advice"),
    [
        ((grpc.StatusCode.UNKNOWN, "illegal regular expression"), "gRPC UNKNOWN: “illegal regular expression”", ""),
        ((grpc.StatusCode.UNIMPLEMENTED, "unknown service"), "gRPC UNIMPLEMENTED", "read it from files"),
        ((grpc.StatusCode.UNAUTHENTICATED, "no certificate"), "gRPC UNAUTHENTICATED", "cert_file"),
        ((grpc.StatusCode.UNAVAILABLE, "Connection reset by peer"), "no connection (“Connection reset", "address"),
    ],
)
async def test_a_failure_says_what_came_back_and_what_to_try(
    fails: tuple[grpc.StatusCode, str], why: str, advice: str
) -> None:
    async with opened(FakeNode(fails=fails)) as logs:
        page = await logs.search(LogQuery(LAST))

    assert page.searched == ()
    assert why in page.unread[0].why
    assert advice in page.unread[0].advice


async def test_a_node_where_nothing_listens_is_unread() -> None:
    async def known() -> Sequence[Node]:
        return [kv(1, "127.0.0.1:1")]

    logs = DiagnosticsLogs(Diagnostics(Access(), tls=False), known, StillClock(), {})
    page = await logs.search(LogQuery(LAST))

    assert "diagnostics: no connection (" in page.unread[0].why
    assert "127.0.0.1:1" in page.unread[0].why


async def test_an_expression_that_does_not_parse_is_refused_before_a_node_is_asked() -> None:
    fake = FakeNode()
    async with opened(fake) as logs:
        with pytest.raises(QueryInvalid):
            await logs.search(LogQuery(LAST, regex="("))

    assert fake.methods == []


async def test_bytes_that_are_no_text_do_not_end_the_search() -> None:
    fake = FakeNode([line(60, ok("key \u00ff\u2028 \x00"))])
    async with opened(fake) as logs:
        page = await logs.search(LogQuery(LAST, contains=("\ud800", "key")))

    assert page.matched == 1


async def test_no_other_method_is_ever_called_whatever_is_asked() -> None:
    fakes = [FakeNode([line(n, ok(f"x {n}")) for n in range(50)]) for _ in range(2)]
    dice = random.Random(20261124)
    words = ["", "x", "/diagnosticspb.Diagnostics/server_info", "(", "a|b", "store:1", "kv1", "kv2", "\x00"]
    async with opened(*fakes) as logs:
        for _ in range(30):
            query = LogQuery(
                Window.last(dice.choice([1, 600, 86_400]), AT),
                nodes=tuple(dice.choices(words, k=dice.randrange(3))),
                contains=tuple(dice.choices(words[1:], k=dice.randrange(2))),
                regex=dice.choice(["", "x", ".*"]),
                levels=tuple(dice.choices(["ERROR", "INFO", "NONE"], k=dice.randrange(2))),
                limit=dice.choice([0, 1, 50]),
                newest_first=dice.random() < 0.5,
            )
            await logs.search(query)
        await logs.check()

    assert METHOD == SEARCH
    assert {method for fake in fakes for method in fake.methods} == {METHOD}
    assert sum(len(fake.methods) for fake in fakes) > 20


async def test_check_knocks_at_each_node_for_lines_that_are_still_to_come() -> None:
    well, ill = FakeNode([line(60, ok("alive"))]), FakeNode(fails=(grpc.StatusCode.UNIMPLEMENTED, "no such service"))
    async with opened(well, ill) as logs:
        sight = await logs.check()
    async with opened(ill) as logs:
        blind = await logs.check()
    async with opened() as logs:
        nobody = await logs.check()

    assert (sight.source, sight.state, blind.state, nobody.state) == ("diagnostics", "partial", "blind", "ok")
    assert sight.says.startswith(
        "1 of 2 nodes answer; asked only on demand, at most 15 min a search. kv2: diagnostics:"
    )
    assert well.requests[0].start_time > NOW + 80_000_000


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_in(tmp_path_factory.mktemp("pki"))


async def told_over_tls(pki: Pki, access: Access) -> str:
    credentials = grpc.ssl_server_credentials(
        [(pki.key.read_bytes(), pki.cert.read_bytes())],
        root_certificates=pki.ca.read_bytes(),
        require_client_auth=True,
    )
    async with served(FakeNode([line(60, ok("alive"))]), credentials) as address:

        async def known() -> Sequence[Node]:
            return [kv(1, address)]

        rpc = Diagnostics(access, tls=True)
        page = await DiagnosticsLogs(rpc, known, StillClock(), {}, limits=Limits(seconds=3)).search(LogQuery(LAST))
    return page.unread[0].why if page.unread else messages(page)[0]


async def test_a_cluster_with_certificates_is_entered_with_its_own(pki: Pki, tmp_path: Path) -> None:
    whole = Access(ca_file=pki.ca, cert_file=pki.cert, key_file=pki.key)

    assert await told_over_tls(pki, whole) == "kv1: INFO alive"
    assert "no connection" in await told_over_tls(pki, Access(ca_file=pki.ca))
    assert "no connection" in await told_over_tls(pki, Access())
    assert "cannot be used" in await told_over_tls(pki, Access(ca_file=tmp_path / "none.pem"))
    assert "cannot trust any certificate" in await told_over_tls(pki, Access(verify=False))


async def test_a_cluster_that_allows_it_is_asked_when_somebody_searches_and_never_by_a_look() -> None:
    fake = FakeNode([line(60, '[any.rs:1] ["write"] [key=7480000000000000FF]')])
    async with served(fake) as address:
        reach = NOWHERE | {"10.1.0.21:20160": address}
        async with subject(at_home(), metrics=MemoryMetrics(), diagnostics=True, reach=reach) as found:
            await found.facts()
            await found.events(LAST)
            assert fake.methods == []

            logs = found.sources.asked_logs
            assert logs is not None
            page = await logs.search(LogQuery(LAST, nodes=("kv1",)))
            known = await logs.nodes()
            sights = {sight.source: sight for sight in await found.check()}

    assert known == ("pda", "pdb", "pdc", "kv1", "kv2", "kv3")
    assert [one.fields for one in page.lines] == [{"key": "‹?›"}]
    assert page.origins == {"kv1": ORIGIN}
    assert sights["diagnostics"].state == "partial"
    assert sights["diagnostics"].says.startswith("1 of 6 nodes answer")


async def test_configured_logs_go_before_the_nodes_themselves() -> None:
    fakes = [FakeNode([line(60, ok("not asked"))]), FakeNode([line(50, ok("asked"))])]
    files = MemoryLogs({"kv1": [said(-55, "in a file")]})
    async with served(fakes[0]) as one, served(fakes[1]) as two:
        reach = NOWHERE | {"10.1.0.21:20160": one, "10.1.0.22:20160": two}
        async with subject(at_home(), logs=files, diagnostics=True, reach=reach) as found:
            logs = found.sources.asked_logs
            assert logs is not None
            page = await logs.search(LogQuery(LAST, nodes=("kv1", "kv2")))

    assert messages(page) == ["kv1: INFO in a file", "kv2: INFO asked"]
    assert page.origins == {"kv1": "files", "kv2": ORIGIN}
    assert fakes[0].methods == []
