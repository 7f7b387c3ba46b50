"""A recording played: the clock goes where the looks go."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from opsai_server.tickets.store import open_store
from opsai_server.tickets.tick import Ticked
from opsai_server.watcher import play
from opsai_subjects.config import WatchSettings
from opsai_subjects.opening import ReplayCluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import Recording
from tests.server.toy import NOON, ToyWorld, toy_cluster

pytestmark = pytest.mark.anyio


class CourseClock(ReplayClock):
    """A clock under which part:a is down from a moment on."""

    def __init__(self, world: ToyWorld, down_from: datetime) -> None:
        self.world = world
        self.down_from = down_from
        super().__init__(NOON)

    def set(self, at: datetime) -> None:
        super().set(at)
        self.world.at = at
        self.world.parts["a"].up = at < self.down_from


async def test_it_looks_from_start_to_until_at_the_interval_and_tells_of_each(tmp_path: Path) -> None:
    world = ToyWorld()
    toy = toy_cluster(world)
    clock = CourseClock(world, NOON + timedelta(seconds=60))
    recorded = ReplayCluster(toy.name, toy.subject, clock, toy.settings, cast("Recording", None))
    seen: list[Ticked] = []

    async def note(ticked: Ticked) -> None:
        seen.append(ticked)

    async with open_store(tmp_path / "s") as store:
        start, until = NOON + timedelta(seconds=30), NOON + timedelta(seconds=130)
        await play(recorded, store, WatchSettings(interval_seconds=20), start=start, until=until, on_tick=note)
        (ticket,) = await store.tickets()
    assert [(ticked.tick.at - NOON).total_seconds() for ticked in seen] == [30, 50, 70, 90, 110, 130]
    assert (ticket.violated_at - NOON, ticket.raised_at - NOON) == (timedelta(seconds=70), timedelta(seconds=110))
    assert clock.now() == until


async def test_an_end_before_the_start_is_no_look_at_all(tmp_path: Path) -> None:
    world = ToyWorld()
    toy = toy_cluster(world)
    recorded = ReplayCluster(toy.name, toy.subject, CourseClock(world, NOON), toy.settings, cast("Recording", None))
    async with open_store(tmp_path / "s") as store:
        await play(recorded, store, WatchSettings(), start=NOON, until=NOON - timedelta(seconds=1))
        assert await store.heartbeat("toy") is None
