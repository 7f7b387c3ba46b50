"""The loop: on time, one look at a time, through failures, until it is told to stop."""

import logging
from pathlib import Path

import anyio
import pytest

from opsai_server.tickets.store import Store, open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.watcher import next_beat, run, tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import SourceTimedOut
from opsai_subjects.model import Window
from tests.server.toy import NOON, ToyFacts, ToySubject, ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio

SETTINGS = WatchSettings(interval_seconds=30)


class Beats:
    """A pace that moves the world's clock instead of waiting, and waits for ever after the last beat."""

    def __init__(self, world: ToyWorld, times: int) -> None:
        self.world = world
        self.times = times
        self.over = anyio.Event()

    async def next(self) -> None:
        if self.times == 0:
            self.over.set()
            await anyio.sleep_forever()
        self.times -= 1
        self.world.later(30)


async def run_beats(world: ToyWorld, store: Store, times: int) -> list[Ticked]:
    seen: list[Ticked] = []

    async def note(ticked: Ticked) -> None:
        seen.append(ticked)

    beats = Beats(world, times)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await run(toy_cluster(world), store, SETTINGS, on_tick=note, pace=beats)

            group.start_soon(watch)
            await beats.over.wait()
            group.cancel_scope.cancel()
    return seen


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (100.0, 130.0),
        (129.9, 130.0),
        (130.0, 130.0),
        (130.1, 160.0),
        (160.0, 160.0),
        (1000.0, 1000.0),
        (1000.1, 1030.0),
    ],
)
def test_the_next_look_is_on_the_beat_and_missed_ones_are_left_out(now: float, due: float) -> None:
    assert next_beat(100.0, 30.0, now) == due


def test_a_thousand_looks_later_the_beat_has_not_drifted() -> None:
    due = 0.0
    for _ in range(1000):
        due = next_beat(due, 30.0, due + 7.3)
    assert due == 30_000.0


async def test_it_ticks_at_every_beat_and_tells_of_each(tmp_path: Path) -> None:
    world = ToyWorld()
    world.parts["a"].up = False
    async with open_store(tmp_path / "s") as store:
        seen = await run_beats(world, store, 3)
        assert [(ticked.tick.at - NOON).total_seconds() for ticked in seen] == [30, 60, 90]
        assert [step.transition.step for ticked in seen for step in ticked.steps] == ["created"]


async def test_a_look_that_fails_is_logged_and_the_next_one_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = ToyWorld()

    class Breaks(Beats):
        async def next(self) -> None:
            world.broken = RuntimeError("the adapter is broken") if self.times == 2 else None
            await super().next()

    beats = Breaks(world, 3)
    async with open_store(tmp_path / "s") as store:
        with caplog.at_level(logging.ERROR), anyio.fail_after(20):
            async with anyio.create_task_group() as group:

                async def watch() -> None:
                    await run(toy_cluster(world), store, SETTINGS, pace=beats)

                group.start_soon(watch)
                await beats.over.wait()
                group.cancel_scope.cancel()
        ticks = await store.ticks("toy", Window(start=NOON, end=world.at))
    assert len(ticks) == 2
    (record,) = caplog.records
    assert record.getMessage() == "tick_failed cluster=toy"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "the adapter is broken"


async def test_stopped_it_leaves_a_last_heartbeat_that_says_so(tmp_path: Path) -> None:
    world = ToyWorld()
    async with open_store(tmp_path / "s") as store:
        await run_beats(world, store, 2)
        beat = await store.heartbeat("toy")
    assert beat is not None
    assert (beat.stopped, beat.at, beat.interval_seconds) == (True, world.at, 30)


async def test_a_look_that_hangs_is_given_up_with_the_time_it_had(tmp_path: Path) -> None:
    class Hangs(ToySubject):
        async def facts(self) -> ToyFacts:
            await anyio.sleep_forever()
            raise AssertionError

    toy = toy_cluster()
    assert isinstance(toy.subject, ToySubject)
    hanging = Hangs(toy.subject.kind, "toy", toy.subject.sources, toy.subject.world)
    async with open_store(tmp_path / "s") as store:
        with pytest.raises(SourceTimedOut, match=r"Asked toy for the facts of one look: not gathered within 0\.02 s"):
            await tick(type(toy)("toy", hanging, toy.clock, toy.settings, None), store, SETTINGS, give_up_seconds=0.02)
