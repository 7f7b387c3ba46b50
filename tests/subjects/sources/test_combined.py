"""Several sources of logs behind one: who reads which node, what is said of it, and how runtimes are put together."""

from dataclasses import dataclass, field

import pytest

from opsai_subjects.model import LastState, LastStates, LogLine, LogPage, LogQuery, Unread, utc
from opsai_subjects.sources.combined import CombinedLogs, CombinedStates
from tests.subjects.sources.toy import window

pytestmark = pytest.mark.anyio
WHOLE = window(0, 1000)


@dataclass
class Some:
    """Logs of nodes, each with the times of its lines; a node in `broken` cannot be read."""

    times: dict[str, tuple[float, ...]]
    broken: tuple[str, ...] = ()
    knows: bool = True
    about: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    async def nodes(self) -> tuple[str, ...]:
        return (*self.times, *self.broken) if self.knows else ()

    async def search(self, query: LogQuery) -> LogPage:
        self.asked.append(query.nodes)
        chosen = query.nodes or (*self.times, *self.broken)
        lines = [LogLine(n, utc(at), "INFO", f"{at}", {}, f"{at}") for n in chosen for at in self.times.get(n, ())]
        lines.sort(key=lambda line: line.at, reverse=query.newest_first)
        read = tuple(node for node in chosen if node in self.times)
        unread = tuple(Unread(source=f"logs:{n}", asked="it", why="broken") for n in chosen if n not in self.times)
        origins = dict.fromkeys(read, self.about) if self.about else {}
        return LogPage(tuple(lines[: query.limit]), len(lines), unread, read, origins)


def told(page: LogPage) -> list[tuple[str, float]]:
    return [(line.node, line.at.timestamp()) for line in page.lines]


async def test_each_node_is_read_where_it_is_known_and_by_whom_is_said() -> None:
    files, loki = Some({"a": (1, 4)}), Some({"b": (2, 3)}, about="Loki at http://loki")
    both = CombinedLogs({"files": files, "loki": loki})
    page = await both.search(LogQuery(WHOLE))
    newest = await both.search(LogQuery(WHOLE, limit=3, newest_first=True))
    one = await both.search(LogQuery(WHOLE, nodes=("b",)))

    assert await both.nodes() == ("a", "b")
    assert told(page) == [("a", 1), ("b", 2), ("b", 3), ("a", 4)]
    assert (told(newest), newest.matched) == ([("a", 4), ("b", 3), ("b", 2)], 4)
    assert page.origins == {"a": "files", "b": "Loki at http://loki"}
    assert (told(one), one.searched) == ([("b", 2), ("b", 3)], ("b",))
    assert files.asked == [("a",), ("a",)]


async def test_a_node_that_several_know_is_read_from_the_first_that_can() -> None:
    files, loki = Some({"a": (1,)}, broken=("b",)), Some({"a": (9,), "b": (2,)})
    page = await CombinedLogs({"files": files, "loki": loki}).search(LogQuery(WHOLE))

    assert told(page) == [("a", 1), ("b", 2)]
    assert page.origins == {"a": "files", "b": "loki"}
    assert [unread.source for unread in page.unread] == ["logs:b"]
    assert loki.asked == [("b",)]


async def test_a_source_that_cannot_say_whom_it_knows_is_asked_all_the_same() -> None:
    files, mute = Some({"a": (1,)}), Some({}, broken=("b",), knows=False)
    both = CombinedLogs({"files": files, "loki": mute})
    everything = await both.search(LogQuery(WHOLE))
    read = await both.search(LogQuery(WHOLE, nodes=("a",)))

    assert [unread.source for unread in everything.unread] == ["logs:b"]
    assert (read.unread, mute.asked) == ((), [()])


async def test_a_node_that_nobody_knows_is_unread() -> None:
    both = CombinedLogs({"files": Some({"a": (1,)}), "loki": Some({"b": (1,)})})
    page = await both.search(LogQuery(WHOLE, nodes=("a", "z")))

    assert page.searched == ("a",)
    assert page.unread[0].why == "none of files, loki has a log under this name"


class Runtime:
    def __init__(self, source: str, *nodes: str) -> None:
        self._source = source
        self._nodes = nodes

    async def last_states(self) -> LastStates:
        states = tuple(
            LastState(node=n, running=True, ended_at=None, reason="", exit_code=None, restarts=0, source=self._source)
            for n in self._nodes
        )
        return LastStates(states, (Unread(source=self._source, asked="x", why="y"),))


async def test_of_a_node_that_two_runtimes_run_the_firsts_word_counts() -> None:
    seen = await CombinedStates([Runtime("docker", "a", "b"), Runtime("kubernetes", "b", "c")]).last_states()

    assert [(state.node, state.source) for state in seen.states] == [
        ("a", "docker"),
        ("b", "docker"),
        ("c", "kubernetes"),
    ]
    assert [unread.source for unread in seen.unread] == ["docker", "kubernetes"]
