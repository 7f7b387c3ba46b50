"""Following: undiagnosed parents one after another, stopped cleanly, and nothing lost when something fails."""

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from opsai_agent.backend import News, Turn
from opsai_agent.budget import Limits
from opsai_agent.errors import AgentError, ModelUnavailable
from opsai_agent.following import Following, follow, undiagnosed
from opsai_agent.loop import Happened
from opsai_agent.report import Line, Report
from opsai_agent.rules import RulesBackend
from opsai_agent.running import Prepared, Wish
from opsai_agent.scripted import ScriptedBackend
from opsai_agent.session import CallResult
from tests.agent.conftest import FAKE

pytestmark = pytest.mark.anyio


@dataclass
class Seen:
    """What a person would have seen."""

    lines: list[str] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    stop_after: int = 1

    def following(self) -> Following:
        return Following(self.said, self.events.append, self.reports.append)

    def said(self, line: Line) -> None:
        self.lines.append(line.text)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)
            await anyio.sleep_forever()


@pytest.fixture
def wish(environment: dict[str, str], tmp_path: Path) -> Wish:
    return Wish(environment=environment, server=(sys.executable, str(FAKE)), transcript=tmp_path / "t.jsonl")


def with_moods(wish: Wish, *moods: str) -> Wish:
    return Wish(environment=wish.environment, server=(*wish.server, *moods), transcript=wish.transcript)


def by_rules() -> Prepared:
    return Prepared(RulesBackend(), Limits(), "By rules.")


async def test_one_pass_diagnoses_what_waits_and_leaves_the_rest(wish: Wish) -> None:
    seen = Seen()

    well = await follow(wish, by_rules(), seen.following(), interval_seconds=30, once=True)

    assert well
    assert [done.ticket for done in seen.reports] == ["T-1"]
    assert seen.lines == ["Ticket T-1"]
    assert seen.pauses == []


async def test_it_looks_again_each_interval_until_it_is_told_to_stop(wish: Wish) -> None:
    seen = Seen(stop_after=2)

    with anyio.fail_after(20):
        well = await follow(wish, by_rules(), seen.following(), interval_seconds=30, once=False, sleep=seen.sleep)

    assert well
    assert seen.pauses == [30, 30]
    assert seen.lines[-1] == "Stopped by SIGTERM."


async def test_a_model_that_fails_ends_the_pass_and_lengthens_the_pause(wish: Wish) -> None:
    class Gone(ScriptedBackend):
        async def turn(self, news: News) -> Turn:
            raise ModelUnavailable("HTTP 529: overloaded.")

    seen = Seen(stop_after=3)
    with anyio.fail_after(20):
        await follow(
            wish, Prepared(Gone(()), Limits(), ""), seen.following(), interval_seconds=10, once=False, sleep=seen.sleep
        )

    assert seen.reports == []
    assert seen.lines.count("HTTP 529: overloaded.") == 3
    assert seen.pauses == [20, 40, 80]


async def test_one_pass_that_failed_says_so(wish: Wish) -> None:
    seen = Seen()

    well = await follow(with_moods(wish, "dies"), by_rules(), seen.following(), interval_seconds=30, once=True)

    assert not well
    assert seen.lines[-1].startswith("opsai-mcp ended while overview was being asked. Its last words: fake: the disk")


async def test_a_server_that_died_is_started_again(wish: Wish) -> None:
    seen = Seen(stop_after=2)

    with anyio.fail_after(20):
        await follow(
            with_moods(wish, "dies"), by_rules(), seen.following(), interval_seconds=10, once=False, sleep=seen.sleep
        )

    assert [line for line in seen.lines if line == "Ticket T-1"] == ["Ticket T-1"] * 2
    assert seen.pauses == [20, 40]


@dataclass
class Listing:
    """A server that only lists tickets."""

    rows: Any
    tools: Any = ()
    instructions: str = ""

    async def call(self, name: str, arguments: Any) -> CallResult:
        assert (name, arguments) == ("tickets", {"status": "created"})
        return self.rows if isinstance(self.rows, CallResult) else CallResult("", {"tickets": self.rows}, False)


async def test_the_oldest_undiagnosed_parent_comes_first() -> None:
    rows = [
        {"id": "T-5", "status": "created"},
        {"id": "T-4", "status": "created", "parent": "T-2"},
        {"id": "T-3", "status": "diagnosed"},
        {"id": "T-2", "status": "created"},
    ]

    assert await undiagnosed(Listing(rows)) == ("T-2", "T-5")


async def test_tickets_that_cannot_be_listed_are_an_error() -> None:
    with pytest.raises(AgentError, match="Asked opsai-mcp for the open tickets: The database is locked"):
        await undiagnosed(Listing(CallResult("The database is locked.", None, True)))
