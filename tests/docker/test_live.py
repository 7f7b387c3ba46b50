"""Real etcd members in containers, broken on purpose: found out, rightly named, healed, resolved, and recorded so that it replays."""

import os
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from tests.docker.local import environment, left_of, target_in
from tests.lab.live.runs import Trial, assert_found_out

pytestmark = [pytest.mark.docker, pytest.mark.anyio]


@pytest.fixture(scope="module")
def trial(images: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[Trial]:
    """A cluster of its own: the one that the other tests share has members that died before."""
    name = f"opsai-test-live-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment().items():
            patch.setenv(variable, value)
        # their data are in memory: what else this machine writes would make their disks slow, and be told rightly
        target = target_in(tmp_path_factory.mktemp("place"), name, small_disks_mb=192)
        try:
            anyio.run(target.up, print)
            yield Trial(target)
        finally:
            anyio.run(target.down, print)
    assert left_of(name) == []


@pytest.mark.parametrize("fault", ["leader-kill", "kill", "pause", "partition"])
async def test_what_is_done_to_a_container_is_found_out_and_is_over_once_healed(
    trial: Trial, fault: str, tmp_path: Path
) -> None:
    done, recording = await trial.run(fault, tmp_path)

    await assert_found_out(done, recording, trial.target)
