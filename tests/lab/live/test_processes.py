"""Real etcd members as processes, broken on purpose: found out, rightly named, healed, resolved, and recorded so that it replays."""

from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from opsai_lab.targets.processes.kind import KIND
from tests.lab.live.runs import Trial, assert_found_out
from tests.lab.places import etcd_place, silent

pytestmark = [pytest.mark.etcd, pytest.mark.anyio]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Generator[Trial]:
    target = KIND.open(etcd_place(tmp_path_factory.mktemp("live")))
    anyio.run(target.up, silent)
    try:
        yield Trial(target)
    finally:
        anyio.run(target.down, silent)


@pytest.mark.parametrize("fault", ["leader-kill", "kill", "pause", pytest.param("partition", marks=pytest.mark.root)])
async def test_what_is_done_to_a_member_is_found_out_and_is_over_once_healed(
    trial: Trial, fault: str, tmp_path: Path
) -> None:
    done, recording = await trial.run(fault, tmp_path)

    await assert_found_out(done, recording, trial.target)
