"""A bench that dies at any step leaves nothing that `heal` does not undo."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsai_lab.chaos.healing import heal
from opsai_lab.chaos.injecting import inject
from opsai_lab.chaos.journal import Journal
from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.harm import Harm
from opsai_subjects.model import WallClock
from tests.lab.chaos.recorder import Recorder
from tests.lab.chaos.test_injecting import seen
from tests.lab.places import COMPOSE, silent

ETCD = read_blueprint(COMPOSE / "etcd")
LEADER = seen(ETCD, "etcd1")

pytestmark = pytest.mark.anyio


class Died(BaseException):
    """What kill -9 is to those who look from outside: nothing after it runs."""


class DyingJournal(Journal):
    """A journal whose bench may die before and after each line."""

    def __init__(self, folder: Path, step: Callable[[], None]) -> None:
        super().__init__(folder)
        self._step = step

    def intend(self, harm: Harm, fault: str = "") -> None:
        self._step()
        super().intend(harm, fault)
        self._step()

    def undone(self, harm: Harm) -> None:
        self._step()
        super().undone(harm)
        self._step()


class DyingRecorder(Recorder):
    """A target whose bench may die after each harm and each undoing."""

    step: Callable[[], None] = staticmethod(lambda: None)

    async def inject(self, harm: Harm) -> None:
        await super().inject(harm)
        self.step()

    async def undo(self, harm: Harm) -> None:
        await super().undo(harm)
        self.step()


def dying_after(steps: int) -> Callable[[], None]:
    left = [steps]

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Died

    return step


async def a_bench(folder: Path, target: DyingRecorder, steps: int) -> bool:
    """Break two nodes and heal them; return whether it lived to the end."""
    target.step = dying_after(steps)
    journal = DyingJournal(folder, target.step)
    try:
        await inject(target, journal, "quorum-loss", LEADER, WallClock())
        await inject(target, journal, "partition", LEADER, WallClock())
        await heal(target, journal, silent)
    except Died:
        return False
    return True


async def test_wherever_a_bench_dies_the_next_one_heals_all_it_did(tmp_path: Path) -> None:
    for steps in range(100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        target = DyingRecorder(folder, ETCD)
        lived = await a_bench(folder, target, steps)
        target.step = lambda: None

        await heal(target, Journal(folder), silent)

        assert target.done == {}, f"after {steps} steps"
        assert Journal(folder).left() == (), f"after {steps} steps"
        if lived:
            break

    assert steps == 18  # each of three harms: two about its line, one after it; the same to undo it
