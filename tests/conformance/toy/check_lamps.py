"""What its author runs: `pytest check_lamps.py`, with `LAMPS_URL` set to a street that is well."""

import os

import pytest
from opsai_lamps.kind import KIND

from opsai_server.conformance import surface_checks
from opsai_subjects.config import ClusterSettings
from opsai_subjects.conformance.checks import Check, checks
from opsai_subjects.conformance.scene import live


def street():
    return live(ClusterSettings(subject="lamps", endpoints=(os.environ["LAMPS_URL"],)))


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("check", [*checks(KIND, street), *surface_checks(KIND, street)], ids=str)
async def test_lamps(check: Check):
    await check()
