"""What the probes cost a client: the size of their definitions, and that the whole server stays within its budget."""

import json

import pytest

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_tikv.kind import KIND

pytestmark = pytest.mark.anyio

PLACEMENT_CHARS = 1_900
ALL_CHARS = 17_500
TOOLS = 15


async def test_a_probe_costs_little_and_all_tools_together_stay_within_the_budget() -> None:
    tools = await assemble(Desks({"lab": KIND})).list_tools()
    chars = {
        tool.name: len(
            json.dumps(
                tool.model_dump(mode="json", by_alias=True, exclude_none=True),
                separators=(",", ":"),
                ensure_ascii=False,
            )
        )
        for tool in tools
    }

    assert chars["regions"] + chars["scheduling"] <= PLACEMENT_CHARS, chars
    assert sum(chars.values()) <= ALL_CHARS, chars
    assert len(tools) <= TOOLS
