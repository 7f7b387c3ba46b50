"""What is made of one look at a cluster is made once, however many ask."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest
from mcp import Client

from opsai_server.app import Deps, build
from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Events, Window
from opsai_subjects.subject import Facts
from tests.server.mcp.bench import served
from tests.server.toy import ToySubject

pytestmark = pytest.mark.anyio


@dataclass
class Counting(ToySubject):
    """The toy, with how often each thing was asked of it."""

    asked: Counter[str] = field(default_factory=Counter[str])

    def judge(self, facts: Facts) -> tuple[Verdict, ...]:
        self.asked["judge"] += 1
        return super().judge(facts)

    def signs(self, facts: Facts) -> tuple[Sign, ...]:
        self.asked["signs"] += 1
        return super().signs(facts)

    async def events(self, window: Window) -> Events:
        self.asked["events"] += 1
        await anyio.lowlevel.checkpoint()
        return await super().events(window)


async def test_a_look_is_judged_and_its_events_are_read_once_for_all_who_ask_in_that_moment(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        subject = Counting(**vars(toy.cluster.subject))
        deps = Deps(replace(toy.cluster, subject=subject), toy.store, toy.settings)
        async with Client(build(deps)) as client:
            async with anyio.create_task_group() as group:
                for tool in ("overview", "check_invariants", "differential", "overview"):
                    group.start_soon(client.call_tool, tool)
            once = dict(subject.asked)
            toy.world.later(5.1)
            await client.call_tool("overview")

    assert once == {"judge": 1, "signs": 1, "events": 1}
    assert subject.asked == {"judge": 2, "signs": 2, "events": 2}
