"""A metrics engine that hangs costs a look a few timeouts, not one for each signal."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from opsai_subjects.model import MetricsReply, Window
from tests.tikv.cluster import healthy, subject
from tests.tikv.eyes import MemoryMetrics, late

pytestmark = pytest.mark.anyio


@dataclass
class LateMetrics(MemoryMetrics):
    """An engine that is late with each query but every so-manieth."""

    answers_each: int

    def __post_init__(self) -> None:
        super().__init__()

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        reply = await super().instant(promql, at)
        if len(self.asked) % self.answers_each:
            raise late(promql)
        return reply

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        reply = await super().range(promql, window, step_seconds)
        if len(self.asked) % self.answers_each:
            raise late(promql)
        return reply


async def test_an_engine_that_hangs_is_asked_a_few_times_in_a_look_and_what_was_spared_is_named() -> None:
    engine = LateMetrics(answers_each=1_000_000)
    async with subject(healthy(), metrics=engine) as found:
        facts = await found.facts()

        assert len(engine.asked) == 3
        (unread,) = [entry for entry in facts.unread if entry.asked.endswith("]))") or "queries" in entry.asked]
        assert "no whole answer within 10 s" in unread.why

        await found.facts()
    assert len(engine.asked) == 6


async def test_an_engine_that_answers_between_is_asked_everything() -> None:
    some, every = LateMetrics(answers_each=2), MemoryMetrics()
    for engine in (some, every):
        async with subject(healthy(), metrics=engine) as found:
            await found.facts()

    assert sorted(some.asked) == sorted(every.asked)
