"""What its author runs: `pytest check_lamps.py`."""

from contextlib import asynccontextmanager

import pytest
from lamps import serving
from opsai_lamps.kind import KIND

from opsai_server.conformance import surface_checks
from opsai_subjects.config import ClusterSettings
from opsai_subjects.conformance.checks import Check, checks
from opsai_subjects.conformance.scene import live


@asynccontextmanager
async def street():
    with serving() as lamps:
        async with live(ClusterSettings(subject="lamps", endpoints=(lamps.url,))) as scene:
            yield scene


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("check", [*checks(KIND, street), *surface_checks(KIND, street)], ids=str)
async def test_lamps(check: Check):
    await check()
